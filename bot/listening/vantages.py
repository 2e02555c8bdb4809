"""Vantages: what other places see of our probes is taken in, and judged together with what we see ourselves.

What another place saw is dated by how long ago it saw it, so that its clock may be wrong. Nothing is kept on disk: a
look is worth a few intervals, and the next one comes soon.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Protocol, runtime_checkable

import msgspec
import structlog

from bot.core.model import Health, Signal
from bot.core.reports import When
from bot.detectors.quorum import HERE, Look, fresh, fresh_for, together
from bot.ports import Clock, Forbidden, Receipt, Watch

log = structlog.get_logger(__name__)

_MOST = 1_000
_NOTE = 200
_SLACK = timedelta(seconds=2)
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Word = Literal["operational", "maintenance", "degraded", "partial_outage", "major_outage"]


class Seen(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a place saw of one watch at `at`, by its own clock. `health` null: it was kept from looking."""

    service: _Name
    watch: _Name
    at: When
    health: _Word | None = None
    note: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    error: Annotated[str, msgspec.Meta(max_length=40)] = ""


class Dispatch(msgspec.Struct, kw_only=True):
    """What a place sends: who it is, when it sends by its own clock, and what it saw since it sent last."""

    vantage: _Name
    sent_at: When
    looks: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=_MOST)]


@runtime_checkable
class Seeing(Protocol):
    """A watch that may be seen from several places."""

    every: timedelta
    vantages: list[str]
    quorum: int

    @property
    def places(self) -> tuple[str, ...]:
        """All of them, ours first."""
        ...


_dispatch = msgspec.json.Decoder(Dispatch).decode
_seen = msgspec.json.Decoder(Seen).decode


class Vantages:
    """Stands before the engine: `hear` is told what all places of a watch come to, each time that we look ourselves.

    So a failure is believed after as many of our own rounds as the watch says, however often other places look.
    """

    def __init__(
        self,
        *,
        watches: Mapping[str, Mapping[str, Watch]],
        clock: Clock,
        hear: Callable[[str, str, Signal], Awaitable[None]],
    ) -> None:
        self._watches = watches
        self._clock = clock
        self._hear = hear
        self._looks: dict[tuple[str, str], dict[str, Look]] = {}
        self._sent: dict[tuple[str, str, str], datetime] = {}
        self._heard: dict[str, datetime] = {}
        self._silent: set[str] = set()

    async def hear(self, service: str, watch: str, signal: Signal) -> None:
        """Take in what we saw ourselves."""
        seeing = _seeing(self._watches.get(service, {}).get(watch))
        if seeing is not None:
            signal = self._joined((service, watch), seeing, signal)
        await self._hear(service, watch, signal)

    def take(self, body: bytes, speaker: str) -> Receipt:
        """Take in what another place saw; `speaker` is the only place that may be spoken for, or empty for any.

        Raises:
            ValueError: the body as a whole cannot be read; the words say what would be right.
            Forbidden: it speaks for another place.
        """
        try:
            dispatch = _dispatch(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
            raise ValueError(
                f"{why}; this takes {{vantage, sent_at, looks: [{{service, watch, at, health}}]}}"
            ) from why
        if speaker not in ("", dispatch.vantage):
            raise Forbidden(
                f"the token {speaker!r} cannot speak for {dispatch.vantage[:40]!r}; "
                "give each place a token of its own, called like the place"
            )
        repeated, rejected = 0, []
        for index, raw in enumerate(dispatch.looks):
            try:
                repeated += not self._learn(dispatch, _seen(raw))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as why:
                rejected.append((index, str(why)))
        accepted = len(dispatch.looks) - repeated - len(rejected)
        return Receipt(accepted=accepted, repeated=repeated, rejected=tuple(rejected))

    def silent(self) -> Mapping[str, timedelta]:
        """The places that should look and have not been heard of for too long, and for how long."""
        now = self._clock.now()
        patience: dict[str, timedelta] = {}
        for seeing in self._seeing():
            for place in seeing.vantages:
                patience[place] = max(patience.get(place, timedelta(0)), fresh_for(seeing.every))
        found = {place: now - self._heard.setdefault(place, now) for place in patience}
        silent = {place: gone for place, gone in found.items() if gone > patience[place]}
        self._say(silent)
        return silent

    def _seeing(self) -> Iterable[Seeing]:
        watches = (watch for several in self._watches.values() for watch in several.values())
        return filter(None, map(_seeing, watches))

    def _say(self, silent: Mapping[str, timedelta]) -> None:
        """Say once that a place has fallen silent, and once that it is heard again."""
        for place in silent.keys() - self._silent:
            log.warning("a vantage is silent", vantage=place, seconds=round(silent[place].total_seconds()))
        for place in self._silent - silent.keys():
            log.info("a vantage is heard again", vantage=place)
        self._silent = set(silent)

    def _joined(self, label: tuple[str, str], seeing: Seeing, signal: Signal) -> Signal:
        """What all places come to, now that we have looked."""
        own = Look(at=signal.at, health=signal.health, note=signal.note, url=signal.url)
        looks = self._looks.setdefault(label, {})
        looks[HERE] = own
        for gone in looks.keys() - set(seeing.places):
            del looks[gone]
        return together(fresh(looks, signal.at, seeing.every), seeing.places, seeing.quorum, signal.at)

    def _learn(self, dispatch: Dispatch, seen: Seen) -> bool:
        """Take one look in; False when it was known already.

        Raises:
            ValueError: it cannot count; the words say why.
        """
        place, label = dispatch.vantage, (seen.service, seen.watch)
        seeing = _seeing(self._watches.get(seen.service, {}).get(seen.watch))
        if seeing is None or place not in seeing.vantages:
            raise ValueError(f"the watch {'/'.join(label)[:100]!r} names no vantage {place[:40]!r} here")
        seen_at, now = _moment(seen.at), self._clock.now()
        age = _age(seen_at, _moment(dispatch.sent_at), fresh_for(seeing.every))
        key = (place, *label)
        before = self._looks.get(label, {}).get(place)
        if before and now - before.at <= fresh_for(seeing.every) and seen_at <= self._sent[key]:
            return False
        health = Health[seen.health.upper()] if seen.health else None
        look = Look(at=now - age, health=health, note=_shown(seen.note))
        self._looks.setdefault(label, {})[place] = look
        self._sent[key], self._heard[place] = seen_at, now
        return True


def _seeing(watch: object) -> Seeing | None:
    """The watch, if other places look at it too."""
    return watch if isinstance(watch, Seeing) and watch.vantages else None


def _moment(at: When) -> datetime:
    """A moment as it was written: RFC 3339, or Unix seconds."""
    try:
        found = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError) as why:
        raise ValueError(f"{at!r} is no moment; write RFC 3339 or Unix seconds") from why
    if found.tzinfo is None:
        raise ValueError("times need a zone, such as Z at their end")
    return found


def _age(seen: datetime, sent: datetime, most: timedelta) -> timedelta:
    """How old a look was when it was sent, by the sender's clock alone."""
    age = sent - seen
    if age < -_SLACK:
        raise ValueError("it was seen later than it was sent; both times must be of one clock")
    if age > most:
        raise ValueError(f"it was seen {age.total_seconds():.0f} s before it was sent, which is too old to count")
    return max(age, timedelta(0))


def _shown(note: str) -> str:
    """Words from another place, on one line and not too many."""
    words = " ".join("".join(c if c.isprintable() else " " for c in note).split())
    return words if len(words) <= _NOTE else f"{words[: _NOTE - 1]}…"
