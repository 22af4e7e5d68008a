"""`make bench-peers`: install what is missing, measure in rounds, print the tables, keep every row."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from loadtest.versions import own_versions
from tests.bench_peers.cells import MODES, PACED_RPS, cells
from tests.bench_peers.installing import Installed, installed, target_program
from tests.bench_peers.load import Tool, ToolFailed
from tests.bench_peers.machine import machine
from tests.bench_peers.roster import PEERS, SHORT
from tests.bench_peers.rounds import Bench, Row
from tests.bench_peers.tables import tables

ROWS = Path(__file__).parents[2] / "results" / "bench" / "peers.json"
SECONDS_AT_MOST = 60
ROUNDS_AT_MOST = 20
RATE_RPS_AT_MOST = 200_000


def say(line: str) -> None:
    """Tell how it goes, beside the tables."""
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)  # noqa: T201


def arguments() -> argparse.Namespace:
    """The command line."""
    names = ["golive", *(tool.name for tool in PEERS if " " not in tool.name), *SHORT]
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--tools", type=_listed(names), default=names, help=f"of {','.join(names)}")
    parser.add_argument("--modes", type=_listed(list(MODES)), default=list(MODES), help=f"of {','.join(MODES)}")
    parser.add_argument("--rates", type=_rates, default=list(PACED_RPS), help="offered rates of the paced mode")
    parser.add_argument("--rounds", type=int, choices=range(1, ROUNDS_AT_MOST + 1), default=5, metavar="N")
    parser.add_argument("--seconds", type=int, choices=range(1, SECONDS_AT_MOST + 1), default=5, metavar="S")
    parser.add_argument("--rows", type=Path, default=ROWS, help="where every raw row is kept")
    parser.add_argument("--install-only", action="store_true", help="have the peers at hand, measure nothing")
    return parser.parse_args()


def _listed(known: list[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        asked = text.split(",")
        unknown = [word for word in asked if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")
        return asked

    return parse


def _rates(text: str) -> list[int]:
    rates_rps = [int(rate) for rate in text.split(",")]
    if not all(0 < rate_rps <= RATE_RPS_AT_MOST for rate_rps in rates_rps):
        raise argparse.ArgumentTypeError(f"a rate is 1 to {RATE_RPS_AT_MOST:,} requests/s")
    return rates_rps


def at_hand(names: list[str]) -> tuple[dict[str, tuple[Tool, Installed]], dict[str, str]]:
    """The asked peers, installed; and those that cannot be, with the reason."""
    asked = {SHORT.get(name, name) for name in names}
    found: dict[str, tuple[Tool, Installed]] = {}
    refused: dict[str, str] = {}
    own = Installed(program="", version=metadata.version("locust"), environment={})
    for tool in PEERS:
        if tool.name not in asked:
            continue
        try:
            found[tool.name] = (tool, installed(tool.package, say) if tool.package else own)
        except ToolFailed as wrong:
            say(f"{tool.name} cannot be installed: {wrong}")
            refused[tool.name] = str(wrong)
    return found, refused


def command_for(words: Sequence[str]) -> str:
    """The command that measures the same again; where its rows were kept is no part of it."""
    kept = [word for at, word in enumerate(words) if "--rows" not in (word, words[at - 1] if at else "")]
    return f'make bench-peers BENCH="{" ".join(kept)}"' if kept else "make bench-peers"


def keep(about: Mapping[str, Any], rows: Sequence[Row], path: Path) -> None:
    """Every row on a line of its own, in one JSON object with what they have in common."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = json.dumps(about, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f'{head},\n "rows": [\n{lines}\n ]\n}}\n')


def main() -> None:
    """Measure and tell."""
    asked = arguments()
    peers, refused = at_hand(asked.tools)
    program = target_program(say)
    if asked.install_only:
        return
    bench = Bench(
        server_program=program, peers=peers, refused=refused, seconds=asked.seconds, say=say,
        golive_version=own_versions()["golive"] if "golive" in asked.tools else None,
    )  # fmt: skip
    about = {
        "format": 1, "machine": machine(), "command": command_for(sys.argv[1:]),
        "rounds": asked.rounds, "seconds": asked.seconds,
    }  # fmt: skip
    try:
        bench.run(cells(asked.modes, asked.rates), asked.rounds)
    finally:  # what was measured is kept, even of a bench that was stopped
        keep(about, bench.rows, asked.rows)
    print(tables(about, bench.rows))  # noqa: T201


if __name__ == "__main__":
    main()
