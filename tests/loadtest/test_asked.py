"""The command line that asks for a run again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadtest.asked import Asked

PLAIN = Asked(
    plan="30k", rate_rps=None, duration=None, workload=None, target=None, prometheus=None, workers=None,
    rehearsal="tartware", changes=(), ui=False,
)  # fmt: skip


def test_what_was_left_out_stays_left_out() -> None:
    assert PLAIN.command == "golive run 30k"


def test_a_rehearsal_made_worse_is_made_worse_again() -> None:
    changes = ("a.b=1", "c={d: 2}")
    worse = replace(PLAIN, plan="my plans/a.yaml", rate_rps=1_234_567.5, rehearsal="small", changes=changes)
    assert worse.command == (
        "golive run 'my plans/a.yaml' --rate 1234567.5 --rehearsal small --change a.b=1 --change 'c={d: 2}'"
    )


def test_a_locustfile_comes_with_its_users_and_an_address_without_its_password() -> None:
    own = replace(PLAIN, locustfile=Path("l.py"), users=5, prometheus="http://u:secret@prometheus:9090", ui=True)
    assert own.command == "golive run 30k --prometheus http://prometheus:9090 --locustfile l.py --users 5"
