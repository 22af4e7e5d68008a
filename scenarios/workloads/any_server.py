"""The simplest traffic there is: for servers that are not Tartware's."""

from scenarios.workload import Request, Workload

GET_ROOT = Workload(name="get-root", requests=(Request(name="root", weight=1, method="GET", path="/"),))
