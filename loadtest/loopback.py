"""Addresses on this machine alone."""

from __future__ import annotations

import socket
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class HeldPort:
    """A loopback port kept from others until whoever will listen on it is started."""

    number: int
    _holder: socket.socket

    @classmethod
    def take(cls, wanted: int = 0) -> HeldPort:
        """Hold this port, or any that is free for 0. Raises OSError when somebody has it, OverflowError for no port."""
        holder = socket.socket()
        try:
            holder.bind((LOOPBACK, wanted))
        except (OSError, OverflowError):
            holder.close()
            raise
        return cls(int(holder.getsockname()[1]), holder)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{LOOPBACK}:{self.number}"

    def release(self) -> None:
        """Let it be taken."""
        self._holder.close()


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
