"""The command line itself: what it cannot take is told and is no verdict of the platform."""

from __future__ import annotations

import sys

import pytest

from loadtest.cli import main


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "--nonsense"], "No such option: --nonsense"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["run", "smoke", "--users", "many"], "'--users'"),
        (["run", "smoke", "--on", "mars"], "'mars' is not one of 'here', 'cluster'"),
        (["check-plan"], "Missing"),
    ],
    ids=["option", "command", "value", "choice", "argument"],
)
def test_a_command_line_that_cannot_be_taken_is_told_with_the_exit_code_of_usage(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["golive", *words])
    assert main() == 2
    said = capsys.readouterr().err
    assert told in said
    assert "Remedy: `golive --help`" in said


def test_golive_alone_shows_its_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["golive"])
    assert main() == 2
    said = capsys.readouterr()
    assert "check-plan" in said.out + said.err
