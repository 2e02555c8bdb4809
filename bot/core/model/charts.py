"""The numbers behind a chart."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one service for a chart: per bucket the count, and the usual band; None where not known.

    `start` is the first bucket's time, `step` its width; all tuples have equal length.
    """

    service: str
    name: str
    start: datetime
    step: timedelta
    counts: tuple[float | None, ...]
    usual: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    rule: float | None = None
    rule_name: str = ""
    spans: tuple[Span, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """An incident on a chart: onset and opening are marked apart. `end` None: still alive."""

    onset: datetime
    opened: datetime
    end: datetime | None = None
    tone: str = "minor"
