"""The command line of every daemon on the node, and the only ones a daemon is ever started with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.addresses import API_PORT, NODE, NODE_ADDRESS, PODS, PROMETHEUS_SERVICE, SERVICES

ETCD = "http://127.0.0.1:2379"
# An autoscaler in seconds rather than minutes: docs/test-cluster.md says what the usual values are.
AUTOSCALER_TIMINGS: Mapping[str, str] = {
    "horizontal-pod-autoscaler-sync-period": "2s",
    "horizontal-pod-autoscaler-cpu-initialization-period": "5s",
    "horizontal-pod-autoscaler-initial-readiness-delay": "2s",
    "horizontal-pod-autoscaler-downscale-stabilization": "10s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A program of the node: its name is that of its log."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def _flags(**flags: str | Path) -> tuple[str, ...]:
    return tuple(f"--{name.replace('_', '-')}={value}" for name, value in flags.items())


def etcd(run: Path) -> Daemon:
    """The store, in memory: nothing of it outlives the cluster."""
    peers = "http://127.0.0.1:2380"
    flags = _flags(
        data_dir=run / "etcd", listen_client_urls=ETCD, advertise_client_urls=ETCD, listen_peer_urls=peers,
        log_level="warn", unsafe_no_fsync="true",
    )  # fmt: skip
    return Daemon(name="etcd", command=("etcd", *flags))


def api_server(pki: Path) -> Daemon:
    """The API, with Node and RBAC authorization and the aggregation layer."""
    flags = _flags(
        etcd_servers=ETCD,
        advertise_address=NODE_ADDRESS,
        bind_address="0.0.0.0",
        secure_port=str(API_PORT),
        service_cluster_ip_range=SERVICES,
        client_ca_file=pki / "ca.crt",
        tls_cert_file=pki / "apiserver.crt",
        tls_private_key_file=pki / "apiserver.key",
        service_account_issuer="https://kubernetes.default.svc",
        service_account_key_file=pki / "service-accounts.key",
        service_account_signing_key_file=pki / "service-accounts.key",
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        allow_privileged="true",
        kubelet_client_certificate=pki / "admin.crt",
        kubelet_client_key=pki / "admin.key",
        kubelet_preferred_address_types="InternalIP",
        kubelet_certificate_authority=pki / "ca.crt",
        profiling="false",
    )
    return Daemon(name="kube-apiserver", command=("kube-apiserver", *flags, *_aggregation(pki)))


def _aggregation(pki: Path) -> tuple[str, ...]:
    return _flags(
        requestheader_client_ca_file=pki / "ca.crt",
        requestheader_allowed_names="front-proxy",
        requestheader_extra_headers_prefix="X-Remote-Extra-",
        requestheader_group_headers="X-Remote-Group",
        requestheader_username_headers="X-Remote-User",
        proxy_client_cert_file=pki / "front-proxy.crt",
        proxy_client_key_file=pki / "front-proxy.key",
        enable_aggregator_routing="true",
    )


def containerd(run: Path) -> Daemon:
    """The container runtime."""
    return Daemon(name="containerd", command=("containerd", "--config", str(run / "containerd.toml")))


def _controller(name: str, config: Path, **flags: str | Path) -> Daemon:
    identity = _flags(kubeconfig=config, authentication_kubeconfig=config, authorization_kubeconfig=config)
    open_paths = _flags(leader_elect="false", authorization_always_allow_paths="/healthz,/metrics")
    return Daemon(name=name, command=(name, *identity, *open_paths, *_flags(**flags)))


def controller_manager(run: Path, pki: Path) -> Daemon:
    """All controllers; the autoscaler's is quick."""
    return _controller(
        "kube-controller-manager",
        pki / "controller-manager.conf",
        use_service_account_credentials="true",
        service_account_private_key_file=pki / "service-accounts.key",
        root_ca_file=pki / "ca.crt",
        cluster_cidr=PODS,
        flex_volume_plugin_dir=run / "kubelet-plugins",
        allocate_node_cidrs="false",
        kube_api_qps="300",  # the usual 20 costs 4.5 s of the start
        kube_api_burst="600",
        **AUTOSCALER_TIMINGS,
    )


def scheduler(pki: Path) -> Daemon:
    """The scheduler."""
    return _controller("kube-scheduler", pki / "scheduler.conf")


def kubelet(run: Path, pki: Path) -> Daemon:
    """The node's agent."""
    flags = _flags(
        config=run / "kubelet.json", kubeconfig=pki / "node.conf", hostname_override=NODE, node_ip=NODE_ADDRESS,
        root_dir=run / "kubelet", oom_score_adj="0", v="2",
    )  # fmt: skip
    return Daemon(name="kubelet", command=("kubelet", *flags))


def kube_proxy(run: Path) -> Daemon:
    """Services, by nftables."""
    return Daemon(name="kube-proxy", command=("kube-proxy", *_flags(config=run / "kube-proxy.json")))


def kube_state_metrics(pki: Path) -> Daemon:
    """What the API says of HPAs, Deployments and pods, as metrics."""
    flags = _flags(kubeconfig=pki / "admin.conf", port="8080", telemetry_port="8081")
    return Daemon(name="kube-state-metrics", command=("kube-state-metrics", *flags))


def metrics_server(pki: Path) -> Daemon:
    """CPU and memory of pods for the autoscaler; 10 s is the finest it can."""
    config = pki / "admin.conf"
    flags = _flags(
        kubeconfig=config, authentication_kubeconfig=config, authorization_kubeconfig=config, secure_port="4443",
        tls_cert_file=pki / "metrics.crt", tls_private_key_file=pki / "metrics.key",
        kubelet_preferred_address_types="InternalIP", kubelet_certificate_authority=pki / "ca.crt",
        metric_resolution="10s", kubelet_request_timeout="5s",
    )  # fmt: skip
    return Daemon(name="metrics-server", command=("metrics-server", *flags))


def scrape_targets(run: Path, pki: Path) -> Daemon:
    """Tells Prometheus which pods want to be scraped."""
    where = (str(pki), str(run / "prometheus" / "targets" / "pods.json"))
    return Daemon(name="scrape-targets", command=(sys.executable, "-m", "tests.cluster.scrape_targets", *where))


def custom_metrics(run: Path, pki: Path) -> Daemon:
    """http_requests_per_second of every pod, from Prometheus."""
    config = pki / "admin.conf"
    flags = _flags(
        lister_kubeconfig=config, authentication_kubeconfig=config, authorization_kubeconfig=config, secure_port="4444",
        tls_cert_file=pki / "metrics.crt", tls_private_key_file=pki / "metrics.key", prometheus_url=f"http://{PROMETHEUS_SERVICE}:9090",
        config=run / "custom-metrics.json", metrics_relist_interval="2s", metrics_max_age="1m",
    )  # fmt: skip
    return Daemon(name="custom-metrics", command=("custom-metrics", *flags))


def network_policies(pki: Path) -> Daemon:
    """Enforces NetworkPolicies: the bridge does not."""
    flags = _flags(kubeconfig=pki / "admin.conf", node=NODE, services=SERVICES)
    return Daemon(name="network-policies", command=("network-policies", *flags))
