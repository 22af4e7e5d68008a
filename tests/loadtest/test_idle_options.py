"""What was asked for and would do nothing is refused, not left out."""

from __future__ import annotations

import pytest

from loadtest.idle_options import refuse_idle
from scenarios.errors import UsageError


@pytest.mark.parametrize(
    ("option", "asked", "told"),
    [
        (
            "--change",
            {"target": "staging"},
            "--change has its part in a rehearsal on this machine, and the target staging",
        ),
        ("--rehearsal", {"target": None, "on_cluster": True}, "and a cluster was asked for"),
        ("--ui", {"target": "staging", "on_cluster": True}, "--ui has its part in a run on this machine"),
        ("--image", {"target": "staging"}, "--image has its part in a run on a cluster, and --on cluster was not"),
        ("--keep", {"target": None}, "and --on cluster was not asked for"),
        ("--workload", {"target": None, "locustfile": True}, "a workload, and a locustfile takes its place"),
    ],
)
def test_an_option_that_has_no_part_is_refused(option: str, asked: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        refuse_idle({option: True}, **asked)  # type: ignore[arg-type]


def test_an_empty_target_is_no_rehearsal() -> None:
    with pytest.raises(UsageError, match="--target is empty"):
        refuse_idle({}, target="")


def test_what_has_its_part_is_taken() -> None:
    refuse_idle({"--change": ["a=1"], "--ui": True, "--workload": "mine", "--image": ""}, target=None)
    refuse_idle({"--image": "golive:1", "--keep": True, "--workload": "mine"}, target="staging", on_cluster=True)
    refuse_idle({"--metrics-port": 9646, "--ui": True}, target=None, locustfile=True)
