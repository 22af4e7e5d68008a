"""What speaks against a measurement in where its load went: one address, one replica, or a cache before all. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slo.evidence import ClientLoad, NotSeen
from slo.validity import Finding, FindingKind, Given, Measurement, Thresholds, voids, warns
from slo.words import number, percent

FEWEST = 100  # requests: of fewer nobody knows how they are spread


def spread_findings(
    measurement: Measurement, client: ClientLoad | NotSeen, thresholds: Thresholds
) -> Iterator[Finding]:
    """Whether the load went to the whole of the platform, and only there."""
    yield from _one_sided(
        FindingKind.ONE_ADDRESS,
        measurement.addresses,
        thresholds.uneven_addresses_ratio,
        ("addresses of the target's name", "Send to all of them (`sending.addresses: all`); do all take connections?"),
    )
    yield from _one_sided(
        FindingKind.ONE_REPLICA,
        measurement.replicas,
        thresholds.uneven_replicas_ratio,
        ("replicas", "Send over more connections, or renew them: a balancer of connections pins each to one replica."),
    )
    if measurement.beside_target:
        yield warns(
            FindingKind.BESIDE_TARGET,
            f"golive ran on the target's own machine ({', '.join(measurement.beside_target)}), of which both take.",
            "Drive it from another machine, and over the network that its users come by.",
        )
    if not isinstance(client, NotSeen):
        yield from _cached(client, thresholds)


def unevenness(parts: Sequence[Given]) -> float:
    """0: each was given its share; 1: one was given all.

    The share of the requests that would have to go elsewhere (Hoover 1936), of what that share can be at most. A part
    that was there for half of the hold has half a share.
    """
    total, there = sum(part.requests for part in parts), sum(part.there_ratio for part in parts)
    if len(parts) < 2 or total < FEWEST or not there:
        return 0.0
    surplus = sum(max(0.0, part.requests / total - part.there_ratio / there) for part in parts)
    return min(1.0, surplus / (1 - busiest(parts).there_ratio / there))


def busiest(parts: Sequence[Given]) -> Given:
    """The part that was given most."""
    return max(parts, key=lambda part: part.requests)


def _one_sided(kind: FindingKind, parts: Sequence[Given], allowed: float, words: tuple[str, str]) -> Iterator[Finding]:
    uneven = unevenness(parts)
    if uneven <= allowed:
        return
    most, total = busiest(parts), sum(part.requests for part in parts)
    idle = sum(not part.requests for part in parts)
    what, remedy = words
    yield voids(
        kind,
        f"Of {len(parts)} {what} {most.name} was given {percent(most.requests / total)} of the hold's requests, and "
        f"{idle or 'none'} were given nothing: unevenness {uneven:.2f} ({allowed:g} allowed; 1 is all to one).",
        remedy,
    )


def _cached(client: ClientLoad, thresholds: Thresholds) -> Iterator[Finding]:
    sent = int(client.sent.sum())
    if not sent or client.cached / sent <= thresholds.cached_ratio:
        return
    yield voids(
        FindingKind.CACHED_ANSWERS,
        f"{number(client.cached)} of {number(sent)} requests ({percent(client.cached / sent)}) were answered by a "
        f"cache before the platform, by the answers' own headers ({percent(thresholds.cached_ratio)} allowed).",
        "Drive the platform behind its cache, or make the requests differ; or allow for it: `thresholds.cached_ratio`.",
    )
