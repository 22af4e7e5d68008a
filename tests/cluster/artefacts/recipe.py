"""What the cluster is made of: programs in Go, packages of Debian, images; and the fingerprint of all of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

GO = Path(__file__).resolve().parents[1] / "gomod"
KUBERNETES = "v1.34.10"
FINGERPRINT_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Go program: one step of the build."""

    name: str
    package: str
    also_called: tuple[str, ...] = ()  # names by which the same program is something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Packages that are compiled ahead: a step that ends within minutes is one whose progress is seen."""

    name: str
    packages: tuple[str, ...]


_COMMANDS = "k8s.io/kubernetes/cmd"
PARTS = (
    Part(name="libraries", packages=("k8s.io/client-go/kubernetes", "k8s.io/client-go/informers")),
    Part(name="server library", packages=("k8s.io/apiserver/pkg/server",)),
    Part(name="API server", packages=(f"{_COMMANDS}/kube-apiserver/app",)),
    Part(
        name="controllers and scheduler",
        packages=(f"{_COMMANDS}/kube-controller-manager/app", f"{_COMMANDS}/kube-scheduler/app"),
    ),
    Part(name="kubelet and proxy", packages=(f"{_COMMANDS}/kubelet/app", f"{_COMMANDS}/kube-proxy/app")),
    Part(name="etcd and kubectl", packages=("k8s.io/kubectl/pkg/cmd", "go.etcd.io/etcd/server/v3/etcdmain")),
)
NODE = Program(
    name="node",
    package="./node",
    also_called=(
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubectl",
    ),
)
PROGRAMS = (
    NODE,
    Program(name="coredns", package="./coredns"),
    Program(name="network-policies", package="./network-policies"),
    Program(name="kube-state-metrics", package="k8s.io/kube-state-metrics/v2"),
    Program(name="metrics-server", package="sigs.k8s.io/metrics-server/cmd/metrics-server"),
    Program(name="custom-metrics", package="./custom-metrics"),
    Program(name="helm", package="helm.sh/helm/v3/cmd/helm"),
    Program(name="pause", package="./pause"),
    Program(name="probe", package="./probe"),
)
RUNTIME_PACKAGES = ("containerd", "runc", "containernetworking-plugins")
NET_PACKAGES = (
    "nftables", "iptables", "ipset",
    "libnftables1", "libnftnl11", "libxtables12", "libip4tc2", "libip6tc2", "libipset13", "libmnl0",
    "libnfnetlink0", "libnetfilter-conntrack3", "libjansson4", "libgmp10", "libedit2", "libbsd0", "libmd0",
    "libtinfo6",
)  # fmt: skip


def version_flags() -> str:
    """What the linker writes into the programs, so that they say which Kubernetes they are."""
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    said = {
        "gitVersion": KUBERNETES,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
        "buildDate": "2026-01-01T00:00:00Z",
    }
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {place}.{name}={value}" for place in places for name, value in said.items())


def fingerprint() -> str:
    """Changes when anything that is built would."""
    programs = [fingerprint_of(program) for program in PROGRAMS]
    told = hashlib.sha256(repr((programs, RUNTIME_PACKAGES, NET_PACKAGES)).encode())
    for maker in ("image_archive.py", "images.py", "debian.py"):
        told.update(Path(__file__).with_name(maker).read_bytes())
    return told.hexdigest()[:FINGERPRINT_DIGITS]


def fingerprint_of(program: Program) -> str:
    """Changes when the program would: its own source, the versions of all modules, the flags."""
    told = hashlib.sha256(repr((program, version_flags())).encode())
    own = (GO / program.package).glob("*.go")
    for source in (GO / "go.mod", GO / "go.sum", *sorted(own)):
        told.update(source.read_bytes())
    return told.hexdigest()[:FINGERPRINT_DIGITS]
