"""Planned work: whether a maintenance window covers a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from bot.core.zones import reached

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MINUTE = timedelta(minutes=1)


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Once from `start`, or whenever `cron` says: minute, hour, day, month, weekday (crontab(5)), by clocks in `zone`."""

    lasts: timedelta
    start: datetime | None = None
    cron: str = ""
    zone: str = "UTC"


def covered(windows: Sequence[Window], now: datetime) -> bool:
    """True while any of the windows is on."""
    return any(_covers(window, now) for window in windows)


def _covers(window: Window, now: datetime) -> bool:
    if window.start is not None:
        return window.start <= now < window.start + window.lasts
    minute = now.replace(second=0, microsecond=0)
    begun = _begun(window, minute)
    return begun is not None and now < begun + window.lasts


@lru_cache(maxsize=4096)
def _begun(window: Window, minute: datetime) -> datetime | None:
    """When the schedule last fired, up to a minute, if not longer ago than the window lasts."""
    for back in range(int(window.lasts / _MINUTE) + 1):
        at = minute - back * _MINUTE
        if any(_begins(window.cron, shown) for shown in reached(at, window.zone)):
            return at
    return None


def _begins(cron: str, at: datetime) -> bool:
    """True when a schedule fires as clocks show this; as in crontab(5), one of two restricted day fields is enough."""
    minute, hour, day, month, weekday = _fields(cron)
    if at.minute not in minute or at.hour not in hour or at.month not in month:
        return False
    by_day, by_weekday = at.day in day, (at.isoweekday() % 7) in weekday
    restricted = len(day) < 31 and len(weekday) < 7
    return by_day or by_weekday if restricted else by_day and by_weekday


@lru_cache(maxsize=256)
def _fields(cron: str) -> tuple[frozenset[int], ...]:
    parts = zip(cron.split(), _RANGES, strict=True)
    minute, hour, day, month, weekday = (
        frozenset(n for slot in text.split(",") for n in _slot(slot, low, high)) for text, (low, high) in parts
    )
    return minute, hour, day, month, frozenset(n % 7 for n in weekday)


def _slot(slot: str, low: int, high: int) -> range:
    span, slash, step = slot.partition("/")
    if span == "*":
        return range(low, high + 1, int(step or 1))
    first, dash, last = span.partition("-")
    begin = _number(first)
    end = _number(last) if dash else high if slash else begin
    return range(begin, end + 1, int(step or 1))


def _number(word: str) -> int:
    if word in _MONTHS:
        return _MONTHS.index(word) + 1
    return _DAYS.index(word) if word in _DAYS else int(word)
