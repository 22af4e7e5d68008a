"""Files people write: what is taken, and how every mistake is told."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import files
from scenarios.errors import HarnessError, PlanError, RecordUnreadable
from scenarios.files import duration_s, list_plans, load_plan, read_objectives, read_plan_json, read_targets
from scenarios.plan_json import plan_from_json, plan_to_json
from scenarios.target import Target, TargetClass, WriteConsent
from slo.objective import Latency

HERE = Target(name="rehearsal", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL)
PLAN = """\
workload: ota-heavy
objectives: go-live
rate_to_prove_rps: 100
phases:
  - {name: ramp, duration: 10s, from_share: 0, to_share: 1, judged: false}
  - {name: hold, duration: 30s, from_share: 1, to_share: 1}
"""


def written(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(folder: Path, text: str, **options: object) -> str:
    with pytest.raises(PlanError) as told:
        load_plan(written(folder, text), target=HERE, **options)  # type: ignore[arg-type]
    assert told.value.remedy
    return str(told.value)


@pytest.mark.parametrize("name", [name for name, _ in list_plans()])
def test_every_plan_of_ours_can_be_run(name: str) -> None:
    plan = load_plan(name, target=HERE)
    assert any(phase.judged for phase in plan.profile.phases)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_the_main_job_is_what_it_says() -> None:
    plan = load_plan("30k", target=HERE)
    assert plan.rate_to_prove_rps == 30_000
    assert plan.profile.peak_rps == 31_500
    assert [(phase.name, phase.duration_s, phase.judged) for phase in plan.profile.phases] == [
        ("ramp", 60.0, False),
        ("hold", 180.0, True),
    ]


def test_the_rate_and_the_hold_can_be_asked_for() -> None:
    plan = load_plan("30k", target=HERE, rate_rps=1000, hold="90s", workers=3, workload="direct-heavy")
    assert (plan.rate_to_prove_rps, plan.profile.peak_rps, plan.workers) == (1000, 1050, 3)
    assert plan.profile.phases[1].duration_s == 90
    assert plan.profile.phases[0].duration_s == 60
    assert plan.workload.name == "direct-heavy"


def test_outside_a_rehearsal_the_load_begins_with_a_canary() -> None:
    staging = Target(
        name="s", url="http://127.0.0.1:1", target_class=TargetClass.STAGING,
        writes=WriteConsent(requests=("*",), at_most=10**9),
    )  # fmt: skip
    first = load_plan("10k", target=staging).profile.phases[0]
    assert (first.name, first.to_rps, first.judged) == ("canary", 105.0, False)


def test_writes_need_the_targets_consent() -> None:
    staging = Target(name="s", url="http://127.0.0.1:1", target_class=TargetClass.STAGING)
    with pytest.raises(PlanError, match=r"has not agreed to the writes create, .*writes: \{requests: \[create"):
        load_plan("10k", target=staging)
    few = Target(
        name="s",
        url="http://127.0.0.1:1",
        target_class=TargetClass.STAGING,
        writes=WriteConsent(requests=("*",), at_most=5),
    )
    with pytest.raises(PlanError, match="agreed to 5"):
        load_plan("10k", target=few)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: fast"), "`rate_to_prove_rps`: should be a number (got 'fast')"),
        (("rate_to_prove_rps: 100", 'rate_to_prove_rps: "100"'), "should be a number, and YAML takes this for text"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: 1e3"), "1000000 for 1e6 (got '1e3')"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: 10000001"), "`rate_to_prove_rps`: 10000001.0 requests"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: -1"), "greater than 0"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: .nan"), "line 3, column 20: .nan is no number"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: -.inf"), "line 3, column 20: -.inf is no number"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: 0100"), "0100 is no number that can be meant"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: 1:30"), "1:30 is no number that can be meant"),
        (("rate_to_prove_rps: 100", "rate_to_prove_rps: 0x10"), "0x10 is no number that can be meant"),
        (("workload: ota-heavy", "? [a]\n: b\nworkload: ota-heavy"), "['a'] is no name"),
        (("workload: ota-heavy", "workload: 2020-01-01"), "There is no workload '2020-01-01'"),
        (("workload: ota-heavy", "workload: !!set {a}"), "no text, number or list"),
        (("workload: ota-heavy", "<<: {a: b}\nworkload: ota-heavy"), "line 1, column 1: merge keys (<<)"),
        (("workload: ota-heavy", "workload:\tota-heavy"), "line 1, column 10: a tab where YAML takes spaces only"),
        (
            ("objectives: go-live", "objectives: go-life"),
            "`objectives`: There is no objectives file 'go-life'. Did you mean 'go-live'?",
        ),
        (
            ("workload: ota-heavy", "workload: ota-hevy"),
            "`workload`: There is no workload 'ota-hevy'. Did you mean 'ota-heavy'?",
        ),
        (("name: ramp", "nam: ramp"), "`phases.0.nam`: there is no such key; did you mean `name`? (got 'ramp')"),
        (("duration: 30s", "duration: 30"), "`phases.1.duration`: should be text; a duration has its unit, 30s"),
        (("duration: 30s", "duration: half an hour"), "'half an hour' is no duration"),
        (("duration: 30s", "duration: 5s"), "shorter than one throughput window"),
        (("name: hold", "name: ramp"), "two phases are called 'ramp'"),
        (("to_share: 1}", "to_share: 1, judged: false}"), "no phase is judged"),
        (("from_share: 1, to_share: 1}", "from_share: 1, to_share: 99}"), "`phases.1.to_share`"),
        (("workload: ota-heavy", "workload: ota-heavy\nworkload: direct-heavy"), "'workload' stands twice"),
        (("workload: ota-heavy", "workload: [ota-heavy"), "line 2, column 11"),
        (("workload: ota-heavy", "workload: &a ota-heavy\nother: *a"), "aliases"),
        (
            ("workload: ota-heavy", "abort: {behind_for_s: -3}\nworkload: ota-heavy"),
            "abort.behind_for_s -3 is not above",
        ),
        (
            ("workload: ota-heavy", "thresholds: {lag_p99_ms: -1}\nworkload: ota-heavy"),
            "thresholds.lag_p99_ms -1 is not",
        ),
        (
            ("workload: ota-heavy", "thresholds: {unsent_ratio: 5}\nworkload: ota-heavy"),
            "thresholds.unsent_ratio 5 is not 0 to 1; a percentage? Then write 0.05",
        ),
        (("workload: ota-heavy", "sending: {seed: -1}\nworkload: ota-heavy"), "sending.seed -1 is not 0 to"),
        (("workload: ota-heavy", "colour: red\nworkload: ota-heavy"), "`colour`: there is no such key (got 'red')"),
    ],
)
def test_every_mistake_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert told in refusal(tmp_path, PLAN.replace(*change))


def test_a_list_is_not_called_empty_for_the_mistake_in_its_entry(tmp_path: Path) -> None:
    assert refusal(tmp_path, PLAN.replace("from_share: 0,", "from_share: -1,")).count("`phases") == 1


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, PLAN.replace("workload:", "wrkload:").replace("name: hold", "nme: hold"))
    assert "`wrkload`" in said
    assert "`phases.1.nme`" in said


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="not UTF-8"):
        load_plan(str(path), target=HERE)
    path.write_bytes(b"a" * 2_000_000)
    with pytest.raises(PlanError, match="too many"):
        load_plan(str(path), target=HERE)


def test_a_plan_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(PlanError, match=r"Did you mean '30k'\?(.|\n)*Known: 10k"):
        load_plan("30kk", target=HERE)


@given(st.text(max_size=300))
def test_whatever_a_file_holds_only_a_told_error_comes_out(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "junk.yaml"
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        readers = (
            lambda: load_plan(str(path), target=HERE),
            lambda: read_objectives(str(path)),
            lambda: read_targets(path),
        )
        for read in readers:
            with contextlib.suppress(HarnessError):  # anything else would be a bug, and fails
                read()


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("3m", 180), ("1h30m", 5400), ("0.5s", 0.5), (" 2m ", 120)])
def test_durations_are_read_with_their_units(text: str, seconds: float) -> None:
    assert duration_s(text, where="DURATION") == seconds


@pytest.mark.parametrize("text", ["", "90", "s", "-3m", "3m1h", "1e3s", "8d", "0s", "900h", "٣m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="DURATION"):
        duration_s(text, where="DURATION")


@pytest.mark.parametrize("rate", [0, -5, float("nan"), float("inf"), 1e12])
def test_a_rate_that_cannot_be_meant_is_refused(rate: float) -> None:
    with pytest.raises(PlanError, match="cannot be proved"):
        load_plan("30k", target=HERE, rate_rps=rate)


def test_objectives_are_read_by_kind() -> None:
    named = {objective.name: objective for objective in read_objectives("go-live")}
    assert named["p95-latency"] == Latency(name="p95-latency", quantile_ratio=0.95, below_ms=450)
    assert len(named) == 7


def test_an_unknown_kind_of_objective_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="kind"):
        read_objectives(written(tmp_path, "- {kind: latenzy, name: a, quantile_ratio: 0.9, below_ms: 5}"))
    twice = written(tmp_path, "- {kind: error_ratio, name: a, below_ratio: 0.1}\n" * 2)
    with pytest.raises(PlanError, match="a: two objectives are called so"):
        read_objectives(twice)


def test_targets_are_read_strictly(tmp_path: Path) -> None:
    good = '- {name: staging, url: "https://a.example", target_class: staging}\n'
    (target,) = read_targets(Path(written(tmp_path, good)))
    assert (target.name, target.target_class) == ("staging", TargetClass.STAGING)
    with pytest.raises(PlanError, match=r"`0\.target_class`"):
        read_targets(Path(written(tmp_path, good.replace("staging}", "stagin}"))))
    assert read_targets(Path(written(tmp_path, "# nothing yet\n"))) == ()
    for bad, told in (
        (good * 2, "staging stands twice"),
        (good.replace("staging,", "'',", 1), "a target has no name"),
        (good.replace("staging,", "' ',", 1), "a target has no name"),
        (good.replace("g}", "g, writes: {at_most: -1}}"), "`writes.at_most` of staging: -1 is not 0 or above"),
        (
            good.replace("g}", "g, prometheus_url: prometheus:9090}"),
            "`prometheus_url` of staging: 'prometheus:9090' is",
        ),
        (good.replace("g}", "g, prometheus_url: 'http://h:99999'}"), "is no address of a Prometheus"),
    ):
        with pytest.raises(PlanError, match=told):
            read_targets(Path(written(tmp_path, bad)))
    (rehearsal,) = read_targets(files.HERE.parent / "targets.yaml")
    assert rehearsal.target_class is TargetClass.REHEARSAL  # nobody's real platform is driven by default


def test_a_record_of_another_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"format": 99}')
    with pytest.raises(RecordUnreadable, match="format 99"):
        read_plan_json(path)
    path.write_text("[1")
    with pytest.raises(RecordUnreadable, match="cannot be read"):
        read_plan_json(path)
    path.write_text('{"format": 1, "plan": {"$": "Plan", "colour": 1}}')
    with pytest.raises(RecordUnreadable, match="cannot be understood"):
        read_plan_json(path)


def test_secrets_come_from_the_environment_and_are_missed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from scenarios.workload import EnvSecret, Login, Request, Workload

    login = Login(method="POST", path="/login", json={"password": EnvSecret("MY_PASSWORD")}, token_pointer="/t")
    workload = Workload(name="w", requests=(Request(name="a", weight=1, method="GET", path="/"),), login=login)
    monkeypatch.delenv("MY_PASSWORD", raising=False)
    with pytest.raises(PlanError, match="needs MY_PASSWORD"):
        files.read_secrets(workload)
    monkeypatch.setenv("MY_PASSWORD", "hunter2")
    assert files.read_secrets(workload) == {"MY_PASSWORD": "hunter2"}
