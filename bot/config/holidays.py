"""Holidays as people write them: countries, whose days a library knows by heart, and days of one's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files

from bot.config.errors import instead, nearest
from bot.config.scalars import Dated
from bot.core.holidays import Days, Holiday, YearDay, day_of, stretch
from bot.core.places import COUNTRIES, region

_WRITTEN = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_HOW = "write it like 2026-12-24, or 12-24 for every year"
_MOST = 31
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


def keeper(code: str) -> str:
    """A country whose holidays are known, or a part of one: `US`, `DE-BY`.

    Raises:
        ValueError: when there is none of that name, with the one that was probably meant.
    """
    head, _, part = code.partition("-")
    if head not in _known():
        meant = region(code) or region(nearest(code, COUNTRIES.values())) or nearest(code, _known())
        advice = f", did you mean '{meant}'?" if meant else "; write its two letters, like US, GB or DE-BY"
        raise ValueError(f"unknown country '{code[:64]}'{advice}")
    if part and part not in _known()[head]:
        raise ValueError(f"unknown part '{part[:64]}' of {head}{instead(part, _known()[head])}")
    return code


@cache
def public(code: str) -> Days:
    """The public holidays of a country or a part of one, each from its first midnight there to its last."""
    import holidays  # noqa: PLC0415 - ten megabytes, which only those pay who name a country

    head, _, part = code.partition("-")
    clocks = _clocks().get(head, ["UTC"])

    @lru_cache(maxsize=8)
    def year(number: int) -> tuple[Holiday, ...]:
        found = holidays.country_holidays(head, subdiv=part or None, years=number)
        return tuple(day_of(day, clocks, code) for day in sorted(found) if day.year == number)

    return Days(code, year)


@cache
def _known() -> Mapping[str, Collection[str]]:
    """The countries whose holidays are known, and their parts."""
    import holidays  # noqa: PLC0415 - as above

    return holidays.list_supported_countries(include_aliases=False)


@cache
def _clocks() -> Mapping[str, list[str]]:
    """The time zones of every country: `zone.tab` of the time zone database, country, place, name."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    clocks: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line and not line.startswith("#"):
            code, _, name = line.split("\t")[:3]
            clocks.setdefault(code, []).append(name)
    return clocks
