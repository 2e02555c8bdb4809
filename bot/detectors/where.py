"""Where it is bad: the reports of the last minutes by region and platform, held against what was due in each cell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bot.core.model import Scope
from bot.core.reports import Cell
from bot.core.scope import Limit, added, described
from bot.detectors.ring import Flags
from bot.detectors.subset import Found, Grid, Subset

MINUTES = (2, 4, 8, 16, 32)
"""The windows that are looked at, from now back."""
CLEARLY = 1.0
"""Nats by which another limit must be better before it takes the place of the one that was told."""
_KNOWN = 20.0  # usual reports from which on a service has a mix of its own
_PRIOR = 20.0  # usual reports of all regions that are added to the platforms of each
_GUESS = 10.0  # usual reports that are added to those of now where a place or platform was not said
_REGIONS = 24  # that are looked at one by one; the rarest are taken together
_TRACE = 0.5  # usual reports that every region is believed to have
_NO_SCALE = 25.0  # the doubt of a usual whose size is not known, only its proportions


class Look(NamedTuple):
    """What is known of the last minutes of a service.

    `slices` are the reports by cell, newest first: slice k reaches from the end of window k - 1 back to that of window
    k. `due` is the usual count of each whole window, and `regions` that of the regions with a usual of their own;
    empty where no usual is known. `usual` is the mix of calm times, whose sum says how well it is known.
    """

    slices: Sequence[Mapping[Cell, float]]
    due: Sequence[float]
    regions: Mapping[str, Sequence[float]]
    usual: Mapping[Cell, float]
    doubt: float
    spread: float


def where(look: Look, told: Scope | None = None) -> Scope:
    """Say what the trouble is limited to: the most probable regions and platforms, or nothing.

    `told` is what was said last: its limits stand until others are clearly more probable.
    """
    usual, slices = added([look.usual]), [added([part]) for part in look.slices]
    if sum(usual.values()) < _KNOWN:
        return described(added(slices), usual)
    table = _Table(look, usual, slices)
    subset = Subset(table.seen, table.due, doubt=table.doubt, spread=look.spread, named=table.named)
    found = subset.best()
    if told is not None and (flags := table.flags(told)) is not None:
        before = subset.worth(*flags)
        found = before if before.nats >= found.nats - CLEARLY else found
    return described(added(slices[: found.window + 1]), usual, table.limit(found))


class _Table:
    """The cells as arrays of shape (windows, regions, platforms); reports that leave one of both open are shared out."""

    def __init__(self, look: Look, usual: Mapping[Cell, float], slices: Sequence[Mapping[Cell, float]]) -> None:
        every = [item for part in (usual, *slices) for item in part.items()]
        self.regions = _often(every)
        self.platforms = sorted({cell[1] for cell, _ in every} - {""}) or [""]
        self.named: Flags = np.array([region != "" for region in self.regions])
        self.doubt = look.doubt if look.due else _NO_SCALE
        mix, seen = self._grid(usual), np.cumsum([self._grid(part) for part in slices], axis=0)
        of_region, of_platform = _given(mix[:-1, :-1], 1), _given(mix[:-1, :-1], 0)
        self.seen = _shared(seen, of_region, of_platform)
        due = np.array(look.due) if look.due else seen.sum(axis=(1, 2))
        shares = mix / mix.sum()
        rows = due[:, None] * (shares[:-1].sum(axis=1) + _TRACE / mix.sum())
        for place, region in enumerate(self.regions):
            rows[:, place] = look.regions.get(region, rows[:, place])
        self.due = rows[:, :, None] * of_region + due[:, None, None] * shares[-1:, :-1] * of_platform

    def flags(self, told: Scope) -> tuple[Flags, Flags] | None:
        """The limits of a scope as flags; None where one of its places is no longer looked at."""
        regions, platforms = told.limits
        if not set(regions) <= set(self.regions) or not set(platforms) <= set(self.platforms):
            return None
        return _flags(self.regions, regions), _flags(self.platforms, platforms)

    def limit(self, found: Found) -> Limit:
        """What was found, in codes; beside it what came of each place and what was due."""
        seen, due = self.seen[found.window], self.due[found.window]
        rows = zip(self.regions, seen.sum(axis=1).tolist(), due.sum(axis=1).tolist(), strict=True)
        columns = zip(self.platforms, seen.sum(axis=0).tolist(), due.sum(axis=0).tolist(), strict=True)
        return Limit(
            regions=_codes(self.regions, found.regions),
            platforms=_codes(self.platforms, found.platforms),
            against={code: (came, usual) for code, came, usual in (*rows, *columns)},
        )

    def _grid(self, cells: Mapping[Cell, float]) -> Grid:
        """Reports by region and platform; in the last row and column those that name none."""
        rows = {code: place for place, code in enumerate(self.regions) if code}
        columns = {code: place for place, code in enumerate(self.platforms) if code}
        rare = self.regions.index("") if "" in self.regions else len(self.regions)
        grid = np.zeros((len(self.regions) + 1, len(self.platforms) + 1))
        for (region, platform, _), reports in cells.items():
            row = rows.get(region, rare) if region else len(self.regions)
            grid[row, columns.get(platform, len(self.platforms))] += reports
        return grid


def _often(cells: Iterable[tuple[Cell, float]]) -> list[str]:
    """The regions that are looked at one by one; a last one without a name stands for all others."""
    sums: dict[str, float] = {}
    for cell, reports in cells:
        if cell[0]:
            sums[cell[0]] = sums.get(cell[0], 0.0) + reports
    first = sorted(sums, key=lambda code: (-sums[code], code))[:_REGIONS]
    return sorted(first) + [""] * (len(sums) > len(first) or not first)


def _given(known: Grid, axis: int) -> Grid:
    """The usual shares along one axis for each element of the other, drawn to those of all elements together."""
    overall = known.sum(axis=1 - axis, keepdims=True) + _TRACE
    shares: Grid = (known + _PRIOR * overall / overall.sum()) / (known.sum(axis=axis, keepdims=True) + _PRIOR)
    return shares


def _shared(seen: Grid, of_region: Grid, of_platform: Grid) -> Grid:
    """Reports with a place but no platform, or the other way round, go where those like them go now.

    Where hardly anybody says both they go as usual, and so speak for nothing; reports that say neither are left out.
    """
    known = seen[:, :-1, :-1]
    platforms = (known + _GUESS * of_region) / (known.sum(axis=2, keepdims=True) + _GUESS)
    regions = (known + _GUESS * of_platform) / (known.sum(axis=1, keepdims=True) + _GUESS)
    shared: Grid = known + seen[:, :-1, -1:] * platforms + seen[:, -1:, :-1] * regions
    return shared


def _flags(codes: Sequence[str], chosen: Collection[str]) -> Flags:
    """True for the chosen, or for all when none is."""
    return np.array([not chosen or code in chosen for code in codes])


def _codes(codes: Sequence[str], chosen: Flags) -> tuple[str, ...]:
    """The chosen ones, or none when all are."""
    return () if chosen.all() else tuple(code for code, one in zip(codes, chosen.tolist(), strict=True) if one)
