"""Judges the report counts of all services at once: more than usual, by which level, and since when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple, Self

import msgspec
import numpy as np
import numpy.typing as npt

from bot.core.model import Numbers
from bot.detectors import keep
from bot.detectors.baseline import GROWN_AFTER, Baseline
from bot.detectors.evidence import onset, unknown_usual
from bot.detectors.levels import LEAST_USUAL, Ladder, Rule
from bot.detectors.past import Past
from bot.detectors.ring import Columns, Floats, Ring
from bot.detectors.streak import Streak

_HOUR = timedelta(hours=1)
_DELAY = timedelta(minutes=30)  # a bucket is learned when it is so old: time enough to see that it was an outage
_REACH = timedelta(hours=6)  # how far back a start is sought
_MOST_BUCKETS = 1500  # of the reach; a longer `within` is honoured all the same
_NEW_NORMAL = timedelta(hours=36)  # what has lasted so long is what is usual now
_HOT = 5.0  # nats from which on a bucket is not learned as it stands
_LULL = 1 / 3  # level below which a series is much quieter than its usual
_MINUTES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
_MOST = 1e9  # reports per bucket; more is nonsense from outside


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One service, judged: `level` is empty when calm; `rule` is the sentence of the level that holds."""

    series: str
    level: str
    since: datetime | None
    numbers: Numbers
    rule: str


class Row(NamedTuple):
    """One closed bucket of one service, as `replay --scores` writes it.

    `seen` None: a gap; `usual` None: not known yet; `score` in nats; `rarity` the share of lower buckets in 14 days.
    """

    seen: float | None
    usual: float | None
    score: float
    level: str
    rarity: float


class _Running(NamedTuple):
    """The bucket that is not closed yet: what was seen in it, and the part of it that has passed."""

    now: datetime
    seen: float
    part: float


