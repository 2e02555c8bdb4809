"""Feeds of reports that fell silent: no report came where that cannot be chance, so the feed is broken and nothing is calm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.core.tally import Tally

_GAP = timedelta(minutes=15)  # without any count from a feed, after which its silence says nothing
_LOOK_BACK = timedelta(hours=24)  # in which the last report is sought


class Silence(NamedTuple):
    """Since when nobody was heard (UTC), and how many reports were due since then."""

    since: datetime
    missing: float

    def words(self) -> str:
        """For people: what is missing, and what to look at."""
        return (
            f"no report since {self.since:%Y-%m-%d %H:%M} UTC, though about {self.missing:,.0f} were due; "
            "look whether what sends the reports still runs"
        )


class Silences:
    """The silent feeds by service, in `found`."""

    def __init__(self, tally: Tally) -> None:
        self.found: dict[str, Silence] = {}
        self._hushed: frozenset[str] = frozenset()
        self._tally = tally

    def note(self, missing: Mapping[str, float], hushed: Iterable[str], now: datetime) -> None:
        """A bucket was closed: these services are silent, with the reports that are missing; others may be."""
        self._hushed = frozenset(hushed)
        before = {service: silence.since for service, silence in self.found.items()}
        self.found = {
            service: Silence(before.get(service) or self._heard(service, now), reports)
            for service, reports in missing.items()
        }

    def deaf(self, service: str, now: datetime) -> bool:
        """True while few reports are no sign of calm: the feed may be silent, or has given no count for long."""
        last = self._tally.bucket(now) - 1
        first = last + 1 - max(int(_GAP.total_seconds() / self._tally.width), 1)
        gaps = (self._tally.total(service, bucket) is None for bucket in range(last, first - 1, -1))
        return service in self._hushed or all(gaps)

    def _heard(self, service: str, now: datetime) -> datetime:
        """The end of the last bucket with a report, as far back as is looked."""
        last = self._tally.bucket(now)
        totals = self._tally.totals(service, last - int(_LOOK_BACK.total_seconds() / self._tally.width), last)
        quiet = next((ago for ago, count in enumerate(reversed(totals)) if count), len(totals))
        return self._tally.start(last + 1 - quiet)
