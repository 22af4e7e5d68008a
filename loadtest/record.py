"""The run's record while it is being made: append-only files, flushed line by line (docs/record.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from loadtest.slowest import Sieve
from loadtest.vitals import Vitals

FORMAT = 1
HLOG_HEAD = "#[golive record, values in microseconds]\n#[Histogram log format version 1.3]\n"
HLOG_COLUMNS = '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'


class RecordWriter:
    """Appends to one run's folder. One process writes; any number may read at any time."""

    def __init__(self, folder: Path) -> None:
        """Open the folder's files, going on where they end."""
        self.folder = folder
        self._events = _append(folder / "events.jsonl")
        self._seconds = _append(folder / "seconds.jsonl")
        self._workers = _append(folder / "workers.jsonl")
        self._master = _append(folder / "master.jsonl")
        self._vitals, self._newest_s = Vitals.of_this_process(), 0
        self._hlog = _append(folder / "load.hlog")
        self._addresses = _append(folder / "addresses.jsonl")
        self._exemplars = _append(folder / "exemplars.jsonl")
        self._sieve = Sieve()
        if self._hlog.tell() == 0:
            self._hlog.write(HLOG_HEAD + HLOG_COLUMNS)
            self._hlog.flush()

    def event(self, kind: str, *, at_unix_s: float, **fields: Any) -> None:
        """Write down that something happened."""
        _line(self._events, {"at_unix_s": round(at_unix_s, 6), "event": kind, **fields})

    def delta(self, *, worker: int, seq: int, body: Mapping[str, Any]) -> None:
        """Write down one accepted delta: its counts and its histograms, whole or (disk full) not acknowledged."""
        origin = {"worker": worker, "seq": seq}
        self._hlog.write("".join(_interval(entry) for entry in body.get("latency", ())))
        self._hlog.flush()
        self._addresses.write("".join(_given(entry, origin) for entry in body.get("addresses", ())))
        self._addresses.flush()
        told = self._sieve.through(body.get("exemplars", ()))
        self._exemplars.write("".join(_dumps({**entry, **origin}) for entry in told))
        self._exemplars.flush()
        self._seconds.write("".join(_dumps({**entry, **origin}) for entry in body.get("counts", ())))
        self._seconds.flush()
        for entry in body.get("raised", ()):
            self.event("users_raised", at_unix_s=entry["second"], worker=worker, **_without_second(entry))
        for entry in body.get("logins", ()):
            if entry["failed"]:
                self.event("token_not_renewed", at_unix_s=entry["second"], worker=worker, **_without_second(entry))

    def vitals(self, *, worker: int, vitals: Mapping[str, float], body: Mapping[str, Any]) -> None:
        """Write down how a worker fared, a line for each second the delta speaks of."""
        in_flight = dict(body.get("in_flight", ()))
        timers = dict(body.get("control_timer_us", ()))
        lines = [
            {"second": second, "worker": worker, "in_flight": in_flight.get(second, 0.0),
             "control_timer_us": timers.get(second, 0), **vitals}
            for second in sorted(in_flight.keys() | timers.keys())
        ]  # fmt: skip
        self._workers.write("".join(_dumps(line) for line in lines))
        self._workers.flush()
        self._own_vitals(max((line["second"] for line in lines), default=0))

    def _own_vitals(self, second: int) -> None:
        """Write down how the process that keeps the record fares, once for each second that is new."""
        if second > self._newest_s:
            self._newest_s = second
            _line(self._master, {"second": second, **self._vitals.read()})

    def close(self) -> None:
        """Make everything durable."""
        for file in (
            self._events,
            self._seconds,
            self._workers,
            self._master,
            self._hlog,
            self._addresses,
            self._exemplars,
        ):
            file.flush()
            os.fsync(file.fileno())
            file.close()


def _without_second(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "second"}


def append_event(folder: Path, kind: str, *, at_unix_s: float, **fields: Any) -> None:
    """Add one event from outside the process that writes the record (one short write: lines do not mix)."""
    with _append(folder / "events.jsonl") as events:
        _line(events, {"at_unix_s": round(at_unix_s, 6), "event": kind, **fields})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all: a reader never sees half of it."""
    half = path.with_suffix(path.suffix + ".new")
    half.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(path)


def _append(path: Path) -> IO[str]:
    return path.open("a", encoding="utf-8")


def _line(file: IO[str], content: Mapping[str, Any]) -> None:
    file.write(_dumps(content))
    file.flush()


def _dumps(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n"


def _given(entry: Sequence[Any], origin: Mapping[str, int]) -> str:
    second, address, requests = entry
    return _dumps({"second": second, **origin, "address": address, "requests": requests})


def _interval(entry: Mapping[str, Any]) -> str:
    # Interval_Max is informative only; readers take it from the histogram. 0 keeps the master from decoding.
    return f"Tag={entry['tag']},{entry['second']}.000,1.000,0.000,{entry['hdr']}\n"
