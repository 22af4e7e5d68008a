"""The record's way from a pod to this machine: over a real socket, while it grows, and whole at the end."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.manifest import unlike_manifest, write_manifest
from loadtest.cluster.errors import ApiUnreachable, RecordNotWhole
from loadtest.cluster.mirror import Mirror
from loadtest.cluster.record_client import RecordClient
from loadtest.cluster.record_server import Desk, PodStatus, serve


class Pod:
    """A record server as it runs in a master's pod."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stopped_by: list[str] = []
        self.desk = Desk(folder=folder, on_stop=self.stopped_by.append, status=PodStatus(run_id="r"))
        self._server = serve(self.desk, port=0)
        self.port = self._server.server_address[1]

    def client(self) -> RecordClient:
        return RecordClient(lambda: socket.create_connection(("127.0.0.1", self.port)))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Pod]:
    (tmp_path / "pod" / "evidence").mkdir(parents=True)
    pod = Pod(tmp_path / "pod")
    yield pod
    pod.close()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_growing_file_is_fetched_piece_by_piece_and_never_twice(pod: Pod, here: Path) -> None:
    mirror = Mirror(pod.client(), here)
    for line in range(3):
        append(pod.folder / "events.jsonl", f'{{"event": {line}}}\n')
        mirror.follow()
    assert (here / "events.jsonl").read_text() == (pod.folder / "events.jsonl").read_text()


def test_a_mirror_made_anew_goes_on_where_the_last_one_ended(pod: Pod, here: Path) -> None:
    append(pod.folder / "seconds.jsonl", "one\n")
    Mirror(pod.client(), here).follow()
    append(pod.folder / "seconds.jsonl", "two\n")
    Mirror(pod.client(), here).follow()
    assert (here / "seconds.jsonl").read_text() == "one\ntwo\n"


def test_what_changed_while_it_was_fetched_is_fetched_again_until_it_agrees(pod: Pod, here: Path) -> None:
    (pod.folder / "run.json").write_text('{"ended": "running_"}')
    mirror = Mirror(pod.client(), here)
    mirror.follow()
    (pod.folder / "run.json").write_text('{"ended": "complete"}')  # as long as before
    (pod.folder / "evidence" / "up.json").write_text("[]")
    write_manifest(pod.folder)
    mirror.complete(unlike_manifest)
    assert unlike_manifest(here) == ()
    assert json.loads((here / "run.json").read_text()) == {"ended": "complete"}


def test_a_file_that_does_not_agree_with_its_manifest_is_an_error_that_keeps_everything(pod: Pod, here: Path) -> None:
    (pod.folder / "verdict.json").write_text("{}")
    write_manifest(pod.folder)
    (pod.folder / "verdict.json").write_text("{tampered}")
    with pytest.raises(RecordNotWhole, match=r"verdict\.json"):
        Mirror(pod.client(), here).complete(unlike_manifest)
    assert (here / "verdict.json").exists()


def test_a_large_file_comes_whole(pod: Pod, here: Path) -> None:
    (pod.folder / "timeline.parquet").write_bytes(bytes(range(256)) * 70_000)  # more than one answer holds
    write_manifest(pod.folder)
    Mirror(pod.client(), here).complete(unlike_manifest)
    assert (here / "timeline.parquet").stat().st_size == 256 * 70_000


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "evidence/../../secret"])
def test_nothing_outside_the_record_is_handed_out(pod: Pod, name: str) -> None:
    (pod.folder.parent / "secret").write_text("x")
    with pytest.raises(ApiUnreachable, match="404"):
        pod.client().read(name, 0)


def test_a_pod_that_names_files_outside_the_record_cannot_write_there(here: Path) -> None:
    class Liar:
        def files(self) -> dict[str, int]:
            return {"../outside.jsonl": 5}

        def read(self, name: str, start: int) -> bytes:  # noqa: ARG002  (the source's signature)
            return b"12345"[start:]

    with pytest.raises(RecordNotWhole, match="outside"):
        Mirror(Liar(), here).follow()
    assert not (here.parent / "outside.jsonl").exists()


def test_a_half_written_file_is_not_listed(pod: Pod) -> None:
    (pod.folder / "run.json.new").write_text("{")
    assert "run.json.new" not in pod.client().files()


def test_stopping_reaches_the_pod_with_who_asked(pod: Pod) -> None:
    pod.client().stop(by="sre@laptop")
    assert pod.stopped_by == ["sre@laptop"]


def test_collecting_lets_the_pod_end(pod: Pod) -> None:
    pod.client().collected()
    assert pod.desk.collected.wait(1)


def test_the_status_is_told_as_it_is_now(pod: Pod) -> None:
    pod.desk.tell(state="failed", problem="no load began", remedy="look")
    status = pod.client().status()
    assert (status.state, status.problem, status.remedy) == ("failed", "no load began", "look")


def test_a_pod_that_is_gone_is_an_error_with_what_to_do(pod: Pod) -> None:
    client = RecordClient(lambda: socket.create_connection(("127.0.0.1", 1), timeout=1))
    with pytest.raises(ApiUnreachable, match="golive attach"):
        client.status()


def test_a_server_that_hangs_up_half_way_is_an_error_and_not_half_a_file(here: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        taken, _ = listener.accept()
        taken.recv(1000)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        taken.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    client = RecordClient(lambda: socket.create_connection(listener.getsockname()))
    with pytest.raises(ApiUnreachable):
        client.read("run.json", 0)
    thread.join()
    listener.close()
