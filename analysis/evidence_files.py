"""The pulled series on disk (`evidence/NAME.json`), in the form the Prometheus API gave them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from analysis.ports import Series
from slo.evidence import NotSeen

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question and the stretch it was about. step_s 0 stands for the stored samples themselves."""

    query: str
    server: str
    start_unix_s: float
    end_unix_s: float
    step_s: float
    fetched_unix_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pulled:
    """The series that came as an answer; () when Prometheus knows none."""

    asked: Asked
    series: tuple[Series, ...]

    @property
    def source(self) -> str:
        """Whose word this is."""
        return f"{self.asked.query} at {self.asked.server}"


def write_answer(folder: Path, name: str, asked: Asked, answer: tuple[Series, ...] | NotSeen) -> None:
    """Write one answer, or why there is none."""
    came = {"error": answer.because} if isinstance(answer, NotSeen) else {"result": [_to_api(one) for one in answer]}
    content = {"format": FORMAT, **{field: getattr(asked, field) for field in Asked.__slots__}, **came}
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def read_answer(folder: Path, name: str) -> Pulled | NotSeen:
    """Read one answer back; NotSeen when it was never asked, was refused, or cannot be read."""
    path = folder / f"{name}.json"
    if not path.is_file():
        return NotSeen(f"evidence/{name}.json was not pulled")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("error"):
            return NotSeen(str(content["error"]))
        asked = Asked(**{field: content[field] for field in Asked.__slots__})
        return Pulled(asked=asked, series=tuple(_from_api(entry) for entry in content["result"]))
    except (ValueError, KeyError, TypeError, AttributeError) as damage:
        return NotSeen(f"evidence/{name}.json cannot be read: {damage}")


def _to_api(series: Series) -> dict[str, Any]:
    pairs = zip(series.at_unix_s.tolist(), series.values.tolist(), strict=True)
    return {"metric": dict(series.labels), "values": [[at, _number(value)] for at, value in pairs]}


def _number(value: float) -> str:
    """A sample's value as the API writes it: 3 and not 3.0, +Inf and not inf."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value).removesuffix(".0")


def _from_api(entry: Mapping[str, Any]) -> Series:
    return Series(
        labels={str(label): str(value) for label, value in entry["metric"].items()},
        at_unix_s=np.array([float(at) for at, _ in entry["values"]], dtype=np.float64),
        values=np.array([float(value) for _, value in entry["values"]], dtype=np.float64),
    )
