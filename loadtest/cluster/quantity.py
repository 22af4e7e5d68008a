"""Amounts of CPU and memory as Kubernetes writes them: 500m, 2, 1Gi, 128974848, 129M."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# apimachinery's resource.Quantity: binary and decimal suffixes, and a decimal exponent.
FACTORS = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def amount_of(quantity: str | float) -> float:
    """The number that a quantity means; ValueError when it is none."""
    match = re.fullmatch(r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:[eE]([+-]?\d+)|([A-Za-z]{0,2}))", str(quantity).strip())
    if not match or (match[3] or "") not in FACTORS:
        raise ValueError(f"{quantity!r} is no quantity")
    scale: float = 10.0 ** int(match[2]) if match[2] else FACTORS[match[3] or ""]
    return float(match[1]) * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """CPU and memory."""

    cpu_cores: float = 0.0
    memory_bytes: float = 0.0

    @classmethod
    def of(cls, resources: Mapping[str, str | float]) -> Amount:
        """What `requests`, `limits` or `allocatable` say; nothing said is nothing."""
        return cls(cpu_cores=amount_of(resources.get("cpu", 0)), memory_bytes=amount_of(resources.get("memory", 0)))

    def __add__(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(cpu_cores=self.cpu_cores + other.cpu_cores, memory_bytes=self.memory_bytes + other.memory_bytes)

    def __sub__(self, other: Amount) -> Amount:
        """What is left of it; below zero when more is taken than there was."""
        return Amount(cpu_cores=self.cpu_cores - other.cpu_cores, memory_bytes=self.memory_bytes - other.memory_bytes)

    def holds(self, other: Amount) -> bool:
        """Whether the other fits into it."""
        # 1e-9: 0.1 + 0.2 must fit into 0.3.
        return self.cpu_cores + 1e-9 >= other.cpu_cores and self.memory_bytes >= other.memory_bytes

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.cpu_cores:g} CPU and {self.memory_bytes / 2**20:,.0f} MiB"
