"""What rooms side by side may ask of one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.core.model import (
    Entry,
    Head,
    Picture,
    Report,
)
from bot.ports.sources import Letter


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a batch of reports. `rejected` holds (index, error) pairs."""

    accepted: int = 0
    repeated: int = 0
    rejected: tuple[tuple[int, str], ...] = ()


class Intake(Protocol):
    """Reports in: admit, deduplicate, count, make durable."""

    async def admit(
        self, reports: Sequence[Mapping[str, Any] | Report], door: str, *, weight: float = 1.0, mute: bool = False
    ) -> Receipt:
        """Take a batch one by one; returns only once the accepted ones are durable.

        `weight` is what these voices weigh when an alarm is to be believed, 0..1; `mute` ones are treated as all are, and
        not counted.

        Raises:
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        ...

    def heard_at(self, identity: str, service: str) -> datetime | None:
        """When a report of a person was last taken for a service, by the name that a door knows them under."""
        ...

    async def take(self, body: bytes, shape: str, door: str) -> Receipt:
        """The same for a body as it came; `shape` is `one` (an object), `many` (an array) or `lines` (NDJSON).

        Raises:
            ValueError: the body as a whole cannot be read; the words say where and what would be right.
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        ...

    async def take_each(self, bodies: Sequence[bytes], door: str) -> Sequence[Receipt | ValueError]:
        """The same for many bodies of one object each, at the price of one; an error stands in the place of its body.

        Raises:
            Retry: as above; nothing of all these counts.
        """
        ...

    async def count(self, body: bytes, shape: str) -> Receipt:
        """Ready-made counts, in the same three shapes; a resend of the same window replaces it.

        Raises:
            ValueError: as above.
            Retry: as above.
        """
        ...


class Forgetting(Protocol):
    """What is held of one person: shown to them, forgotten, or taken back."""

    async def export(self, identity: str) -> Sequence[Any]:
        """What is still held of a person, by the name that a door knows them under."""
        ...

    async def forget(self, identity: str) -> int:
        """Take a person out of what is still held; answers how many reports were theirs."""
        ...

    async def undo(self, identity: str, service: str) -> int:
        """Take back a person's report of a service while it counts, as if it had not been said; answers how many it were.

        Raises:
            Retry: the disk cannot take it now; ask again.
        """
        ...

    async def mute(self, identity: str) -> int:
        """Count no more what a person said, and let them find it as it was; answers how many reports it were.

        Raises:
            Retry: the disk cannot take it now; ask again.
        """
        ...

    async def withdraw(self, identity: str) -> int:
        """The same for everything of a person that is still counted.

        Raises:
            Retry: the disk cannot take it now; ask again.
        """
        ...


class Ledger(Protocol):
    """What hooks remember: the alerts of each watch as a blob, and the names of messages that were taken in."""

    async def recall(self) -> Mapping[str, bytes]:
        """The blob of every watch that has one."""
        ...

    async def known(self, watch: str, ids: Sequence[str]) -> frozenset[str]:
        """Those of the messages that were taken in before."""
        ...

    async def keep(self, watch: str, memory: bytes, ids: Sequence[str], now: datetime) -> None:
        """One atomic write: the watch's blob, and the names of the messages that made it so.

        Raises:
            Retry: the disk cannot take it now; nothing is kept.
        """
        ...

    async def forget(self, before: datetime) -> None:
        """Let go of names of messages that were taken in before then."""
        ...


class Hearing(Protocol):
    """Where deliveries to hooks are taken in."""

    async def take(self, service: str, watch: str, letter: Letter) -> bool:
        """Take one in; False when all of it was known already. Returns only once it is durable.

        Raises:
            Missing: there is no such hook.
            Forbidden: the sender has not proved who it is.
            ValueError: the body cannot be read; the words say what would be right.
            Retry: not now; nothing of it counts.
        """
        ...


class Vantages(Protocol):
    """Where other places say what they see of our probes."""

    def take(self, body: bytes, speaker: str) -> Receipt:
        """Take looks in; `speaker` is the only place that may be spoken for, or empty for any.

        Raises:
            ValueError: the body as a whole cannot be read; the words say what would be right.
            Forbidden: it speaks for another place.
        """
        ...


class Board(Protocol):
    """What the house knows now, for pages and commands: never waits for the disk unless it says so."""

    def status(self) -> dict[str, Any]:
        """The body of `GET /api/v1/status`."""
        ...

    def service(self, service: str) -> dict[str, Any] | None:
        """The body of `GET /api/v1/services/{id}`."""
        ...

    async def incidents(self, *, state: str = "", service: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Incidents in the shape of `replay --json`, newest first (reads the store)."""
        ...

    async def incident(self, incident: str) -> dict[str, Any] | None:
        """One incident in that shape, with `state`, `verdict` and `threads` (reads the store)."""
        ...

    async def head(self, incident: str) -> Head | None:
        """The head message of an incident as chats show it (reads the store)."""
        ...

    async def timeline(self, incident: str) -> Sequence[Entry]:
        """The lines of an incident as its threads tell them, in order (reads the store)."""
        ...

    async def draft(self, incident: str, chart: str) -> str | None:
        """The draft of its post-mortem in Markdown, with `chart` as the address of its picture (reads the store)."""
        ...

    def picture(self, service: str) -> Picture | None:
        """The last 24 h of a service against its usual."""
        ...

    async def picture_of(self, incident: str) -> Picture | None:
        """The day around an incident, however long ago it was (reads the store)."""
        ...

    def resolve(self, words: str) -> str | None:
        """The id of the service a person means: id, name or alias."""
        ...

    def nearest(self, words: str) -> str:
        """The id of the service that is spelt most alike, or the empty string."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """Ids of services as they change, from now on; for live pages."""
        ...
