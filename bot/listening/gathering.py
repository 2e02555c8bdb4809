"""Gather: what feeds count, and what people said where feeds look, is taken in like every other report.

A feed is asked in the rhythm of all watches; this room sends it on its errands and carries home what it found. What is
sent twice counts once: a window takes the place of the same window, a post is known by its id. How far a feed has come
is kept, so that a restart goes on from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from bot.core.model import Evidence, Signal
from bot.core.posts import report
from bot.core.reports import Cell, RawCount, RawReport
from bot.ports import Count, Errand, Feed, Gathered, Http, Receipt, Retry, Store

_FIRST = timedelta(hours=1)
_OLDEST = timedelta(hours=23)  # an hour less than reports are taken for
_Window = tuple[datetime, datetime]

Admit = Callable[[Sequence[RawReport], str], Awaitable[Receipt]]
AdmitCounts = Callable[[Sequence[RawCount]], Awaitable[Receipt]]


class _Kept(msgspec.Struct, frozen=True):
    """How far a feed has come: all before `until` was complete; `memory` is its own."""

    until: datetime | None = None
    memory: bytes = b""


class Gathering:
    """Sends feeds out, and takes in what they bring; `admit` and `admit_counts` return once it is durable."""

    def __init__(self, *, store: Store, admit: Admit, admit_counts: AdmitCounts) -> None:
        self._store = store
        self._admit = admit
        self._admit_counts = admit_counts
        self._kept: dict[str, _Kept] = {}
        self._sent: dict[str, dict[_Window, set[Cell]]] = {}

    def source(self, service: str, name: str, feed: Feed, words: Sequence[str]) -> Fed:
        """The feed in the shape of a source, for whoever asks sources."""
        return Fed(service=service, name=name, feed=feed, every=feed.every, words=tuple(words), room=self)

    async def errand(self, fed: Fed, http: Http, now: datetime) -> Signal:
        """Send a feed out once; its signal has no health, for what it knows is in the numbers."""
        try:
            gathered = await self._send(fed, http, now)
        except Retry as why:
            return Signal(at=now, url=fed.url, error="not_kept", note=str(why))
        until = gathered.until or self._kept[fed.label].until
        note = gathered.note or (f"known up to {until:%H:%M} UTC" if until else "nothing whole to count yet")
        return Signal(at=now, url=fed.url, error=gathered.error, note=note, wait=gathered.wait)

    async def _send(self, fed: Fed, http: Http, now: datetime) -> Gathered:
        kept = await self._recall(fed.label)
        since = max(kept.until - fed.feed.again, now - _OLDEST) if kept.until else now - _FIRST

        async def keep(memory: bytes) -> None:
            await self._keep(fed.label, msgspec.structs.replace(self._kept[fed.label], memory=memory))

        errand = Errand(since=min(since, now), now=now, keep=keep, words=fed.words, memory=kept.memory)
        gathered = await fed.feed.gather(http, errand)
        if not gathered.error:
            await self._take_in(fed, gathered, now)
        return gathered

    async def _take_in(self, fed: Fed, gathered: Gathered, now: datetime) -> None:
        reports = [report(post, fed.service, fed.kind) for post in gathered.posts]
        if said := [r for r in reports if r is not None]:
            await self._admit(said, fed.kind)
        counts = [*gathered.counts, *self._emptied(fed.label, gathered.counts)]
        if counts:
            await self._admit_counts([_raw(fed.service, fed.name, count) for count in counts])
        self._remember(fed.label, gathered.counts, now - fed.feed.again - _FIRST)
        kept = self._kept[fed.label]
        await self._keep(fed.label, _Kept(gathered.until or kept.until, gathered.memory or kept.memory))

    def _emptied(self, label: str, counts: Sequence[Count]) -> Iterator[Count]:
        """Zeros for what was in a window when it was sent last, and is there no more."""
        sent = self._sent.get(label, {})
        for window, cells in _by_window(counts).items():
            for cell in sent.get(window, set()) - cells:
                yield Count(since=window[0], until=window[1], count=0.0, **cell._asdict())

    def _remember(self, label: str, counts: Sequence[Count], oldest: datetime) -> None:
        sent = self._sent.get(label, {}) | _by_window(counts)
        self._sent[label] = {window: cells for window, cells in sent.items() if window[1] > oldest}

    async def _recall(self, label: str) -> _Kept:
        if label not in self._kept:
            body = await self._store.get(f"feed {label}")
            self._kept[label] = msgspec.msgpack.decode(body, type=_Kept) if body else _Kept()
        return self._kept[label]

    async def _keep(self, label: str, kept: _Kept) -> None:
        if self._kept[label] != kept:
            await self._store.put(f"feed {label}", msgspec.msgpack.encode(kept))
            self._kept[label] = kept


@dataclass(kw_only=True)
class Fed:
    """A feed of one service in the shape of a `ports.Source`. It is never asked more often than its owner said."""

    evidence: ClassVar[Evidence] = Evidence.PEOPLE

    service: str
    name: str
    feed: Feed
    every: timedelta
    words: tuple[str, ...]
    room: Gathering = field(compare=False, repr=False)

    @property
    def fastest(self) -> timedelta:
        """Hurrying brings nothing: numbers come when they come, and some cost money."""
        return self.every

    @property
    def kind(self) -> str:
        """The word that says what it is."""
        return str(getattr(self.feed, "kind", "feed"))

    @property
    def label(self) -> str:
        """What tells it apart."""
        return f"{self.service}/{self.name}"

    @property
    def url(self) -> str:
        """Where it looks, if that is one place."""
        return str(getattr(self.feed, "url", ""))

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Send it once."""
        return await self.room.errand(self, http, now)


def _by_window(counts: Sequence[Count]) -> dict[_Window, set[Cell]]:
    windows: dict[_Window, set[Cell]] = {}
    for count in counts:
        windows.setdefault((count.since, count.until), set()).add(Cell(count.region, count.platform, count.symptom))
    return windows


def _raw(service: str, source: str, count: Count) -> RawCount:
    return RawCount(
        service=service,
        since=count.since,
        until=count.until,
        count=count.count,
        reporters=count.people,
        region=count.region or None,
        platform=count.platform or None,
        symptom=count.symptom or None,
        source=source,
    )
