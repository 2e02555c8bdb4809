"""What the board reads of the engine: plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.model import Case, Service
from bot.core.silence import Silences
from bot.detectors.graded import Watched
from bot.detectors.levels import Rule
from bot.detectors.surge import Surge
from bot.detectors.verdict import Verdict
from bot.ports import Watch


class Counted(Protocol):
    """What the counts say."""

    surge: Surge
    silences: Silences

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The newest verdict on every service."""
        ...


class Heard(Protocol):
    """What the watches say, by service and name."""

    watched: dict[tuple[str, str], Watched]
    asked: dict[tuple[str, str], datetime]


class Known(Protocol):
    """The engine as seen from here: plain values to read."""

    services: Mapping[str, Service]
    watches: Mapping[str, Mapping[str, Watch]]
    cases: dict[str, Case]
    rules: Mapping[str, Sequence[Rule]]
    tick: timedelta

    @property
    def crowd(self) -> Counted:
        """The counts."""
        ...

    @property
    def witnesses(self) -> Heard:
        """The watches."""
        ...
