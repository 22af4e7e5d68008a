"""When Prometheus scraped the platform, and the holes in that."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from analysis.counters import Instants
from analysis.evidence_files import read_answer
from analysis.promql import SCRAPES
from slo.evidence import NotSeen, Window

SETTLED_AFTER_S = 1.0  # a scrape so long after the load's end has counted what was sent last
NO_SCRAPES: Instants = np.array([], dtype=np.float64)


def scrape_instants(evidence: Path) -> Instants:
    """The instants of all successful scrapes of any of the platform's parts, ascending; empty when nobody knows."""
    stored = read_answer(evidence, SCRAPES)
    if isinstance(stored, NotSeen) or not stored.series:
        return NO_SCRAPES
    return np.unique(np.concatenate([series.at_unix_s[series.values > 0] for series in stored.series]))


def longest_hole_s(evidence: Path, window: Window) -> float:
    """The longest stretch of the window without a successful scrape, beyond the usual time between two.

    0 when Prometheus was not asked at all: then its evidence is missing as a whole, which says more.
    """
    if isinstance(read_answer(evidence, SCRAPES), NotSeen):
        return 0.0
    return _longest_unseen_s(scrape_instants(evidence), window)


def unseen_s(series: Iterable[Instants], window: Window) -> float:
    """The same of the samples of some series together: when none of them had one.

    Whoever exports them need not be what `up` tells of; when it is gone, they end there.
    """
    return _longest_unseen_s(np.unique(np.concatenate([NO_SCRAPES, *series])), window)


def _longest_unseen_s(instants: Instants, window: Window) -> float:
    inside = instants[(instants > window.start_unix_s) & (instants < window.end_unix_s)]
    spacings_s = np.diff(np.concatenate(([window.start_unix_s], inside, [window.end_unix_s])))
    usual_s = float(np.median(np.diff(instants))) if len(instants) > 1 else 0.0
    return max(0.0, float(spacings_s.max()) - usual_s)


def was_scraped_after(instants: Instants, at_unix_s: float) -> bool:
    """Whether Prometheus is known to have looked again after this instant."""
    return bool(len(instants)) and float(instants[-1]) >= at_unix_s
