"""Where people are told, and where they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from bot.core.model import (
    Answer,
    Form,
    Head,
    Line,
    Request,
)
from bot.core.quiet import Quiet
from bot.ports.sources import Letter


@dataclass(frozen=True, kw_only=True)
class Place:
    """A channel as a chat knows it: `mention` maps a level to the platform's own mention text, `quiet` are its quiet hours."""

    name: str
    chat: str
    address: str
    mention: Mapping[str, str] = field(default_factory=dict)
    quiet: tuple[Quiet, ...] = ()


class Chat(Protocol):
    """A platform where threads live. Four verbs out, one door in.

    `key` is the idempotency key of a post: the same key never makes a second message. `since` is set when an earlier
    try under this key may have succeeded: then look first. Raises `Retry`, `Refused` or `Gone`, nothing else.
    """

    async def open(self, place: Place, key: str, head: Head, png: bytes | None, since: datetime | None) -> str:
        """Post the head and make its thread; answers the ref that the other verbs take."""
        ...

    async def edit(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Make the head show the present; `png` None leaves the picture as it is."""
        ...

    async def reply(self, place: Place, ref: str, key: str, line: Line, since: datetime | None) -> None:
        """Say one line in the thread."""
        ...

    async def close(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Show the last head, and put the thread to rest. May be repeated."""
        ...

    async def run(self, desk: Desk, places: Sequence[Place]) -> None:
        """Stay connected and hand people's requests to the desk, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A chat that hears people over a line that it keeps open.

    `deaf_since` is when that was lost, in seconds of a clock that never jumps; None while it holds, or none is needed.
    """

    @property
    def deaf_since(self) -> float | None:
        """When the line was lost."""
        ...


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a platform hears back at once when it calls us: a status, and a JSON object or nothing."""

    status: int = 200
    body: Mapping[str, Any] | None = None


@runtime_checkable
class Called(Protocol):
    """A chat whose platform can call us, at `POST /chats/{name}`, in place of a line that we keep open to it."""

    async def called(self, letter: Letter) -> Word:
        """Prove who calls, answer within a second, and do the work afterwards.

        Raises:
            Missing: this chat keeps a line of its own and is not called.
            Forbidden: the caller has not proved to be the platform, or says something a second time.
            ValueError: the body cannot be read.
            Retry: nobody listens here yet.
        """
        ...


class Desk(Protocol):
    """Where people's commands, buttons and forms are answered."""

    async def answer(self, request: Request) -> Answer:
        """Do what was asked, or say what to do instead. Never raises for what a person typed."""
        ...

    def form(self, request: Request) -> Form | None:
        """The form to show before this request is answered, or None when it says enough; never waits."""
        ...

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        """Up to 25 (value, label) completions.

        `what` is one of `service incident symptom region platform level span channel`.
        """
        ...
