"""The levels of the config, held against counts: which of them hold, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import inf, log

import msgspec
import numpy as np

from bot.detectors.ring import ONE, ZERO, Columns, Flags, Floats, fixed
from bot.detectors.tail import HEALTHY

KEEP = 0.7
"""A level that holds goes on holding down to this part of each of its conditions, so that a hovering count is one level."""
LEAST_USUAL = 0.5
"""Reports per window: a smaller usual counts as this much when a count is called a multiple of it."""
_KEPT, _LEAST_USUAL = fixed(KEEP), fixed(LEAST_USUAL)
_MONTH = 720.0  # hours
_RARE = 0.15  # alarms an hour by chance beyond `HEALTHY` nats: one hour in ten is, and true tails fall slower
_WITHIN = timedelta(minutes=15)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One level of one service: it holds when every condition given holds, and never when none is given.

    `reports` is the least count within `within`, `times` the least multiple of the usual count of that window, and
    `alarms` the most false alarms a month. `line` says where it stands: `config.yaml:41`.
    """

    level: str
    reports: int | None = None
    within: timedelta
    times: float | None = None
    alarms: float | None = None
    line: str = ""

    def sentence(self) -> str:
        """The rule in words, with its place in the config."""
        parts = []
        if self.reports is not None:
            parts.append(f"at least {self.reports} reports within {_words(self.within)}")
        if self.times is not None:
            window = "" if parts else f" within {_words(self.within)}"
            parts.append(f"at least {self.times:g} times the usual{window}")
        if self.alarms is not None:
            parts.append(f"so rare that chance brings it at most {_often(self.alarms)} a month")
        return f"{self.level}: {', '.join(parts)}" + (f" ({self.line})" if self.line else "")

    def nats(self) -> float:
        """The evidence that keeps chance within `alarms`.

        Scores are measured so that in one hour of ten the highest is above `HEALTHY`, and each further nat makes that
        e times rarer: what is left is to count the alarms of a month.
        """
        if self.alarms is None:
            return -inf
        return HEALTHY + max(log(_RARE * _MONTH / self.alarms), 0.0) if self.alarms > 0 else inf


class Ladder:
    """The rules of all series as columns of shape (levels, n), mildest first; shorter ladders are padded at the end.

    `lasting`, shape (n,), is True where even the mildest level asks for more than a plain count: such a level holds
    until things are as usual again, not merely until the count has gone down. `even` are the widths of the windows by
    level in whole buckets, when they are the same for all. `spans` are the windows of each series as they are written,
    a bucket where it has no levels.
    """

    def __init__(self, rules: Sequence[Sequence[Rule]], tick: timedelta) -> None:
        self.rules = rules
        self.spans = [tuple(rule.within for rule in ladder) or (tick,) for ladder in rules]
        self.depth = max((len(ladder) for ladder in rules), default=0) or 1
        shape = (self.depth, len(rules))
        self.real = np.zeros(shape, np.bool_)
        self.plain = np.zeros(shape, np.bool_)
        self.lasting = np.zeros(len(rules), np.bool_)
        self.reports, self.times, self.nats = (np.full(shape, -inf, np.float32) for _ in range(3))
        self.widths = np.full(shape, max(_WITHIN / tick, 1.0), np.float32)
        for column, ladder in enumerate(rules):
            for rank, rule in enumerate(ladder):
                self._fill(rank, column, rule, tick)
        self.even = self._even()

    def hold(self, held: Flags, windows: Floats, score: Floats, known: Flags, columns: Columns | slice) -> Flags:
        """Which levels hold now, shape (levels, k).

        Args:
            held: which held before, shape (levels, k).
            windows: seen and due in each level's window, shape (2, levels, k).
            score: evidence in nats, shape (k,).
            known: True where a usual is known, shape (k,). Where it is not, only `reports` can be judged, and a level
                without it does not hold.
            columns: the series that are judged.
        """
        seen, due = windows
        part = np.where(held, _KEPT, ONE)
        enough = (seen > ZERO) & (seen >= part * self.reports[:, columns])
        lifted = seen >= part * self.times[:, columns] * np.maximum(due, _LEAST_USUAL)
        unusual = lifted & (score >= part * self.nats[:, columns])
        holds: Flags = self.real[:, columns] & enough & np.where(known, unusual, self.plain[:, columns])
        return holds

    def _fill(self, rank: int, column: int, rule: Rule, tick: timedelta) -> None:
        here = rank, column
        self.widths[here] = max(rule.within / tick, 1.0)
        self.real[here] = (rule.reports, rule.times, rule.alarms) != (None, None, None)
        self.plain[here] = rule.reports is not None
        self.reports[here] = -inf if rule.reports is None else rule.reports
        self.times[here] = -inf if rule.times is None else rule.times
        self.nats[here] = rule.nats()
        if not rank:
            self.lasting[column] = rule.times is not None or rule.alarms is not None

    def _even(self) -> tuple[int, ...]:
        """The widths by level in whole buckets, where all series have the same; empty where they do not."""
        first = self.widths[:, :1]
        same = bool(first.size) and bool((self.widths == first).all()) and bool((first % 1 == 0).all())
        return tuple(int(width) for width in first[:, 0]) if same else ()


def _words(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _often(times: float) -> str:
    return {1.0: "once", 2.0: "twice"}.get(times, f"{times:g} times")
