"""Figures as people read them: units, thousands separators, durations, instants in UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

NOTHING = "—"
MINUTE_S = 60
HOUR_S = 3600
CREDENTIALS = re.compile(r"://[^/\s@]*@")


def count(number: float) -> str:
    """A whole number: 5,670,000."""
    return NOTHING if math.isnan(number) else f"{number:,.0f}"


def plural(number: int, one: str, many: str = "") -> str:
    """So many of a thing: "1 worker", "2 workers"."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def rate(rps: float) -> str:
    """A rate in requests per second: "31,500 requests/s", "0.5 requests/s"."""
    return f"{figure(rps)} requests/s"


def figure(number: float) -> str:
    """A number in about three significant digits, whole from 100 on, never in powers of ten."""
    if math.isnan(number):
        return NOTHING
    size = abs(number)
    if size >= 100 or size == round(size):
        return f"{number:,.0f}"
    digits = 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{number:.{digits}f}".rstrip("0").rstrip(".")


def milliseconds(time_ms: float) -> str:
    """A latency: "0.42 ms", "187 ms", "1.2 s"."""
    if math.isnan(time_ms):
        return NOTHING
    return f"{figure(time_ms)} ms" if time_ms < 10_000 else f"{figure(time_ms / 1000)} s"


def share(ratio: float) -> str:
    """A part of a whole, in percent: "0.012 %", "4 %"; never rounded to all or nothing."""
    if math.isnan(ratio):
        return NOTHING
    percent = f"{100 * ratio:.3f}".rstrip("0").rstrip(".")
    if percent == "0" and ratio > 0:
        return "under 0.001 %"
    if percent == "100" and ratio < 1:
        return "over 99.999 %"
    return f"{percent} %"


def size(octets: float) -> str:
    """An amount of memory or traffic: "90 MB" (1 MB = 1,000,000 bytes)."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if octets >= one:
            return f"{figure(octets / one)} {unit}"
    return NOTHING if math.isnan(octets) else f"{octets:.0f} bytes"


def duration(time_s: float) -> str:
    """A length of time: "45 s", "1 min 30 s", "2 h 5 min"."""
    if time_s < MINUTE_S:
        return f"{figure(round(time_s, 1))} s"
    whole_s = round(time_s)
    hours, rest_s = divmod(whole_s, HOUR_S)
    minutes, seconds = divmod(rest_s, MINUTE_S)
    parts = [(hours, "h"), (minutes, "min"), (seconds if not hours else 0, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def into_run(time_s: float) -> str:
    """How far into the run: "2:05", "1:02:05"; before the start "−0:03"."""
    sign, whole_s = ("−" if time_s < 0 else ""), abs(round(time_s))
    hours, rest_s = divmod(whole_s, HOUR_S)
    minutes, seconds = divmod(rest_s, MINUTE_S)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}" if hours else f"{sign}{minutes}:{seconds:02}"


def instant(at_unix_s: float) -> str:
    """A day and time in UTC: "2026-09-21 14:13:20 UTC"."""
    return f"{datetime.fromtimestamp(at_unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"


def time_of_day(at_unix_s: float) -> str:
    """The time alone, in UTC: "14:13:20"."""
    return f"{datetime.fromtimestamp(at_unix_s, UTC):%H:%M:%S}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them: "a", "a and b", "a, b and c"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def without_passwords(text: str) -> str:
    """A text whose addresses may be shown: what stands before their @ is left out."""
    return CREDENTIALS.sub("://", text)
