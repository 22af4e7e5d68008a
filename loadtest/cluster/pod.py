"""The `golive-pod` command: what the containers of the chart run. `master` leads one run, `worker` makes its load."""

from __future__ import annotations

import os
import sys

from scenarios.errors import HarnessError

USAGE = """golive-pod: one run's master or worker, in a pod of the chart charts/golive.

  golive-pod master   lead the run of /etc/golive, keep its record until it is collected
  golive-pod worker   make the load of this pod's completion index
"""


def main() -> int:
    """Run the role named; 2 for none."""
    words = sys.argv[1:]
    if words in (["--help"], ["-h"]):
        print(USAGE, end="")  # noqa: T201  (the command's own output)
        return 0
    if words not in (["master"], ["worker"]):
        print(USAGE, end="", file=sys.stderr)  # noqa: T201
        return 2
    try:
        return _role(words[0])
    except KeyboardInterrupt:
        return 130
    except HarnessError as error:
        print(f"golive-pod {words[0]}: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code


def _role(name: str) -> int:
    # Imported here: a worker's supervisor stays small, and its memory is the engine's.
    if name == "worker":
        from loadtest.cluster.worker_pod import run_worker

        return run_worker(os.environ)
    from loadtest.cluster.master_pod import run_master

    return run_master(os.environ)
