"""Whether local ports last is told before the load: those of open connections, and those closed ones still hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.local_ports import Ports, check_ports, closed_per_s, ports_of
from scenarios.errors import PreflightFailed
from scenarios.plan import Plan, Sending
from scenarios.target import Target, TargetClass
from scenarios.transport import ConnectionPolicy
from tests.loadtest.builders import a_plan

USUAL = Ports(first=32768, last=60999)  # 28,232: 470 a second


def asking(rps: float, *, connections: int = 64, duration_s: float = 600.0, **policy: Any) -> Plan:
    sending = Sending(connections=connections, connection=ConnectionPolicy(**policy))
    return a_plan(rps=rps, duration_s=duration_s, sending=sending)


def test_connections_that_are_kept_need_ports_for_themselves_only() -> None:
    assert check_ports(asking(30_000, connections=1024), USUAL) == ""
    with pytest.raises(PreflightFailed, match="512 local ports; 50000–50400 has fewer"):
        check_ports(asking(1, connections=256), Ports(first=50000, last=50400))


def test_a_new_connection_for_every_request_may_use_the_ports_up() -> None:
    assert check_ports(asking(450, keep_alive=False), USUAL) == ""
    told = check_ports(asking(1000, keep_alive=False), USUAL)
    assert told.startswith(
        "Local ports may run out. Connections (a new connection for every request) end up to 1,000 times a second; "
        "each that golive closes before the target does then holds its port for 60 s (TIME_WAIT). 32768–60999 has "
        "28,232, enough for 471 a second. Keep connections longer (`sending.connection`), "
    )


def test_requests_per_connection_divide_the_rate() -> None:
    assert check_ports(asking(4500, requests_per_connection=10), USUAL) == ""
    assert "end up to 1,000 times a second" in check_ports(asking(10_000, requests_per_connection=10), USUAL)


def test_lives_that_golive_ends_itself_keep_the_load_from_starting() -> None:
    assert check_ports(asking(100, connections=1024, lifetime_s=10), USUAL) == ""
    with pytest.raises(PreflightFailed, match=r"Local ports will run out.* end up to 1,138 times a second; each then"):
        check_ports(asking(100, connections=1024, lifetime_s=1), USUAL)


def test_a_short_load_ends_before_its_ports_do() -> None:
    assert check_ports(asking(1000, keep_alive=False, duration_s=20), USUAL) == ""


def test_more_addresses_and_ports_that_are_used_again_last_longer() -> None:
    assert check_ports(asking(1000, keep_alive=False), Ports(first=32768, last=60999, addresses=3)) == ""
    assert check_ports(asking(20_000, keep_alive=False), Ports(first=32768, last=60999, held_s=1.0)) == ""


@pytest.mark.parametrize(("reuse", "url", "held_s"), [
    ("0", "http://127.0.0.1:1", 60), ("1", "http://192.0.2.1", 1), ("2", "http://192.0.2.1", 60),
    ("2", "http://localhost:1", 1), ("2", "http://[::1]:1", 1),
])  # fmt: skip
def test_the_machine_says_how_many_there_are_and_when_they_are_used_again(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, reuse: str, url: str, held_s: float
) -> None:
    for name, text in (("PORT_RANGE", "1024\t65000\n"), ("REUSE", f"{reuse}\n")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(f"loadtest.local_ports.{name}", tmp_path / name)
    target = Target(name="here", url=url, target_class=TargetClass.REHEARSAL)
    assert ports_of(a_plan(target=target)) == Ports(first=1024, last=65000, held_s=held_s)


@given(
    rps=st.floats(1, 1e6), connections=st.integers(1, 5000), per=st.none() | st.integers(1, 1000),
    lifetime_s=st.none() | st.floats(0.01, 1e5), keep_alive=st.booleans(), count=st.integers(1, 60_000),
)  # fmt: skip
def test_what_is_let_pass_fits(
    rps: float, connections: int, per: int | None, lifetime_s: float | None, keep_alive: bool, count: int
) -> None:
    plan = asking(
        rps, connections=connections, requests_per_connection=per, lifetime_s=lifetime_s, keep_alive=keep_alive
    )
    ports = Ports(first=1, last=count)
    by_golive, by_either = closed_per_s(plan)
    try:
        told = check_ports(plan, ports)
    except PreflightFailed:
        assert count < connections * 2 or count < connections + by_golive * 60
        return
    assert bool(told) == (count < connections + (by_golive + by_either) * 60)
