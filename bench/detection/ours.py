"""The product's own detector, driven through the world as it is shipped, at several thresholds side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.detection.starts import Start
from bench.detection.world import Floats, World
from bot.core.holidays import NO_HOLIDAYS, Calendar
from bot.detectors.levels import Rule
from bot.detectors.surge import Surge

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUDGETS = tuple(float(np.exp(4.3 - nats)) for nats in np.arange(2.4, 4.81, 0.15))
"""Alarms a month that are tried, from many to few."""
SHIPPED = (
    Rule(level="minor", reports=10, within=15 * MINUTE, times=2, alarms=1),
    Rule(level="major", reports=50, within=15 * MINUTE, times=5),
    Rule(level="critical", reports=200, within=15 * MINUTE, times=15),
)
"""The levels of the configuration that comes with the program."""
LIFTS = (2.6, 9.0)
"""Times the usual from which on an outage is major, and critical."""
GRADED = (
    Rule(level="minor", within=15 * MINUTE, alarms=1),
    Rule(level="major", within=15 * MINUTE, alarms=1, times=LIFTS[0]),
    Rule(level="critical", within=15 * MINUTE, alarms=1, times=LIFTS[1]),
)


def ladders(budgets: Sequence[float] = BUDGETS) -> dict[str, tuple[Rule, ...]]:
    """One level each that asks for nothing but evidence, by the budget of alarms a month; and the shipped levels."""
    plain = {f"{n:.6g}": (Rule(level="minor", within=15 * MINUTE, alarms=n),) for n in budgets}
    return plain | {"shipped": SHIPPED}


class Lived(NamedTuple):
    """Per service the incidents (opened, calm again), and of each the rank of the worst level and the start it told.

    A start is a minute and the two between which it lies: (at, early, late).
    """

    incidents: list[list[tuple[int, int]]]
    worst: list[list[int]]
    starts: list[list[Start]]


def lived(
    world: World, rules: dict[str, tuple[Rule, ...]], kept: Mapping[str, Calendar] = NO_HOLIDAYS
) -> dict[str, Lived]:
    """Live through a world under several sets of rules side by side; `kept` are the holidays that some of them know."""
    services = world.counts.shape[1]
    surge = Surge(
        {f"{k}/{name}": ladder for name, ladder in rules.items() for k in range(services)},
        MINUTE,
        {f"{k}/{name}": calendar for name, calendar in kept.items() for k in range(services)},
    )
    rows = np.tile(world.counts, (1, len(rules)))
    found: list[list[tuple[int, int]]] = [[] for _ in surge.names]
    peaks: list[list[int]] = [[] for _ in surge.names]
    starts: list[list[Start]] = [[] for _ in surge.names]
    opened, worst = np.full(len(found), -1), np.full(len(found), -1)
    for minute, row in enumerate([*rows, None]):
        ranks = np.full(len(found), -1) if row is None else _ranked(surge, minute, row)
        for column in np.flatnonzero((ranks >= 0) != (opened >= 0)).tolist():
            if ranks[column] >= 0:
                opened[column] = minute
                starts[column].append(_start(surge, surge.names[column], minute))
            else:
                found[column].append((int(opened[column]), minute))
                peaks[column].append(int(worst[column]))
                opened[column] = worst[column] = -1
        np.maximum(worst, ranks, out=worst)
    return {
        name: Lived(*(table[k * services : (k + 1) * services] for table in (found, peaks, starts)))
        for k, name in enumerate(rules)
    }


def _start(surge: Surge, name: str, minute: int) -> Start:
    """The start that is told when an incident opens, in minutes."""
    [verdict] = surge.judge(START + (minute + 1) * MINUTE, {}, [name])
    assert verdict.since is not None
    assert verdict.between is not None
    at, early, late = (
        round((time - START) / MINUTE) for time in (verdict.since, verdict.between.early, verdict.between.late)
    )
    return at, early, late


def _ranked(surge: Surge, minute: int, row: Floats) -> npt.NDArray[np.intp]:
    surge.close_row(START + minute * MINUTE, row)
    return surge.ranks
