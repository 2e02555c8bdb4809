"""What the watches of all status pages have in common: the keys, the asking, and how a reading is made of what is said."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from msgspec.structs import replace
from pydantic import Field

from bot.core.model import Evidence, Health, Notice, Signal
from bot.fields import Model
from bot.ports import Http, Reply, Unreachable
from bot.sources.fitting import misfit
from bot.sources.notices import Told, newest
from bot.sources.places import everywhere, named, placed_elsewhere
from bot.sources.wire import Interval, WebAddress, plain, wait_asked

_LIMIT = 8_000_000
_OLD_COPY = timedelta(minutes=15)
_HISTORY = timedelta(days=3)
_AHEAD = timedelta(days=7)
_MOST_NOTICES = 20
_MOVED = "if the page has moved, the kind `status` finds out what it is now"


class Unread(Exception):
    """There is no reading; `error` is a word of `Signal.error`, and the message says why in words."""

    def __init__(self, error: str, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.error = error
        self.wait = wait


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component: how it is, every name it goes by and where it stands, in lower case.

    `health` None: nobody measures it at the moment. `groups` are names under which it is found together with others.
    `title` is what people call it, where a part's trouble is all that the page tells.
    """

    health: Health | None
    names: frozenset[str]
    groups: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a page says of itself, whatever its format.

    `overall` is its own word for everything together, or what its parts come to. `parts` None: the page lists none,
    only incidents that name some. `hesitant`: merely degraded without any incident is a page's mood, and opens nothing.
    """

    told: Sequence[Told] = ()
    overall: Health = Health.OPERATIONAL
    parts: Sequence[Part] | None = None
    note: str = ""
    url: str = ""
    hesitant: bool = False


class Address(Model):
    """Where a status page is, how often to look, and which parts of it count."""

    evidence: ClassVar[Evidence] = Evidence.VENDOR

    url: WebAddress
    """The address of the page, as a browser shows it."""
    every: Interval = timedelta(minutes=1)
    """How often to look."""
    components: list[str] = Field(default_factory=list)
    """Only these parts of the page count, by name, group or id; `*` stands for any letters. Incidents that name no part always count."""
    allow_private: bool = False
    """Let the address lead into a private network."""


class Page(Address):
    """A status page in a format that we can read."""

    needed: ClassVar[int] = 1

    @property
    def wanted(self) -> Sequence[str]:
        """Places that are meant; all of them when there are none."""
        return ()

    def addresses(self) -> Sequence[str]:
        """The documents to fetch; without one of the first `needed` there is no reading."""
        return (self.url,)

    @abstractmethod
    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the documents say; one that could not be had is empty.

        Raises:
            Unread: they are not what they should be.
            ValueError: the same, for bytes that cannot be read at all.
        """

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Read the page once; a page that cannot be read is a signal without health."""
        signal = await self.look(http, now)
        return replace(signal, note=f"{signal.note}; {_MOVED}") if misfit(signal) else signal

    async def look(self, http: Http, now: datetime) -> Signal:
        """The same, without advice."""
        return await self._asked(http, self.addresses(), now)

    async def _asked(self, http: Http, addresses: Sequence[str], now: datetime) -> Signal:
        try:
            replies = [await self._fetched(http, address, now) for address in addresses[: self.needed]]
        except Unread as exc:
            return Signal(at=now, url=self.url, error=exc.error, note=str(exc), wait=exc.wait)
        others = [await self._spare(http, address, now) for address in addresses[self.needed :]]
        return _proved(self.read([*(reply.body for reply in replies), *others], now), replies)

    def read(self, bodies: Sequence[bytes], now: datetime) -> Signal:
        """What the documents come to: a reading, or a signal without health that says why there is none."""
        try:
            return graded(self, self.found(bodies, now), now)
        except Unread as exc:
            return Signal(at=now, url=self.url, error=exc.error, note=str(exc))
        except ValueError as exc:
            return Signal(at=now, url=self.url, error="unparseable", note=str(exc)[:500])

    async def _fetched(self, http: Http, address: str, now: datetime) -> Reply:
        try:
            reply = await http.get(address, headers=self.sent(), allow_private=self.allow_private, limit=_LIMIT)
        except Unreachable as exc:
            raise Unread(exc.kind, str(exc)) from exc
        if reply.status != 200 or "cf-mitigated" in reply.headers:
            error = "blocked" if "cf-mitigated" in reply.headers else f"http_{reply.status}"
            raise Unread(error, f"the page answered {reply.status}", wait_asked(reply, now))
        return reply

    async def _spare(self, http: Http, address: str, now: datetime) -> bytes:
        """A document that only adds to the reading."""
        try:
            return (await self._fetched(http, address, now)).body
        except Unread:
            return b""

    def sent(self) -> dict[str, str]:
        """What to send along."""
        return {}


class PlacedPage(Page):
    """A status page that tells where its incidents play."""

    regions: list[str] = Field(default_factory=list)
    """Only incidents there count; those that name no place always do. `*` stands for any letters."""

    @property
    def wanted(self) -> Sequence[str]:
        """Places that are meant; all of them when there are none."""
        return self.regions


def graded(page: Page, found: Found, now: datetime) -> Signal:
    """The level of a page: the worst of its own word, its open incidents and the chosen parts.

    Raises:
        Unread: none of the chosen parts is on the page, or nobody measures them.
    """
    chosen = _chosen(page, found.parts)
    everything = newest(found.told)
    ours = [t for t in everything if not page.components or _touches(t, page.components, chosen)]
    here = [t for t in ours if not placed_elsewhere(t, page.wanted)]
    open_ones = [t.notice for t in here if t.notice.open and not t.notice.maintenance]
    health = max(
        [_standing(page, found, chosen, any(t.notice.open for t in ours if t not in here)), *(t.weight for t in here)]
    )
    worst = max(open_ones, key=lambda n: n.impact, default=None)
    mild = health is Health.DEGRADED or any(t.notice.stale for t in here)
    return Signal(
        at=now,
        health=health,
        note=worst.title if worst else found.note or _troubled(chosen),
        url=found.url or page.url,
        notices=_worth_telling(here, now),
        quiet=found.hesitant and not page.components and not open_ones and mild,
        since=worst.started_at if worst and health > Health.MAINTENANCE else None,
    )


def _chosen(page: Page, parts: Sequence[Part] | None) -> list[Part]:
    """The parts that are meant by name and place."""
    if parts is None:
        return []
    meant = [p for p in parts if not page.components or named(p.names | p.groups, page.components)]
    if page.components and not meant:
        raise Unread("wrong_shape", "none of the components to watch is on the page any more")
    here = [p for p in meant if not page.wanted or everywhere(p.places) or named(p.places, page.wanted)]
    if page.components and here and all(p.health is None for p in here):
        raise Unread("wrong_shape", "nobody measures the components to watch at the moment")
    return here


def _standing(page: Page, found: Found, chosen: Sequence[Part], elsewhere: bool) -> Health:  # noqa: FBT001 - private, and the caller names it
    """How things stand apart from incidents: a page's own word is no news when it stems from a place not meant."""
    placed = bool(page.wanted) and any(p.places for p in found.parts or ())
    if page.components or placed:
        return max((p.health for p in chosen if p.health is not None), default=Health.OPERATIONAL)
    return Health.OPERATIONAL if elsewhere else found.overall


