"""How much memory the platform's processes and golive's own workers had, over the run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.evidence_files import read_answer
from analysis.results import RunRecord
from slo.evidence import NotSeen, ResourceSeries

MEMORY = "memory"  # the evidence that holds it


def resources_of(record: RunRecord) -> tuple[ResourceSeries, ...] | NotSeen:
    """Every process' memory. NotSeen when nothing is known of the platform's: golive's own proves nothing about it."""
    answer = read_answer(record.folder / "evidence", MEMORY)
    if isinstance(answer, NotSeen):
        return NotSeen(f"the platform's memory: {answer.because}")
    if not answer.series:
        return NotSeen(f"{answer.asked.server} knows no series for {answer.asked.query}")
    platform = [
        ResourceSeries(
            name=f"memory of {_called(dict(series.labels))}", source=answer.source, at_unix_s=series.at_unix_s,
            value=series.values,
        )
        for series in answer.series
    ]  # fmt: skip
    return (*platform, *_own(record))


def _called(labels: dict[str, str]) -> str:
    told = (labels.get(name) for name in ("pod", "container", "instance", "job"))
    return next((name for name in told if name), "the platform")


def _own(record: RunRecord) -> Iterator[ResourceSeries]:
    for worker, lines in record.workers.groupby("worker"):
        seconds = lines.groupby("second")["rss_bytes"].max()
        yield ResourceSeries(
            name=f"memory of golive's worker {worker}", source="golive's own word",
            at_unix_s=seconds.index.to_numpy(dtype=np.float64), value=seconds.to_numpy(dtype=np.float64),
        )  # fmt: skip
