"""Trying levels on what happened: the same detector as live, with many least counts side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from rich.progress import Progress

from bot.commands.history import History
from bot.detectors.levels import LEAST_USUAL, Rule
from bot.detectors.surge import Surge

WITHIN = timedelta(minutes=15)
LEAST_COUNTS = (3, 5, 8, 10, 15, 20, 30, 50, 80, 120, 200)
"""Reports that the mildest level may ask for."""

_MONTH = timedelta(days=30)
_VOICE = 1800.0  # seconds in which a person is one voice
_CLEAR_TIMES, _CLEAR_NATS = 5.0, 2.0  # times the usual, and times the evidence asked, that leave no doubt


@dataclass(kw_only=True)
class Alarm:
    """One stretch of time in which a level held: the highest count of its window, against the usual then."""

    at: datetime
    count: float
    times: float
    nats: float

    def clear(self, asked: float) -> bool:
        """True when it was an outage beyond doubt."""
        return self.times >= _CLEAR_TIMES and self.nats >= _CLEAR_NATS * asked


class Past:
    """The history as counts, shape (buckets, services); NaN is a gap in a feed of ready-made counts."""

    def __init__(self, history: History, tick: timedelta) -> None:
        self.services = history.services
        self.tick = tick if history.spacing is None else timedelta(seconds=history.spacing)
        width = self.tick.total_seconds()
        times = [float(row.at) for row in history.reports if isinstance(row.at, float)]
        times += [float(row.since) for row in history.counts if isinstance(row.since, float)]
        self.first = int(min(times, default=0.0) // width)
        size = int(max(times, default=0.0) // width) - self.first + 1
        self.counts = np.zeros((size, len(self.services)))
        at = {name: place for place, name in enumerate(self.services)}
        self.counts[:, [at[name] for name in {row.service for row in history.counts}]] = np.nan
        for service, when, number in (*_counted(history), *_voices(history)):
            cell = int(when // width) - self.first, at[service]
            self.counts[cell] = np.nan_to_num(self.counts[cell]) + number

    @property
    def months(self) -> float:
        """How long it is, in months of 30 days."""
        return max(len(self.counts) * self.tick / _MONTH, 1e-9)

    def time(self, row: int) -> datetime:
        """When a bucket begins, UTC."""
        return datetime.fromtimestamp((self.first + row) * self.tick.total_seconds(), UTC)


def _counted(history: History) -> Iterator[tuple[str, float, float]]:
    for row in history.counts:
        people = row.count if row.reporters is None else row.reporters
        yield row.service, float(row.since) if isinstance(row.since, float) else 0.0, people


def _voices(history: History) -> Iterator[tuple[str, float, float]]:
    """The reports, each person once in half an hour."""
    heard: dict[tuple[str, str], float] = {}
    for row in history.reports:
        at = row.at if isinstance(row.at, float) else 0.0
        who = (row.service, row.reporter or "")
        if row.reporter and at - heard.get(who, -np.inf) < _VOICE:
            continue
        heard[who] = at
        yield row.service, at, 1.0


def tried(past: Past, alarms: float, progress: Progress) -> dict[str, dict[int, list[Alarm]]]:
    """The alarms of each service by the least count that was tried."""
    within = max(WITHIN, past.tick)
    rules = {
        f"{reports}/{service}": (Rule(level="minor", reports=reports, within=within, times=2, alarms=alarms),)
        for reports in LEAST_COUNTS
        for service in past.services
    }
    surge, watch = Surge(rules, past.tick), _Watch(past, within)
    rows = np.tile(past.counts, (1, len(LEAST_COUNTS)))
    for number, row in enumerate(progress.track(rows, description="Trying levels")):
        surge.close_row(past.time(number), row)
        watch.note(number, surge)
    n = len(past.services)
    return {
        service: {reports: watch.alarms[k * n + column] for k, reports in enumerate(LEAST_COUNTS)}
        for column, service in enumerate(past.services)
    }


class _Watch:
    """Follows which series are raised, and how high they climb."""

    def __init__(self, past: Past, within: timedelta) -> None:
        self.alarms: list[list[Alarm]] = [[] for _ in range(len(LEAST_COUNTS) * len(past.services))]
        self._past = past
        self._wide = max(round(within / past.tick), 1)
        self._on = np.zeros(len(self.alarms), np.bool_)

    def note(self, number: int, surge: Surge) -> None:
        """One more bucket was closed."""
        on = (surge.ranks >= 0) & surge.known
        for series in np.flatnonzero(on).tolist():
            column = series % len(self._past.services)
            count = float(np.nansum(self._past.counts[max(number + 1 - self._wide, 0) : number + 1, column]))
            now = Alarm(at=self._past.time(number), count=count, times=0.0, nats=float(surge.scores[series]))
            if not self._on[series]:
                self.alarms[series].append(now)
            _climb(self.alarms[series][-1], now, surge, series, self._wide)
        self._on = on


def _climb(alarm: Alarm, now: Alarm, surge: Surge, series: int, wide: int) -> None:
    alarm.nats = max(alarm.nats, now.nats)
    if now.count >= alarm.count:
        alarm.count = now.count
        usual = float(surge.usual(surge.names[series], now.at, 1)[0][0]) * wide
        alarm.times = now.count / max(usual, LEAST_USUAL)
