"""The stage's programs: found on PATH or in the cache, else fetched once; what is missing is told in one line each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.rehearsal import binaries
from scenarios.errors import PreflightFailed


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty PATH and an empty cache; returns the folder of PATH."""
    path = tmp_path / "bin"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GOLIVE_REHEARSAL_BINARY", raising=False)
    return path


def program(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)
    return path


def cached(root: Path) -> None:
    program(root / "usr/bin/prometheus")
    program(root / "usr/bin/prometheus-alertmanager")


@pytest.mark.parametrize("name", ["alertmanager", "prometheus-alertmanager"])
def test_what_is_on_path_is_taken(nothing: Path, name: str) -> None:
    prometheus, alertmanager = program(nothing / "prometheus"), program(nothing / name)
    assert binaries.monitoring() == binaries.Monitoring(prometheus=prometheus, alertmanager=alertmanager)


def test_what_is_in_the_cache_is_taken_without_fetching(nothing: Path, tmp_path: Path) -> None:
    cached(tmp_path / "cache/golive/monitoring-debian")
    assert binaries.monitoring().prometheus.is_relative_to(tmp_path / "cache")


def test_elsewhere_each_missing_program_is_told_in_a_line(nothing: Path) -> None:
    with pytest.raises(PreflightFailed) as failed:
        binaries.monitoring()
    assert [line.split(" (")[0] for line in failed.value.problem.splitlines()] == [
        "Missing: prometheus",
        "Missing: alertmanager",
    ]
    assert "PATH" in failed.value.remedy


def test_what_is_there_is_not_called_missing(nothing: Path) -> None:
    program(nothing / "prometheus")
    with pytest.raises(PreflightFailed, match=r"^Missing: alertmanager"):
        binaries.monitoring()


def debian(nothing: Path, apt: str) -> None:
    """Let the machine have an apt-get that does this, and a dpkg that unpacks both programs."""
    shell = Path("/bin/sh").resolve()
    (nothing / "sh").symlink_to(shell)
    program(nothing / "apt-get", apt)
    unpack = "/bin/mkdir -p root/usr/bin; for p in prometheus prometheus-alertmanager; do echo at /usr/share/prometheus/alertmanager > root/usr/bin/$p; done"  # noqa: E501
    program(nothing / "dpkg", unpack)


@pytest.mark.slow
def test_on_debian_the_packages_are_fetched_relocated_and_nothing_else_is_left(nothing: Path, tmp_path: Path) -> None:
    debian(nothing, "> a.deb")
    found = binaries.monitoring()
    assert found.alertmanager.read_text() == "at ././././././././alertmanager-files\n"
    assert [path.name for path in (tmp_path / "cache/golive").iterdir()] == ["monitoring-debian"]


@pytest.mark.slow
def test_when_somebody_else_was_first_theirs_is_taken(nothing: Path, tmp_path: Path) -> None:
    others = tmp_path / "cache/golive/monitoring-debian/usr/bin"
    meanwhile = f"> a.deb; /bin/mkdir -p {others}; > {others}/prometheus; > {others}/prometheus-alertmanager"
    debian(nothing, meanwhile)
    assert binaries.monitoring().prometheus.read_text() == ""
    assert [path.name for path in (tmp_path / "cache/golive").iterdir()] == ["monitoring-debian"]


@pytest.mark.slow
def test_a_mirror_that_cannot_be_reached_is_told_with_apts_words(nothing: Path, tmp_path: Path) -> None:
    debian(nothing, "echo 'E: no route to the mirror' >&2; exit 100")
    with pytest.raises(PreflightFailed, match="E: no route to the mirror"):
        binaries.monitoring()
    assert list((tmp_path / "cache/golive").iterdir()) == []


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_told(nothing: Path, tmp_path: Path) -> None:
    debian(nothing, "> a.deb")
    (tmp_path / "cache").write_text("no folder")
    with pytest.raises(PreflightFailed, match="cannot be written"):
        binaries.monitoring()


@pytest.mark.slow
def test_the_command_says_what_is_missing_and_ends_with_4(nothing: Path) -> None:
    command = [sys.executable, "-m", "loadtest.rehearsal.binaries"]
    said = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (said.returncode, said.stdout) == (4, "")
    assert "Missing: prometheus" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_platform_that_is_named_is_taken(nothing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLIVE_REHEARSAL_BINARY", str(program(nothing / "mine")))
    assert binaries.rehearsal_platform() == nothing / "mine"


def test_a_platform_that_is_named_and_not_there_is_no_reason_to_take_another(
    nothing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLIVE_REHEARSAL_BINARY", "/nowhere/golive-rehearsal")
    with pytest.raises(PreflightFailed, match="/nowhere/golive-rehearsal"):
        binaries.rehearsal_platform()


def test_a_platform_that_is_not_built_is_told_with_the_remedy(
    nothing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "REPOSITORY", tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(PreflightFailed, match="make setup"):
        binaries.rehearsal_platform()
