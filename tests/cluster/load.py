"""Load from golive's own engine on the platform, for as long as a block lasts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from loadtest._engine import Engine
from scenarios.engine_plan import engine_plan
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workloads.tartware import OTA_HEAVY

AT_MOST_S = 120.0


@contextmanager
def steady_load(url: str, rate_rps: float) -> Iterator[None]:
    """The ota-heavy mix at this rate."""
    plan = Plan(
        name="steady",
        workload=OTA_HEAVY,
        profile=Profile(phases=(Phase(name="hold", duration_s=AT_MOST_S, from_rps=rate_rps, to_rps=rate_rps),)),
        target=Target(name="platform", url=url, target_class=TargetClass.REHEARSAL),
        objectives=(),
        rate_to_prove_rps=rate_rps,
    )
    compiled = engine_plan(plan, run_date="2026-11-25", tables={}, secrets={})
    engine = Engine(json.dumps(compiled), shard=0, shards=1)
    cannot = engine.prepare()
    assert not cannot, cannot
    now_unix_us = round(time.time() * 1e6)
    engine.start(start_in_us=0, start_unix_us=now_unix_us, lease_us=round(AT_MOST_S * 1e6))
    try:
        yield
    finally:
        engine.halt(because="the test has seen enough")
