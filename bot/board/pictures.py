"""The last day of a service, or the day around an incident, as numbers to draw."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.board.known import Known
from bot.core.model import Incident, Peak, Picture, Service, Span
from bot.core.showing import span
from bot.core.tally import Tally
from bot.detectors.ring import Floats
from bot.ports import Clock

_BARS, _BAR = 96, 15
_SPAN = _BARS * _BAR
_AFTERMATH = timedelta(hours=1)

Past = Callable[[str, int, int], Awaitable[Sequence[float | None]]]
"""Totals of a service from one bucket to another, both included, from the archive where need be."""


class Pictures:
    """Holds the counts against their usual; the same day is put together once.

    `since` is when anybody first listened here: of the time before, silence says nothing.
    """

    def __init__(self, known: Known, tally: Tally, clock: Clock, past: Past) -> None:
        self._known, self._tally, self._clock, self._past = known, tally, clock, past
        self._drawn: dict[str, tuple[object, Picture]] = {}
        self.since = datetime.min.replace(tzinfo=UTC)

    def day(self, service: str) -> Picture | None:
        """The last day of a service against its usual, in 96 bars of 15 ticks.

        The last bar ends now, so that it shows the same window that the levels are about.
        """
        found = self._known.services.get(service)
        if found is None:
            return None
        last = self._tally.bucket(self._clock.now())
        case = self._known.cases.get(service)
        incident = case.incident if case else None
        fresh = (last, self._tally.total(service, last), incident.rev if incident else 0)
        if service not in self._drawn or self._drawn[service][0] != fresh:
            totals = self._tally.totals(service, last - _SPAN + 1, last)
            self._drawn[service] = (fresh, self._picture(found, last, totals, incident))
        return self._drawn[service][1]

    async def around(self, incident: Incident) -> Picture | None:
        """The day around an incident, however long ago it was; None where its service is configured no more."""
        service = self._known.services.get(incident.service)
        if service is None:
            return None
        over = incident.eased_at or incident.closed_at or self._clock.now()
        last = self._tally.bucket(min(over + _AFTERMATH, self._clock.now()))
        totals = await self._past(incident.service, last - _SPAN + 1, last)
        return self._picture(service, last, totals, incident)

    def _picture(
        self, service: Service, last: int, totals: Sequence[float | None], incident: Incident | None
    ) -> Picture:
        first = last - _SPAN + 1
        start, step = self._tally.start(first), self._known.tick * _BAR
        counts = _summed(self._heard(service.id, first, totals), _BAR)
        mean, low, high = self._known.crowd.surge.usual(service.id, start, _SPAN)
        rule, rule_name = self._rule(service, incident)
        return Picture(
            service=service.id,
            name=service.name,
            start=start,
            step=step,
            counts=_topped(counts, start, step, incident.peak if incident else None),
            usual=_summed(list(mean), _BAR),
            low=_edges(mean, low, -1.0),
            high=_edges(mean, high, 1.0),
            rule=rule,
            rule_name=rule_name,
            spans=_spans(service, incident),
        )

    def _heard(self, service: str, first: int, totals: Sequence[float | None]) -> list[float | None]:
        """The totals from a bucket on; a zero of the time before anybody listened is a gap, if no feed counted it."""
        unheard = max(int((self.since - self._tally.start(first)) / self._known.tick), 0)
        early = [
            total if total or self._tally.waits(service, bucket) else None
            for bucket, total in enumerate(totals[:unheard], first)
        ]
        return [*early, *totals[unheard:]]

    def _rule(self, service: Service, incident: Incident | None) -> tuple[float | None, str]:
        """The count of the worst level reached, else of the mildest, where its window is as wide as a bar."""
        level = incident.peak_level if incident else ""
        bar = self._known.tick * _BAR
        fitting = [r for r in self._known.rules.get(service.id, ()) if r.reports is not None and r.within == bar]
        chosen = next((r for r in fitting if r.level == level), fitting[0] if fitting else None)
        return (float(chosen.reports or 0), chosen.level) if chosen else (None, "")


def _spans(service: Service, incident: Incident | None) -> tuple[Span, ...]:
    if incident is None or incident.opened_at is None:
        return ()
    return (span(incident, service.policy),)


def _summed(values: Sequence[float | None], size: int) -> tuple[float | None, ...]:
    """Sums of `size` buckets, of those that are known; None where none is."""
    groups = (values[n : n + size] for n in range(0, len(values), size))
    known = ([v for v in group if v is not None and not math.isnan(v)] for group in groups)
    return tuple(float(sum(group)) if group else None for group in known)


def _topped(
    counts: Sequence[float | None], start: datetime, step: timedelta, peak: Peak | None
) -> tuple[float | None, ...]:
    """The bar in which the worst window had its middle stands as high as that window, of which two bars hold a part."""
    if peak is None or peak.within != step:
        return tuple(counts)
    top = (peak.at - step / 2 - start) // step
    return tuple(max(count or 0.0, peak.count) if n == top else count for n, count in enumerate(counts))


def _edges(mean: Floats, edge: Floats, side: float) -> tuple[float | None, ...]:
    """The edge of ordinary noise of whole bars: that of single buckets adds up in squares, not in sums."""
    middle, off = mean.reshape(_BARS, _BAR).sum(axis=1), (edge - mean).reshape(_BARS, _BAR)
    found = np.maximum(middle + side * np.sqrt((off**2).sum(axis=1)), 0.0)
    return tuple(None if math.isnan(value) else value for value in found.tolist())
