"""Judges the report counts of all services at once: more than usual, by which level, and since when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from bot.core.holidays import NO_HOLIDAY, NO_HOLIDAYS, Calendar
from bot.core.model import Between
from bot.detectors import keep
from bot.detectors.gap import DEAD
from bot.detectors.history import History
from bot.detectors.levels import Ladder, Rule
from bot.detectors.ring import ZERO, Columns, Flags, Floats, blank, clipped, fixed, places
from bot.detectors.verdict import Judgement, Start, Verdict, Weighed
from bot.detectors.weighing import Weighing

_MOST = fixed(1e9)  # reports per bucket; more is nonsense from outside
_UNKNOWN = fixed(np.nan)


class Closed(NamedTuple):
    """One closed bucket of all series, as `replay --scores` writes it, shape (n,) each.

    `seen` as it was given, NaN: a gap; `usual` NaN: not known yet; `score` in nats; `rank` of the level that holds, -1
    when calm.
    """

    seen: Floats
    usual: Floats
    score: Floats
    rank: npt.NDArray[np.intp]


class _Running(NamedTuple):
    """The bucket that is not closed yet: what was seen in it, and the part of it that has passed."""

    now: datetime
    seen: float
    part: float


class Surge:
    """Compares the counts of each service with its usual, all services in one step.

    Buckets are closed once a tick with `close`; between ticks `judge` weighs the part of the running one that has
    passed. Once a level that asks for more than a plain count holds, it holds until a sequential test says that things
    are as usual again. Everything is computed from the counts given so far: the same input gives the same verdicts.
    """

    def __init__(
        self,
        rules: Mapping[str, Sequence[Rule]],
        tick: timedelta,
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
    ) -> None:
        self._tick = tick
        self._names = tuple(rules)
        self._at = {name: column for column, name in enumerate(self._names)}
        self._ladder = Ladder([tuple(rules[name]) for name in self._names], tick)
        self._all: Columns = np.arange(len(self._names))
        kept = [calendars.get(name, NO_HOLIDAY) for name in self._names]
        self._history = History(tick, float(self._ladder.widths.max(initial=1.0)), kept)
        self._ring, self._base = self._history.ring, self._history.base
        self._weighing = Weighing(self._history, self._ladder, tick)
        self._given: Floats = np.full(len(self._names), np.nan, np.float32)

    @property
    def depth(self) -> int:
        """How many closed buckets can still be revised."""
        return self._ring.depth

    @property
    def names(self) -> tuple[str, ...]:
        """The series, in the order of `scores` and `ranks`."""
        return self._names

    @property
    def known(self) -> Flags:
        """True where a usual is known, shape (n,)."""
        return self._base.known

    @property
    def scores(self) -> Floats:
        """The evidence of every series when it was last weighed, in nats, shape (n,)."""
        return self._weighing.score

    @property
    def ranks(self) -> npt.NDArray[np.intp]:
        """The rank of the highest level that holds, per series, shape (n,); -1 when calm."""
        return self._weighing.ranks()

    @property
    def nbytes(self) -> int:
        """The bytes of everything that is remembered of the series."""
        return sum(array.nbytes for array in self._parts().values()) + self._ring.sums.nbytes

    def teach(self, rates: Floats) -> None:
        """Know a flat usual from the start, reports per hour, shape (n,): for measuring without weeks of history."""
        self._base.teach(rates)

    def close(self, at: datetime, counts: Mapping[str, float | None]) -> None:
        """One bucket `[at, at + tick)` is complete; None, or no entry, is a gap in the feed and teaches nothing.

        Buckets left out since the last call are gaps of all services. A bucket that was closed before is ignored.
        """
        self.close_row(at, np.array([counts.get(name) for name in self._names], np.float64))

    def close_row(self, at: datetime, counts: Floats) -> None:
        """The same with the counts of all series in the order of `names`, shape (n,); NaN is a gap."""
        number = self._history.number(at)
        if self._ring.end and number < self._ring.end:
            return
        self._history.skip_to(number)
        self._given = _clean(counts)
        self._history.push(self._given)
        self._weighing.close(number)

    def revise(self, series: str, at: datetime, count: float | None) -> None:
        """A bucket that is closed gets another count: it came late, or was corrected. None calls it a gap.

        Buckets older than `depth` and unknown series are left alone. What was learned from a bucket more than half an
        hour ago stays learned; the next `judge` sees the new count.
        """
        if series in self._at:
            self._weighing.stale = True
            given = float(_clean(np.array([count], np.float64))[0])
            self._history.revise(self._at[series], self._history.number(at), given)

    def lean(self, series: str, nats: float) -> None:
        """What others say of a service adds to the evidence that its counts already give; not kept in a snapshot."""
        if series in self._at:
            self._weighing.stale = True
            self._weighing.lean[self._at[series]] = nats

    def judge(self, now: datetime, running: Mapping[str, float], only: Collection[str] | None = None) -> list[Verdict]:
        """The verdict on every service, or on those in `only`, calm ones included; given as for `look`."""
        return list(self.look(now, running, only).values())

    def look(
        self,
        now: datetime,
        running: Mapping[str, float],
        only: Collection[str] | None = None,
        begun: Callable[[str], Start | None] = lambda _: None,
    ) -> Judgement:
        """The same, put together for those only that somebody asks about.

        `running` holds the counts since the last closed bucket ended; they are held against the part of the usual that
        was due since then. Where `begun` knows the start of what goes on, it is not sought again.
        """
        names = self._names if only is None else tuple(name for name in only if name in self._at)
        columns = self._all if only is None else np.array([self._at[name] for name in names], np.intp)
        fresh = _row(names, running)
        part = self._history.passed(now)
        windows = self._weighing.weigh(columns, fresh, part)
        ranks = self._weighing.ranks(columns)
        weighed = Weighed(columns, ranks, windows, self._weighing.score[columns], self._base.known[columns])
        since = {
            place: begun(names[place])
            or self._since(int(columns[place]), int(ranks[place]), _Running(now, float(fresh[place]), part))
            for place in places(ranks >= 0).tolist()
        }
        return Judgement(names, self._ladder, weighed, since)

    def hot(self, series: str) -> bool:
        """True while the counts of a service are, or were within half an hour, too unusual to learn from."""
        return series in self._at and bool(self._history.heat.recent[self._at[series]])

    def over(self) -> dict[str, float]:
        """Buckets since a series recovered, for those that did in the last hours and are in no trouble."""
        recovery = self._weighing.recovery
        return {self._names[column]: float(recovery.rest[column]) for column in places(recovery.over).tolist()}

    def end_doubtful(self, over: Floats) -> None:
        """End every trouble of which nothing but doubt is left, if it was on already so many buckets ago, shape (n,)."""
        self._weighing.end_doubtful(over)

    def excuse(self) -> None:
        """We were away ourselves: reports that are missing until now say nothing of any feed."""
        self._history.gap.excuse()

    def silent(self, series: str) -> bool:
        """True when so many reports are missing that the feed must be broken: this is no calm."""
        return series in self.silences()

    def silences(self, nats: float = DEAD) -> dict[str, float]:
        """Every series that is silent with so much certainty, and how many reports were due since one was last heard."""
        gap, noise = self._history.gap, self._base.noise
        dead = self._base.known & gap.dead(noise.spread, noise.doubt, nats)
        return {self._names[column]: float(gap.missing[column]) for column in places(dead).tolist()}

    def still(self, nats: float) -> bool:
        """True when nobody reports anything of any series, where with so much certainty somebody should."""
        noise = self._base.noise
        return self._history.gap.still(noise.spread, noise.doubt, self._base.known, nats)

    def due(self, series: Sequence[str], widths: Sequence[int], now: datetime) -> Floats:
        """The usual counts of some series, shape (k, w), in the last `widths` closed buckets and the part of the next."""
        columns = np.array([self._at[name] for name in series], np.intp)
        closed = self._ring.window(np.array(widths, np.float32)[:, None], columns)[1]
        due: Floats = (closed + self._base.due(self._ring.end)[columns] * self._history.passed(now)).T
        return due

    def stray(self, series: str) -> tuple[float, float]:
        """How far the counts of a series stray: the squared relative error of its usual, and its variance over its mean."""
        column = self._at[series]
        return float(self._base.noise.doubt[column]), float(self._base.noise.spread[column])

    def usual(self, series: str, start: datetime, n: int) -> tuple[Floats, Floats, Floats]:
        """Usual count, and the low and high end of ordinary noise, of n buckets from `start`; NaN where not known."""
        if series not in self._at:
            nothing = np.full(n, np.nan)
            return nothing, nothing, nothing
        return self._base.curve(self._at[series], self._history.number(start), n)

    def closed(self) -> Closed:
        """The bucket that was closed last, for keeps."""
        seen, due = self._given, self._ring.last(1)[1]
        return Closed(
            seen=seen,
            usual=np.where(~np.isnan(seen) & self._base.known, due, _UNKNOWN),
            score=self._weighing.score.copy(),
            rank=self.ranks,
        )

    def resize(self, rules: Mapping[str, Sequence[Rule]], calendars: Mapping[str, Calendar] = NO_HOLIDAYS) -> Surge:
        """A judge by new rules and holidays that remembers the services which stay."""
        other = type(self)(rules, self._tick, calendars)
        other._recall(self._memory())  # noqa: SLF001 - another of the same kind
        return other

    def snapshot(self) -> bytes:
        """Everything remembered, for `restore`."""
        return keep.pack(self._memory())

    @classmethod
    def restore(
        cls,
        blob: bytes,
        rules: Mapping[str, Sequence[Rule]],
        tick: timedelta,
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
    ) -> Self:
        """The judge that was saved, by these rules; starts empty from a blob of another version, tick or making."""
        surge = cls(rules, tick, calendars)
        memory = keep.unpack(blob, surge._axes())
        if memory is not None and memory.tick == tick.total_seconds():
            surge._recall(memory)
        return surge

    def _since(self, column: int, rank: int, running: _Running) -> Start:
        if not self._ring.end:
            return Start(running.now, Between(early=running.now, late=running.now))
        grace = ceil(self._ladder.widths[rank, column])
        at, between = self._history.onset(column, running.seen, running.part, grace)
        early, late = min(between.early, running.now), min(between.late, running.now)
        return Start(min(at, running.now), Between(early=early, late=late))

    def _parts(self) -> dict[str, Floats]:
        """Everything remembered but the ring, by name; the arrays themselves."""
        return self._history.columns() | self._weighing.columns()

    def _memory(self) -> keep.Memory:
        held = {
            name: [rule.level for rule, on in zip(self._ladder.rules[c], self._weighing.held[:, c], strict=False) if on]
            for c, name in enumerate(self._names)
        }
        return keep.Memory(
            tick=self._tick.total_seconds(),
            names=self._names,
            end=self._ring.end,
            hours=(self._base.hour, self._base.rates_hour),
            held=held,
            columns=self._parts() | {"ring": self._ring.history(self._ring.depth)},
        )

    def _axes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape[:-1] for name, array in self._parts().items()} | {"ring": (2, -1)}

    def _recall(self, memory: keep.Memory) -> None:
        shared = [name for name in self._names if name in memory.held]
        here = np.array([self._at[name] for name in shared], np.intp)
        then = {name: column for column, name in enumerate(memory.names)}
        there = np.array([then[name] for name in shared], np.intp)
        for name, array in self._parts().items():
            if name in memory.columns:
                array[..., here] = memory.columns[name][..., there]
        self._base.hour, self._base.rates_hour = memory.hours
        self._base.refresh()
        self._ring.recall(memory.end, memory.columns["ring"][..., there], here)
        self._history.look_out()
        for name in shared:
            column = self._at[name]
            for rank, rule in enumerate(self._ladder.rules[column]):
                self._weighing.held[rank, column] = rule.level in memory.held[name]


def _clean(counts: npt.NDArray[np.floating]) -> Floats:
    """Counts as they can be: what is no number is a gap."""
    return clipped(np.where(np.isfinite(counts), counts, _UNKNOWN), ZERO, _MOST).astype(np.float32)


def _row(names: Sequence[str], counts: Mapping[str, float]) -> Floats:
    """The counts of these series, shape (k,), 0 where nothing was; most of the time nothing was at all."""
    if not counts:
        return blank(len(names))
    return np.nan_to_num(_clean(np.array([counts.get(name, 0.0) for name in names], np.float64)))
