"""Locust's own tables on golive's master: what they would keep for ever is dropped when nobody looks at it any more.

In a process of its own: to import Locust changes every socket of the process that does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from loadtest.locust_tables import SECONDS_KEPT

# A run with 3 requests, one of them failed, in each second; argv: how many seconds, and whether it forgets.
A_RUN = """
import json, sys
from locust.stats import RequestStats
from loadtest.locust_tables import forget_old_seconds

stats, t0, (seconds, forgetful) = RequestStats(), 1_790_000_000, map(int, sys.argv[1:])
forget_old_seconds(stats)  # tables without a request have nothing to forget
stats.total.start_time = t0
for second in range(t0, t0 + seconds):
    for entry in (stats.entries["rooms", "GET"], stats.total):
        entry.num_requests += 3
        entry.num_failures += 1
        entry.num_reqs_per_sec[second] += 3
        entry.num_fail_per_sec[second] += 1
        entry.last_request_timestamp = second
    if forgetful:
        forget_old_seconds(stats)
entries = (stats.total, stats.entries["rooms", "GET"])
print(json.dumps({
    "kept": [len(kept) for entry in entries for kept in (entry.num_reqs_per_sec, entry.num_fail_per_sec)],
    "shown": [[entry.current_rps, entry.current_fail_per_sec, entry.total_rps] for entry in entries],
}))
"""


def after(seconds: int, *, forgetful: bool) -> dict[str, Any]:
    words = [sys.executable, "-c", A_RUN, str(seconds), str(int(forgetful))]
    told: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return told


def test_eight_hours_keep_no_more_seconds_than_two_minutes() -> None:
    assert max(after(8 * 3600, forgetful=True)["kept"]) <= 2 * SECONDS_KEPT


def test_what_locust_shows_of_now_and_of_all_stays_the_same() -> None:
    forgetful, keeper = after(600, forgetful=True), after(600, forgetful=False)
    assert keeper["kept"] == [600] * 4
    assert forgetful["shown"] == keeper["shown"]
    assert keeper["shown"][0][:2] == [3.0, 1.0]
