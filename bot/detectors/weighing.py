"""Holds what every series has lived through against the levels: how strong the evidence is, and which of them hold."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt

from bot.detectors.history import History
from bot.detectors.levels import Ladder
from bot.detectors.recovery import Recovery
from bot.detectors.ring import ONE, ZERO, Columns, Flags, Floats, blank, fixed, named, places, some
from bot.detectors.scan import Found, Running, Scan
from bot.detectors.tail import Tail

_SIGN = 2.0  # nats that the counts themselves must give before others' words add to them
_LEEWAY = fixed(3.0)  # nats by which the lift of a window may be less than it looks


class Weighing:
    """The evidence of n series, and the levels that it upholds.

    State: `score` (n,) nats, `held` (levels, n) True for the levels that hold, and those of its tail and its recovery.
    `lean` (n,) are the nats that others add. `stale` is True when something was told since everything was weighed.
    """

    def __init__(self, history: History, ladder: Ladder, tick: timedelta) -> None:
        n = ladder.real.shape[1]
        self._history, self._ladder = history, ladder
        self._ring, self._base = history.ring, history.base
        self._all: Columns = np.arange(n)
        self._scan = Scan(tick, self._ring.size - 2)
        self.tail, self.recovery = Tail(n), Recovery(n, tick)
        self.lean: Floats = blank(n)
        self.held = np.zeros((ladder.depth, n), np.bool_)
        self.score: Floats = blank(n)
        self.stale = True

    def columns(self) -> dict[str, Floats]:
        """Everything remembered but which levels hold, by name; the arrays themselves."""
        return named({"tail": self.tail, "recovery": self.recovery}) | {"score": self.score}

    def ranks(self, columns: Columns | slice = slice(None)) -> npt.NDArray[np.intp]:
        """The rank of the highest level that holds, shape (k,); -1 when calm."""
        held = self.held[:, columns]
        ranks = np.full(held.shape[1], -1, np.intp)
        for rank, holds in enumerate(held):
            ranks[holds] = rank
        return ranks

    def close(self, number: int) -> None:
        """A bucket was closed: end what has recovered, and bring scores, levels and tails up to date."""
        base, noise, recovery = self._base, self._base.noise, self.recovery
        seen, due = self._ring.last(1)
        over = recovery.note(seen, due, noise.spread, noise.doubt, self._ring.last(recovery.near))
        if some(over):
            self._begin_anew(over)
        found = self._scan.all(self._ring, noise, base.known, self._history.echo)
        np.copyto(self.score, self.tail.judge(found.nats, slice(None)))
        self._settle(self._all, self._since_restart(self._windows(self._all, None), self._all, None), found)
        self.tail.note(found.nats, base.known & ~noise.festive)
        if int((number + 1) * base.tick) != int(number * base.tick):
            self.tail.hour()
        self._history.note(self.score, recovery.on > ZERO)
        self.stale = False

    def weigh(self, columns: Columns, fresh: Floats, part: float) -> Floats:
        """Bring scores and levels of some series up to date; answers seen and due by level window, (2, levels, k)."""
        if not (part or self.stale or some(fresh)) and self._ring.end:
            return self._windows(columns, None, part)
        running = np.array([fresh, self._history.running(columns, fresh, part)], np.float32)
        fresh_bucket = Running(running, part, self._history.echo)
        found = self._scan.some(self._ring, self._base.noise, self._base.known, columns, fresh_bucket)
        self.score[columns] = self.tail.judge(found.nats, columns)
        windows = self._windows(columns, running, part)
        self._settle(columns, self._since_restart(windows, columns, running, part), found)
        return windows

    def end_doubtful(self, over: Floats) -> None:
        """End every trouble of which nothing but doubt is left, if it was on already so many buckets ago, shape (n,).

        No level's own conditions held of late; that it is over is only not certain yet, as where counts are thin.
        """
        doubtful = self.recovery.doubtful & (self.recovery.age > over)
        if some(doubtful):
            self.recovery.end(doubtful)
            self._begin_anew(doubtful)

    def _begin_anew(self, over: Flags) -> None:
        """What has recovered is judged by what comes from now on, but for its echoes."""
        self._ring.restart(over)
        near = self.recovery.near
        self._history.echo.begin(over, self.recovery.echo(*self._ring.last(near)) / near)
        self.held[:, over] = False

    def _windows(self, columns: Columns, running: Floats | None, part: float = 0.0) -> Floats:
        """Seen and due in the window of each level, shape (2, levels, k)."""
        widths = self._ladder.widths
        if running is None and len(columns) == widths.shape[1] and self._ladder.even:
            now, whole = self._ring.now, blank(2, *widths.shape)
            for level, width in enumerate(self._ladder.even):
                np.subtract(now, self._ring.before(width), out=whole[:, level])
            return whole
        windows = self._ring.window(np.maximum(widths[:, columns] - part, 0.0), columns)
        return windows if running is None else windows + running[:, None]

    def _since_restart(self, windows: Floats, columns: Columns, running: Floats | None, part: float = 0.0) -> Floats:
        """The windows without anything from before the last restart, and without the echoes of what was over then."""
        fresh = self._ring.now - self._ring.floor
        if len(columns) != fresh.shape[1]:
            fresh = fresh[:, columns]
        if running is not None:
            fresh = fresh + running
        newer: Floats = np.minimum(windows, fresh[:, None])
        echo = self._history.echo
        at = places(echo.rate[columns])
        if not len(at):
            return newer
        old = echo.within(np.maximum(self._ladder.widths[:, columns[at]] - part, 0.0), columns[at], part)
        newer[0][:, at] = np.maximum(newer[0][:, at] - old, 0.0)
        return newer

    def _settle(self, columns: Columns, windows: Floats, found: Found) -> None:
        """Which levels hold now; trouble that began goes on until it has recovered."""
        whole = len(columns) == len(self._all)
        known = self._base.known if whole else self._base.known[columns]
        held = self.held if whole else self.held[:, columns]
        score = self.score if whole else self.score[columns]
        which = slice(None) if whole else columns
        lean, wary = self.lean[which], self.recovery.wary(which)
        if some(lean):
            score = np.where(score > _SIGN, score + lean, score)
        if some(wary):
            score = np.where(held.any(axis=0), score, score - wary)
        now = self._ladder.hold(held, windows, score, known, which)
        self._begin(columns, now.any(axis=0) & known & self._ladder.lasting[columns], found)
        now[0] |= (self.recovery.on if whole else self.recovery.on[columns]) > ZERO
        self.held[:, which] = now

    def _begin(self, columns: Columns, which: Flags, found: Found) -> None:
        if some(which):
            trouble, worst = np.zeros(len(self._all), np.bool_), blank(len(self._all))
            trouble[columns], worst[columns] = which, _sure(found)
            self.recovery.begin(trouble, worst, self.score)


def _sure(found: Found) -> Floats:
    """The lift that the evidence bears out at least."""
    part = ONE - np.sqrt(_LEEWAY / np.maximum(found.nats, _LEEWAY))
    sure: Floats = ONE + np.maximum(found.lift - ONE, ZERO) * part
    return sure
