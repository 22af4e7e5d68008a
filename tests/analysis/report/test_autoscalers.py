import dataclasses
from pathlib import Path

import numpy as np

from analysis.report.autoscalers import limits_told
from slo.evidence import NotSeen
from tests.analysis.report.runs import run_of


def test_each_autoscaler_says_what_it_was_allowed(tmp_path: Path) -> None:
    told = limits_told(run_of(tmp_path / "run", platform=True).evidence)
    assert told == dict.fromkeys(("core", "api-gateway", "rooms"), "allowed 3 to 80")


def test_wanting_more_than_the_maximum_is_told_in_seconds(tmp_path: Path) -> None:
    evidence = run_of(tmp_path / "run", platform=True).evidence
    assert not isinstance(evidence.autoscalers, NotSeen)
    first = evidence.autoscalers[0]
    starved = dataclasses.replace(first, wanted_more=np.arange(len(first.wanted_more)) < 7)
    told = limits_told(dataclasses.replace(evidence, autoscalers=(starved,)))
    assert told[first.name] == "allowed 3 to 80; wanted more than its maximum for 7 s"


def test_unseen_autoscalers_have_no_limits(tmp_path: Path) -> None:
    assert limits_told(run_of(tmp_path / "run").evidence) == {}
