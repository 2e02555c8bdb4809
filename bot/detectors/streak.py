"""How long something has gone on, forgiving short pauses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bot.detectors.ring import Floats

_NEVER = 1e9


class Streak:
    """Counts buckets per series: `age` since it began, `idle` since it was last so; pauses up to `patience` count on."""

    def __init__(self, series: int, patience: int) -> None:
        self.patience = patience
        self.age: Floats = np.zeros(series)
        self.idle: Floats = np.full(series, _NEVER)

    def columns(self) -> dict[str, Floats]:
        """Everything remembered, by name; the arrays themselves."""
        return {"age": self.age, "idle": self.idle}

    def note(self, true: npt.NDArray[np.bool_]) -> None:
        """One more bucket, in which it was so or not, shape (n,)."""
        np.copyto(self.idle, np.where(true, 0.0, self.idle + 1.0))
        np.copyto(self.age, np.where(self.recent, self.age + 1.0, 0.0))

    @property
    def recent(self) -> npt.NDArray[np.bool_]:
        """True where it was so within the last `patience` buckets."""
        return self.idle <= self.patience

    def end(self, which: npt.NDArray[np.bool_]) -> None:
        """Call it over for some series."""
        self.age[which] = 0.0
        self.idle[which] = _NEVER
