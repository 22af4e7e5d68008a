"""Follows the objects of one kind for as long as a run lasts: list, watch, resync; or look every so often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from analysis.cluster.objects import uid_of
from analysis.cluster.ports import ApiTrouble, ClusterReader, Kind, Object, Scope, Trouble
from analysis.cluster.sight import Sight

WATCH_FOR_S = 30.0  # a watch is asked for anew so often: so a half-open connection is noticed, and costs little
RESYNC_EVERY_S = 300.0
SHORTEST_WATCH_S = 1.0  # who ends every watch at once is not asked in a loop
LIST_ANEW_AFTER = 5  # failures in a row: perhaps it is our version that they cannot bear


class Keeper(Protocol):
    """What is done with the objects that come."""

    def keep(self, thing: Object) -> None:
        """An object as it is now; the same state may come again."""
        ...

    def gone(self, uid: str) -> None:
        """An object that is no more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long and how often."""

    watch_for_s: float = WATCH_FOR_S
    resync_every_s: float = RESYNC_EVERY_S
    look_every_s: float = 2.0


@dataclass(slots=True, kw_only=True)
class Post:
    """One kind of object in one place, and where what is seen goes."""

    reader: ClusterReader
    kind: Kind
    scope: Scope
    keeper: Keeper
    sight: Sight
    stop: threading.Event
    pace: Pace = field(default_factory=Pace)

    def attempt(self, action: Callable[[], None]) -> None:
        """Do one thing; whatever goes wrong is written down, and waited out. Never raises."""
        try:
            action()
        except Exception as problem:  # noqa: BLE001  (a watch may fail in any way, and must not disturb the run)
            wait_s = self.sight.failed(problem)
            if isinstance(problem, ApiTrouble) and problem.trouble is Trouble.UNAUTHORIZED:
                self.reader.renew()
            self.stop.wait(wait_s)

    def keep(self, thing: Object) -> None:
        """Hand an object on; one that is like no other must not hide the rest."""
        try:
            self.keeper.keep(thing)
        except Exception as problem:  # noqa: BLE001  (whatever shape it has, the others are still to be seen)
            self.sight.puzzled(uid_of(thing), problem)


@dataclass(slots=True)
class Poll:
    """Lists the objects again and again: every state for as long as it lasted."""

    post: Post

    def run(self) -> None:
        """Look until told to stop."""
        post = self.post
        while not post.stop.is_set():
            began_s = time.monotonic()
            post.attempt(self._look)
            post.stop.wait(max(0.0, post.pace.look_every_s - (time.monotonic() - began_s)))
        post.sight.ended()

    def _look(self) -> None:
        post = self.post
        for page in post.reader.pages(post.kind, post.scope):
            for thing in page.items:
                post.keep(thing)
        post.sight.seen(lost=bool(post.sight.trouble))


@dataclass(slots=True)
class Follow:
    """Lists once, then watches what changes; lists again now and then, and when the server has forgotten our place."""

    post: Post
    _version: str = ""
    _known: set[str] = field(default_factory=set)
    _listed_s: float = 0.0

    def run(self) -> None:
        """Follow until told to stop."""
        post = self.post
        while not post.stop.is_set():
            due = time.monotonic() - self._listed_s >= post.pace.resync_every_s
            if not self._version or due or post.sight.failures >= LIST_ANEW_AFTER:
                post.attempt(self._list)
            else:
                post.attempt(self._watch)
        post.sight.ended()

    def _list(self) -> None:
        post, listed, version = self.post, set[str](), ""
        for page in post.reader.pages(post.kind, post.scope):
            version = page.version
            for thing in page.items:
                listed.add(uid_of(thing))
                post.keep(thing)
        for uid in self._known - listed:
            post.keeper.gone(uid)
        # A list that is merely due misses nothing: the watch before it went on to its end.
        post.sight.seen(lost=bool(post.sight.trouble))
        self._known, self._version, self._listed_s = listed, version, time.monotonic()

    def _watch(self) -> None:
        post, began_s = self.post, time.monotonic()
        try:
            for change in post.reader.watch(post.kind, post.scope, version=self._version, for_s=post.pace.watch_for_s):
                self._take(change.thing, deleted=change.deleted)
                self._version = change.version
                post.sight.seen()
                if post.stop.is_set():
                    return
        except ApiTrouble as trouble:
            if post.stop.is_set():
                return  # it was interrupted
            if trouble.trouble is Trouble.GONE:
                self._version = ""
            raise
        post.sight.seen()
        post.stop.wait(max(0.0, SHORTEST_WATCH_S - (time.monotonic() - began_s)))

    def _take(self, thing: Object | None, *, deleted: bool) -> None:
        if thing is None:
            return
        uid = uid_of(thing)
        self.post.keep(thing)
        if deleted:
            self.post.keeper.gone(uid)
            self._known.discard(uid)
        else:
            self._known.add(uid)
