"""How far counts stray from what is due: how clumped reports come, and how wrong the expectation itself is."""

from __future__ import annotations

import numpy as np

from bot.detectors.ring import ONE, Flags, Floats, blank, clipped, fixed, some

_SPREAD_PRIOR, _SPREAD_MOST = fixed(20.0), fixed(20.0)
_SPREAD_OF_PRIOR = fixed(1.2 * 20.0)
_DOUBT, _DOUBT_PRIOR, _DOUBT_LEAST, _DOUBT_MOST = 0.03, 24.0, 0.004, 0.5
_DOUBT_YOUNG = 0.1  # added doubt of a baseline that has only just become known
_DOUBT_HOLIDAY = np.float32(0.06)  # added doubt of any usual on a holiday
_LIFE = 168.0  # hours until a lesson weighs half


class Noise:
    """The noise of n series: the variance of a count is `spread * due + doubt * due**2`.

    State, (n,) each: `stray` and `strayed`, squared misses and what was due; `block` (2, n), seen and due of the half
    hour; `miss` and `missed`, its squared relative error beyond chance, and the weight of that; `learned`, the doubt that
    follows, to which a holiday adds.
    """

    def __init__(self, series: int) -> None:
        self.stray, self.strayed, self.miss, self.missed = (blank(series) for _ in range(4))
        self.block = blank(2, series)
        self.learned: Floats = blank(series) + (_DOUBT + _DOUBT_YOUNG)
        self.festive: Flags = np.zeros(series, np.bool_)
        self.refresh()

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        own = {name: getattr(self, name) for name in ("stray", "strayed", "miss", "missed", "block")}
        return own | {"doubt": self.learned}

    def refresh(self) -> None:
        """Work out what follows from the columns, after they were written from outside."""
        spread = (self.stray + _SPREAD_OF_PRIOR) / (self.strayed + _SPREAD_PRIOR)
        self.spread: Floats = clipped(spread, ONE, _SPREAD_MOST)
        self.doubt: Floats = self.learned
        if some(self.festive):
            self.doubt = self.learned + _DOUBT_HOLIDAY * self.festive

    def mark(self, festive: Flags) -> None:
        """Take the usual of some series as less sure, shape (n,), and of the others no more."""
        if self.festive is not festive:
            self.festive = festive
            self.refresh()

    def learn(self, seen: Floats, due: Floats, sure: Flags, hours: float) -> None:
        """Take in a bucket of so many hours, of the series whose usual is `sure`."""
        fade = fixed(0.5 ** (hours / _LIFE))
        self.stray *= fade
        self.strayed *= fade
        miss = seen - due
        miss *= miss
        np.add(self.stray, miss, out=self.stray, where=sure)
        np.add(self.strayed, due, out=self.strayed, where=sure)
        self.refresh()
        np.add(self.block[0], seen, out=self.block[0], where=sure)
        np.add(self.block[1], due, out=self.block[1], where=sure)

    def end_block(self, young: Floats) -> None:
        """A block of half an hour is over; `young` (n,) is 1 for a usual just known, 0 for a grown one."""
        seen, due = self.block
        error = clipped(((seen - due) ** 2 - self.spread * due) / np.maximum(due, 1e-9) ** 2, -1.0, 1.0)
        weight = (_DOUBT * due / (self.spread + _DOUBT * due)) ** 2
        fade = 0.5 ** (0.5 / _LIFE)
        self.miss *= fade
        self.miss += weight * error
        self.missed *= fade
        self.missed += weight
        self.block[:] = 0.0
        doubt = (self.miss + _DOUBT * _DOUBT_PRIOR) / (self.missed + _DOUBT_PRIOR)
        self.learned[:] = clipped(doubt, _DOUBT_LEAST, _DOUBT_MOST) + young * _DOUBT_YOUNG
        self.refresh()
