"""Where an incident on a vendor's page plays, by its tags or else as far as its words tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from bot.sources.notices import Told

_EVERYWHERE = frozenset({"global", "non-regional", "worldwide", "*"})
# Continents and the usual abbreviations, region codes of the big clouds (`eu-central-1`, `us-east1`, `westeurope`),
# and the airport code at the end of a component such as `Frankfurt, Germany - (FRA)`.
_PLACE = re.compile(
    r"\b(africa|asia|europe|oceania|australia|(north|south|latin) america|middle east|apac|emea|latam)\b"
    r"|\b(us|eu|uk|ap|sa|ca|me|af|cn)[ -]?(gov[ -])?(north|south|east|west|central)\w*([ -]?\d)?\b"
    r"|\b(north|south|east|west|central)(us|europe|asia)\d?\b"
    r"|\([a-z]{3}\)$",
    re.MULTILINE,
)


def placed_elsewhere(one: Told, wanted: Sequence[str]) -> bool:
    """True when an incident names a place and none that is wanted. One that names no place concerns everybody.

    Tags are believed before words: a text that mentions a place does not play there.
    """
    if not wanted or one.places & _EVERYWHERE:
        return False
    if one.places:
        return not named(one.places, wanted)
    return not any(name.casefold() in one.text for name in wanted) and _PLACE.search(one.text) is not None


def named(names: Iterable[str], wanted: Iterable[str]) -> bool:
    """True when one of the names is wanted, as it is or by a pattern such as `eu-*`; lower case for upper."""
    wishes = {wish.strip().casefold() for wish in wanted}
    return any(name in wishes or any(fnmatchcase(name, wish) for wish in wishes if "*" in wish) for name in names)


def everywhere(names: frozenset[str]) -> bool:
    """True for what is tagged with no place, or with all of them."""
    return not names or bool(names & _EVERYWHERE)
