"""What is kept: cases with their threads, and the log of reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from bot.core.model import (
    Case,
    Entry,
    Incident,
    Thread,
)


class Store(Protocol):
    """Where state is kept. Every write is durable when it returns."""

    async def load(self, service: str) -> Case:
        """The case with its version; a fresh one for a service never seen."""
        ...

    async def cases(self, prefix: str) -> Sequence[Case]:
        """The cases of every service whose name begins so."""
        ...

    async def save(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        """One atomic write: the case under compare-and-set, its entries, and a thread for each channel that has none.

        Raises:
            Conflict: somebody saved a newer version first.
        """
        ...

    async def behind(self, channel: str) -> Sequence[tuple[Thread, Incident]]:
        """Threads of a channel that have something yet to hear, show or close; dead ones left out."""
        ...

    async def mark(self, thread: Thread) -> None:
        """Remember how far a thread is."""
        ...

    async def dead(self, channel: str = "") -> Sequence[tuple[Thread, Incident]]:
        """The dead letters: threads that a person must do something for, of one channel or of all, newest first."""
        ...

    async def revive(self, channel: str = "", since: datetime | None = None) -> int:
        """Let dead threads be tried again; answers how many. `since` leaves past incidents that opened before alone."""
        ...

    async def incident(self, incident: str) -> Incident | None:
        """One incident, alive or past."""
        ...

    async def incidents(self, *, service: str = "", limit: int = 100) -> Sequence[Incident]:
        """Incidents that opened, newest first."""
        ...

    async def entries(self, incident: str, after: int = 0) -> Sequence[Entry]:
        """The timeline of an incident, in order."""
        ...

    async def threads(self, incident: str) -> Sequence[Thread]:
        """The copies of an incident."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Keep a small named blob (detector memory, schema hashes)."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The blob, if it was kept."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        ...


class Counted(Protocol):
    """A ready-made count from outside, for one window; a resend of the same window replaces it."""

    service: str


class Stream(Protocol):
    """Where admitted reports flow: an ordered, durable log of frames."""

    async def append(self, frame: bytes) -> int:
        """Make one frame durable; answers its sequence number. An empty frame waits for all before it."""
        ...

    def read(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Every frame after a sequence number, in order."""
        ...

    async def rewrite(self, seq: int, frame: bytes) -> None:
        """Put another frame in the place of one."""
        ...

    async def trim(self, before: int) -> None:
        """Forget frames below a sequence number."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        ...
