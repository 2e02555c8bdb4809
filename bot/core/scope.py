"""Where it is bad, on what, and what people see: the scope of a trouble in shares, now and usually."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, log, sqrt
from typing import NamedTuple

from bot.core.model import Scope, Share
from bot.core.places import EVERYWHERE, country
from bot.core.reports import Cell

FEWEST = 5
"""A place is named from this many reports on: fewer say little, and would point at persons."""

_KNOWN = 20.0  # usual reports from which on a service has a mix of its own
_PRIOR = 50.0  # pseudo reports of the usual mix that are added to those of now
_FEW = 3  # symptoms and calm places that are told, and places where no usual is known
_CLEARLY = 0.2  # by so much of the reports another symptom leads before it is news
_SMALLEST = 0.1  # share of the reports from which on a place is worth a word
_COVER = 0.6  # share of the reports that lie inside a limit, when it is not known how many are usual
_STANDS_OUT = 2.0  # standard errors by which the odds of a symptom lie above its usual ones
_MOST = 1e12  # reports of one cell; more is nonsense from outside
_NOT_PLACES = frozenset({EVERYWHERE, "unknown"})


class Limit(NamedTuple):
    """What the trouble is limited to, in codes; empty where it is not. `against`: what came and what was due of each."""

    regions: tuple[str, ...]
    platforms: tuple[str, ...]
    against: Mapping[str, tuple[float, float]]


def described(now: Mapping[Cell, float], usual: Mapping[Cell, float], limit: Limit | None = None) -> Scope:
    """The scope in shares of the reports.

    Args:
        now: reports per cell, as `added` gives them.
        usual: the usual mix, the same way; only its proportions count, and its sum says how well it is known.
        limit: what was found out; without it, one or two places that hold most reports are named.
    """
    where, what, seen = (_Dimension(now, usual, axis) for axis in range(3))
    if limit is None:
        return Scope(regions=where.concentrated(), platforms=what.concentrated(), symptoms=seen.telling())
    calm = (*(what.calm(limit) if limit.platforms else ()), *(where.calm(limit) if limit.regions else ()))
    return Scope(
        regions=where.shares(limit.regions),
        platforms=what.shares(limit.platforms),
        symptoms=seen.telling(),
        spared=calm[:_FEW],
    )


def added(parts: Sequence[Mapping[Cell, float]]) -> dict[Cell, float]:
    """The sum of several counts by cell: countries for their parts, and no code for what is no place or platform."""
    sums: dict[Cell, float] = {}
    for part in parts:
        for (region, platform, symptom), count in part.items():
            if isfinite(count) and count > 0:
                cell = Cell(_place(country(region)), _place(platform), symptom)
                sums[cell] = sums.get(cell, 0.0) + min(count, _MOST)
    return sums


def changed(before: Scope | None, after: Scope) -> bool:
    """True when people should hear of it: a largely different limit, or another symptom that clearly leads."""
    if before == after:
        return False  # as it is nearly always
    old = before or Scope()
    places = zip(old.limits, after.limits, strict=True)
    return any(_moved(set(was), set(now)) for was, now in places) or _overtaken(old.symptoms, after.symptoms)


def _place(code: str) -> str:
    return "" if code in _NOT_PLACES else code


def _moved(was: set[str], now: set[str]) -> bool:
    """True unless most of the places are the same: one more country of three is no news."""
    return bool(was | now) and len(was & now) <= len(was | now) / 2


def _overtaken(before: tuple[Share, ...], after: tuple[Share, ...]) -> bool:
    if not before or not after or before[0].code == after[0].code:
        return False
    present = {s.code: s.share for s in after}
    return after[0].share - present.get(before[0].code, 0.0) >= _CLEARLY


class _Dimension:
    """One dimension of the cells, summed over the others."""

    def __init__(self, now: Mapping[Cell, float], usual: Mapping[Cell, float], axis: int) -> None:
        self.counts = _marginal(now, axis)
        self.total = sum(self.counts.values())
        normal = _marginal(usual, axis)
        weight = sum(normal.values())
        self.usual: dict[str, float] = {}
        if weight >= _KNOWN:
            codes = self.counts.keys() | normal.keys()
            self.usual = {c: (normal.get(c, 0.0) + 0.5) / (weight + 0.5 * len(codes)) for c in codes}

    def shares(self, codes: Sequence[str]) -> tuple[Share, ...]:
        """These values, largest first."""
        return tuple(self._share(code) for code in sorted(codes, key=self._rank))

    def telling(self) -> tuple[Share, ...]:
        """The values that are far more frequent than usual, largest first; where none is, the most frequent ones.

        A value stands out when the log-odds of its share do, seen with 50 usual reports beside those of now (the
        Dirichlet prior of Monroe, Colaresi and Quinn 2008, Political Analysis 16:372).
        """
        seen = [code for code, count in self.counts.items() if count > 1]
        least = max(_FEW, _SMALLEST * self.total)
        over = [code for code in seen if self.counts[code] >= least and self._stands_out(code)]
        return self.shares(over or seen)[:_FEW]

    def calm(self, limit: Limit) -> Iterator[str]:
        """Values with a good usual share that report no more than usual, largest first."""
        hit = {*limit.regions, *limit.platforms}
        for code, share in sorted(self.usual.items(), key=lambda item: (-item[1], item[0])):
            came, due = limit.against.get(code, (0.0, 0.0))
            quiet = came <= due + 2 * sqrt(due) and came <= share * self.total / 2
            if code not in hit and quiet and share >= _SMALLEST and share * self.total >= FEWEST:
                yield code

    def concentrated(self) -> tuple[Share, ...]:
        """One or two values that hold most of the reports, if there are such."""
        first = sorted(self.counts, key=self._rank)[: _FEW - 1]
        for size in range(1, len(first) + 1):
            held = [self.counts[code] for code in first[:size]]
            if min(held) >= FEWEST and sum(held) >= _COVER * self.total:
                return self.shares(first[:size])
        return ()

    def _stands_out(self, code: str) -> bool:
        share = self.usual.get(code, 0.0)
        inside = self.counts[code] + _PRIOR * share
        outside = self.total + _PRIOR - inside
        if not 0 < share < 1 or outside <= 0:
            return False
        more = log(inside / outside) - log(share / (1 - share))
        return more >= _STANDS_OUT * sqrt(1 / inside + 1 / outside)

    def _rank(self, code: str) -> tuple[float, str]:
        return -self.counts.get(code, 0.0), code

    def _share(self, code: str) -> Share:
        part = self.counts.get(code, 0.0) / self.total if self.total else 0.0
        return Share(code=code, share=part, usual=self.usual.get(code, 0.0))


def _marginal(cells: Mapping[Cell, float], axis: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    for cell, count in cells.items():
        if cell[axis]:
            sums[cell[axis]] = sums.get(cell[axis], 0.0) + count
    return sums
