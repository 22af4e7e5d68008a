"""From the judged run to its report: report.html and report.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.report.html import html
from analysis.report.markdown import markdown
from analysis.report.page import page_of
from analysis.results import RunRecord
from slo.evidence import Evidence
from slo.validity import Measurement
from slo.verdict import Verdict


def render(
    *,
    record: RunRecord,
    evidence: Evidence,
    measurement: Measurement,
    verdict: Verdict,
    timeline: pd.DataFrame,
    into: Path,
) -> None:
    """Write report.html and report.md into a folder, each whole or not at all."""
    page = page_of(record=record, evidence=evidence, measurement=measurement, verdict=verdict, timeline=timeline)
    for name, content in (("report.html", html(page)), ("report.md", markdown(page))):
        half = into / f"{name}.new"
        half.write_text(content, encoding="utf-8")
        half.replace(into / name)
