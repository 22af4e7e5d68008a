"""Where pods may connect to: NetworkPolicy egress rules for a URL, or for the cluster's API. Nothing else is open."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

from loadtest.cluster.errors import ApiNotFound
from loadtest.cluster.ports import Json, Objects
from scenarios.errors import PreflightFailed
from scenarios.target_list import PORTS

DNS_SERVICES = ("kube-dns", "coredns", "rke2-coredns-rke2-coredns")
NODE_LOCAL_DNS = "169.254.20.10"  # NodeLocal DNSCache
IN_CLUSTER = re.compile(
    r"^(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.(?P<domain>[a-z0-9.-]+))?)?\.?$", re.ASCII
)


def service_of(url: str) -> tuple[str, str] | None:
    """The name and namespace of the Service that a URL's host names; None for a host outside the cluster's DNS."""
    host = (urlsplit(url).hostname or "").lower()
    match = IN_CLUSTER.match(host)
    if not match or host.replace(".", "").isdigit():
        return None
    looks_public = match["domain"] is None and ".svc" not in host and match["namespace"] in ("com", "net", "org", "io")
    return None if looks_public else (match["service"], match["namespace"])


def to_url(api: Objects, url: str) -> list[Json]:
    """Rules that let a pod reach this URL: the Service's own pods, or the addresses its name has now."""
    named = service_of(url)
    if named:
        try:
            return _to_service(api, *named, url)
        except ApiNotFound:
            pass  # a two-part name of the outside world looks the same
    return [_to_addresses(urlsplit(url).hostname or "", _port(url))]


def to_api_server(api: Objects) -> list[Json]:
    """Rules that let a pod reach the API: the Service's address and the servers behind it, as agents see either."""
    service = api.get("/api/v1/namespaces/default/services/kubernetes")
    addresses = {(service["spec"]["clusterIP"], port["port"]) for port in service["spec"]["ports"]}
    addresses |= _endpoint_ports(api, "default", "kubernetes")
    return [_rule([_block(address)], port) for address, port in sorted(addresses)]


def to_dns(api: Objects) -> list[Json]:
    """Peers that answer DNS: the pods of kube-system, a cache on each node, and whatever stands behind the Service.

    The chart's own default has the first two; a DNS server that is no pod of the cluster is known by address only.
    """
    addresses = {NODE_LOCAL_DNS}
    for name in DNS_SERVICES:
        try:
            addresses.add(str(api.get(f"/api/v1/namespaces/kube-system/services/{name}")["spec"]["clusterIP"]))
        except ApiNotFound:
            continue
        addresses |= {address for address, _ in _endpoint_ports(api, "kube-system", name)}
    pods = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    return [pods, *(_block(address) for address in sorted(addresses - {"None"}))]


def _endpoint_ports(api: Objects, namespace: str, service: str) -> set[tuple[str, int]]:
    """Address and port of everything that stands behind a Service."""
    found = api.get(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
                    labelSelector=f"kubernetes.io/service-name={service}")  # fmt: skip
    return {
        (address, port["port"])
        for piece in found["items"]
        for endpoint in piece.get("endpoints") or ()
        for address in endpoint["addresses"]
        for port in piece.get("ports") or ()
    }


def _to_service(api: Objects, name: str, namespace: str, url: str) -> list[Json]:
    service = api.get(f"/api/v1/namespaces/{namespace}/services/{name}")["spec"]
    if service.get("type") == "ExternalName":
        return [_to_addresses(str(service["externalName"]), _port(url))]
    selector, cluster_ip = service.get("selector"), service.get("clusterIP") or ""
    if not selector:
        # Somebody else's addresses stand behind it; which, only its endpoints know.
        rules = [_rule([_block(address)], port) for address, port in sorted(_endpoint_ports(api, namespace, name))]
    else:
        peer = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "podSelector": {"matchLabels": dict(selector)},
        }
        rules = [{"to": [peer], "ports": [{"protocol": "TCP", "port": _target_port(service, url)}]}]
    if cluster_ip and cluster_ip != "None":
        rules.append(_rule([_block(cluster_ip)], _port(url)))  # some agents look before the Service is resolved
    return rules


def _target_port(service: Json, url: str) -> int | str:
    """The pods' own port behind the Service's: a number or a name."""
    for port in service.get("ports", ()):
        if port["port"] == _port(url):
            found: int | str = port.get("targetPort") or port["port"]
            return found
    known = ", ".join(str(port["port"]) for port in service.get("ports", ()))
    raise PreflightFailed(
        f"The Service of {url} has no port {_port(url)} (it has: {known or 'none'}).",
        remedy="Mend the URL of the target's entry in targets.yaml.",
    )


def _to_addresses(host: str, port: int) -> Json:
    """The addresses a name has here; a name that only the cluster can look up leaves its port open to anywhere."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return {"ports": [{"protocol": "TCP", "port": port}]}
    return _rule([_block(address) for address in sorted({str(entry[4][0]) for entry in found})], port)


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or PORTS[parts.scheme]


def _block(address: str) -> Json:
    return {"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}}


def _rule(peers: list[Json], port: int) -> Json:
    return {"to": peers, "ports": [{"protocol": "TCP", "port": port}]}
