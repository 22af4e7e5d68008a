"""Figures as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime


def ms(value_ms: float) -> str:
    """Milliseconds with as many digits as carry meaning."""
    if value_ms < 10:
        return f"{value_ms:.2f} ms"
    return f"{value_ms:.1f} ms" if value_ms < 100 else f"{value_ms:,.0f} ms"


def percent(ratio: float) -> str:
    """A ratio for the eye: never rounded up to 100 % nor down to 0 % when it is not."""
    digits = 2
    while digits < 6 and (0 < ratio < 0.5 * 10 ** -(digits + 2) or 0 < 1 - ratio < 0.5 * 10 ** -(digits + 2)):
        digits += 1
    return f"{ratio * 100:.{digits}f} %"


def instant(at_unix_s: float) -> str:
    """A time of day, UTC."""
    return datetime.fromtimestamp(at_unix_s, UTC).strftime("%H:%M:%S UTC")


def duration(duration_s: float) -> str:
    """Seconds, minutes or hours, rounded up."""
    if math.isinf(duration_s):
        return "an unknown time"
    if duration_s < 120:
        return f"{math.ceil(duration_s)} s"
    return f"{math.ceil(duration_s / 60)} min" if duration_s < 7200 else f"{math.ceil(duration_s / 3600):,} h"


def asked(value: float) -> str:
    """What somebody asked for, as they wrote it: 99.99999, 0.5, 100,000; nothing of it rounded away."""
    return f"{value:,.12g}"


def rps(value: float) -> str:
    """A measured rate: whole from 100 on, below that with three digits that count."""
    return number(value) if value >= 100 else f"{value:.3g}"


def number(value: float) -> str:
    """A count with thousands separators."""
    return f"{value:,.0f}"


def seconds(duration_s: float) -> str:
    """A short time as it was: "0.4 s", "14 s"."""
    return f"{duration_s:.1f} s" if duration_s < 10 else f"{duration_s:.0f} s"