def _troubled(chosen: Sequence[Part]) -> str:
    """The parts that are not well, by name."""
    titles = dict.fromkeys(
        p.title for p in chosen if p.title and p.health is not None and p.health > Health.MAINTENANCE
    )
    return plain(f"not well: {', '.join(titles)}", 200) if titles else ""


def _touches(one: Told, wanted: Sequence[str], chosen: Sequence[Part]) -> bool:
    """True for an incident that names a chosen part, and for one that names none at all."""
    return not one.names or named(one.names, wanted) or any(one.names & part.names for part in chosen)


def _worth_telling(everything: Sequence[Told], now: datetime) -> tuple[Notice, ...]:
    """Open ones first, then what ended lately or begins soon; never so many that a case grows fat."""
    near = [t for t in everything if t.notice.open or t.notice.stale or _recent(t.notice, now)]
    near.sort(key=lambda t: (not t.notice.open, t.notice.stale, -t.notice.updated_at.timestamp()))
    return tuple(t.worded for t in near[:_MOST_NOTICES])


def _recent(notice: Notice, now: datetime) -> bool:
    if notice.phase == "scheduled":
        return notice.started_at - now < _AHEAD
    return now - notice.updated_at < _HISTORY


def _proved(signal: Signal, replies: Sequence[Reply]) -> Signal:
    """A cache may serve an old green page for an hour while the vendor's own server is down; that proves nothing."""
    old = max((_age(reply) for reply in replies), default=timedelta(0))
    if old <= _OLD_COPY or signal.health is None or signal.health > Health.MAINTENANCE:
        return signal
    note = f"a cache answers with a copy that is {old // timedelta(minutes=1)} min old"
    return Signal(at=signal.at, url=signal.url, error="timeout", note=note)


def _age(reply: Reply) -> timedelta:
    age = reply.headers.get("age", "")
    return timedelta(seconds=int(age)) if age.isdecimal() and len(age) < 8 else timedelta(0)
