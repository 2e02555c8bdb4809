"""Round numbers and round times for the axes of a chart, and how to write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

_STEPS = [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720)]
_STEPS += [timedelta(days=n) for n in (1, 2, 7, 14, 28, 91, 182, 364)]
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)  # a Monday, so that steps of weeks start on Mondays


def nice(value: float) -> float:
    """The least of 1, 2, 3, 4, 6, 8 times a power of ten that is not below; its half is short to write, too."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(lead * power for lead in (1, 2, 3, 4, 6, 8, 10, 20) if lead * power >= value)


def every(length: timedelta, room: int) -> timedelta:
    """The shortest step that puts at most `room` marks on an axis."""
    return next((step for step in _STEPS if length / step <= room), _STEPS[-1])


def moments(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """The round times from start to end."""
    first = _EPOCH + -((_EPOCH - start) // step) * step
    return [first + index * step for index in range(int((end - first) / step) + 1)] if first <= end else []


def clock(at: datetime, *, whole: bool = False) -> str:
    """A time as `07:05`, and midnight (or every time, if `whole`) as the day: `4 Nov`. UTC."""
    at = at.astimezone(UTC)
    if whole or (at.hour, at.minute) == (0, 0):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}"


def number(value: float) -> str:
    """A count as people write it: `6`, `0.4`, `1,250`, `12k`."""
    if value >= 10_000:
        return f"{value / 1000:,.4g}k" if value < 1_000_000 else f"{value / 1_000_000:,.4g}M"
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
