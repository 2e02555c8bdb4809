"""Holds a level that the counts reached against whose voices they are; see `bot.core.trust` for the rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.model import Numbers
from bot.core.tally import Tally
from bot.core.trust import Crowd, Rung, Trust, borne_out, doubted


class Jury:
    """Knows the ladders of the services, and asks the tally who spoke. `trust` may be changed at any time."""

    def __init__(self, tally: Tally, ladders: Mapping[str, Sequence[Rung]]) -> None:
        self.trust = Trust()
        self._tally = tally
        self._ladders = ladders

    def doubts(self, service: str, now: datetime) -> bool:
        """True when anybody whose word is doubted spoke within the widest window of the service."""
        widest = max((rung.within for rung in self._ladders[service]), default=timedelta(0))
        return bool(self._tally.doubts(service, *self._span(widest, now)))

    def judge(self, service: str, level: str, numbers: Numbers, now: datetime) -> tuple[str, str]:
        """The highest level up to this one that is borne out, and why it is lower (empty: it is not)."""

        def heard(within: timedelta) -> Crowd:
            return self._heard(service, within, numbers, now)

        borne = borne_out(level, self._ladders[service], heard, self.trust)
        return borne, "" if borne == level else doubted(heard(numbers.within))

    def _heard(self, service: str, within: timedelta, numbers: Numbers, now: datetime) -> Crowd:
        """Who spoke within a window, the bucket that is filling included."""
        first, last = self._span(within, now)
        count = sum(self._tally.people(service, bucket) or 0.0 for bucket in range(first, last + 1))
        usual = (numbers.usual or 0.0) * (within / numbers.within)
        return Crowd(count, self._tally.doubts(service, first, last), usual)

    def _span(self, within: timedelta, now: datetime) -> tuple[int, int]:
        last = self._tally.bucket(now)
        return last - int(within.total_seconds() / self._tally.width), last
