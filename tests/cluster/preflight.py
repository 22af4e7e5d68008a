"""Whether a cluster can run on this machine at all, and if not, why, in one line."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.cluster.artefacts.build import known
from tests.cluster.commands import succeeds
from tests.cluster.places import Places

TOOLS = {
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
    "ldd": "libc-bin",
    "apt-get": "apt",
    "dpkg": "dpkg",
}


def cannot_run(places: Places) -> str | None:
    """Why not; None when it can."""
    if sys.platform != "linux":
        return "the test cluster needs Linux"
    if os.geteuid() != 0:
        return "the test cluster needs root: it makes namespaces, mounts and cgroups"
    missing = sorted(f"{tool} (package {package})" for tool, package in TOOLS.items() if not shutil.which(tool))
    if missing:
        return f"the test cluster needs {', '.join(missing)}"
    if not known(places).folder.exists() and not shutil.which("go"):
        return "the test cluster is built once by Go (1.24 or newer), which is not here"
    if not Path("/sys/fs/cgroup/memory").is_dir():
        return "the test cluster is made for the cgroup v1 hierarchies, which this machine does not have"
    bridged = Path("/proc/sys/net/bridge")  # by which packets from pod to pod are seen by policies and services
    if not bridged.is_dir() and not (succeeds(["modprobe", "br_netfilter"]) and bridged.is_dir()):
        return "the test cluster needs the kernel's br_netfilter, which is not here"
    if not succeeds(["unshare", "--mount", "--pid", "--net", "--uts", "--fork", "true"]):
        return "the test cluster may not make namespaces here"
    return None
