"""The test cluster by hand: `python -m tests.cluster up|down|status|kubeconfig|load IMAGE.tar|ctr WORDS…`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scenarios.errors import HarnessError
from tests.cluster.artefacts.build import known
from tests.cluster.lifecycle import down, is_up, leftovers, up
from tests.cluster.places import places
from tests.cluster.processes import within


def main(words: list[str]) -> int:
    """Do what the one word says."""
    where = places()
    match words:
        case ["up"]:
            up(where, say)
        case ["down"]:
            down(where, say)
        case ["status"]:
            say("up" if is_up(where) else "; ".join(leftovers(where)) or "down")
        case ["kubeconfig"]:
            print(where.kubeconfig)  # noqa: T201
        case ["load", archive]:
            _inside("images", "import", str(Path(archive).resolve()))
        case ["ctr", *rest]:
            _inside(*rest)
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201
            return 2
    return 0


def _inside(*words: str) -> None:
    where = places()
    ctr = known(where).root / "usr/bin/ctr"
    subprocess.run(within(where, ctr, "-n", "k8s.io", *words), check=True)


def say(line: str) -> None:
    """One line of progress."""
    print(f"cluster: {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HarnessError as wrong:
        print(f"cluster: {wrong}", file=sys.stderr)  # noqa: T201
        sys.exit(wrong.exit_code)
