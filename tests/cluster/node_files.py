"""What the node's programs read: containerd, the CNI bridge, kubelet, kube-proxy."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.addresses import DNS_SERVICE, NODE, PODS
from tests.cluster.artefacts.images import PAUSE
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.cgroups import NAME as CGROUP
from tests.cluster.places import Places

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def write(places: Places, artefacts: Artefacts) -> None:
    """Write all of them into the run's folder."""
    run, pki = places.run, places.certificates
    (run / "cni").mkdir(parents=True, exist_ok=True)
    (run / "containerd.toml").write_text(_containerd(places, artefacts))
    _write_json(run / "cni" / "10-bridge.conflist", _bridge(run))
    _write_json(run / "kubelet.json", _kubelet(run, pki))
    _write_json(run / "kube-proxy.json", _kube_proxy(pki))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1))


def _containerd(places: Places, artefacts: Artefacts) -> str:
    return f"""
version = 2
root = "{places.images}"
state = "{places.run}/containerd-state"
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{places.run}/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true  # without CAP_SYS_RESOURCE a score can only be raised
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{artefacts.root}/usr/lib/cni"
    conf_dir = "{places.run}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{artefacts.root}/usr/sbin/runc"
        SystemdCgroup = false
"""


def _bridge(run: Path) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(run / "cni-leases"),  # in the run's folder: a killed cluster leaks leases
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def _kubelet(run: Path, pki: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "featureGates": {"KubeletInUserNamespace": True},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "podCIDR": PODS,
        "resolvConf": "",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "imageGCHighThresholdPercent": 100,  # an image that is collected cannot be pulled again: there is no registry
        "evictionHard": {"memory.available": "100Mi"},
        "localStorageCapacityIsolation": True,
        "maxOpenFiles": 20000,
        "serializeImagePulls": False,
        "registerNode": True,
        "volumePluginDir": str(run / "kubelet-plugins"),
    }


def _kube_proxy(pki: Path) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(pki / "proxy.conf")},
        "clusterCIDR": PODS,
        "hostnameOverride": NODE,
        "oomScoreAdj": 0,
        "conntrack": {"maxPerCore": 0, "min": 0},
        # Pods must be seen under their own address behind a Service, or no NetworkPolicy could tell them apart.
        "nftables": {"masqueradeAll": False, "syncPeriod": "30s", "minSyncPeriod": "100ms"},
        "featureGates": {"KubeletInUserNamespace": True},
    }
