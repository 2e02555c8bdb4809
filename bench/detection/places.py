"""Outages of a part of the users: found through their place, and the place told right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bench.detection.measure import measured
from bench.detection.ours import MINUTE, START
from bench.detection.world import Outage, World
from bot.core.model import Scope
from bot.core.reports import Cell
from bot.core.scope import scope, within
from bot.detectors.levels import Rule
from bot.detectors.mix import Mix
from bot.detectors.parts import Parts
from bot.detectors.surge import Surge

REGIONS, PLATFORMS = ("US", "IN", "GB", "DE", "JP"), ("web", "ios", "android")
RULES = (Rule(level="minor", within=15 * MINUTE, alarms=1),)
_AFTER = (0, 5, 10)
_LAG, _ENOUGH, _WINDOWS = 30, 60, (15, 30, 60, 120)


@dataclass
class Placed:
    """Incidents by the total alone and with the parts, and for each outage found whether its place was told right."""

    total: list[list[tuple[int, int]]]
    both: list[list[tuple[int, int]]]
    exact: dict[int, list[bool]] = field(default_factory=lambda: {minutes: [] for minutes in _AFTER})


def lived(world: World) -> Placed:
    """Live through a scoped world as the engine does: totals and parts together, the place from the cells."""
    services = world.counts.shape[1]
    names = [str(k) for k in range(services)]
    surge = Surge(dict.fromkeys(names, RULES), MINUTE)
    parts, mix = Parts(dict.fromkeys(names, RULES), MINUTE), Mix()
    on = np.zeros((2, len(world.counts), services), np.bool_)
    due = _asked(world)
    placed = Placed([], [])
    for minute, row in enumerate(world.counts):
        at = START + minute * MINUTE
        surge.close_row(at, row)
        cells = {name: _cells(world, k, minute, minute) for k, name in enumerate(names)}
        parts.close(at, {name: None if np.isnan(row[k]) else cells[name] for k, name in enumerate(names)})
        on[0, minute] = surge.ranks >= 0
        on[1, minute] = on[0, minute] | np.array([parts.raised(name) is not None for name in names])
        for k in np.flatnonzero(~on[1, minute]).tolist() if minute >= _LAG else ():
            mix.learn(names[k], _cells(world, k, minute - _LAG, minute - _LAG))
        _follow(world, due, on[1, minute], minute, judges=(surge, parts, mix), exact=placed.exact)
    placed.total, placed.both = ([_spans(on[way][:, k]) for k in range(services)] for way in (0, 1))
    return placed


def recalls(world: World, placed: Placed) -> tuple[float, float]:
    """Recall of the partial outages by the total alone, and with the parts."""
    partial = [outage for outage in world.outages if not outage.cells.all()]
    some = World(**{**vars(world), "outages": partial})
    return measured(placed.total, some).recall, measured(placed.both, some).recall


def _asked(world: World) -> dict[int, list[tuple[Outage, list[int]]]]:
    found: dict[int, list[tuple[Outage, list[int]]]] = {}
    for outage in world.outages:
        found.setdefault(outage.service, []).append((outage, []))
    return found


def _follow(
    world: World,
    asked: Mapping[int, list[tuple[Outage, list[int]]]],
    on: np.ndarray,
    minute: int,
    *,
    judges: tuple[Surge, Parts, Mix],
    exact: Mapping[int, list[bool]],
) -> None:
    """Note the place that is told at the opening, 5 and 10 minutes later, for the outages that are on."""
    for service, outages in asked.items():
        for outage, opened in outages:
            if not opened and outage.start <= minute <= outage.end + 15 and on[service]:
                opened.append(minute)
            if opened and minute - opened[0] in _AFTER and minute <= outage.end:
                said = _told(world, service, minute, opened[0], judges)
                exact[minute - opened[0]].append(_right(said, outage))


def _told(world: World, service: int, minute: int, opened: int, judges: tuple[Surge, Parts, Mix]) -> Scope:
    surge, parts, mix = judges
    [verdict] = surge.judge(START + (minute + 1) * MINUTE, {}, [str(service)])
    began = int((verdict.since - START) / MINUTE) if verdict.since else opened
    found: dict[Cell, float] = {}
    for wide in _WINDOWS:
        found = _cells(world, service, max(minute - wide + 1, 0), minute)
        if sum(found.values()) >= _ENOUGH or minute - wide < began:
            break
    said = scope(found, mix.usual(str(service)), times=verdict.numbers.times)
    raised = parts.raised(str(service))
    return within(said, raised[0].axis, raised[0].code) if raised and not verdict.level else said


def _right(said: Scope, outage: Outage) -> bool:
    hit = outage.cells
    regions = set() if hit.any(axis=1).all() else {REGIONS[k] for k in np.flatnonzero(hit.any(axis=1))}
    platforms = set() if hit.any(axis=0).all() else {PLATFORMS[k] for k in np.flatnonzero(hit.any(axis=0))}
    return {share.code for share in said.regions} == regions and {share.code for share in said.platforms} == platforms


def _cells(world: World, service: int, first: int, last: int) -> dict[Cell, float]:
    assert world.cells is not None
    table = world.cells[first : last + 1, service].sum(axis=0)
    return {Cell(REGIONS[r], PLATFORMS[p]): float(table[r, p]) for r, p in zip(*np.nonzero(table), strict=True)}


def _spans(column: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], column.astype(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
