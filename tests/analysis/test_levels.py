"""What is seen of one level of a search: only what happened from its ramp to its end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from analysis.driven import DrivenLevel
from analysis.evidence import assemble
from analysis.levels import level_evidence
from analysis.results import read_record
from slo.evidence import NotSeen
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic

RUN = Synthetic(warm_s=5, hold_s=60, watch_s=10)


def a_level(number: int, began: int) -> DrivenLevel:
    """30 s: a ramp of 5, then what counts."""
    return DrivenLevel(
        number=number, rate_rps=95.0, offered_rps=100.0, began_unix_s=T0 + began, from_unix_s=T0 + began + 5,
        until_unix_s=T0 + began + 30, ended_unix_s=T0 + began + 30, watched_until_unix_s=None, because="decided: met",
        aborted="", aborted_what="", said_live="met",
    )  # fmt: skip


def test_what_the_autoscalers_did_at_another_level_is_not_told_of_this_one(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    Watched(run=RUN, desired=lambda t: np.where(t < 10, 2.0, np.where(t < 40, 4.0, 9.0))).pull(tmp_path)
    record = read_record(tmp_path)
    most, raised_to = [], []
    for level in (a_level(1, began=0), a_level(2, began=32)):
        evidence, _ = level_evidence(record, level)
        assert not isinstance(evidence.autoscalers, NotSeen)
        (series,) = evidence.autoscalers
        most.append(series.desired.max())
        raised_to.append([up.to_replicas for up in series.scale_ups])
    assert most == [4, 9]
    assert raised_to == [[4], [9]]


def test_nor_is_it_told_of_the_proof(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    proof = {"at_unix_s": T0 + 9.0, "event": "leg_started", "leg": 3, "purpose": "proof", "level": 0, "rate_rps": 95.0,
             "t0_unix_s": T0 + 10.0, "phases": []}  # fmt: skip
    with (tmp_path / "events.jsonl").open("a") as events:
        events.write(json.dumps(proof) + "\n")
    Watched(run=RUN, desired=lambda t: np.where(t < 8, 9.0, 4.0)).pull(tmp_path)
    evidence, _ = assemble(read_record(tmp_path))
    assert not isinstance(evidence.autoscalers, NotSeen)
    assert [one.desired.max() for one in evidence.autoscalers] == [4]
