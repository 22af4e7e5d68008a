"""What is to be told of a closed model: that it is one, and what its users did besides sending. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from slo.evidence import ClientLoad, NotSeen
from slo.validity import Finding, FindingKind, Measurement, Thresholds, voids, warns
from slo.words import number

TOLD = 3  # kinds of exceptions, the most frequent first


def closed_findings(
    measurement: Measurement, client: ClientLoad | NotSeen, thresholds: Thresholds
) -> Iterator[Finding]:
    """Nothing for golive's own open model."""
    if not measurement.closed_model:
        return
    if measurement.raised:
        yield _raised(measurement, client, thresholds.raised_ratio)
    if measurement.names_folded:
        yield warns(
            FindingKind.NAMES_FOLDED,
            f"Requests had too many names: {number(measurement.names_folded)} are told together in one row.",
            'Give requests that differ by an id one name: self.client.get(url, name="/item/[id]").',
        )
    if measurement.own_exit_code:
        yield warns(
            FindingKind.OWN_EXIT_CODE,
            f"The locustfile itself ends Locust with exit code {measurement.own_exit_code}: a check of its own failed.",
            "See locust/master.log. golive's verdict is the plan's; put what must hold into its objectives.",
        )
    yield warns(
        FindingKind.CLOSED_MODEL,
        "Closed model: latencies count from the actual send, a slow platform slows the load (coordinated "
        "omission), and throughput is what came out. Lag, unsent arrivals and Little's law have no meaning.",
        "Prove a rate with a workload in golive's open model.",
    )


def _raised(measurement: Measurement, client: ClientLoad | NotSeen, allowed_ratio: float) -> Finding:
    raised = sum(measurement.raised.values())
    requests = 0 if isinstance(client, NotSeen) else client.load_sent or int(client.sent.sum())
    frequent = sorted(measurement.raised.items(), key=lambda one: -one[1])
    told = "; ".join(f"{number(count)} {what}" for what, count in frequent[:TOLD])
    more = f"; and {len(frequent) - TOLD} more kinds" if len(frequent) > TOLD else ""
    say = voids if raised > allowed_ratio * requests else warns
    return say(
        FindingKind.USERS_RAISED,
        f"Tasks of the locustfile ended by an exception {number(raised)} times beside {number(requests)} requests: "
        f"{told}{more}.",
        "Mend the locustfile. What a request must answer, check with catch_response: then it counts as failed.",
    )
