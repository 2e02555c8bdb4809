"""Wall clocks and instants: when a time of day comes in a zone, whatever its clocks do that night.

One rule holds for both oddities: a clock that was put back shows nothing new until it is past where it was, so an hour
that comes twice counts as one long hour; and what a clock skips is reached at the moment it jumps.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def comes(day: date, at: time, zone: str) -> datetime:
    """The first instant, in UTC, at which clocks in a zone show that time of that day, or have jumped over it."""
    local = datetime.combine(day, at, ZoneInfo(zone))
    late = local.astimezone(UTC)
    if wall(late, zone) == local.replace(tzinfo=None):
        return late
    early = local.replace(fold=1).astimezone(UTC)
    return _jump(min(early, late), max(early, late), ZoneInfo(zone))


def wall(at: datetime, zone: str) -> datetime:
    """What clocks in a zone show at an instant, without the zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def reached(at: datetime, zone: str) -> tuple[datetime, ...]:
    """The minutes that clocks in a zone show for the first time in this minute: one, none, or all that they skip."""
    local = at.astimezone(ZoneInfo(zone))
    if local.fold:
        return ()
    here = local.replace(tzinfo=None)
    skipped = int((here - wall(at - _MINUTE, zone)) / _MINUTE) - 1
    return tuple(here - n * _MINUTE for n in range(max(skipped, 0), -1, -1))


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two at which the clock is put forward."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
