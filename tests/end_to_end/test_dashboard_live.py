"""The dashboard of a running test, beside a running test: every question has an answer in its Prometheus."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from analysis.prometheus import Prometheus
from loadtest.annotations import TOKEN_VARIABLE, URL_VARIABLE
from tests.charts.places import CHART
from tests.charts.test_dashboards import asked_with, names
from tests.end_to_end.runs import run
from tests.loadtest.fake_grafana import fake_grafana
from tests.loadtest.test_control_plane import once_loading

pytestmark = pytest.mark.slow
BOARD = CHART / "dashboards" / "running-test.json"
OF_NODES = "container_"  # cAdvisor's: a rehearsal has no pods


@pytest.mark.timeout(240)
def test_each_panel_and_annotation_shows_something_while_a_rehearsal_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "glsa_open-sesame")
    silent: dict[str, list[str]] = {}

    def ask() -> None:
        once_loading(tmp_path / "run", 25.0)
        told = json.loads((tmp_path / "run" / "run.json").read_text())
        chosen = {
            "run": told["run_id"], "master": told["metrics"], "service": "api-gateway", "golive": "golive",
            "namespace": "rehearsal", "__rate_interval": "15s",
        }  # fmt: skip
        source = Prometheus(told["prometheus_url"])
        (info,) = source.query(f'golive_run_info{{run="{chosen["run"]}"}}', at_unix_s=time.time())
        assert info.labels["instance"] == chosen["master"]
        (hpa, *_) = source.query("kube_horizontalpodautoscaler_spec_max_replicas", at_unix_s=time.time())
        chosen["namespace"] = hpa.labels["namespace"]
        questions = asked_with(BOARD, chosen) + [one["expr"].replace("$master", chosen["master"]) for one in notes()]
        silent["of"] = [
            question
            for question in questions
            if not any(name.startswith(OF_NODES) for name in names(question))
            and not source.query(question, at_unix_s=time.time())
        ]
        silent["asked"] = questions

    asking = threading.Thread(target=ask)
    asking.start()
    with fake_grafana() as grafana:
        monkeypatch.setenv(URL_VARIABLE, grafana.url)
        judged = run(tmp_path, hold="35s", rehearsal="tartware")
    asking.join()
    assert judged.ended == "complete"
    assert len(silent["asked"]) > 30
    assert silent["of"] == []
    written = [one["text"].partition(": ")[2] for one in grafana.kept.values()]
    assert written == ["ramp (not judged)", "hold", "the load ended: the plan is complete"]
    assert "glsa_open-sesame" not in judged.said
    leaking = [path for path in tmp_path.rglob("*") if path.is_file() and b"glsa_open-sesame" in path.read_bytes()]
    assert leaking == []


def notes() -> list[dict[str, Any]]:
    """The annotations that Prometheus is asked for, but for alerts: a good rehearsal has none."""
    asked = json.loads(BOARD.read_text())["annotations"]["list"]
    return [one for one in asked if "expr" in one and "ALERTS" not in one["expr"]]
