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
UNWRITABLE = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"  # control characters, and halves of characters, which are no UTF-8


def kind_of(exception: object, status: int = 0) -> str:
    """The kind of a failure. An error status tells more than the exception that a client made of it.

    A response that the locustfile itself judged a failure is a `check`, whatever its status.
    """
    chain = list(_chain(exception))
    names = [(one if isinstance(one, type) else type(one)).__name__ for one in chain]  # some fire the class itself
    if names[0] == "CatchResponseError":
        return "check"
    if status >= 400:
        return f"status {status}"
    found = [kind for name in names if (kind := _BY_CLASS.get(name))]
    if "timeout connect" in found:
        return "timeout connect"
    return found[-1] if found else f"exception {names[0]}"


def tag_of(name: object) -> str:
    """A request's name as the record can hold it: what means something there is written as %XX."""
    text = re.sub(rf"[%,!{UNWRITABLE}]", lambda found: f"%{ord(found.group()):02X}", str(name)) or "%00"
    return f"golive%2E{text.removeprefix('golive.')}" if text.startswith("golive.") else text


def words_of(said: object, at_most: int = 200) -> str:
    """What an exception says, in one line that can be written down and shown."""
    return re.sub(f"[{UNWRITABLE}]", "?", " ".join(str(said).split())[:at_most])


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
        told = getattr(one, "args", ())
        inside += told if isinstance(told, tuple) else ()
        waiting += [deeper for deeper in inside if isinstance(deeper, BaseException)]
