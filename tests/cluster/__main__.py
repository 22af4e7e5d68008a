"""The test cluster by hand: `python -m tests.cluster up|down|status|kubeconfig|load IMAGE.tar|ctr WORDS…`."""

from __future__ import annotations

import sys
from pathlib import Path

from scenarios.errors import HarnessError, PreflightFailed
from tests.cluster.access import Cluster
from tests.cluster.artefacts.build import known
from tests.cluster.lifecycle import down, is_up, leftovers, up
from tests.cluster.places import places
from tests.cluster.preflight import cannot_run
from tests.cluster.rehearsal import NAMESPACE, deploy_platform


def main(words: list[str]) -> int:
    """Do what the words say."""
    where = places()
    here = Cluster(places=where, artefacts=known(where))
    match words:
        case ["up"]:
            bring_up(here)
        case ["down"]:
            down(where, say)
        case ["status"]:
            say(status(here))
        case ["kubeconfig"]:
            print(where.kubeconfig)  # noqa: T201
        case ["load", archive]:
            here.load_image(Path(archive))
        case ["ctr", *rest]:
            print(here.ctr(*rest), end="")  # noqa: T201
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201
            return 2
    return 0


def bring_up(here: Cluster) -> None:
    """Have the cluster, and on a new one the rehearsal platform."""
    why_not = cannot_run(here.places)
    if why_not:
        raise PreflightFailed(f"{why_not}.", remedy="See docs/test-cluster.md for what it needs.")
    fresh = up(here.places, say)
    here.places.for_tests.unlink(missing_ok=True)  # asked for by hand, it stays
    if fresh:
        say(f"the rehearsal platform is at {deploy_platform(here)} (namespace {NAMESPACE})")


def status(here: Cluster) -> str:
    """Up or not, and what ended that should not have; or what is left of one."""
    if not is_up(here.places):
        return "; ".join(leftovers(here.places)) or "down"
    ended = (here.places.logs / "init.log").read_text().splitlines()
    return "; ".join(["up", *ended])


def say(line: str) -> None:
    """One line of progress."""
    print(f"cluster: {line}", flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HarnessError as wrong:
        print(f"cluster: {wrong}", file=sys.stderr)  # noqa: T201
        sys.exit(wrong.exit_code)
