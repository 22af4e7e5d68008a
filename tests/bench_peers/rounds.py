"""The rounds: every cell with every tool in turn, so that whatever disturbs the machine disturbs all of them."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench_peers import golive_run
from tests.bench_peers.account import Account
from tests.bench_peers.cells import Cell, truth_of
from tests.bench_peers.installing import Installed
from tests.bench_peers.load import Load, Reported, Tool, ToolFailed
from tests.bench_peers.running import run_peer
from tests.bench_peers.target import Watched, a_target, an_idle_timer

Row = dict[str, Any]


@dataclass(slots=True)
class Bench:
    """Everything a measurement needs, and the rows so far."""

    server_program: Path
    peers: Mapping[str, tuple[Tool, Installed]]
    refused: Mapping[str, str]  # peers that could not be installed, and why
    golive_version: str | None  # None: not asked for
    seconds: int
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)

    def run(self, cells: Sequence[Cell], rounds: int) -> None:
        """All rounds; rows of tools that cannot run say so."""
        for name, why in self.refused.items():
            self.rows.append({"tool": name, "version": "", "mode": "none", "problem": why})
        for number in range(1, rounds + 1):
            for cell in cells:
                for name in self._turn(number):
                    self._keep(number, cell, name)

    def _turn(self, number: int) -> list[str]:
        """The order of the tools, another in every round."""
        names = [*self.peers, *(golive_run.NAMES if self.golive_version else [])]
        first = number % len(names) if names else 0
        return names[first:] + names[:first]

    def _keep(self, number: int, cell: Cell, name: str) -> None:
        row = self._measured(number, cell, name) if self._can(cell, name) else None
        if row:
            self.rows.append(row)
            self.say(spoken(row))

    def _can(self, cell: Cell, name: str) -> bool:
        if name in golive_run.NAMES:
            return name == golive_run.NAME or cell.mode == "closed"
        tool = self.peers[name][0]
        if cell.mode == "http2":
            return tool.http2
        if cell.mode == "closed":
            return tool.flat_out
        return tool.paces or cell.mode != "paced"

    def _measured(self, number: int, cell: Cell, name: str) -> Row:
        """One cell with one tool as a row, whatever becomes of it."""
        asked = self._asked(cell, name)
        version = self.golive_version if name in golive_run.NAMES else self.peers[name][1].version
        row: Row = {
            "tool": name, "version": version, "mode": cell.mode, "server": cell.server, "round": number,
            "offered_rps": asked.offered_rps, "connections": asked.connections, "streams": asked.streams, "problem": "",
            "load_average": round(os.getloadavg()[0], 2),
        }  # fmt: skip
        with _a_folder() as folder, an_idle_timer(self.server_program) as timer:
            try:
                row |= self._figures(name, asked, folder)
            except ToolFailed as wrong:
                row["problem"] = str(wrong)
        return row | {"control_timer_us": timer.seen.get("late_us")}

    def _figures(self, name: str, asked: Cell, folder: Path) -> Row:
        """What one run was; ToolFailed when it was none."""
        with a_target(self.server_program, asked.server, asked.offered_rps) as target:
            load = Load(
                url=f"http://127.0.0.1:{target.port}/", connections=asked.connections, seconds=self.seconds,
                streams=asked.streams, folder=folder, offered_rps=asked.offered_rps,
            )  # fmt: skip
            reported, account, more = self._run(name, load, target)
        truth = truth_of(asked, asked.offered_rps is not None, target.seen, target.cpu_s)
        return figures(reported, account, target, more) | {"truth": truth}

    def _asked(self, cell: Cell, name: str) -> Cell:
        """The cell as this tool can do it: flat out where it cannot pace, paced where it cannot go flat out."""
        if name in golive_run.NAMES:
            return cell
        return cell if self.peers[name][0].paces else replace(cell, offered_rps=None)

    def _run(self, name: str, load: Load, target: Watched) -> tuple[Reported, Account, Row]:
        if name in golive_run.NAMES:
            reported, account, master_cpu_s = golive_run.run_golive(load, target, name)
            spent = {"cpu_s": round(account.used_at(math.inf), 4), "master_cpu_s": round(master_cpu_s, 2)}
            return reported, account, spent
        reported, account, cpu_s = run_peer(*self.peers[name], load, target)
        return reported, account, {"cpu_s": round(cpu_s, 4)}


def figures(reported: Reported, account: Account, target: Watched, spent: Row) -> Row:
    """What one run was, from the tool's word, the kernel's account and the target's sight."""
    seen = target.seen
    if not seen.get("answered"):
        raise ToolFailed("no request reached the target")
    if not reported.ok:
        raise ToolFailed("it reports no successful request")
    span_s = max(seen["span_us"] / 1e6, 1e-6)
    loading_s = account.used_while_loading(span_s)
    return {
        "achieved_rps": round(seen["answered"] / span_s, 1),
        "cpu_us_per_request": round(loading_s / reported.ok * 1e6, 3),
        "cpu_us_per_request_whole": round(spent["cpu_s"] / reported.ok * 1e6, 3),
        **spent,
        "cpu_ratio_while_loading": round(loading_s / span_s, 3),
        **asdict(reported),
        "answered_by_target": seen["answered"],
        "lag_seen_us": seen["late_us"],
        "target_cpu_us_per_request": round(target.cpu_s / seen["answered"] * 1e6, 3),
        "target_cpu_ratio": round(target.cpu_s / span_s, 3),
    }


def spoken(row: Row) -> str:
    """One row in a line."""
    head = f"round {row['round']} {row['mode']:<8} {row['offered_rps'] or 'flat out':>9} {row['tool']:<25}"
    if row["problem"]:
        return f"{head} did not run: {row['problem']}"
    timer_us = (row["control_timer_us"] or {}).get("p99", "?")
    return f"{head} {row['achieved_rps']:>9,.0f}/s {row['cpu_us_per_request']:>8.2f} µs  (idle timer P99 {timer_us} µs)"


@contextmanager
def _a_folder() -> Iterator[Path]:
    """A folder that is gone afterwards, even when its tool left something unreadable in it."""
    path = Path(tempfile.mkdtemp(prefix="golive-peers-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
