"""h2load: closed loop only; reports mean and extremes, no percentile."""

from __future__ import annotations

import re

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

SAID = re.compile(r"requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored")


def command(program: str, load: Load) -> list[str]:
    """One thread, so many clients; by default it speaks HTTP/2."""
    protocol = [f"-m{load.streams}"] if load.streams else ["--h1"]
    return [program, *protocol, "-t1", f"-c{load.connections}", "-D", str(load.seconds), load.url]


def read(_load: Load, said: str) -> Reported:
    """The line of totals."""
    found = SAID.search(said)
    if not found:
        raise ToolFailed("h2load printed no totals")
    ok, failed, errored = map(int, found.groups())
    return Reported(ok=ok, failed=failed + errored)


H2LOAD = Tool(name="h2load", package="h2load", command=command, read=read, paces=False, http2=True)
