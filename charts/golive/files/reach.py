"""Try the master's port from this pod and compare with what is expected here: `reached` or `denied`."""

import os
import socket
import sys
import time

REACHED_WITHIN_S = 120.0  # the master's own start included
CONNECT_TIMEOUT_S = 3.0
PAUSE_S = 1.0


def connects(host: str, port: int) -> bool:
    """Tell whether a TCP connection is made, and print what came instead."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        sys.stdout.write(f"{host}:{port}: {error}\n")
        return False
    return True


def resolves(host: str) -> bool:
    """Tell whether the master's name is known, as it is for as long as its pod runs."""
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        sys.stdout.write(f"{host}: {error}\n")
        return False
    return True


def expect_reached(host: str, port: int) -> str:
    """Return what is wrong when the port is not reached in time."""
    deadline_s = time.monotonic() + REACHED_WITHIN_S
    while time.monotonic() < deadline_s:
        if connects(host, port):
            return ""
        time.sleep(PAUSE_S)
    return (
        f"a pod labelled as a worker does not reach {host}:{port}: is the master up, "
        "and does networkPolicy.dns say where this cluster's DNS is?"
    )


def expect_denied(host: str, port: int) -> str:
    """Return what is wrong when any pod reaches the port, or when nothing was proven because the master is gone."""
    if connects(host, port):
        return (
            f"any pod reaches {host}:{port}: nothing enforces NetworkPolicies here. Install an agent that does, "
            "or set networkPolicy.enforced=false and take them for unproven"
        )
    if not resolves(host):
        return f"UNPROVEN: {host} is not found, so that a refusal says nothing. Test while the master runs"
    return ""


def main() -> int:
    """Print the answer; 0 when it is the expected one."""
    host, port, expected = (
        os.environ["GOLIVE_MASTER_HOST"],
        int(os.environ["GOLIVE_MASTER_PORT"]),
        os.environ["EXPECTED"],
    )
    wrong = expect_reached(host, port) if expected == "reached" else expect_denied(host, port)
    sys.stdout.write(f"FAILED: {wrong}\n" if wrong else f"as it should be: {host}:{port} is {expected}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
