"""The locustfile of the peers: one user that asks for one path, flat out or at its pace."""

import os

import locust

PACE_RPS = float(os.environ["BENCH_PEERS_RPS_OF_A_USER"])


class Peer(getattr(locust, os.environ["BENCH_PEERS_USER"])):  # type: ignore[misc]  # the class is the question
    """Asks again and again."""

    wait_time = locust.constant_throughput(PACE_RPS) if PACE_RPS else locust.constant(0)

    @locust.task
    def ask(self) -> None:
        """The one request of the bench."""
        self.client.get("/")
