"""The verdict on disk (`verdict.json`): everything of it, and what it is about, for people's scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.results import RunRecord
from scenarios.errors import RecordUnreadable
from slo.evidence import Evidence, NotSeen
from slo.level import JudgedLevel, LevelOutcome, LevelSays
from slo.objective import Recovery
from slo.recovery import Recovered, recovered
from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict

FORMAT = 1


def write_verdict(path: Path, *, record: RunRecord, verdict: Verdict, evidence: Evidence | None = None) -> None:
    """Write the verdict with the facts of its run, and how each scale-up went; whole or not at all."""
    content = {
        "format": FORMAT,
        "outcome": verdict.outcome.value,
        "exit_code": verdict.outcome.exit_code,
        "run": _facts(record),
        "judgements": [asdict(judgement) for judgement in verdict.judgements],
        "findings": [asdict(finding) for finding in verdict.findings],
        **({} if evidence is None else _search(evidence)),
        **({} if evidence is None else _recoveries(record, evidence)),
        "scale_ups": [] if evidence is None else list(_scale_ups(evidence)),
    }
    half = path.with_suffix(".json.new")
    half.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(path)


def read_verdict(path: Path) -> Verdict:
    """Read a verdict back. Raises RecordUnreadable when it is none, or a newer golive wrote it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _verdict(content)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise RecordUnreadable(
            f"{path} cannot be read as a verdict: {problem}.",
            remedy="Judge the run again: golive judge RUN.",
        ) from None


def read_levels(path: Path) -> tuple[JudgedLevel, ...]:
    """The levels of a search, as a verdict file holds them; () for a run without one."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_level(entry) for entry in content.get("levels", ()))


def is_of_rehearsal(path: Path) -> bool:
    """Whether a verdict file is about golive's stand-in and not about a platform."""
    return bool(json.loads(path.read_text(encoding="utf-8"))["run"]["rehearsal"])


def _level(entry: Mapping[str, Any]) -> JudgedLevel:
    says = entry["says"]
    said = LevelSays(outcome=LevelOutcome(says["outcome"]), by=tuple(says["by"]), because=says["because"])
    judgements = tuple(_judgement(judgement) for judgement in entry["judgements"])
    return JudgedLevel(**{**entry, "says": said, "judgements": judgements})


def _verdict(content: Mapping[str, Any]) -> Verdict:
    if content["format"] > FORMAT:
        raise ValueError(f"its format {content['format']} is newer than this golive")
    return Verdict(
        outcome=RunOutcome(content["outcome"]),
        judgements=tuple(_judgement(entry) for entry in content["judgements"]),
        findings=tuple(_finding(entry) for entry in content["findings"]),
    )


def _facts(record: RunRecord) -> dict[str, Any]:
    header, plan = record.header, record.plan
    return {
        "run_id": header.run_id,
        "plan": header.plan_name,
        "objectives_of": record.objectives_of,
        "workload": plan.workload.name,
        "target": {"name": header.target_name, "url": header.target_url, "class": header.target_class.value},
        "rehearsal": header.rehearsal,
        "rate_to_prove_rps": plan.rate_to_prove_rps,
        "offered_peak_rps": plan.profile.peak_rps,
        "workers": header.workers,
        "t0_unix_s": header.t0_unix_s,
        "load_end_unix_s": header.load_end_unix_s,
        "watched_until_unix_s": header.watched_until_unix_s,
        "ended": header.ended,
        "ended_because": header.ended_because,
        "golive_version": header.golive_version,
        "versions": dict(header.versions),
        "machine": dict(header.machine),
        "fingerprint": dict(header.fingerprint),
    }


def _search(evidence: Evidence) -> dict[str, Any]:
    """Where a search put the limit, and every level it held; nothing for a run without one."""
    if isinstance(evidence.limit, NotSeen):
        return {"levels": [asdict(level) for level in evidence.levels]} if evidence.levels else {}
    return {"limit": asdict(evidence.limit), "levels": [asdict(level) for level in evidence.levels]}


def _recoveries(record: RunRecord, evidence: Evidence) -> dict[str, Any]:
    """How each spike went by each recovery objective; nothing for a run that was not asked for one."""
    asked = [one for one in record.plan.objectives if isinstance(one, Recovery)]
    spikes = () if isinstance(evidence.spikes, NotSeen) else evidence.spikes
    return {"recoveries": [_recovery(one, recovered(one, spike)) for one in asked for spike in spikes]} if asked else {}


def _recovery(asked: Recovery, seen: Recovered) -> dict[str, Any]:
    """`back_unix_s` and what follows from it are null where it was not seen that the promises held again."""
    spike, back_unix_s = seen.spike, seen.back_unix_s
    onset_unix_s, end_unix_s = spike.window.start_unix_s, spike.window.end_unix_s
    broken = seen.broken
    return {
        "objective": asked.name,
        "onset_unix_s": onset_unix_s,
        "end_unix_s": end_unix_s,
        "watched_until_unix_s": spike.until_unix_s,
        "before_rps": spike.before_rps,
        "peak_rps": spike.peak_rps,
        "after_rps": spike.after_rps,
        "windows": len(seen.windows),
        "broken_windows": len(broken),
        "first_broken_unix_s": broken[0].start_unix_s if broken else None,
        "last_broken_until_unix_s": broken[-1].end_unix_s if broken else None,
        "back_unix_s": back_unix_s,
        "back_after_end_s": None if back_unix_s is None else seen.back_after_s(end_unix_s),
        "back_after_onset_s": None if back_unix_s is None else seen.back_after_s(onset_unix_s),
    }


def _scale_ups(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Every raise of every autoscaler: its instants, and how long each leg took."""
    for one in () if isinstance(evidence.autoscalers, NotSeen) else evidence.autoscalers:
        for up in one.scale_ups:
            blamed = up.blamed
            yield {
                "autoscaler": one.name,
                **asdict(up),
                "took_s": up.took_s,
                "legs": {leg.stage.value: round(leg.took_s, 3) for leg in up.legs},
                "blamed": blamed.stage.value if blamed else "",
            }


def _judgement(entry: Mapping[str, Any]) -> Judgement:
    changed = {"outcome": Outcome(entry["outcome"]), "voided_by": tuple(entry["voided_by"])}
    return Judgement(**{**entry, **changed})


def _finding(entry: Mapping[str, Any]) -> Finding:
    bears_on = tuple(entry.get("bears_on", ()))  # verdicts of golive before recovery have none
    changed = {"kind": FindingKind(entry["kind"]), "severity": Severity(entry["severity"]), "bears_on": bears_on}
    return Finding(**{**entry, **changed})
