"""What identifies the platform that was driven: cluster, images, pod templates, HPAs, node pools."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from analysis.cluster.objects import deployment_line, digests_of, hpa_line, pod_line, pool_of
from analysis.cluster.ports import ApiTrouble, ClusterReader, Kind, Object, Scope

Fingerprint = dict[str, Any]


def read_fingerprint(reader: ClusterReader, namespace: str, *, cluster_uid: str = "") -> Fingerprint:
    """The platform as it is now. What may not be read, or fails, is named in `unread` and left empty.

    cluster_uid: what the target's entry says, for where the namespace kube-system may not be read.
    Replicas are no part of it: to scale is no change. Of configuration it knows what stands in the pod templates
    (images, environment, arguments, annotations); the contents of ConfigMaps and Secrets are not read.
    """
    unread: list[str] = []

    def read(what: str, ask: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return ask()
        except ApiTrouble as trouble:
            unread.append(f"{what}: {trouble.trouble}")
            return otherwise

    here = Scope(namespace=namespace)
    return {
        "cluster_uid": read("cluster UID", reader.cluster_uid, "") or cluster_uid,
        "kubernetes": read("version", reader.kubernetes_version, ""),
        "namespace": namespace,
        "deployments": read("deployments", lambda: _deployments(reader, here), {}),
        "hpas": read("HPAs", lambda: _hpas(reader, here), {}),
        "node_pools": read("nodes", lambda: dict(_pools(reader)), ""),
        "unread": unread,
    }


def _deployments(reader: ClusterReader, here: Scope) -> Fingerprint:
    """The pod template of each, and what its running pods' containers really run: more than one after a push."""
    images: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pod in _all(reader, Kind.PODS, here):
        for container, digest in digests_of(pod).items():
            images[pod_line(pod)["owner"]][container].add(digest)
    lines = [deployment_line(one) for one in _all(reader, Kind.DEPLOYMENTS, here)]
    return {
        line["name"]: {
            "template": line["template"],
            "images": {name: sorted(known) for name, known in sorted(images[f"Deployment/{line['name']}"].items())},
        }
        for line in sorted(lines, key=lambda line: str(line["name"]))
    }


def _hpas(reader: ClusterReader, here: Scope) -> dict[str, str]:
    lines = [hpa_line(one) for one in _all(reader, Kind.HPAS, here)]
    return {line["name"]: line["spec"] for line in sorted(lines, key=lambda line: str(line["name"]))}


def _pools(reader: ClusterReader) -> Counter[str]:
    return Counter(pool_of(node) for node in _all(reader, Kind.NODES, Scope()))


def _all(reader: ClusterReader, kind: Kind, scope: Scope) -> Iterator[Object]:
    for page in reader.pages(kind, scope):
        yield from page.items
