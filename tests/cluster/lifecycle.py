"""Bring the cluster up, take it down, say how it is; each of them repairs what a killed one left."""

from __future__ import annotations

import base64
import shutil
import ssl
import string
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from scenarios.errors import StageFailed
from tests.cluster import addresses, certificates, cgroups, monitoring, network, node_files, node_folders, processes
from tests.cluster.artefacts import images
from tests.cluster.artefacts.build import ensure
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.commands import call
from tests.cluster.lock import alone
from tests.cluster.places import Places
from tests.cluster.processes import Init

PATIENCE_S = 90.0
BUSY_FOR_S = 30.0  # a machine under load may answer late, and its cluster is not broken
MANIFESTS = Path(__file__).with_name("manifests")
PODS = (("kube-system", "coredns"), ("monitoring", "prometheus"), ("monitoring", "alertmanager"))
Say = Callable[[str], None]
Wait = Callable[[str, Callable[[], bool]], None]


def up(places: Places, say: Say) -> bool:
    """Have the cluster up; False when it was up already."""
    artefacts = ensure(places, say)
    with alone(places.cache / "lock", say, what="another `up` or `down`"):
        if is_up(places):
            say(f"already up: export KUBECONFIG={places.kubeconfig} PATH={artefacts.bin}:$PATH")
            if places.made_of.read_text() != artefacts.folder.name:
                say("it was made by another recipe; to have this one's, run `make cluster-down` first")
            return False
        _clear(places, say)
        _bring_up(places, artefacts, say)
        return True


def down(places: Places, say: Say) -> bool:
    """Have nothing of it left but what is kept for the next; False when there was nothing."""
    with alone(places.cache / "lock", say, what="another `up` or `down`"):
        if not leftovers(places):
            say("nothing to take down")
            return False
        _clear(places, say)
        return True


def is_up(places: Places) -> bool:
    """Whether `up` went through, its process lives and the API says that it is ready."""
    init = processes.recorded(places)
    until = time.monotonic() + BUSY_FOR_S
    while places.ready_mark.exists() and init and init.is_alive():
        if _ready(places, "/readyz"):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return False


def leftovers(places: Places) -> list[str]:
    """All that a cluster is, outside its own folder: nothing after `down`."""
    left = [f"process {processes.called(process)}" for process in processes.remaining(places)]
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    left += [f"mount {place}" for place in mounts if place.startswith(f"{places.cache}/")]
    left += [f"cgroup {folder}" for folder in cgroups.leftovers()]
    left += network.leftovers()
    return left + ([f"folder {places.run}"] if places.run.exists() else [])


def _clear(places: Places, say: Say) -> None:
    begun = time.monotonic()
    before = leftovers(places)
    if not before:
        return
    processes.end_all(places)
    network.remove()
    cgroups.remove()
    node_folders.remove(places)
    shutil.rmtree(places.run, ignore_errors=True)
    after = leftovers(places)
    if after:
        left = "; ".join(after)
        raise StageFailed(f"This is left of the test cluster: {left}.", remedy="Run `make cluster-down` again.")
    say(f"taken down ({time.monotonic() - begun:.1f} s)")


def _bring_up(places: Places, artefacts: Artefacts, say: Say) -> None:
    """In this order; a failure leaves all as it is to be looked at, and the next `up` or `down` clears it."""
    say = _timed(say)
    _lay_out(places, artefacts)
    say("network and certificates")
    init = processes.start(places, artefacts.folder)
    wait = _waiter(places, init, say)
    wait("API server ready", lambda: _ready(places, "/readyz"))
    _import_images(places, artefacts)
    say("images imported")
    _apply_addons(places, artefacts)
    _await_node(places, artefacts, wait)
    say("node Ready")
    _await_addons(places, artefacts, wait)
    places.made_of.write_text(artefacts.folder.name)
    places.ready_mark.touch()
    say(f"up: export KUBECONFIG={places.kubeconfig} PATH={artefacts.bin}:$PATH")


