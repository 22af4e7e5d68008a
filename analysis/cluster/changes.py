"""Whether the platform stayed what it was: every change of its fingerprint, with its instant, from the watch itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from analysis.cluster.record import ClusterRecord, Line
from slo.validity import PlatformChange

ENDS = ("cluster_uid", "kubernetes")


def changes_of(cluster: ClusterRecord) -> tuple[PlatformChange, ...]:
    """In order of time. To scale is none: neither replicas nor a new pod of an old image change the fingerprint."""
    found = [*_templates(cluster), *_images(cluster), *_hpas(cluster), *_between_the_ends(cluster)]
    return tuple(sorted(found, key=lambda change: change.at_unix_s))


def _templates(cluster: ClusterRecord) -> Iterator[PlatformChange]:
    """A new pod template is a deployment; a Deployment that comes or goes changes the platform too."""
    known_at_start = set(_at_start(cluster, "deployments"))
    for name, lines in cluster.deployments.items():
        first = lines[0]
        if known_at_start and name not in known_at_start:
            yield _change(first, f"Deployment {name} was created")
        for before, after in pairwise(lines):
            if after.get("gone"):
                yield _change(after, f"Deployment {name} was deleted")
            elif before.get("template") not in (None, after["template"]):
                was, now = before["template"], after["template"]
                yield _change(after, f"Deployment {name} has a new pod template ({was} → {now})")


def _images(cluster: ClusterRecord) -> Iterator[PlatformChange]:
    """An image whose name stayed and whose content did not: a tag that was pushed again, fetched by a new pod.

    What ran before the watch began may be of two minds, and is no change.
    """
    began_unix_s = float(cluster.started.get("at_unix_s") or 0.0)
    known: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for pod in sorted(cluster.platform_pods(), key=lambda pod: pod.created_unix_s):
        images = pod.last.get("images") or {}
        for container, digest in (pod.last.get("digests") or {}).items():
            image = str(images.get(container, ""))
            former = known[pod.owner, container, image]
            if former and digest not in former and pod.created_unix_s > began_unix_s:
                others = ", ".join(_short(one) for one in sorted(former))
                what = f"{image} of {pod.owner} is {_short(digest)} in pod {pod.name}, and {others} in older ones"
                yield PlatformChange(at_unix_s=pod.created_unix_s, what=what)
            former.add(digest)


def _hpas(cluster: ClusterRecord) -> Iterator[PlatformChange]:
    for name, readings in cluster.hpas.items():
        for before, after in pairwise(readings):
            if before.told["spec"] != after.told["spec"]:
                what = f"HPA {name} has another specification{_bounds(before.told, after.told)}"
                yield PlatformChange(at_unix_s=after.at_unix_s, what=what)


def _between_the_ends(cluster: ClusterRecord) -> Iterator[PlatformChange]:
    """What only the fingerprints at both ends of the watch can tell."""
    if len(cluster.fingerprints) < 2:
        return
    first, last = cluster.fingerprints[0], cluster.fingerprints[-1]
    for name in ENDS:
        if first.get(name) and last.get(name) and first[name] != last[name]:
            yield _change(last, f"{name.replace('_', ' ')} is {last[name]}, was {first[name]}")
    for name in sorted(set(first.get("hpas") or {}) - set(last.get("hpas") or {})):
        if last.get("hpas"):
            yield _change(last, f"HPA {name} was deleted")


def _at_start(cluster: ClusterRecord, part: str) -> Mapping[str, Any]:
    known = cluster.fingerprints[0].get(part) if cluster.fingerprints else None
    return known if isinstance(known, Mapping) else {}


def _change(line: Line, what: str) -> PlatformChange:
    return PlatformChange(at_unix_s=float(line["at_unix_s"]), what=what)


def _bounds(before: Line, after: Line) -> str:
    old, new = (f"{told['min']} to {told['max']}" for told in (before, after))
    return "" if old == new else f" (replicas {old}, now {new})"


def _short(digest: str) -> str:
    return digest[:19]
