"""The unchanged binary against servers that are not ours: their own counts agree with golive's, to the request."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.loopback import free_port
from tests.end_to_end.driving import GOLIVE, HOLD_S, laid_out, outcomes, verdict_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log; keepalive_requests 100;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{{"ok":true}}'; }} }}
}}
"""
GO = """\
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	log, _ := os.Create(os.Args[2])
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(log, r.URL)
		w.WriteHeader(200)
		w.(http.Flusher).Flush() // chunked: the length is not known
		fmt.Fprint(w, strings.Repeat("golive ", 200))
	})
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
"""


@contextmanager
def standing(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """A server process for the duration of a `with`; gives its URL once it takes connections."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline_s = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline_s
                assert process.poll() is None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def nginx(folder: Path, port: int) -> list[str]:
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed")
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    return [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def go(folder: Path, port: int) -> list[str]:
    if not shutil.which("go"):
        pytest.skip("no Go toolchain here to build a Go server with")
    (folder / "main.go").write_text(GO)
    subprocess.run(["go", "build", "-o", "server", "main.go"], cwd=folder, check=True, timeout=120)
    return [str(folder / "server"), str(port), str(folder / "access.log")]


@pytest.mark.parametrize("server", [nginx, go], ids=["nginx", "Go net/http"])
def test_a_server_that_is_not_ours_counts_what_golive_counts(
    tmp_path: Path, server: Callable[[Path, int], list[str]]
) -> None:
    port = free_port()
    with standing(server(tmp_path, port), port, tmp_path) as url:
        laid_out(tmp_path, url)
        done = subprocess.run(
            [GOLIVE, "run", "short.yaml", "--target", "here", "--rate", "500"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout
    seen = outcomes(verdict_of(tmp_path))
    assert [seen[name] for name in ("throughput", "p95-latency", "p99-latency", "error-rate")] == ["met"] * 4
    counted = len((tmp_path / "access.log").read_text().splitlines())
    assert counted == 300 + HOLD_S * 600  # half a second's worth of ramp, then the hold