def _lay_out(places: Places, artefacts: Artefacts) -> None:
    places.logs.mkdir(parents=True)
    certificates.ensure(places.certificates)
    shutil.copy(places.certificates / "admin.conf", places.kubeconfig)
    places.kubeconfig.chmod(0o600)
    node_files.write(places, artefacts)
    monitoring.write(places)
    network.lay()
    cgroups.prepare()
    node_folders.prepare(places)


def _await_node(places: Places, artefacts: Artefacts, wait: Wait) -> None:
    wait("node registered", lambda: _ready(places, f"/api/v1/nodes/{addresses.NODE}"))
    _kubectl(places, artefacts, "wait", "--for=condition=Ready", f"node/{addresses.NODE}", "--timeout=60s")
    # Without it no pod of a test could be made.
    wait("first service account", lambda: _ready(places, "/api/v1/namespaces/default/serviceaccounts/default"))


def _await_addons(places: Places, artefacts: Artefacts, wait: Wait) -> None:
    wait("kube-state-metrics", lambda: _open(f"http://{addresses.NODE_ADDRESS}:8080/healthz"))
    wait("custom metrics", lambda: _ready(places, "/apis/custom.metrics.k8s.io/v1beta2"))
    for namespace, name in PODS:
        deployment = ("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=60s")
        _kubectl(places, artefacts, *deployment)
    node_metrics = f"/apis/metrics.k8s.io/v1beta1/nodes/{addresses.NODE}"
    wait("metrics of the node (metrics-server)", lambda: _ready(places, node_metrics))


def _timed(say: Say) -> Say:
    begun = time.monotonic()
    return lambda line: say(f"{time.monotonic() - begun:5.1f} s  {line}")


def _waiter(places: Places, init: Init, say: Say) -> Wait:
    def wait(name: str, there: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE_S
        while not there():
            if not init.is_alive() or time.monotonic() > until:
                why = "its first process ended" if not init.is_alive() else f"waited {PATIENCE_S:.0f} s"
                raise StageFailed(f"The test cluster did not come up: {name}: {why}.", remedy=f"See {places.logs}.")
            time.sleep(0.1)
        say(name)

    return wait


def _import_images(places: Places, artefacts: Artefacts) -> None:
    """Import what an earlier cluster has not left, the smallest first."""
    ctr: list[str | Path] = [artefacts.root / "usr/bin/ctr", "-n", "k8s.io", "images"]
    remedy = f"See {places.logs / 'containerd.log'}."
    have = set(call(processes.within(places, *ctr, "ls", "-q"), remedy=remedy).split())
    for archive in sorted(artefacts.images.glob("*.tar"), key=lambda path: path.stat().st_size):
        mark = places.images / f"imported-{artefacts.folder.name}-{archive.stem}"
        if mark.exists() and have:
            continue
        call(processes.within(places, *ctr, "import", archive), remedy=remedy)
        for others in places.images.glob(f"imported-*-{archive.stem}"):
            others.unlink()  # another recipe's image of that name is no longer there
        mark.touch()


def _apply_addons(places: Places, artefacts: Artefacts) -> None:
    known = {name: value for module in (addresses, images) for name, value in vars(module).items() if name.isupper()}
    authority = base64.b64encode((places.certificates / "ca.crt").read_bytes()).decode()
    for manifest in sorted(MANIFESTS.glob("*.yaml")):
        text = string.Template(manifest.read_text()).substitute(known, CA_BUNDLE=authority, RUN=places.run)
        _kubectl(places, artefacts, "apply", "--server-side", "-f", "-", stdin=text)


def _kubectl(places: Places, artefacts: Artefacts, *words: str, stdin: str | None = None) -> str:
    command: list[str | Path] = [artefacts.bin / "kubectl", f"--kubeconfig={places.kubeconfig}", *words]
    return call(command, remedy=f"See {places.logs}.", stdin=stdin)


def _ready(places: Places, path: str) -> bool:
    pki = places.certificates
    try:
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    except OSError:
        return False
    return _open(addresses.API_URL + path, context)


def _open(url: str, context: ssl.SSLContext | None = None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
