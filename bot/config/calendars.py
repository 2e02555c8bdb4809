"""The public holidays of countries, which a library knows by heart, by the clocks of those countries."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from bot.config.errors import instead, nearest
from bot.core.holidays import Days, Holiday, day_of
from bot.core.places import COUNTRIES, region


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
