"""The tables people read: medians with their intervals, ratios beside absolutes, and how quiet the machine was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.bench_peers.cells import MODES, Mode
from tests.bench_peers.spread import Spread, spread_of

Row = Mapping[str, Any]
OURS = "golive"
NOTHING = "–"
KEPT_RATIO = 0.95  # a rate of which so much came counts as kept


def tables(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Everything as Markdown."""
    ran = [row for row in rows if not row["problem"]]
    parts = [heading(about, rows)]
    for mode in MODES:
        table, of_mode = TABLES[mode], [row for row in ran if row["mode"] == mode]
        if of_mode:
            parts.append(table(of_mode))
    parts.append(problems(rows))
    return "\n\n".join(part for part in parts if part)


def heading(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Machine, command, quietness."""
    machine = about["machine"]
    timers = [row["control_timer_us"]["p99"] / 1e3 for row in rows if row.get("control_timer_us")]
    quiet = spread_of(timers)
    loads = spread_of(row.get("load_average") for row in rows)
    return (
        f"{machine['date']}: {machine['cores']} cores, {machine['cpu']}, Linux {machine['kernel']}, "
        f"niceness {machine['niceness']}. `{about['command']}`: {about['rounds']} rounds of {about['seconds']} s; "
        "median (interval that holds it in 90 % of such samples, from five rounds on). "
        f"Idle timer P99 {_told(quiet, 2)} ms (quiet: below 1 ms), worst cell "
        f"{max(timers, default=float('nan')):.2f} ms; load average {_told(loads, 1)}."
    )


def flat_out(rows: Sequence[Row]) -> str:
    """What a request costs and how many one core makes, each tool at its limit."""
    ours = _spread(rows, OURS, "cpu_us_per_request")
    lines = []
    for tool in _tools(rows):
        cost = _spread(rows, tool, "cpu_us_per_request")
        lines.append([
            f"{tool} {_version(rows, tool)}", _told(cost, 2), _ratio(ours, cost),
            _told(_spread(rows, tool, "cpu_us_per_request_whole"), 2),
            _told(_spread(rows, tool, "achieved_rps"), 0),
            _told(_spread(rows, tool, "cpu_ratio_while_loading"), 2),
            _told(_spread(rows, tool, "target_cpu_ratio"), 2),
        ])  # fmt: skip
    many, streams = rows[0]["connections"], rows[0]["streams"]
    spoken = f"HTTP/2, {many} connections of {streams} streams" if streams else f"{many} connections"
    head = [
        f"flat out, {spoken}", "CPU-s/1M", "golive / it", "start and end included", "requests/s",
        "generator's core", "target's core",
    ]  # fmt: skip
    return _table(head, lines)


def paced(rows: Sequence[Row]) -> str:
    """What a request costs at each offered rate; how much of the rate came; how late it came."""
    rates = sorted({row["offered_rps"] for row in rows})
    cost = _by_rate(rows, rates, "paced, CPU-s/1M while loading [golive / it]", _cost)
    whole = _by_rate(rows, rates, "the same, start and end of the process included", _whole_cost)
    achieved = _by_rate(rows, rates, "achieved / offered", _achieved)
    lag = _by_rate(rows, rates, "lag seen by the target, P50 / P99 ms", _lag)
    ours = [row for row in rows if row["tool"] == OURS]
    own = _by_rate(ours, rates, "lag as golive reports it, P50 / P99 ms", _own_lag) if ours else ""
    return "\n\n".join(filter(None, [cost, whole, achieved, lag, own]))


def _by_rate(rows: Sequence[Row], rates: Sequence[int], title: str, cell: Callable[[Sequence[Row], str], str]) -> str:
    lines = [
        [tool, *(cell([row for row in rows if row["offered_rps"] == rate], tool) for rate in rates)]
        for tool in _tools(rows)
    ]
    return _table([title, *(f"{rate:,}/s" for rate in rates)], lines)


def _cost(rows: Sequence[Row], tool: str, figure: str = "cpu_us_per_request") -> str:
    cost, ours = _spread(rows, tool, figure), _spread(rows, OURS, figure)
    return _told(cost, 1) + ("" if tool == OURS or not cost or not ours else f" [{_ratio(ours, cost)}]")


def _whole_cost(rows: Sequence[Row], tool: str) -> str:
    return _cost(rows, tool, "cpu_us_per_request_whole")


def _achieved(rows: Sequence[Row], tool: str) -> str:
    return _told(spread_of(row["achieved_rps"] / row["offered_rps"] for row in rows if row["tool"] == tool), 3)


def _lag(rows: Sequence[Row], tool: str) -> str:
    seen = [row["lag_seen_us"] for row in rows if row["tool"] == tool and row["lag_seen_us"]]
    return " / ".join(_told(spread_of(lag[name] / 1e3 for lag in seen), 2) for name in ("p50", "p99"))


def _own_lag(rows: Sequence[Row], tool: str) -> str:
    return " / ".join(_told(_spread(rows, tool, f"lag_{name}_ms"), 2) for name in ("p50", "p99"))


def answers(rows: Sequence[Row]) -> str:
    """What each tool says of a server whose answer times are known."""
    head = [f"{rows[0]['server']} server", "offered", "achieved", "P50 ms", "P99 ms", "P99.9 ms", "P99 / truth"]
    lines = []
    for tool in _tools(rows):
        own = [row for row in rows if row["tool"] == tool]
        offered = own[0]["offered_rps"]
        achieved = _spread(own, tool, "achieved_rps")
        lines.append([
            tool, f"{offered:,}/s" if offered else "closed loop", _told(achieved, 0),
            *(_told(_spread(own, tool, f"{name}_ms"), 1) for name in ("p50", "p99", "p999")),
            _honesty(own, tool, achieved),
        ])  # fmt: skip
    true = [_told(spread_of(row["truth"][f"{name}_ms"] for row in rows), 1) for name in ("p50", "p99", "p999")]
    lines.append([f"**truth** ({rows[0]['truth']['from']})", "", "", *true, ""])
    return _table(head, lines)


def _honesty(own: Sequence[Row], tool: str, achieved: Spread | None) -> str:
    """Reported P99 to the true one; a tool that missed the rate made another load, with another truth."""
    offered = own[0]["offered_rps"]
    if offered and achieved and achieved.median < KEPT_RATIO * offered:
        return "missed the rate"
    return _ratio(_spread(own, tool, "p99_ms"), spread_of(row["truth"]["p99_ms"] for row in own))


TABLES: Mapping[Mode, Callable[[Sequence[Row]], str]] = {
    "closed": flat_out,
    "http2": flat_out,
    "paced": paced,
    "bimodal": answers,
    "stall": answers,
}


def problems(rows: Sequence[Row]) -> str:
    """What did not run, and why; never silent."""
    said = {
        f"- {row['tool']}, {row['mode']}{_at(row)}: {row['problem'] or row['note']}"
        for row in rows
        if row["problem"] or row.get("note")
    }
    return "\n".join(["Did not run, or not as asked:", *sorted(said)]) if said else ""


def _at(row: Row) -> str:
    return f" {row['offered_rps']:,}/s" if row.get("offered_rps") else ""


def _tools(rows: Iterable[Row]) -> list[str]:
    """Ours first, the others in the order they came in a first round."""
    names = list(dict.fromkeys(row["tool"] for row in rows))
    return sorted(names, key=lambda name: name != OURS)


def _version(rows: Iterable[Row], tool: str) -> str:
    return next((str(row["version"]) for row in rows if row["tool"] == tool), "")


def _spread(rows: Iterable[Row], tool: str, figure: str) -> Spread | None:
    return spread_of(row[figure] for row in rows if row["tool"] == tool)


def _told(spread: Spread | None, digits: int) -> str:
    return spread.told(digits) if spread else NOTHING


def _ratio(one: Spread | None, other: Spread | None) -> str:
    return f"{one.median / other.median:.2f}" if one and other and other.median else NOTHING


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    ruled = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ruled, *lines))
