"""What the engine is given holds what the plan only names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from loadtest.run_orders import compiled_plan
from tests.loadtest.builders import a_plan


def test_the_certificates_that_a_plan_trusts_reach_the_engine(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("-----BEGIN CERTIFICATE-----")
    plan = a_plan()
    trusting = replace(plan, sending=replace(plan.sending, trust_ca_file=str(authority)))
    assert json.loads(compiled_plan(plan, run_date="2026-11-24"))["ca_pem"] == ""
    assert json.loads(compiled_plan(trusting, run_date="2026-11-24"))["ca_pem"] == "-----BEGIN CERTIFICATE-----"
