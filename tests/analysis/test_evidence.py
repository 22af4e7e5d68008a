"""From a record to the evidence a verdict rests on: whole runs, and runs of which half is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.evidence import assemble
from analysis.results import read_record
from slo.evidence import ClientLoad, Evidence, NotSeen, ServerLoad, Window
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic


def evidence_of(folder: Path) -> Evidence:
    return assemble(read_record(folder))[0]


def test_a_whole_run_has_all_its_evidence(tmp_path: Path) -> None:
    run = Synthetic(warm_s=5, hold_s=20, watch_s=10, rate_to_prove_rps=90.0)
    evidence = evidence_of(Watched(run=run).pull(run.write(tmp_path)))
    assert evidence.hold == Window(start_unix_s=T0 + 5, end_unix_s=T0 + 25)
    assert (evidence.load_end_unix_s, evidence.watched_until_unix_s) == (T0 + 25, T0 + 35)
    assert (evidence.rate_to_prove_rps, evidence.hold_complete) == (90.0, True)
    assert isinstance(evidence.client, ClientLoad)
    assert isinstance(evidence.server, ServerLoad)
    assert not isinstance(evidence.backlogs, NotSeen)
    assert not isinstance(evidence.autoscalers, NotSeen)


def test_client_and_server_agree_to_the_request(tmp_path: Path) -> None:
    run = Synthetic(rps=700, workers=2)
    evidence = evidence_of(Watched(run=run).pull(run.write(tmp_path)))
    assert isinstance(evidence.client, ClientLoad)
    assert isinstance(evidence.server, ServerLoad)
    assert evidence.server.load_requests == pytest.approx(evidence.client.load_sent, abs=0.5)
    assert evidence.server.requests == pytest.approx(int(evidence.client.sent.sum()), abs=0.5)


def test_a_run_nothing_was_gathered_for_has_the_clients_evidence_only(tmp_path: Path) -> None:
    evidence = evidence_of(Synthetic().write(tmp_path))
    assert isinstance(evidence.client, ClientLoad)
    assert evidence.server == NotSeen("evidence/requests.json was not pulled")
    assert isinstance(evidence.backlogs, NotSeen)
    assert isinstance(evidence.autoscalers, NotSeen)


def test_replicas_that_nobody_steered_prove_nothing(tmp_path: Path) -> None:
    run = Synthetic()
    Watched(run=run).pull(run.write(tmp_path))
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(json.dumps({"at_unix_s": T0 + 9.0, "event": "stage_part_died", "part": "autoscaler"}) + "\n")
    assert evidence_of(tmp_path).autoscalers == NotSeen("the rehearsal's own autoscaler died in mid-run")


def test_a_run_killed_in_the_hold_is_assembled_to_where_it_got(tmp_path: Path) -> None:
    evidence, measurement = assemble(read_record(Synthetic(killed=True, stopped_at_s=15).write(tmp_path)))
    assert evidence.hold == Window(start_unix_s=T0 + 5, end_unix_s=T0 + 15)
    assert not evidence.hold_complete
    assert measurement.master_lost


def test_a_run_killed_before_its_first_second_has_no_evidence(tmp_path: Path) -> None:
    folder = Synthetic(killed=True, stopped_at_s=0).write(tmp_path)
    for name in ("events.jsonl", "seconds.jsonl", "load.hlog", "workers.jsonl", "due.json"):
        (folder / name).unlink()
    evidence, measurement = assemble(read_record(folder))
    assert evidence.client == NotSeen("no load began")
    assert len(measurement.record_gaps) == 4
