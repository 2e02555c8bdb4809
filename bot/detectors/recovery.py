"""When it is over: a sequential test of `as usual again` against `still a good part of how bad it was`."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from bot.detectors.ring import ONE, ZERO, Columns, Flags, Floats, blank, clipped, fixed, places

_ENOUGH = fixed(4.0)  # nats for `as usual again`
_PATIENCE = fixed(10.0)  # nats more that the faintest evidence asks for
_FAINT, _FIRM = fixed(6.0), fixed(20.0)  # nats of evidence at the most: faint, and asking for no more patience
_ON, _OFF = fixed(0.65), fixed(0.2)  # of the worst lift: still trouble, and the last echoes of it
_BETWEEN = 0.38  # of the worst lift: where the test is undecided
_LEAST = fixed(1.25)  # the least lift that counts as trouble
_HIGHEST = fixed(1e6)  # lifts above are not told apart
_LATEST = timedelta(hours=2)  # without the level's own conditions, after which a trickle is no trouble any more
_NEVER = fixed(1e6)
_SOONEST, _NEAR = timedelta(minutes=6), timedelta(minutes=3)  # the least age of what ends; the last minutes
_WARY, _WARY_NATS = timedelta(hours=2), fixed(5.0)  # after a recovery, in which its last echoes must not open it again
_DOUBT = fixed(8.0)  # how much a doubtful usual slows the test
_STILL, _SLACK = fixed(3.0), fixed(2.0)  # times the usual, and reports besides, of the last minutes: more is no calm


class Recovery:
    """The test of n series, of which only those in trouble take part.

    State, (n,) each: `on` 1.0 in trouble; `age` buckets since it began and `idle` since a level's own conditions held;
    `worst` the highest lift of a window, and `firm` the most evidence for it in nats; `calm` nats gathered for calm,
    never below none: fast after a great outage, patient on thin evidence. `rest` buckets since the last recovery.
    """

    def __init__(self, series: int, tick: timedelta) -> None:
        self.on, self.age, self.idle, self.worst, self.calm = (blank(series) for _ in range(5))
        self.firm: Floats = blank(series)
        self.rest: Floats = blank(series) + _NEVER
        self.near = max(round(_NEAR / tick), 1)
        self._soonest, self._latest, self._wary = (fixed(span / tick) for span in (_SOONEST, _LATEST, _WARY))

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves."""
        names = ("on", "age", "idle", "worst", "calm", "firm", "rest")
        return {name: getattr(self, name) for name in names}

    def begin(self, which: Flags, lift: Floats, nats: Floats) -> None:
        """Some series are in trouble now, with their present lift and evidence, shape (n,); those that were stay so.

        What relapses soon after a recovery is measured by what it was: it is the tail of the same trouble.
        """
        fresh = which & (self.on == ZERO)
        self.age[fresh] = self.calm[fresh] = 0.0
        new = fresh & (self.rest >= self._wary)
        self.worst[new] = self.firm[new] = 0.0
        self.on[which] = 1.0
        self.idle[which] = 0.0
        np.maximum(self.worst, np.minimum(lift, _HIGHEST), out=self.worst, where=which)
        np.maximum(self.firm, nats, out=self.firm, where=which)

    def note(self, seen: Floats, due: Floats, spread: Floats, doubt: Floats, lately: Floats) -> Flags:
        """One more bucket, shape (n,) each; answers which series have recovered in it. A gap says nothing.

        `lately`, (2, n), is what came in the last `near` buckets and what was due in them: however surely a trouble is on
        its way out, nobody calls more than three times the usual calm.
        """
        np.minimum(self.rest, _NEVER, out=self.rest)
        column = places(self.on)
        recovered = np.zeros(len(self.on), np.bool_)
        if len(column):
            self.age[column] += ONE
            self.idle[column] += ONE
            y, mu = seen[column], due[column]
            above = self.worst[column] - ONE
            echo = ONE + _OFF * above
            lift = np.maximum(ONE + _ON * above, _LEAST)
            gain = (mu * (lift - echo) - y * np.log(lift / echo)) / (spread[column] + _DOUBT * doubt[column] * mu)
            self.calm[column] = np.maximum(self.calm[column] + gain, ZERO)
            enough = _ENOUGH + _PATIENCE * clipped((_FIRM - self.firm[column]) / (_FIRM - _FAINT), ZERO, ONE)
            calm = (self.calm[column] >= enough) & (self.age[column] >= self._soonest)
            calm &= lately[0][column] <= _STILL * lately[1][column] + _SLACK
            recovered[column] = calm | (self.idle[column] > self._latest)
            self.on[recovered] = 0.0
            self.rest[recovered] = -1.0
        self.rest += ONE
        return recovered

    @property
    def over(self) -> Flags:
        """True where a trouble ended so lately that it may have left echoes, shape (n,)."""
        over: Flags = (self.on == ZERO) & (self.rest < self._wary)
        return over

    def echo(self, seen: Floats, due: Floats) -> Floats:
        """Reports beyond what is due that series which have just recovered may go on to bring, shape (n,).

        `seen` and `due` are those of the last few buckets, and so is the answer.
        """
        still = np.maximum(seen - due + 2 * np.sqrt(seen + 1), 0.0)
        most: Floats = np.minimum(due * (self.worst - 1.0) * _BETWEEN, still)
        return most

    def wary(self, columns: Columns | slice) -> Floats:
        """Nats that an excess must bring beyond what is asked, soon after a recovery; shape (k,)."""
        nats: Floats = np.maximum(ONE - self.rest[columns] / self._wary, ZERO) * _WARY_NATS
        return nats

    @property
    def doubtful(self) -> Flags:
        """True where a trouble is on, and no level's own conditions have held for some minutes, shape (n,)."""
        doubtful: Flags = (self.on > 0) & (self.idle > self._soonest)
        return doubtful

    def end(self, which: Flags) -> None:
        """Call it over without a test."""
        self.on[which] = self.rest[which] = 0.0
