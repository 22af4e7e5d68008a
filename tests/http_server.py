"""A small HTTP server of the tests' own: counts what reaches it and answers as it is told to."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType

Answer = Callable[[str, int], Awaitable[bytes]]  # request line, its number → the bytes of the answer


def an_answer(status: int = 200, body: bytes = b'{"ok":true}', headers: str = "") -> bytes:
    """A whole HTTP answer."""
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


async def answer_well(_line: str, _number: int) -> bytes:
    return an_answer()


class CountingServer:
    """Listens on loopback in a thread of its own while the `with` lasts; secured: by TLS."""

    def __init__(self, answer: Answer = answer_well, *, secured: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.secured = secured
        self.requests: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()
        self.at_s: list[float] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    @property
    def total(self) -> int:
        """How many whole requests came."""
        return sum(self.requests.values())

    def __enter__(self) -> CountingServer:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0, backlog=1024, ssl=self.secured)
        self.url = f"http{'s' if self.secured else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *headers = head.decode().rstrip().split("\r\n")
                fields = {name.lower(): value for name, _, value in (header.partition(": ") for header in headers)}
                await reader.readexactly(int(fields.get("content-length", 0)))
                self.requests[line.split("?")[0].rsplit(" HTTP", 1)[0]] += 1
                self.at_s.append(self._loop.time())
                if "x-idempotency-key" in fields:
                    self.keys[fields["x-idempotency-key"]] += 1
                writer.write(await self.answer(line, self.total))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
