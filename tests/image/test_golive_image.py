"""The image that the Dockerfile makes: small rights, nothing to build with, all that the pods need."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from scripts.image.paths import CHECKOUT, SOURCES
from tests.image.pod_imports import own_modules_of_the_pods, packages_that_the_pods_import
from tests.image.unpacked import Unpacked, unpacked

COMPILERS = {"gcc", "g++", "cc", "c++", "cpp", "clang", "ld", "as", "rustc", "cargo", "make", "maturin"}
ALSO_THE_MACHINES = "x86_64-linux-gnu-"


@pytest.fixture(scope="module")
def image(golive_image: Path) -> Iterator[Unpacked]:
    with unpacked(golive_image) as laid_out:
        yield laid_out


def test_the_entry_is_the_pods_command_as_a_user_without_rights(image: Unpacked) -> None:
    assert image.config["Entrypoint"] == ["golive-pod"]
    assert image.config["User"] == "10001:10001"
    assert image.config["WorkingDir"] == "/tmp"
    assert {"HOME=/tmp", "PYTHONDONTWRITEBYTECODE=1"} <= set(image.config["Env"])


def test_labels_say_what_it_is_and_what_it_was_made_of(image: Unpacked) -> None:
    version = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    labels = {key.removeprefix("org.opencontainers.image."): text for key, text in image.config["Labels"].items()}
    assert (labels["title"], labels["version"], labels["licenses"]) == ("golive", version, "Apache-2.0")
    assert labels["base.name"].startswith("localhost/golive-base:")
    assert {"revision", "source", "description"} <= set(labels)


def test_the_command_starts_on_a_root_that_cannot_be_written(image: Unpacked) -> None:
    told = image.run(*image.config["Entrypoint"], "--help")
    assert told.returncode == 0, told.stderr
    assert "golive-pod master" in told.stdout


def test_nothing_outside_tmp_is_the_users_to_write(image: Unpacked) -> None:
    links = {path for path in image.root.rglob("*") if path.is_symlink()}
    for path in {*image.root.rglob("*")} - links:
        is_sticky_tmp = path.stat().st_mode & stat.S_ISVTX and path.is_dir()
        assert is_sticky_tmp or not path.stat().st_mode & stat.S_IWOTH, path
        assert path.stat().st_uid == 0, path


def test_it_is_the_user_that_it_says(image: Unpacked) -> None:
    assert image.run("id", "-u").stdout == "10001\n"
    assert image.run("sh", "-c", "touch /opt/golive/x || touch /x").returncode != 0
    assert image.run("sh", "-c", "touch ~/x").returncode == 0


def test_it_holds_no_compiler(image: Unpacked) -> None:
    programs = {path.name.removeprefix(ALSO_THE_MACHINES) for path in image.root.rglob("*") if is_program(path)}
    assert "python3.11" in programs
    assert not programs & COMPILERS


def is_program(path: Path) -> bool:
    return path.is_symlink() or (path.is_file() and bool(path.stat().st_mode & stat.S_IXUSR))


def test_no_program_gives_its_caller_other_rights(image: Unpacked) -> None:
    files = [path for path in image.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 1000
    assert not [path for path in files if path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]


def test_it_holds_every_package_that_the_pods_import(image: Unpacked) -> None:
    wanted = packages_that_the_pods_import()
    assert {"locust", "kubernetes"} <= wanted
    load_all = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    told = image.run("python", "-c", load_all, *locust_first(wanted))
    assert told.returncode == 0, told.stderr


def test_it_holds_golives_own_modules_with_bytecode(image: Unpacked) -> None:
    loading = (
        "import importlib, sys\n"
        "modules = [importlib.import_module(name) for name in sys.argv[1:]]\n"
        "print(*(module.__cached__ for module in modules), sep='\\n')"
    )
    told = image.run("python", "-c", loading, *locust_first(own_modules_of_the_pods()))
    assert told.returncode == 0, told.stderr
    for compiled in told.stdout.split():
        assert (image.root / compiled.lstrip("/")).is_file(), compiled


def locust_first(modules: Iterable[str]) -> list[str]:
    """In the order that one process can load them in: Locust exchanges the sockets of all that comes after it."""
    return sorted(modules, key=lambda name: (name not in ("locust", "loadtest.lanes"), name))


def test_golives_own_files_are_a_layer_apart_from_the_packages(image: Unpacked) -> None:
    own, packages = (
        [index for index, files in enumerate(image.layers) if any(f"site-packages/{name}/" in file for file in files)]
        for name in (SOURCES[-1], "locust")
    )
    assert len(own) == len(packages) == 1
    assert own > packages
