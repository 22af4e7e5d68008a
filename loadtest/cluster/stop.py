"""`golive stop` for a run on a cluster. Imports little: load that must end does not wait for what draws charts."""

from __future__ import annotations

import time

from rich.console import Console

from loadtest.cluster.api import Api
from loadtest.cluster.errors import ApiRefused, ApiUnreachable
from loadtest.cluster.follow import me
from loadtest.cluster.record_client import RecordClient
from loadtest.cluster.remote_run import RemoteRun

STOP_WITHIN_S = 10.0


def stop(called: str, *, context: str, namespace: str, console: Console) -> None:
    """End a run's load: by its master, and where that does not answer by deleting its workers.

    Raises PreflightFailed when the load is not known to have ended.
    """
    run = RemoteRun.find(Api.of_context(context), namespace, called)
    try:
        run.record().stop(by=f"golive stop of {me()}")
        _wait_for_end(run.record())
    except (ApiUnreachable, ApiRefused) as silence:
        console.print(f"{silence.problem}\nDeleting the workers instead.", highlight=False, markup=False)
        run.end_workers()
    console.print(f"The load of {run.run_id} has ended. Its record: golive attach {run.run_id}", highlight=False)


def _wait_for_end(record: RecordClient) -> None:
    deadline_s = time.monotonic() + STOP_WITHIN_S
    while time.monotonic() < deadline_s:
        if record.status().state != "running" or b'"load_ended"' in record.read("events.jsonl", 0):
            return
        time.sleep(0.2)
    raise ApiUnreachable("The master has not confirmed that its load has ended.", remedy="Its workers are deleted.")
