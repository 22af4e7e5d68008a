"""Every peer, in the order of the tables."""

from __future__ import annotations

from tests.bench_peers.load import Tool
from tests.bench_peers.tools.fortio import FORTIO
from tests.bench_peers.tools.h2load import H2LOAD
from tests.bench_peers.tools.hey import HEY
from tests.bench_peers.tools.k6 import K6
from tests.bench_peers.tools.locust_users import FAST_HTTP_USER, HTTP_USER
from tests.bench_peers.tools.oha import OHA, OHA_CORRECTED
from tests.bench_peers.tools.vegeta import VEGETA
from tests.bench_peers.tools.wrk import WRK

PEERS: tuple[Tool, ...] = (WRK, H2LOAD, OHA, OHA_CORRECTED, FORTIO, HEY, VEGETA, K6, FAST_HTTP_USER, HTTP_USER)
# What may be typed for a tool whose name has spaces.
SHORT = {
    "oha-corrected": OHA_CORRECTED.name,
    "locust-fast": FAST_HTTP_USER.name,
    "locust-http": HTTP_USER.name,
}
