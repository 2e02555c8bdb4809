"""The product's own detector, driven through the world as it is shipped, at several thresholds side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from bench.detection.world import World
from bot.detectors.levels import Rule
from bot.detectors.surge import Surge

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUDGETS = tuple(float(np.exp(4.3 - nats)) for nats in np.arange(1.5, 5.01, 0.25))
"""Alarms a month that are tried, from many to few."""
SHIPPED = (
    Rule(level="minor", reports=10, within=15 * MINUTE, times=2, alarms=1),
    Rule(level="major", reports=50, within=15 * MINUTE, times=5),
    Rule(level="critical", reports=200, within=15 * MINUTE, times=15),
)
"""The levels of the configuration that comes with the program."""


def ladders(budgets: Sequence[float] = BUDGETS) -> dict[str, tuple[Rule, ...]]:
    """One level each that asks for nothing but evidence, by the budget of alarms a month; and the shipped levels."""
    plain = {f"{n:.6g}": (Rule(level="minor", within=15 * MINUTE, alarms=n),) for n in budgets}
    return plain | {"shipped": SHIPPED}


def lived(world: World, rules: dict[str, tuple[Rule, ...]]) -> dict[str, list[list[tuple[int, int]]]]:
    """The incidents (opened, calm again) of each service under each set of rules."""
    services = world.counts.shape[1]
    surge = Surge({f"{k}/{name}": ladder for name, ladder in rules.items() for k in range(services)}, MINUTE)
    rows = np.tile(world.counts, (1, len(rules)))
    found: list[list[tuple[int, int]]] = [[] for _ in surge.names]
    opened = np.full(len(found), -1)
    for minute, row in enumerate(rows):
        surge.close_row(START + minute * MINUTE, row)
        on = surge.ranks >= 0
        for column in np.flatnonzero(on != (opened >= 0)).tolist():
            if on[column]:
                opened[column] = minute
            else:
                found[column].append((int(opened[column]), minute))
                opened[column] = -1
    for column in np.flatnonzero(opened >= 0).tolist():
        found[column].append((int(opened[column]), len(rows)))
    return {name: found[k * services : (k + 1) * services] for k, name in enumerate(rules)}
