"""Options that have no part in what was asked: refused, for left out in silence they would be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from scenarios.errors import UsageError

OF_A_REHEARSAL = ("--rehearsal", "--change")
OF_A_CLUSTER = ("--context", "--namespace", "--image", "--values", "--secret", "--keep")
OF_THIS_MACHINE = ("--ui", "--metrics-port")
OF_A_WORKLOAD = ("--workload", "--fixed-replicas")


def refuse_idle(
    given: Mapping[str, object], *, target: str | None, on_cluster: bool = False, locustfile: bool = False
) -> None:
    """Raise UsageError for what is given and idle. given: by option, what was asked for; empty values are not given.

    A target of "" is a variable that somebody forgot to set: a rehearsal in its place would pass for the platform.
    """
    if target == "":
        raise UsageError(
            "--target is empty: no platform is named.", remedy="Name it; leave --target out for a rehearsal."
        )
    idle: dict[str, Iterable[str]] = {}
    if target or on_cluster:
        what = f"the target {target}" if target else "a cluster"
        idle[f"a rehearsal on this machine, and {what} was asked for"] = OF_A_REHEARSAL
    if on_cluster:
        idle["a run on this machine, and --on cluster was asked for"] = OF_THIS_MACHINE
    else:
        idle["a run on a cluster, and --on cluster was not asked for"] = OF_A_CLUSTER
    if locustfile:
        idle["a workload, and a locustfile takes its place"] = OF_A_WORKLOAD
    for of_what, options in idle.items():
        if named := [option for option in options if given.get(option)]:
            verb = "has its part in" if len(named) == 1 else "have their part in"
            raise UsageError(f"{', '.join(named)} {verb} {of_what}.", remedy="Leave out the one or the other.")
