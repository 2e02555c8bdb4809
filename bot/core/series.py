"""The numbers of one service, bucket by bucket: the rows that a tally is made of."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile
from typing import Any, TypeVar

from bot.core.reports import Cell, Window
from bot.core.trust import Doubt

Key = tuple[str, float, float, Cell]
"""A window: its source, since when and until when, and where."""
_Sums = defaultdict[Cell, list[float]]  # summed exactly, so that the order of arrival cannot show
_NONE: dict[Any, Any] = {}
_NOWHERE = Cell()


class Series:
    """The numbers of one service: reports as whole numbers, windows as shares per bucket under the window's key.

    `placed` is True once anybody said where, on what or what. All are in order of time, but for what came late since they were last sorted.
    """

    def __init__(self) -> None:
        self.placed = False
        self.fed_at, self.ended = -math.inf, math.inf
        self._newest, self._late = -math.inf, False
        self.spoken: Counter[int] = Counter()
        self.cells: defaultdict[int, Counter[Cell]] = defaultdict(Counter)
        self.hours: defaultdict[int, Counter[Cell]] = defaultdict(Counter)
        self.windows: defaultdict[int, dict[Key, tuple[float, float]]] = defaultdict(dict)
        self.doubts: defaultdict[int, Counter[tuple[str, float]]] = defaultdict(Counter)

    def add(self, bucket: int, hour: int, cell: Cell, number: int) -> None:
        """Count reports of one kind; what is taken back to nothing leaves no trace."""
        self._note(bucket, cell)
        _shift(self.spoken, bucket, number)
        _shift(self.cells[bucket], cell, number)
        _shift(self.hours[hour], cell, number)

    def doubt(self, bucket: int, place: str, number: int, weight: float) -> None:
        """Of those just counted: where they were raised, and what each weighs."""
        self.doubts[bucket][place, weight] += number

    def doubted(self, buckets: Sequence[int]) -> list[Doubt]:
        """Voices that weigh less than one, by place."""
        if not self.doubts:
            return []
        found: Counter[tuple[str, float]] = Counter()
        for bucket in buckets:
            found.update(self.doubts.get(bucket, _NONE))
        places: dict[str, Doubt] = {}
        for (place, weight), voices in sorted(found.items()):
            before = places.get(place, Doubt(place, 0.0, 0.0))
            places[place] = Doubt(place, before.voices + voices, before.weight + voices * weight)
        return list(places.values())

    def put(self, bucket: int, key: Key, shares: tuple[float, float]) -> None:
        """Count a window, in place of what was known of it; `shares` are its count and its reporters."""
        self._note(bucket, key[3])
        self.windows[bucket][key] = shares

    def total(self, bucket: int, *, people: bool = False) -> float | None:
        """Reports and windows together; None where there is neither."""
        windows = self.windows.get(bucket)
        spoken = self.spoken.get(bucket)
        if windows is None:
            return None if spoken is None else float(spoken)
        if len(windows) == 1:
            [share] = windows.values()
            return float(spoken or 0) + share[people]
        return float(spoken or 0) + math.fsum([share[people] for share in windows.values()])

    def at(self, bucket: int) -> dict[Cell, float]:
        """What fell into one bucket, by cell: asked for every service all the time, so it must cost little."""
        windows = self.windows.get(bucket)
        if windows is None:
            return {cell: float(number) for cell, number in self.cells.get(bucket, _NONE).items()}
        if len(windows) == 1 and bucket not in self.cells:
            [(key, (count, _))] = windows.items()
            return {key[3]: count}
        return self.among((bucket,))

    def among(self, buckets: Sequence[int]) -> dict[Cell, float]:
        """What fell into these buckets, by cell."""
        found: _Sums = defaultdict(list)
        if self.cells:
            for bucket in buckets:
                for cell, number in self.cells.get(bucket, _NONE).items():
                    found[cell].append(number)
        if self.windows:
            self._windows_among(buckets, found)
        return {cell: math.fsum(numbers) for cell, numbers in found.items()}

    def hour(self, number: int, buckets: Sequence[int]) -> tuple[tuple[Cell, float], ...]:
        """The cells of a whole hour, in order."""
        found: _Sums = defaultdict(list)
        for cell, spoken in self.hours.get(number, {}).items():
            found[cell].append(spoken)
        self._windows_among(buckets, found)
        return tuple(sorted((cell, math.fsum(numbers)) for cell, numbers in found.items()))

    def forget(self, bucket: float, cells: float, hour: float) -> None:
        """Drop what lies before these buckets and this hour."""
        for numbers in (self.spoken, self.windows, self.doubts):
            self._drop(numbers, bucket)
        self._drop(self.cells, cells)
        self._drop(self.hours, hour)
        self._late = False

    def _drop(self, numbers: dict[int, Any], oldest: float) -> None:
        """Drop the old ones from the front, without a look at the others."""
        if self._late:
            for number in sorted(numbers):
                numbers[number] = numbers.pop(number)
        for old in list(takewhile(lambda number: number < oldest, numbers)):
            del numbers[old]

    def _note(self, bucket: int, cell: Cell) -> None:
        if cell != _NOWHERE:
            self.placed = True
        if bucket < self._newest:
            self._late = True
        else:
            self._newest = bucket

    def _windows_among(self, buckets: Sequence[int], found: _Sums) -> None:
        for bucket in buckets:
            for key, (count, _) in self.windows.get(bucket, _NONE).items():
                found[key[3]].append(count)


_Counted = TypeVar("_Counted")


def _shift(counter: Counter[_Counted], key: _Counted, by: int) -> None:
    counter[key] += by
    if not counter[key]:
        del counter[key]


def key(window: Window) -> Key:
    """What makes a window the same as one that came before."""
    return window.source, window.since, window.until, _cell(window.region, window.platform, window.symptom)


@lru_cache(maxsize=4096)
def _cell(region: str, platform: str, symptom: str) -> Cell:
    """One cell for all that name it: the same few come again and again."""
    return Cell(region, platform, symptom)
