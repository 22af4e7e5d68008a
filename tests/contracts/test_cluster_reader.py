"""What every reader of a cluster does, against a server of the tests' own as against a real Kubernetes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from analysis import kubernetes
from analysis.cluster.ports import ApiTrouble, Change, Kind, Scope, Trouble
from analysis.kubernetes import ClusterUnavailable, Kubernetes
from tests.contracts.api_server import ApiServer, until, write_kubeconfig


class World(Protocol):
    """A cluster in which a test can do things."""

    namespace: str
    kubeconfig: Path  # of a user who may read the namespace, and nothing of the whole cluster

    def add(self, name: str, labels: Mapping[str, str] | None = None) -> None: ...
    def label(self, name: str, value: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def spoil_token(self) -> Callable[[], object]:
        """Make the kubeconfig's token useless; what comes back puts it right."""


@dataclass
class FakeWorld:
    server: ApiServer
    kubeconfig: Path
    namespace: str = "hotel"

    def add(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        self.server.put("pods", {"metadata": {"name": name, "namespace": self.namespace, "labels": dict(labels or {})}})

    def label(self, name: str, value: str) -> None:
        self.add(name, {"changed": value})

    def remove(self, name: str) -> None:
        self.server.delete("pods", f"uid-pods-{name}")

    def spoil_token(self) -> Callable[[], object]:
        write_kubeconfig(self.kubeconfig, {"server": self.server.url}, "stale")
        return lambda: self.server.kubeconfig(self.kubeconfig)


@dataclass
class RealWorld:
    cluster: Any
    namespace: str
    kubeconfig: Path
    token: str
    about: Mapping[str, str]

    def add(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        told = ["--labels", ",".join(f"{key}={value}" for key, value in (labels or {"app": name}).items())]
        more = ["--restart=Never", '--overrides={"spec":{"nodeName":"nowhere"}}']  # it need not run to be a pod
        self.cluster.kubectl("-n", self.namespace, "run", name, "--image=localhost/pause:1", *told, *more)

    def label(self, name: str, value: str) -> None:
        self.cluster.kubectl("-n", self.namespace, "label", "--overwrite", "pod", name, f"changed={value}")

    def remove(self, name: str) -> None:
        self.cluster.kubectl("-n", self.namespace, "delete", "pod", name, "--grace-period=0", "--force")

    def spoil_token(self) -> Callable[[], object]:
        write_kubeconfig(self.kubeconfig, self.about, self.token[:-8] + "spoiled0")
        return lambda: write_kubeconfig(self.kubeconfig, self.about, self.token)


def real_world(cluster: Any, namespace: str, folder: Path) -> RealWorld:
    """A service account that may read pods of one namespace, and a kubeconfig with its token."""
    cluster.kubectl("-n", namespace, "create", "serviceaccount", "reader")
    cluster.kubectl("-n", namespace, "create", "role", "reader", "--verb=get,list,watch", "--resource=pods,events")
    cluster.kubectl("-n", namespace, "create", "rolebinding", "reader", "--role=reader",
                    f"--serviceaccount={namespace}:reader")  # fmt: skip
    token = cluster.kubectl("-n", namespace, "create", "token", "reader").strip()
    admin = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = admin.get("certificate-authority-data")
    if authority is None:
        authority = base64.b64encode(Path(admin["certificate-authority"]).read_bytes()).decode()
    about = {"server": admin["server"], "certificate-authority-data": authority}
    path = write_kubeconfig(folder / "reader.conf", about, token)
    return RealWorld(cluster=cluster, namespace=namespace, kubeconfig=path, token=token, about=about)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as after:
        if request.param == "fake":
            server = after.enter_context(ApiServer(forbidden=frozenset({"nodes"})).serving())
            yield FakeWorld(server, server.kubeconfig(tmp_path / "fake.conf"))
            return
        cluster = request.getfixturevalue("cluster")
        yield real_world(cluster, after.enter_context(cluster.namespace()), tmp_path)


@pytest.fixture
def reader(world: World) -> Kubernetes:
    return Kubernetes.of_kubeconfig(world.kubeconfig)


def names(reader: Kubernetes, scope: Scope) -> list[str]:
    return sorted(thing["metadata"]["name"] for page in reader.pages(Kind.PODS, scope) for thing in page.items)


def version_of(reader: Kubernetes, scope: Scope) -> str:
    return next(iter(reader.pages(Kind.PODS, scope))).version


@dataclass
class Watched:
    """What a watch in a thread of its own has told so far."""

    changes: list[Change]
    thread: threading.Thread
    troubles: list[ApiTrouble]

    @property
    def told(self) -> list[tuple[str, bool]]:
        """Each name, and whether it was deleted, once, in the order of their first change."""
        return list(dict.fromkeys((one.thing["metadata"]["name"], one.deleted) for one in self.changes if one.thing))


def watched(reader: Kubernetes, scope: Scope, version: str, for_s: float = 20.0) -> Watched:
    changes: list[Change] = []
    troubles: list[ApiTrouble] = []

    def follow() -> None:
        try:
            for change in reader.watch(Kind.PODS, scope, version=version, for_s=for_s):
                changes.append(change)
        except ApiTrouble as trouble:
            troubles.append(trouble)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    assert until(lambda: bool(changes) or not thread.is_alive())
    return Watched(changes, thread, troubles)


def test_a_listing_has_the_objects_of_one_namespace_with_these_labels(world: World, reader: Kubernetes) -> None:
    world.add("one", {"app": "a"})
    world.add("two", {"app": "b"})
    assert names(reader, Scope(namespace=world.namespace)) == ["one", "two"]
    assert names(reader, Scope(namespace=world.namespace, labels="app=b")) == ["two"]


def test_a_long_listing_comes_in_pages_of_one_version(
    world: World, reader: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "PAGE_ITEMS", 2)
    for name in "abcde":
        world.add(name)
    pages = list(reader.pages(Kind.PODS, Scope(namespace=world.namespace)))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert len({page.version for page in pages}) == 1


def test_a_watch_tells_what_is_new_changed_and_deleted(world: World, reader: Kubernetes) -> None:
    here = Scope(namespace=world.namespace)
    world.add("old")
    watch = watched(reader, here, version_of(reader, here))
    assert watch.changes[0].thing is None  # it is on
    world.add("new")
    world.label("old", "yes")
    world.remove("new")
    assert until(lambda: ("new", True) in watch.told)
    assert watch.told == [("new", False), ("old", False), ("new", True)]
    reader.interrupt()


def test_a_watch_goes_on_where_an_earlier_one_ended(world: World, reader: Kubernetes) -> None:
    here = Scope(namespace=world.namespace)
    version = version_of(reader, here)
    world.add("meanwhile")
    watch = watched(reader, here, version)
    assert until(lambda: watch.told == [("meanwhile", False)])
    again = watched(reader, here, watch.changes[-1].version)
    world.add("later")
    assert until(lambda: ("later", False) in again.told)
    assert again.told == [("later", False)]
    reader.interrupt()


def test_a_quiet_watch_ends_with_a_bookmark_that_tells_how_far_it_came(world: World, reader: Kubernetes) -> None:
    here = Scope(namespace=world.namespace)
    version = version_of(reader, here)
    watch = watched(reader, here, version, for_s=4.0)
    watch.thread.join(15)
    assert not watch.thread.is_alive()
    assert not watch.troubles
    assert all(change.thing is None for change in watch.changes)
    assert len(watch.changes) >= 2
    assert int(watch.changes[-1].version) >= int(version)


def test_an_interrupt_ends_a_quiet_watch_long_before_its_time(world: World, reader: Kubernetes) -> None:
    here = Scope(namespace=world.namespace)
    watch = watched(reader, here, version_of(reader, here), for_s=60.0)
    reader.interrupt()
    watch.thread.join(10)
    assert not watch.thread.is_alive()


def test_what_no_role_allows_is_forbidden(world: World, reader: Kubernetes) -> None:
    with pytest.raises(ApiTrouble) as refusal:
        list(reader.pages(Kind.NODES, Scope()))
    assert refusal.value.trouble is Trouble.FORBIDDEN
    assert "nodes" in refusal.value.said


def test_a_refused_token_is_unauthorized_until_it_is_read_again(world: World) -> None:
    put_right = world.spoil_token()
    reader = Kubernetes.of_kubeconfig(world.kubeconfig)
    with pytest.raises(ApiTrouble) as refusal:
        list(reader.pages(Kind.PODS, Scope(namespace=world.namespace)))
    assert refusal.value.trouble is Trouble.UNAUTHORIZED
    put_right()
    reader.renew()
    assert list(reader.pages(Kind.PODS, Scope(namespace=world.namespace)))


def test_a_server_says_what_it_is(world: World, reader: Kubernetes) -> None:
    assert reader.kubernetes_version().startswith("v1.")
    assert "://" in reader.server
    assert reader.server.rpartition(":")[2].isdigit()


def test_an_address_nobody_listens_at_is_unreachable(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "dead.conf", {"server": "http://127.0.0.1:9"}, "t")
    with pytest.raises(ApiTrouble) as silence:
        Kubernetes.of_kubeconfig(path).kubernetes_version()
    assert silence.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize("content", ["", "kind: Config", "{", json.dumps({"current-context": "none"})])
def test_a_kubeconfig_that_is_none_says_what_to_do(content: str, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(content)
    with pytest.raises(ClusterUnavailable, match="Remedy"):
        Kubernetes.of_kubeconfig(tmp_path / "conf")


def test_outside_a_pod_there_is_no_cluster_to_be_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterUnavailable, match="service account"):
        Kubernetes.in_cluster()
