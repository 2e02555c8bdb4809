"""Outages of a part of the users: found through their place, and the place told right."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.detection.measure import measured
from bench.detection.ours import MINUTE, START
from bench.detection.world import Outage, World
from bot.core.model import Scope
from bot.core.reports import Cell
from bot.detectors.levels import Rule
from bot.detectors.mix import Mix
from bot.detectors.parts import Parts
from bot.detectors.surge import Surge
from bot.detectors.where import MINUTES, Look, where

REGIONS, PLATFORMS = ("US", "IN", "GB", "DE", "JP"), ("web", "ios", "android")
RULES = (Rule(level="minor", within=15 * MINUTE, alarms=1),)
_AFTER = (0, 5, 10)
_LAG = 30


@dataclass
class Told:
    """What was told of one outage: when it was opened, the scope after some minutes, and how well that fits."""

    outage: Outage
    opened: int = -1
    last: Scope | None = None
    exact: dict[int, bool] = field(default_factory=dict)
    overlap: dict[int, float] = field(default_factory=dict)


@dataclass
class Placed:
    """Incidents by the total alone and with the parts, and what was told of each outage."""

    total: list[list[tuple[int, int]]]
    both: list[list[tuple[int, int]]]
    told: list[Told]

    def exact(self, minutes: int, kind: str = "") -> float:
        """The share of the outages on by then whose place was told right so many minutes after opening."""
        own = [told for told in self.told if kind in ("", told.outage.shape)]
        return float(np.mean([told.exact[minutes] for told in own if minutes in told.exact]))

    def overlap(self, minutes: int) -> float:
        """The mean share that the cells told and the cells hit have in common of all that are either."""
        return float(np.mean([told.overlap[minutes] for told in self.told if minutes in told.overlap]))


def lived(world: World) -> Placed:
    """Live through a scoped world as the engine does: totals and parts together, the place from the cells."""
    services = world.counts.shape[1]
    names = [str(k) for k in range(services)]
    surge = Surge(dict.fromkeys(names, RULES), MINUTE)
    parts, mix = Parts(dict.fromkeys(names, RULES), MINUTE), Mix()
    on = np.zeros((2, len(world.counts), services), np.bool_)
    placed = Placed([], [], [Told(outage) for outage in world.outages])
    lately: deque[dict[str, dict[Cell, float]]] = deque(maxlen=_LAG + 1)
    for minute, row in enumerate(world.counts):
        at = START + minute * MINUTE
        surge.close_row(at, row)
        cells = {name: _cells(world, k, minute, minute) for k, name in enumerate(names)}
        parts.close(at, {name: None if np.isnan(row[k]) else cells[name] for k, name in enumerate(names)})
        on[0, minute] = surge.ranks >= 0
        on[1, minute] = on[0, minute] | np.array([parts.raised(name) is not None for name in names])
        lately.append(cells)
        for k in np.flatnonzero(~on[1, minute]).tolist() if minute >= _LAG else ():
            mix.learn(names[k], lately[0][names[k]])
        _follow(world, placed.told, on[1, minute], minute, judges=(surge, parts, mix))
    placed.total, placed.both = ([_spans(on[way][:, k]) for k in range(services)] for way in (0, 1))
    return placed


def recalls(world: World, placed: Placed, kinds: Sequence[str] = ()) -> tuple[float, float]:
    """Recall by the total alone, and with the parts: of the partial outages, or of those of some kinds."""
    some = [o for o in world.outages if (o.shape in kinds if kinds else not o.cells.all())]
    part = World(**{**vars(world), "outages": some})
    return measured(placed.total, part).recall, measured(placed.both, part).recall


def _follow(
    world: World, asked: Sequence[Told], on: np.ndarray, minute: int, *, judges: tuple[Surge, Parts, Mix]
) -> None:
    """Look for the place once a minute from the opening on, and note what is told then, 5 and 10 minutes later."""
    for told in asked:
        outage = told.outage
        if told.opened < 0 and outage.start <= minute <= outage.end + 15 and on[outage.service]:
            told.opened = minute
        passed = minute - told.opened
        if told.opened >= 0 and passed <= max(_AFTER) and minute <= outage.end:
            told.last = where(_look(world, outage.service, minute, judges), told.last)
            if passed in _AFTER:
                said = _grid(told.last)
                told.exact[passed] = bool((said == outage.cells).all())
                told.overlap[passed] = float((said & outage.cells).sum() / (said | outage.cells).sum())


def _look(world: World, service: int, minute: int, judges: tuple[Surge, Parts, Mix]) -> Look:
    surge, parts, mix = judges
    name, now = str(service), START + (minute + 1) * MINUTE
    doubt, spread = surge.stray(name)
    edges = zip((0, *MINUTES), MINUTES, strict=False)
    return Look(
        slices=[_cells(world, service, minute - wide + 1, minute - before) for before, wide in edges],
        due=surge.due([name], MINUTES, now)[0].tolist(),
        regions=parts.regions(name, MINUTES, now),
        usual=mix.usual(name),
        doubt=doubt,
        spread=spread,
    )


def _grid(said: Scope) -> np.ndarray:
    """The cells that a scope speaks of, shape (regions, platforms)."""
    regions, platforms = (set(codes) for codes in said.limits)
    rows = np.array([not regions or code in regions for code in REGIONS])
    return np.outer(rows, [not platforms or code in platforms for code in PLATFORMS])


def _cells(world: World, service: int, first: int, last: int) -> dict[Cell, float]:
    assert world.cells is not None
    table = world.cells[first : last + 1, service].sum(axis=0)
    return {Cell(REGIONS[r], PLATFORMS[p]): float(table[r, p]) for r, p in zip(*np.nonzero(table), strict=True)}


def _spans(column: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], column.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
