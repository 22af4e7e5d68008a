"""golive's wheel away from its checkout: it brings along every file that it reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from scripts.image.ingredients import build_wheel
from scripts.image.paths import CHECKOUT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel installed, and what it needs from the environment of these tests."""
    folder = tmp_path_factory.mktemp("elsewhere")
    build_wheel(folder / "wheel")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, *(folder / "wheel").glob("*.whl")], check=True)
    # A path in a .pth file brings the packages, and not what their own .pth files add: this checkout.
    (site,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    (site / "packages-of-the-tests.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def golive(elsewhere: Path, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(elsewhere)}
    command = [str(elsewhere / "venv" / "bin" / "golive"), *words]
    return subprocess.run(command, cwd=elsewhere, env=environment, check=True, capture_output=True, text=True).stdout


def test_it_is_the_wheel_that_runs(elsewhere: Path) -> None:
    where = [str(elsewhere / "venv" / "bin" / "python"), "-c", "import loadtest; print(loadtest.__file__)"]
    told = subprocess.run(where, cwd=elsewhere, check=True, capture_output=True, text=True).stdout
    assert told.startswith(str(elsewhere))


def test_it_lists_the_plans_of_the_checkout(elsewhere: Path) -> None:
    listed = {line.split()[0] for line in golive(elsewhere, "plans").splitlines()}
    assert listed == {path.stem for path in (CHECKOUT / "scenarios" / "plans").glob("*.yaml")}


def test_it_renders_a_report(elsewhere: Path) -> None:
    shutil.copytree(CHECKOUT / "results" / "sample", elsewhere / "sample")
    (elsewhere / "sample" / "report.html").unlink()
    golive(elsewhere, "report", str(elsewhere / "sample"))
    assert "</html>" in (elsewhere / "sample" / "report.html").read_text()


def test_it_holds_every_file_that_is_no_python(elsewhere: Path) -> None:
    (site,) = (elsewhere / "venv" / "lib").glob("python3*/site-packages")
    for package in ("loadtest", "scenarios", "slo", "analysis"):
        tracked = subprocess.run(
            ["git", "ls-files", package], cwd=CHECKOUT, check=True, capture_output=True, text=True
        ).stdout.split()
        assert tracked
        assert [path for path in tracked if not (site / path).is_file()] == []
