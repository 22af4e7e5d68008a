"""What went wrong with a request of a Locust user, in the kinds that golive counts by (engine/DELTA.md). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

# By the class's name, so that no client library has to be there: requests, urllib3, geventhttpclient, ssl, socket.
_BY_CLASS = {
    "ConnectTimeout": "timeout connect",
    "ConnectTimeoutError": "timeout connect",
    "ReadTimeout": "timeout wait",
    "ReadTimeoutError": "timeout wait",
    "TimeoutError": "timeout wait",
    "ConnectionRefusedError": "refused",
    "ConnectionResetError": "reset",
    "ConnectionAbortedError": "reset",
    "BrokenPipeError": "reset",
    "RemoteDisconnected": "reset",
    "HTTPConnectionClosed": "reset",
    "ChunkedEncodingError": "malformed",
    "IncompleteRead": "reset",
    "SSLError": "tls",
    "SSLCertVerificationError": "tls",
    "gaierror": "unreachable",
    "NameResolutionError": "unreachable",
    "HTTPParseError": "malformed",
    "BadStatusLine": "malformed",
    "CatchResponseError": "check",
}
_DEEPEST = 12


def kind_of(exception: object, status: int = 0) -> str:
    """The kind of a failure. An error status tells more than the exception that a client made of it.

    A response that the locustfile itself judged a failure is a `check`, whatever its status.
    """
    chain = list(_chain(exception))
    if type(chain[0]).__name__ == "CatchResponseError":
        return "check"
    if status >= 400:
        return f"status {status}"
    found = [kind for one in chain if (kind := _BY_CLASS.get(type(one).__name__))]
    if "timeout connect" in found:
        return "timeout connect"
    return found[-1] if found else f"exception {type(chain[0]).__name__}"


def tag_of(name: object) -> str:
    """A request's name as the record can hold it: what means something there is written as %XX."""
    text = re.sub(r"[%,!\x00-\x1f\x7f]", lambda found: f"%{ord(found.group()):02X}", str(name)) or "%00"
    return f"golive%2E{text.removeprefix('golive.')}" if text.startswith("golive.") else text


def _chain(exception: object) -> Iterator[object]:
    """The exception and what it stands for, outermost first; libraries wrap in several ways."""
    seen: list[object] = []
    waiting = [exception]
    while waiting and len(seen) < _DEEPEST:
        one = waiting.pop(0)
        if any(one is known for known in seen):
            continue
        seen.append(one)
        yield one
        inside = [getattr(one, "reason", None), getattr(one, "__cause__", None), getattr(one, "__context__", None)]
        waiting += [deeper for deeper in (*inside, *getattr(one, "args", ())) if isinstance(deeper, BaseException)]
