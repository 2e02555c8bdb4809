"""Holidays as people write them: countries, and days of one's own."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from bot.config.calendars import keeper
from bot.config.fields import EmptyList, Zone
from bot.config.scalars import Dated
from bot.core.holidays import YearDay, stretch
from bot.fields import Model

_WRITTEN = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_HOW = "write it like 2026-12-24, or 12-24 for every year"
_MOST = 31  # days in a row; what lasts longer is how people live
_LEAP = 2024  # a year with every day that there is


def entry(value: object) -> object:
    """One of a list of holidays as the mapping that it stands for: a country, or a day.

    Raises:
        ValueError: when it is neither.
    """
    if isinstance(value, dict):
        return value
    if isinstance(value, Dated) or (isinstance(value, str) and value[:1].isdigit()):
        return {"from": year_day(value)}
    if isinstance(value, str):
        return {"country": keeper(value)}
    raise ValueError(f"this must be a country like US or DE-BY, or a day; {_HOW}")


def year_day(value: object) -> YearDay:
    """Read `2026-12-24`, or `12-24` for each year.

    Raises:
        ValueError: when there is no such day.
    """
    if isinstance(value, YearDay):
        return value
    text = value.text if isinstance(value, Dated) else value
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"this is not a day; {_HOW}")
    year, month, day = int(found[1] or _LEAP), int(found[2]), int(found[3])
    try:
        date(year, month, day)
    except ValueError as error:
        raise ValueError(f"there is no such day; {_HOW}") from error
    return YearDay(year if found[1] else None, month, day)


def few(first: YearDay, last: YearDay) -> None:
    """Check the days from one to another.

    Raises:
        ValueError: when there are none of them, or so many that they are how people live.
    """
    if (first.year is None) != (last.year is None):
        raise ValueError("give both days with a year, or both without one")
    days = len(stretch(first, last, first.year or _LEAP))
    if not 1 <= days <= _MOST:
        raise ValueError(f"from the first day to the last must be 1 to {_MOST} days, and this is {max(days, 0)}")


Day = Annotated[
    YearDay,
    BeforeValidator(year_day),
    WithJsonSchema({"type": "string", "pattern": r"^(\d{4}-)?\d{2}-\d{2}$", "examples": ["2026-12-24", "12-24"]}),
]


class Holiday(Model):
    """A day, or a few, on which people live otherwise than on others: the usual is taken as less sure then."""

    country: Annotated[str, AfterValidator(keeper)] | None = None
    """A country that keeps its public holidays, or a part of one: GB, DE-BY. Each lasts from the first midnight there to the last."""
    from_: Annotated[Day | None, Field(alias="from")] = None
    """The first day: 2026-12-24, or 12-24 for every year."""
    to: Day | None = None
    """The last day; the same one if not said."""
    zone: Zone = "UTC"
    """Where the clock stands that these days go by: Europe/Berlin."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.country is None) == (self.from_ is None):
            raise ValueError("a holiday is either a country's (country) or begins on a day (from); give one of them")
        if self.country is not None and (self.to is not None or self.zone != "UTC"):
            raise ValueError("the days and clocks of a country are known; leave out to and zone")
        if self.from_ is not None:
            few(self.from_, self.to or self.from_)
        return self


Holidays = Annotated[list[Annotated[Holiday, BeforeValidator(entry, json_schema_input_type=str | Holiday)]], EmptyList]
