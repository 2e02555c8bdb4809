"""How long something has gone on, forgiving short pauses."""

from __future__ import annotations

import numpy as np

from bot.detectors.ring import ONE, Flags, Floats, blank, fixed

_NEVER = fixed(1e6)


class Streak:
    """Counts buckets per series: `age` since it began, `idle` since it was last so; pauses up to `patience` count on."""

    def __init__(self, series: int, patience: int) -> None:
        self.patience = fixed(patience)
        self.age: Floats = blank(series)
        self.idle: Floats = blank(series) + _NEVER

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves."""
        return {"age": self.age, "idle": self.idle}

    def note(self, true: Flags) -> None:
        """One more bucket, in which it was so or not, shape (n,)."""
        self.idle += ONE
        self.idle[true] = 0.0
        np.minimum(self.idle, _NEVER, out=self.idle)
        self.age += ONE
        self.age[self.idle > self.patience] = 0.0

    @property
    def recent(self) -> Flags:
        """True where it was so within the last `patience` buckets."""
        recent: Flags = self.idle <= self.patience
        return recent

    def end(self, which: Flags) -> None:
        """Call it over for some series."""
        self.age[which] = 0.0
        self.idle[which] = _NEVER
