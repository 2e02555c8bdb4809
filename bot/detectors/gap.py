"""Feeds that fall silent: what a gap kept back is no spike when it comes, and a dead feed is no calm."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import numpy as np

from bot.detectors.ring import ONE, ZERO, Flags, Floats, blank, clipped, fixed, some

_GRACE = timedelta(minutes=3)  # after a gap, in which what was missed may come at once
_LONGEST = timedelta(hours=6)  # of a gap, whose reports may still come
_TRACE = 1e-6
_PROVE = 0.99  # reports that must be missing at least to prove a nat, whatever the noise
_FEW = np.float32(1 / 3)  # of the usual, as which a holiday may well pass
DEAD, HUSHED = 12.0, 4.0
"""Nats against so many reports missing by chance: the feed must be broken; it may be, and proves no calm."""


class Gap:
    """What n series owe.

    State, (n,) each: `owed` reports expected in the last gap; `since` buckets after it; `missing` reports expected since
    one was last heard, and `unheard` since one was of any series at all, which no snapshot keeps.
    """

    def __init__(self, series: int, tick: timedelta) -> None:
        self.owed, self.missing, self.unheard = blank(series), blank(series), blank(series)
        self.since: Floats = blank(series) + 1e6
        self._grace = fixed(ceil(_GRACE / tick))
        self._longest = max(_LONGEST / tick, 1.0)

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves."""
        return {"owed": self.owed, "since": self.since, "missing": self.missing}

    def allow(self, seen: Floats, due: Floats) -> Floats:
        """What may come beyond `due` in this bucket because it was kept back, shape (n,)."""
        near = self.since < self._grace
        if not some(near):
            return np.zeros_like(due)
        allowed: Floats = np.where(near, clipped(seen - due, 0.0, self.owed), 0.0)
        return allowed

    def note(self, seen: Floats, due: Floats, heard: Flags, festive: Flags) -> Floats:
        """One more bucket; answers what was due in it with what was owed, 0 in a gap; shape (n,) each.

        In a holiday (`festive`) a third of what is due counts as missing: few may report then, and no feed is broken.
        """
        if not some(~heard) and not some(self.since < self._grace):  # no gap far and wide
            self.owed[:] = 0.0
            self.since += ONE
            self._miss(seen, due, festive)
            return due
        allowed = self.allow(seen, due) * heard
        self.owed += np.where(heard, -allowed, due)
        np.minimum(self.owed, due * self._longest, out=self.owed)
        self.since += 1.0
        self.since[~heard] = 0.0
        self.owed[self.since >= self._grace] = 0.0
        self._miss(seen, due * heard, festive)
        total: Floats = (due + allowed) * heard
        return total

    def hear(self, which: Flags) -> None:
        """Somebody reported in these series, and so something is heard at all."""
        self.missing[which] = 0.0
        if some(which):
            self.unheard[:] = 0.0

    def excuse(self) -> None:
        """Nobody was listening: what is missing is missing by our own fault, and says nothing of any feed."""
        self.missing[:] = self.unheard[:] = 0.0

    def dead(self, spread: Floats, doubt: Floats, nats: float = DEAD) -> Flags:
        """True where so many reports are missing that the feed must be broken, or may be."""
        if not some(self.missing > _PROVE * nats):
            return np.zeros(len(self.missing), np.bool_)
        silent: Flags = _against(self.missing, spread, doubt) > nats
        return silent

    def still(self, spread: Floats, doubt: Floats, known: Flags, nats: float) -> bool:
        """True when so many reports are missing in all series together: whatever they come through may be broken."""
        if not some(self.unheard):
            return False
        due = self.unheard * known
        missing = due.sum()
        if missing <= _PROVE * nats:
            return False
        shares = due / max(missing, _TRACE)
        return bool(_against(missing, shares @ spread, shares @ doubt) > nats)

    def _miss(self, seen: Floats, due: Floats, festive: Flags) -> None:
        sure = np.where(festive, due * _FEW, due) if some(festive) else due
        self.missing += sure
        self.unheard += sure
        self.hear(seen > ZERO)


def _against(missing: Floats, spread: Floats, doubt: Floats) -> Floats:
    """Nats against so many reports missing by chance."""
    clump = np.maximum((spread - 1.0) / np.maximum(missing, _TRACE) + doubt, _TRACE)
    nats: Floats = np.log1p(clump * missing) / clump
    return nats
