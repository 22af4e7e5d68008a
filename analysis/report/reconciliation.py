"""Both sides' counts side by side: golive and the platform must tell of the same run."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, share
from slo.evidence import ClientLoad, Evidence, NotSeen, ServerLoad

Row = tuple[str, ...]


def reconciliation_table(evidence: Evidence) -> Table:
    """Requests and errors by both sides' counts, and by how much they differ."""
    client, server = evidence.client, evidence.server
    seen = not isinstance(client, NotSeen) and not isinstance(server, NotSeen)
    return Table(
        name="reconciliation",
        title="Both sides' counts",
        columns=(text("What"), number("golive"), number("The platform"), number("Difference", "of golive's count")),
        rows=tuple(_rows(client, server)) if seen else (),
        note="The platform counts a request when it answers, golive when it was due: at the edges of the hold they "
        "differ a little, over the whole load they must not.",
        empty=f"They cannot be compared: {_missing(client, server)}.",
    )  # fmt: skip


def _rows(client: ClientLoad | NotSeen, server: ServerLoad | NotSeen) -> Iterator[Row]:
    if isinstance(client, NotSeen) or isinstance(server, NotSeen):
        return
    yield _row("Requests sent in the hold", float(client.sent.sum()), server.requests)
    if client.load_sent is not None and server.load_requests is not None:
        yield _row("Requests sent over the whole load", client.load_sent, server.load_requests)
    yield _row("5xx, refused or timed out (golive), 5xx (platform), in the hold", float(client.unavailable.sum()),
               server.errors)  # fmt: skip


def _row(what: str, ours: float, theirs: float) -> Row:
    if ours == theirs:
        difference = "none"
    else:
        difference = f"{'+' if theirs > ours else '−'}{share(abs(theirs - ours) / ours)}" if ours else NOTHING
    return (what, count(ours), count(theirs), difference)


def _missing(*sides: ClientLoad | ServerLoad | NotSeen) -> str:
    return "; ".join(side.because for side in sides if isinstance(side, NotSeen))