class Surge:
    """Compares the counts of each service with its usual, all services in one step.

    Buckets are closed once a tick with `close`; between ticks `judge` weighs the part of the running one that has
    passed. Everything is computed from the counts given so far, so the same input gives the same verdicts.
    """

    def __init__(self, rules: Mapping[str, Sequence[Rule]], tick: timedelta) -> None:
        self._tick = tick
        self._names = tuple(rules)
        self._at = {name: column for column, name in enumerate(self._names)}
        self._ladder = Ladder([tuple(rules[name]) for name in self._names], tick)
        n = len(self._names)
        self._all: Columns = np.arange(n)
        self._delay = max(round(_DELAY / tick), 1)
        self._ring = Ring(self._size(), n)
        self._base = Baseline(n, tick / _HOUR)
        self._heat, self._lull = Streak(n, self._delay), Streak(n, 0)
        self._held = np.zeros((self._ladder.depth, n), np.bool_)
        self._score: Floats = np.zeros(n)
        wide = sorted({max(minutes * timedelta(minutes=1) / tick, 1.0) for minutes in _MINUTES})
        self._widths: Floats = np.array([[w] for w in wide if w < self._ring.size - 1] or [[1.0]])
        self._past: Past | None = None

    def close(self, at: datetime, counts: Mapping[str, float | None]) -> None:
        """One bucket `[at, at + tick)` is complete; None, or no entry, is a gap in the feed and teaches nothing.

        Buckets left out since the last call are gaps of all services. A bucket that was closed before is ignored.
        """
        bucket = self._bucket(at)
        if self._ring.end and bucket < self._ring.end:
            return
        self._skip_to(bucket)
        given = _clean(np.array([counts.get(name) for name in self._names], np.float64))
        self._push(given)
        self._weigh(self._all, np.zeros(len(self._names)), 0.0)
        self._notice_change()
        if self._past is not None:
            self._past.push(given)

    def judge(self, now: datetime, running: Mapping[str, float], only: Collection[str] | None = None) -> list[Verdict]:
        """The verdict on every service, or on those in `only`, calm ones included.

        `running` holds the counts since the last closed bucket ended; they are held against the part of the usual that
        was due since then.
        """
        names = self._names if only is None else tuple(name for name in only if name in self._at)
        if not names:
            return []
        columns = self._all if only is None else np.array([self._at[name] for name in names], np.intp)
        fresh = np.nan_to_num(_clean(np.array([running.get(name, 0.0) for name in names], np.float64)))
        part = self._passed(now)
        windows = self._weigh(columns, fresh, part)
        return [
            self._verdict(int(column), windows[:, :, k], _Running(now, float(fresh[k]), part))
            for k, column in enumerate(columns)
        ]

    def hot(self, series: str) -> bool:
        """True while the counts of a service are, or were within half an hour, too unusual to learn from."""
        return series in self._at and bool(self._heat.recent[self._at[series]])

    def usual(self, series: str, start: datetime, n: int) -> tuple[Floats, Floats, Floats]:
        """Usual count, and the low and high end of ordinary noise, of n buckets from `start`; NaN where not known."""
        if series not in self._at:
            nothing = np.full(n, np.nan)
            return nothing, nothing, nothing
        return self._base.curve(self._at[series], self._bucket(start), n)

    def score_row(self, series: str) -> Row:
        """The bucket that was closed last. The first call begins the memory that rarity is measured against."""
        if self._past is None:
            self._past = Past(len(self._names), self._tick)
            self._past.push(self._newest())
        column = self._at[series]
        seen, due, _ = self._ring.last(1)[:, column].tolist()
        return Row(
            seen=seen if due > 0 else None,
            usual=due if due > 0 and self._base.known[column] else None,
            score=float(self._score[column]),
            level=self._level(column)[0],
            rarity=self._past.rarity(column),
        )

    def resize(self, rules: Mapping[str, Sequence[Rule]]) -> Surge:
        """A judge by new rules that remembers the services which stay."""
        other = type(self)(rules, self._tick)
        other._recall(self._memory())  # noqa: SLF001 - another of the same kind
        return other

    def snapshot(self) -> bytes:
        """Everything remembered, for `restore`; rarity, which only a replay asks for, begins anew."""
        return keep.pack(self._memory())

    @classmethod
    def restore(cls, blob: bytes, rules: Mapping[str, Sequence[Rule]], tick: timedelta) -> Self:
        """The judge that was saved, by these rules; starts empty from a blob of another version, tick or making."""
        surge = cls(rules, tick)
        memory = keep.unpack(blob, surge._axes())
        if memory is not None and memory.tick == tick.total_seconds():
            surge._recall(memory)
        return surge

    def _size(self) -> int:
        reach = min(_MOST_BUCKETS, max(ceil(_REACH / self._tick), self._delay + 1))
        return max(reach, ceil(float(self._ladder.widths.max(initial=1.0)))) + 2

    def _bucket(self, at: datetime) -> int:
        return round(at.timestamp() / self._tick.total_seconds())

    def _time(self, bucket: int) -> datetime:
        return datetime.fromtimestamp(bucket * self._tick.total_seconds(), UTC)

    def _passed(self, now: datetime) -> float:
        if not self._ring.end:
            return 0.0
        return min(max((now - self._time(self._ring.end)) / self._tick, 0.0), 1.0)

    def _skip_to(self, bucket: int) -> None:
        if not self._ring.end:
            self._ring.end = bucket
        gap = np.full(len(self._names), np.nan)
        for _ in range(min(bucket - self._ring.end, self._ring.size)):
            self._push(gap)
            if self._past is not None:
                self._past.push(gap)
        if bucket > self._ring.end:
            self._ring.jump(bucket)

    def _push(self, counts: Floats) -> None:
        heard = ~np.isnan(counts)
        self._ring.push(np.where(heard, (counts, *self._base.due(self._ring.end)), 0.0))
        if self._ring.depth > self._delay:
            self._learn()

    def _learn(self) -> None:
        """Learn the bucket that has come of age; what was hot is cut down to a little more than the usual."""
        block_seen, block_due, _ = self._ring.last(self._delay + 1)
        lift = np.where(self._base.learned < GROWN_AFTER, 4.0, 1.2)
        most = lift * block_due + 2 * np.sqrt(np.maximum(block_due, 0.0)) + 0.5
        hot = self._heat.recent
        bucket = self._ring.last(1, skip=self._delay)
        bucket[0] *= np.where(hot & (block_seen > most), most / np.maximum(block_seen, 1.0), 1.0)
        number = self._ring.end - self._delay - 1
        self._base.learn(number, bucket, ~hot, block=number % self._delay == 0)

    def _weigh(self, columns: Columns, fresh: Floats, part: float) -> Floats:
        """Bring scores and levels of some series up to date; answers seen and due by level window, (2, levels, k)."""
        spans = np.repeat(self._widths, len(columns), axis=1)
        widths = np.maximum(np.concatenate((spans, self._ladder.widths[:, columns])) - part, 0.0)
        windows = self._ring.window(widths, columns)
        windows[0] += fresh
        if part:
            windows[1] += self._base.due(self._ring.end)[0, columns] * part
        scored, levels = np.split(windows, [len(spans)], axis=1)
        score = self._base.score(scored, columns)
        held = self._ladder.hold(self._held[:, columns], levels, score, self._base.known[columns], columns)
        self._score[columns], self._held[:, columns] = score, held
        return levels

    def _notice_change(self) -> None:
        """Keep track of what is hot or much too quiet, and call it the new usual after a day and a half."""
        self._heat.note(self._score > _HOT)
        self._lull.note(self._base.known & (self._base.raw_level < _LULL))
        lasting = _NEW_NORMAL / self._tick
        stale = (self._heat.age >= lasting) | (self._lull.age >= lasting)
        if stale.any():
            seen, due, _ = self._ring.last(self._ring.depth)
            factor = np.clip((seen + 5) / (due + 5), 0.1, 1e3)
            self._base.adopt(stale & (seen > 0), factor)
            self._ring.rescale(stale & (seen > 0), factor)
            self._heat.end(stale)
            self._lull.end(stale)

    def _level(self, column: int) -> tuple[str, int]:
        """The highest level that holds, and its rank; the mildest rank when none does."""
        ranks = np.flatnonzero(self._held[:, column])
        return (self._ladder.rules[column][ranks[-1]].level, int(ranks[-1])) if len(ranks) else ("", 0)

    def _verdict(self, column: int, windows: Floats, running: _Running) -> Verdict:
        level, rank = self._level(column)
        rules = self._ladder.rules[column]
        count, usual = windows[:, rank].tolist()
        known = bool(self._base.known[column]) and usual > 0
        numbers = Numbers(
            count=round(count),
            within=rules[rank].within if rules else self._tick,
            usual=usual if known else None,
            times=count / max(usual, LEAST_USUAL) if known else None,
            score=float(self._score[column]),
        )
        since = self._since(column, rank, running) if level else None
        rule = rules[rank].sentence() if level else ""
        return Verdict(series=self._names[column], level=level, since=since, numbers=numbers, rule=rule)

    def _since(self, column: int, rank: int, running: _Running) -> datetime:
        """When the present excess began, as far back as the ring reaches."""
        depth = min(self._ring.depth, ceil(_REACH / self._tick))
        seen, due, _ = np.diff(self._ring.history(depth, column), axis=1)
        due_now = self._base.due(self._ring.end)[0, column] * running.part
        seen, due = np.append(seen, running.seen), np.append(due, due_now)
        if not self._base.known[column]:
            due = unknown_usual(seen, due)
        grace = ceil(self._ladder.widths[rank, column])
        start = onset(seen, due, float(self._base.spread[column]), grace)
        return min(self._time(self._ring.end - depth + start), running.now) if self._ring.end else running.now

    def _memory(self) -> keep.Memory:
        held = {
            name: [rule.level for rule, on in zip(self._ladder.rules[c], self._held[:, c], strict=False) if on]
            for c, name in enumerate(self._names)
        }
        return keep.Memory(
            tick=self._tick.total_seconds(),
            names=self._names,
            end=self._ring.end,
            hours=(self._base.hour, self._base.rates_hour),
            held=held,
            columns=self._columns() | {"ring": self._ring.history(self._ring.depth)},
        )

    def _columns(self) -> dict[str, Floats]:
        parts = {"base": self._base.columns(), "heat": self._heat.columns(), "lull": self._lull.columns()}
        return {f"{part}.{name}": array for part, columns in parts.items() for name, array in columns.items()}

    def _newest(self) -> Floats:
        seen, due, _ = self._ring.last(1)
        return np.where(due > 0, seen, np.nan)

    def _axes(self) -> dict[str, tuple[int, ...]]:
        return {name: array.shape[:-1] for name, array in self._columns().items()} | {"ring": (3, -1)}

    def _recall(self, memory: keep.Memory) -> None:
        shared = [name for name in self._names if name in memory.names]
        here = np.array([self._at[name] for name in shared], np.intp)
        there = np.array([memory.names.index(name) for name in shared], np.intp)
        for name, array in self._columns().items():
            array[..., here] = memory.columns[name][..., there]
        self._base.hour, self._base.rates_hour = memory.hours
        self._base.refresh()
        self._ring.recall(memory.end, memory.columns["ring"][..., there], here)
        for name in shared:
            column = self._at[name]
            for rank, rule in enumerate(self._ladder.rules[column]):
                self._held[rank, column] = rule.level in memory.held[name]


def _clean(counts: npt.NDArray[np.float64]) -> Floats:
    """Counts as they can be: what is no number is a gap."""
    return np.clip(np.where(np.isfinite(counts), counts, np.nan), 0.0, _MOST)
