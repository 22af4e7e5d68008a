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
from tests.end_to_end.certificates import a_certificate, an_authority
from tests.end_to_end.driving import GOLIVE, HOLD_S, laid_out, outcomes, verdict_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log; keepalive_requests 100;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {certificate}
  server {{ listen 127.0.0.1:{port}{how}; location / {{ default_type application/json; return 200 '{{"ok":true}}'; }} }}
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
		fmt.Fprintln(log, r.Proto, r.URL)
		w.WriteHeader(200)
		w.(http.Flusher).Flush() // chunked: the length is not known
		fmt.Fprint(w, strings.Repeat("golive ", 200))
	})
	if len(os.Args) > 3 {
		fmt.Println(http.ListenAndServeTLS("127.0.0.1:"+os.Args[1], "server.pem", "server.key", nil))
	}
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


def nginx(folder: Path, port: int, *, secure: bool) -> list[str]:
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed")
    certificate = "ssl_certificate server.pem; ssl_certificate_key server.key;" if secure else ""
    how = " ssl http2" if secure else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, certificate=certificate, how=how))
    return [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def go(folder: Path, port: int, *, secure: bool) -> list[str]:
    if not shutil.which("go"):
        pytest.skip("no Go toolchain here to build a Go server with")
    (folder / "main.go").write_text(GO)
    subprocess.run(["go", "build", "-o", "server", "main.go"], cwd=folder, check=True, timeout=120)
    return [str(folder / "server"), str(port), str(folder / "access.log"), *(["tls"] if secure else [])]


def counted_by_both(folder: Path, url: str, **changes: str) -> list[str]:
    """A run that meets its objectives; the lines that the server wrote down, as many as were due."""
    laid_out(folder, url, **changes)
    done = subprocess.run(
        [GOLIVE, "run", "short.yaml", "--target", "here", "--rate", "500"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    seen = outcomes(verdict_of(folder))
    assert [seen[name] for name in ("throughput", "p95-latency", "p99-latency", "error-rate")] == ["met"] * 4
    lines = (folder / "access.log").read_text().splitlines()
    assert len(lines) == 300 + HOLD_S * 600  # half a second's worth of ramp, then the hold
    return lines


@pytest.mark.parametrize("server", [nginx, go], ids=["nginx", "Go net/http"])
def test_a_server_that_is_not_ours_counts_what_golive_counts(tmp_path: Path, server: Callable[..., list[str]]) -> None:
    port = free_port()
    with standing(server(tmp_path, port, secure=False), port, tmp_path) as url:
        assert "HTTP/1.1" in counted_by_both(tmp_path, url)[0]


@pytest.mark.parametrize("server", [nginx, go], ids=["nginx", "Go net/http"])
def test_so_it_does_by_http2_and_tls(tmp_path: Path, server: Callable[..., list[str]]) -> None:
    """nginx also ends each connection in order after its 100th request, and none of those around it is lost."""
    an_authority(tmp_path, "authority")
    a_certificate(tmp_path, "server", by="authority")
    port = free_port()
    with standing(server(tmp_path, port, secure=True), port, tmp_path) as url:
        sending = '{connections: 16, trust_ca_file: authority.pem, connection: {http: "2"}}'
        lines = counted_by_both(tmp_path, url.replace("http:", "https:"), SENDING=sending)
    assert all("HTTP/2.0" in line for line in lines)
