"""What the `golive` command says and ends with: a mistake never looks like a verdict."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest import cli, verdicts
from tests.analysis.records import Synthetic
from tests.analysis.report.runs import hotel, staging


def ended_with(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["golive", *words])
    try:
        return cli.main()
    except SystemExit as left:
        return int(left.code or 0)


def failing(wrong: Exception) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise wrong

    return fail


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["run", "smoke", "--rate", "abc"], "--rate"),
        (["run", "smoke", "--on", "moon"], "moon"),
        (["run", "smoke", "--bogus"], "--bogus"),
        (["launch"], "launch"),
        (["check-plan"], "plan"),
    ],
)
def test_a_command_line_that_cannot_be_is_a_usage_mistake_and_says_which_word(
    words: list[str], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(monkeypatch, *words) == 2
    said = capsys.readouterr().err
    assert named in said
    assert "Remedy: `golive --help`" in said
    assert "Traceback" not in said


def test_golive_alone_shows_its_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with(monkeypatch) == 2
    said = capsys.readouterr()
    assert "check-plan" in said.out + said.err


def test_users_without_a_locustfile_are_refused_not_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_with(monkeypatch, "run", "smoke", "--users", "5") == 2
    assert "no --locustfile is named" in capsys.readouterr().err


def test_help_is_no_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with(monkeypatch, "run", "--help") == 0
    assert "--results" in capsys.readouterr().out


def test_a_bug_keeps_its_traceback_and_never_ends_as_if_the_platform_had_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").touch()
    monkeypatch.setattr(verdicts, "conclude", failing(ZeroDivisionError("division by zero")))
    assert ended_with(monkeypatch, "judge", str(tmp_path)) == 4
    said = capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in said
    assert "says nothing about the platform" in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_place_that_refuses_is_named_with_what_to_do(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").touch()
    monkeypatch.setattr(verdicts, "conclude", failing(OSError(number, "no", str(tmp_path / "verdict.json"))))
    assert ended_with(monkeypatch, "judge", str(tmp_path)) == 4
    said = capsys.readouterr().err
    assert "verdict.json" in said
    assert "Remedy:" in said
    assert "Traceback" not in said


def test_that_nobody_reads_on_is_no_failure_of_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `golive judge RUN | head -1`."""
    (tmp_path / "run.json").touch()
    monkeypatch.setattr(verdicts, "conclude", failing(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    monkeypatch.setattr("sys.stdout", sys.stdout)  # typer wraps both for good
    monkeypatch.setattr("sys.stderr", sys.stderr)
    assert ended_with(monkeypatch, "judge", str(tmp_path)) == 4


def test_results_that_cannot_be_a_folder_are_refused_before_anything_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert ended_with(monkeypatch, "run", "smoke", "--results", str(tmp_path / "file" / "below")) == 4
    captured = capsys.readouterr()
    assert "No record can be kept in" in captured.err
    assert "raising the stage" not in captured.out


def test_stopping_a_run_that_has_ended_says_so_and_leaves_its_record_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").touch()
    (tmp_path / "events.jsonl").write_text('{"at_unix_s": 1, "event": "closed"}\n')
    assert ended_with(monkeypatch, "stop", str(tmp_path)) == 0
    assert "had ended already" in capsys.readouterr().out
    assert {file.name for file in tmp_path.iterdir()} == {"run.json", "events.jsonl"}


@pytest.mark.parametrize("words", [["run", "smoke"], ["judge", "."]])
def test_a_prometheus_that_can_be_none_is_refused_before_anything_is_done(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").touch()
    monkeypatch.chdir(tmp_path)
    assert ended_with(monkeypatch, *words, "--prometheus", "localhost:9090") == 2
    assert "--prometheus: 'localhost:9090' is no address of a Prometheus" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


LATENCY = "- {{kind: latency, name: p50, quantile_ratio: 0.5, below_ms: {ms}}}\n"


@pytest.mark.parametrize(
    ("objectives", "code", "last"),
    [
        (LATENCY.format(ms=450), 0, "PASSED: 1 of 1"),
        (LATENCY.format(ms=1), 1, "FAILED: 0 of 1"),
        ("- {kind: scaling, name: scaling}\n", 3, "NOT PROVEN: 0 of 1"),
    ],
)
def test_the_exit_code_is_the_verdict(
    objectives: str, code: int, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    Synthetic().write(tmp_path / "run")
    (tmp_path / "mine.yaml").write_text(objectives)
    words = ("judge", str(tmp_path / "run"), "--objectives", str(tmp_path / "mine.yaml"))
    assert ended_with(monkeypatch, *words) == code
    said = capsys.readouterr().out
    assert last in said
    assert "not by the plan's own objectives" in said


def test_a_folder_is_printed_as_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Synthetic().write(tmp_path / "run [b] of [/today] :bug:")
    ended_with(monkeypatch, "report", str(folder))
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "report.html")


@pytest.mark.parametrize("rehearsal", [True, False])
def test_the_verdict_of_a_rehearsal_is_told_as_one(
    rehearsal: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Synthetic(plan_changes={} if rehearsal else hotel(target=staging())).write(tmp_path / "run")
    ended_with(monkeypatch, "judge", str(tmp_path / "run"))
    assert ("REHEARSAL" in capsys.readouterr().out) is rehearsal


@pytest.mark.parametrize("recorded", [True, False])
def test_ended_at_once_golive_says_so_and_how_to_judge_what_there_is(
    recorded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended_at_once(_asked: object, folder: Path, _console: object) -> None:
        if recorded:
            folder.mkdir(parents=True)
            (folder / "run.json").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("loadtest.rundown.run_plan", ended_at_once)
    assert ended_with(monkeypatch, "run", "smoke", "--results", str(tmp_path)) == 130
    said = capsys.readouterr().err
    assert "golive: interrupted" in said
    assert ("golive judge" in said) is recorded
