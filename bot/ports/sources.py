"""What tells of services: asked once in a while, sent for numbers, overheard, or coming by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from bot.core.alerts import Alert
from bot.core.model import (
    Evidence,
    Signal,
)
from bot.core.posts import Post
from bot.ports.world import Http


class Watch(Protocol):
    """What sources and hooks have in common: the kind of evidence they give."""

    evidence: ClassVar[Evidence]


@runtime_checkable
class Source(Protocol):
    """Something that can be asked about a service. A pydantic model: its fields are its YAML, its docstring its manual."""

    evidence: ClassVar[Evidence]
    every: timedelta

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Ask once: no loop, no sleep, no retry, no log. Trouble with the source is a Signal without health."""
        ...


@dataclass(frozen=True, kw_only=True)
class Count:
    """So many reports from `since` up to `until`; the rows of one window add up.

    `people` is the number of distinct reporters among them where that is known; the other three are vocabulary codes.
    """

    since: datetime
    until: datetime
    count: float
    people: float | None = None
    region: str = ""
    platform: str = ""
    symptom: str = ""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a feed is sent for: whatever was counted or said from `since` up to `now`.

    `words` are what to look for where the feed's own configuration names none. `memory` is what the last errand left,
    also in an earlier life; `keep` makes a new one durable at once, for what must not be forgotten even if no answer
    comes, such as money spent.
    """

    since: datetime
    now: datetime
    keep: Callable[[bytes], Awaitable[None]]
    words: Sequence[str] = ()
    memory: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What a feed brings back: ready-made counts of whole past windows, what people said, or why there is neither.

    `until`: all before then is complete, windows without a count included; None when nothing was complete yet. `error`
    is a word as in `Signal`, and empty when all went well; `wait` is how long the other side wants to be left alone.
    `memory` is kept once all of it is durable.
    """

    counts: tuple[Count, ...] = ()
    posts: tuple[Post, ...] = ()
    until: datetime | None = None
    memory: bytes = b""
    error: str = ""
    note: str = ""
    wait: timedelta | None = None


@runtime_checkable
class Feed(Protocol):
    """Something that knows how many people complain, and is asked for it again and again. A pydantic model, as a source is.

    `again` is how far back its numbers may still change: the errand's `since` reaches back so far each time.
    """

    evidence: ClassVar[Evidence]
    every: timedelta
    again: ClassVar[timedelta]

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        """Go once: no loop, no sleep, no log. Trouble with the source is an `error`, never a zero."""
        ...


@dataclass(frozen=True, kw_only=True)
class Overheard:
    """What came over a wire: posts, if any, how far in time it is, and the `cursor` to go on from after a break."""

    at: datetime
    cursor: str
    posts: tuple[Post, ...] = ()


@runtime_checkable
class Wire(Protocol):
    """Something that talks without end. All watches with the same `line` share one connection, and each has its `words`."""

    evidence: ClassVar[Evidence]
    words: Sequence[str]

    @property
    def line(self) -> str:
        """What tells connections apart: the address."""
        ...

    def listen(self, http: Http, cursor: str) -> AsyncGenerator[Overheard, None]:
        """Listen from a cursor on, or from now when it is empty. What came before a break may come again.

        Raises:
            Unreachable: the connection broke; it always does some day.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A delivery to a hook, as it came: the body is the very bytes that a signature is over, `at` is our own time.

    `headers` have lower-case names. Headers and parameters that were sent twice are left out: which one counts would be
    a matter of opinion.
    """

    at: datetime
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a delivery means: news of alerts, or (`ask`) only that the other watches of the service should look now."""

    alerts: tuple[Alert, ...] = ()
    ask: bool = False


@runtime_checkable
class Hook(Protocol):
    """Something that tells us by itself, at `POST /hooks/{service}/{watch}`. A pydantic model, as a source is.

    One that tells of alerts says in `forget_after` for how long an alert is believed when nothing more is heard of it.
    """

    evidence: ClassVar[Evidence]

    async def hear(self, letter: Letter, http: Http) -> Heard:
        """Check who sends, then read what it means; nothing is kept here.

        Raises:
            Forbidden: the sender has not proved who it is.
            ValueError: the body cannot be read; the words say what would be right.
            Retry: what the proof needs could not be fetched now.
        """
        ...
