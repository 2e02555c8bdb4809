"""Who changed what beside the incidents, whose timelines tell it themselves: the last rows, kept in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec

from bot.core.model import Request
from bot.ports import Clock, Store

_KEY = "audit"
_MOST = 500


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One change: when, who (name and id), where, and the words."""

    at: datetime
    who: str
    id: str
    where: str
    verb: str
    words: str


class Audit:
    """A trail that only grows, until the oldest rows fall off."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows: tuple[Row, ...] = ()
        self._turn = asyncio.Lock()

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, oldest first."""
        return self._rows

    async def wake(self) -> None:
        """Know again what was kept before the last stop."""
        kept = await self._store.get(_KEY)
        self._rows = msgspec.json.decode(kept, type=tuple[Row, ...]) if kept else ()

    async def add(self, request: Request) -> None:
        """Keep one change."""
        who, where = request.who, request.channel or request.who.chat
        words = " ".join(part for part in (request.target, request.span, request.text) if part)[:300]
        row = Row(at=self._clock.now(), who=who.name, id=who.id, where=where, verb=request.verb, words=words)
        async with self._turn:
            rows = (*self._rows, row)[-_MOST:]
            await self._store.put(_KEY, msgspec.json.encode(rows))
            self._rows = rows
