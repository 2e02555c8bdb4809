"""Whose word is enough: accounts made for the occasion may be many, and yet must not raise an alarm by themselves.

Every voice is counted, and every count is shown. This is asked only before a count may call people: a level stands if the
voices that are known well enough reach it by themselves, or are at least half of what is more than usual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import msgspec

from bot.core.model import Person

PAGE = "page"


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What a voice weighs, 0..1, by what its chat knows of the account; a voice of which nothing is known weighs 1.

    An account is fresh when it is younger than `account_age`, or a member for less than `member_for`. `visitor` is the
    weight of a visitor of the page. `quorum` people are enough for a level that names no number of reports.
    """

    account_age: timedelta = timedelta(days=7)
    member_for: timedelta = timedelta(days=1)
    fresh: float = 0.0
    visitor: float = 1.0
    quorum: int = 10


class Doubt(NamedTuple):
    """Voices that weigh less than one, from one place: how many, and what they weigh together."""

    place: str
    voices: float
    weight: float


class Rung(Protocol):
    """One level of a service's ladder, as far as it is about counts."""

    @property
    def level(self) -> str:
        """Its name."""
        ...

    @property
    def reports(self) -> int | None:
        """The least number of people."""
        ...

    @property
    def within(self) -> timedelta:
        """The window they are counted in."""
        ...

    @property
    def times(self) -> float | None:
        """The least multiple of the usual."""
        ...


class Crowd(NamedTuple):
    """How many spoke within a window, whose word is doubted among them, and how many usually speak."""

    voices: float
    doubts: Sequence[Doubt]
    usual: float

    @property
    def trusted(self) -> float:
        """What the voices weigh together; never below nothing, for counts may be corrected."""
        return max(self.voices - sum(doubt.voices - doubt.weight for doubt in self.doubts), 0.0)


def weight(person: Person, now: datetime, trust: Trust) -> float:
    """What the voice of a person weighs."""
    young = person.made_at is not None and now - person.made_at < trust.account_age
    new = person.joined_at is not None and now - person.joined_at < trust.member_for
    if young or new:
        return trust.fresh
    return trust.visitor if person.chat == PAGE else 1.0


def place(person: Person) -> str:
    """Where a person speaks: the chat, and the server or workspace within it."""
    return f"{person.chat}:{person.place}" if person.place else person.chat


def borne_out(level: str, ladder: Sequence[Rung], heard: Callable[[timedelta], Crowd], trust: Trust) -> str:
    """The highest level up to this one that the voices bear out, or the empty string. The ladder is mildest first."""
    names = [rung.level for rung in ladder]
    below = ladder[: names.index(level) + 1] if level in names else ()
    return next((rung.level for rung in reversed(below) if _stands(rung, heard(rung.within), trust)), "")


def doubted(crowd: Crowd) -> str:
    """The sentence for people, for a count that was not enough by itself."""
    unsure = sum(doubt.voices for doubt in crowd.doubts)
    return f"unconfirmed: {unsure:,.0f} of {crowd.voices:,.0f} voices are of accounts that are new here"


def _stands(rung: Rung, crowd: Crowd, trust: Trust) -> bool:
    """A second place that rose on its own is a second witness, as a probe would be."""
    if sum(doubt.voices >= trust.quorum for doubt in crowd.doubts) > 1:
        return True
    needed = max(float(rung.reports or trust.quorum), (rung.times or 0.0) * crowd.usual)
    half = (crowd.voices + (crowd.usual if crowd.voices > crowd.usual else 0.0)) / 2
    return crowd.trusted >= min(needed, half)
