"""Days on which people live otherwise than their week has it: public holidays, and days of one's own."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from bot.core.places import COUNTRIES, country
from bot.core.zones import comes

_YEARS = range(1970, 2100)  # beyond, no calendar is worth asking
_DAY = timedelta(days=1)


class Holiday(NamedTuple):
    """A day from its first midnight to its last, UTC; `of` is the country, or part of one, that keeps it: `DE-BY`.

    Where `of` is empty it is a day of one's own. The clocks of a wide country make its days longer than 24 hours.
    """

    start: datetime
    end: datetime
    day: date
    of: str = ""

    @property
    def words(self) -> str:
        """As a sentence begins: `25 December is a holiday in GB`."""
        where = f" in {self.of}" if self.of else ""
        return f"{self.day.day} {self.day:%B} is a holiday{where}"

    @property
    def effect(self) -> str:
        """What that does to a decision, as a sentence without its full stop."""
        return f"{self.words}: the usual is taken as less sure"


class Days(NamedTuple):
    """One entry of a calendar; `year` gives the days that begin with a year, and is always the same for the same year."""

    of: str
    year: Callable[[int], Sequence[Holiday]]


class Calendar(NamedTuple):
    """The holidays of a service; without entries it has none."""

    entries: tuple[Days, ...] = ()

    def on(self, at: datetime) -> Holiday | None:
        """The holiday that a time, UTC, is part of: of several the one that began last."""
        if not self.entries or at.year not in _YEARS:
            return None
        near = (day for days in self.entries for year in (at.year - 1, at.year, at.year + 1) for day in days.year(year))
        return max((day for day in near if day.start <= at < day.end), default=None)

    def within(self, region: str) -> Calendar:
        """What is kept in a region: of the countries only its own, where the region is a country at all."""
        if region not in COUNTRIES:
            return self
        return Calendar(tuple(days for days in self.entries if not days.of or country(days.of) == region))


NO_HOLIDAY = Calendar()
"""Of who keeps none."""

NO_HOLIDAYS: Mapping[str, Calendar] = {}
"""What each service keeps, where none keeps any."""


class YearDay(NamedTuple):
    """A day of one year, or of each (None)."""

    year: int | None
    month: int
    day: int

    def of(self, year: int) -> date:
        """The day in a year; 28 February where that year has no 29th."""
        short = self.month == 2 and self.day == 29 and not isleap(year)
        return date(year, self.month, self.day - short)


@lru_cache(maxsize=256)
def own(first: YearDay, last: YearDay, zone: str) -> Days:
    """Days of one's own, first and last included, by the clocks of a zone."""

    @lru_cache(maxsize=8)
    def year(number: int) -> tuple[Holiday, ...]:
        return tuple(day_of(day, (zone,)) for day in stretch(first, last, number))

    return Days("", year)


def stretch(first: YearDay, last: YearDay, year: int) -> list[date]:
    """The days from one to another that begin with a year; none where both are of another year."""
    if first.year not in (None, year):
        return []
    start = first.of(year)
    end = last.of(last.year or year)
    if end < start and last.year is None:
        end = last.of(year + 1)
    return [start + n * _DAY for n in range((end - start).days + 1)]


def day_of(day: date, zones: Iterable[str], of: str = "") -> Holiday:
    """A day from when it begins by the first of some clocks to when it ends by the last."""
    midnights = [[comes(one, time(), zone) for zone in zones] for one in (day, day + _DAY)]
    return Holiday(min(midnights[0]), max(midnights[1]), day, of)
