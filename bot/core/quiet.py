"""Quiet hours of a channel: when they are, what waits in them, and the one summary at their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import msgspec

from bot.core.zones import comes, wall

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_LONGEST = 32
"""Quiet periods that follow on each other without a gap are looked at this far; more is for ever."""


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """From one time of day to another, in a zone; up to the next day where the end is not after the beginning.

    `days` are the weekdays it begins on, Monday 0. Incidents at the level `unless` or a worse one are told all the same;
    empty is the worst of their ladder.
    """

    start: time
    end: time
    zone: str = "UTC"
    days: frozenset[int] = frozenset(range(7))
    unless: str = ""


def covering(hours: Sequence[Quiet], now: datetime) -> Quiet | None:
    """The quiet that is on, if any; of several the first."""
    return next((quiet for quiet in hours if _end(quiet, now) is not None), None)


def ends(hours: Sequence[Quiet], now: datetime) -> datetime | None:
    """When it will be over, those that follow without a gap included; None when it is not quiet."""
    end = None
    for _ in range(_LONGEST):
        found = [over for quiet in hours if (over := _end(quiet, end or now)) is not None]
        if not found:
            return end
        end = max(found)
    return end


def _end(quiet: Quiet, now: datetime) -> datetime | None:
    """When the period that covers a moment is over, if one does; it began on that day or the day before."""
    today = wall(now, quiet.zone).date()
    for day in (today - _DAY, today, today + _DAY):
        last = day if quiet.end > quiet.start else day + _DAY
        if day.weekday() in quiet.days and comes(day, quiet.start, quiet.zone) <= now < (
            over := comes(last, quiet.end, quiet.zone)
        ):
            return over
    return None
