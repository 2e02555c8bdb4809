"""Where it is bad, on what, and what people see: the reports of now held against the usual mix of the service."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from math import isfinite, log, sqrt

from msgspec.structs import replace

from bot.core.model import Scope, Share
from bot.core.places import EVERYWHERE, country
from bot.core.reports import Cell

FEWEST = 5
"""A place is named from this many reports on: fewer say little, and would point at persons."""

_KNOWN = 20.0  # usual reports from which on a service has a mix of its own
_PRIOR = 50.0  # pseudo reports of the usual mix that are added to those of now
_FEW = 3  # a limit names at most so many places
_CLEARLY = 0.2  # by so much of the reports another symptom leads before it is news
_SMALLEST = 0.1  # share of the reports from which on a place is worth a word
_COVER = 0.6  # share of the reports that lie inside a limit, when it is not known how many are usual
_SURELY = 0.8  # the same, whatever the rest does: some reports always carry the wrong place
_ODDS = 2.0  # how much likelier a report of now lies inside the limit than a usual one
_NATS = 3.0  # evidence that a limit needs, after the price of its words
_PRICE, _EACH = 1.5, 0.7  # nats: for speaking of a limit at all, and for each further place in it
_KEEP = 0.7  # a limit that was told holds on at this part of what it had to reach
_MOST = 1e12  # reports of one cell; more is nonsense from outside
_NOT_PLACES = frozenset({"", EVERYWHERE, "unknown"})


def scope(
    now: Mapping[Cell, float], usual: Mapping[Cell, float], *, times: float | None = None, told: Scope | None = None
) -> Scope:
    """Say what the trouble is limited to, as far as the reports show it.

    A region or platform is named when it holds far more of the reports than usual and the rest is about calm; with no
    usual mix, when one or two of them hold most reports.

    Args:
        now: reports per cell in the window that is judged.
        usual: the usual mix; only its proportions count, and its sum says how well it is known.
        times: the count of now as a multiple of the usual count, where that is known.
        told: what was said last; its limits are given up less easily than they were taken.
    """
    last = told or Scope()
    where = _Dimension(now, usual, 0, times)
    what = _Dimension(now, usual, 1, times)
    regions = where.limit({s.code for s in last.regions})
    platforms = what.limit({s.code for s in last.platforms})
    hit = {s.code for s in (*regions, *platforms)}  # a limit that is held on to may look calm at the end
    return Scope(
        regions=regions,
        platforms=platforms,
        symptoms=_Dimension(now, usual, 2, times).leading(),
        spared=tuple(code for code in (*what.spared(), *where.spared()) if code not in hit)[:_FEW],
    )


def within(said: Scope, axis: int, code: str) -> Scope:
    """The scope when one region (axis 0) or platform (1) is known to be out of the usual: at least that is named."""
    if axis == 0 and code not in {share.code for share in said.regions}:
        return replace(said, regions=(*said.regions, Share(code=code, share=1.0))[-_FEW:])
    if axis == 1 and code not in {share.code for share in said.platforms}:
        return replace(said, platforms=(*said.platforms, Share(code=code, share=1.0))[-_FEW:])
    return said


def changed(before: Scope | None, after: Scope) -> bool:
    """True when people should hear of it: a largely different limit, or another symptom that clearly leads."""
    old = before or Scope()
    places = zip(old.limits, after.limits, strict=True)
    return any(_moved(set(was), set(now)) for was, now in places) or _overtaken(old.symptoms, after.symptoms)


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

    def __init__(self, now: Mapping[Cell, float], usual: Mapping[Cell, float], axis: int, times: float | None) -> None:
        self.counts = _marginal(now, axis)
        self.total = sum(self.counts.values())
        normal = _marginal(usual, axis)
        weight = sum(normal.values())
        self.times = times if times and isfinite(times) and times > 0 else None
        self.shares: dict[str, float] = {}
        if weight >= _KNOWN:
            codes = self.counts.keys() | normal.keys()
            self.shares = {c: (normal.get(c, 0.0) + 0.5) / (weight + 0.5 * len(codes)) for c in codes}

    def limit(self, told: Collection[str]) -> tuple[Share, ...]:
        """The few places that the trouble is limited to, largest first; none when it is not."""
        sets = self._unusual(told) if self.shares else self._concentrated()
        best = max(sets, default=(0.0, ()))[1]
        return tuple(self._share(code) for code in sorted(best, key=self._rank))

    def leading(self) -> tuple[Share, ...]:
        """The most frequent values, from two reports on."""
        seen = sorted((c for c, n in self.counts.items() if n > 1), key=self._rank)
        return tuple(self._share(code) for code in seen[:_FEW])

    def spared(self) -> Iterator[str]:
        """Values with a good usual share that report no more than usual, largest first."""
        for code, share in sorted(self.shares.items(), key=lambda item: (-item[1], item[0])):
            if share >= _SMALLEST and share * self.total >= FEWEST and self._calm(code, share):
                yield code

    def _calm(self, code: str, share: float) -> bool:
        count = self.counts.get(code, 0.0)
        if self.times is None:
            return count <= share * self.total / 3
        expected = share * self.total / self.times
        return count <= expected + 2 * sqrt(expected) and count <= share * self.total / 2

    def _unusual(self, told: Collection[str]) -> Iterator[tuple[float, tuple[str, ...]]]:
        worth = sorted(c for c, n in self.counts.items() if n >= max(FEWEST, _SMALLEST * self.total))
        for size in range(1, _FEW + 1):
            for places in combinations(worth, size):
                ease = _KEEP if set(places) == set(told) else 1.0
                nats = self._evidence(places, ease) - _PRICE - _EACH * (size - 1)
                if nats >= _NATS * ease and self._rest_is_calm(places, ease):
                    yield nats / ease, places

    def _evidence(self, places: tuple[str, ...], ease: float) -> float:
        """How many nats the share of these places lies above its usual; nothing when the odds barely moved."""
        usual = min(sum(self.shares[c] for c in places), 1 - 1e-9)
        inside = sum(self.counts[c] for c in places) + _PRIOR * usual
        outside = self.total + _PRIOR - inside
        if inside * (1 - usual) < _ODDS * ease * outside * usual:
            return 0.0
        total = inside + outside
        here = inside * log(inside / (total * usual))
        return here + outside * log(max(outside, 1e-9) / (total * (1 - usual)))

    def _rest_is_calm(self, places: tuple[str, ...], ease: float) -> bool:
        rest = self.total - sum(self.counts[c] for c in places)
        if rest <= (1 - _SURELY * ease) * self.total:
            return True
        if self.times is None:
            return rest <= (1 - _COVER * ease) * self.total
        expected = max(1 - sum(self.shares[c] for c in places), 0.0) * self.total / self.times
        return rest * ease <= 2 * expected + 2 * sqrt(expected)

    def _concentrated(self) -> Iterator[tuple[float, tuple[str, ...]]]:
        first = sorted(self.counts, key=self._rank)[: _FEW - 1]
        for size in range(1, len(first) + 1):
            places = tuple(first[:size])
            held = [self.counts[c] for c in places]
            if min(held) >= FEWEST and sum(held) >= _COVER * self.total:
                yield float(_FEW - size), places

    def _rank(self, code: str) -> tuple[float, str]:
        return -self.counts[code], code

    def _share(self, code: str) -> Share:
        return Share(code=code, share=self.counts[code] / self.total, usual=self.shares.get(code, 0.0))


def _marginal(cells: Mapping[Cell, float], axis: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    for cell, count in cells.items():
        code = country(cell[axis]) if axis == 0 else cell[axis]
        if code not in _NOT_PLACES and isfinite(count) and count > 0:
            sums[code] = sums.get(code, 0.0) + min(count, _MOST)
    return sums
