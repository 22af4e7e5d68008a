"""PID 1 of the cluster's namespaces: its mounts, then every daemon in order; when it dies, all of them do.

python -m tests.cluster.init ARTEFACTS_FOLDER CACHE_FOLDER
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.cluster import daemons
from tests.cluster.addresses import API_URL, DNS_SERVICE, NODE, NODE_ADDRESS
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.daemons import Daemon
from tests.cluster.node_files import CONTAINERD_SOCKET
from tests.cluster.node_folders import IN_MEMORY, POD_LOGS
from tests.cluster.places import REPOSITORY, Places

PATIENCE_S = 60.0
# kubelet writes these machine-wide settings and fails when it cannot: it is shown files that hold its values already.
SETTINGS_SHOWN = {"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"}


def main() -> None:
    """Mount, start, wait for the end."""
    artefacts, places = Artefacts(folder=Path(sys.argv[1])), Places(cache=Path(sys.argv[2]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _mount_all(places.run)
    _start_all(artefacts, places)
    _bury_for_ever(places.logs)


def _mount_all(run: Path) -> None:
    _mount("--make-rshared", "/")
    _mount("-t", "proc", "proc", "/proc")
    _mount("-t", "tmpfs", "tmpfs", "/run")
    socket.sethostname(NODE)
    # The host's resolver is out of reach here: without these, each look-up of our own name would wait 10 s.
    _show(run / "hosts", f"127.0.0.1 localhost\n{NODE_ADDRESS} {NODE}\n", Path("/etc/hosts"))
    _show(run / "resolv.conf", f"nameserver {DNS_SERVICE}\n", Path("/etc/resolv.conf"))
    for setting, value in SETTINGS_SHOWN.items():
        _show(run / "settings" / setting, f"{value}\n", Path("/proc/sys") / setting)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables").write_text("1")
    Path("/run/containerd").mkdir()
    for folder in ("etcd", "kubelet"):
        (run / folder).mkdir()
    for in_memory in (str(run / "etcd"), str(run / "kubelet"), *IN_MEMORY):
        _mount("-t", "tmpfs", "tmpfs", in_memory)
    for place in map(Path, POD_LOGS):
        (run / "pod-logs" / place.name).mkdir(parents=True)
        _mount("--bind", str(run / "pod-logs" / place.name), str(place))


def _show(file: Path, text: str, at: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    _mount("--bind", str(file), str(at))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _start_all(artefacts: Artefacts, places: Places) -> None:
    run, pki = places.run, places.certificates
    start = _starter(artefacts, places.logs)
    start(daemons.etcd(run))
    _await("etcd", _answers(f"{daemons.ETCD}/health"))
    start(daemons.api_server(pki))
    start(daemons.containerd(run))
    _await("containerd", Path(CONTAINERD_SOCKET).exists)
    # A controller manager that comes before the API's first roles are there ends at once.
    _await("the API server", _answers(f"{API_URL}/readyz", _credentials(pki)))
    after_api = (
        daemons.controller_manager(run, pki),
        daemons.scheduler(pki),
        daemons.kubelet(run, pki),
        daemons.kube_proxy(run),
        daemons.kube_state_metrics(pki),
        daemons.scrape_targets(run, pki),
        daemons.custom_metrics(run, pki),
    )
    for daemon in after_api:
        start(daemon)
    _await("the node", _answers(f"{API_URL}/api/v1/nodes/{NODE}", _credentials(pki)))
    start(daemons.network_policies(pki))
    # It looks every 10 s and needs to have looked twice: begun before there is a node, it would lose one.
    start(daemons.metrics_server(pki))


def _starter(artefacts: Artefacts, logs: Path) -> Callable[[Daemon], None]:
    shared = {"PATH": artefacts.path, "HOME": "/root", "PYTHONPATH": str(REPOSITORY)}

    def start(daemon: Daemon) -> None:
        with (logs / f"{daemon.name}.log").open("wb") as log:
            process = subprocess.Popen(
                daemon.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**shared, **daemon.environment}
            )
        (logs / f"{daemon.name}.pid").write_text(str(process.pid))

    return start


def _credentials(pki: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return context


def _answers(url: str, context: ssl.SSLContext | None = None) -> Callable[[], bool]:
    def asked() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2, context=context) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    return asked


def _await(name: str, there: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not there():
        if time.monotonic() > until:
            sys.exit(f"{name} was not there within {PATIENCE_S:.0f} s")
        time.sleep(0.05)


def _bury_for_ever(logs: Path) -> None:
    """Reap every process that ends, orphans of containers too, and write down the end of a daemon."""
    names = {int(file.read_text()): file.stem for file in logs.glob("*.pid")}
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid in names:
            print(f"{names[pid]} ended with {os.waitstatus_to_exitcode(status)}", flush=True)  # noqa: T201
            (logs / f"{names[pid]}.pid").unlink()


if __name__ == "__main__":
    main()
