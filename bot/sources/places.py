"""Where an incident on a vendor's page plays, as far as its words tell; pages have no field for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.sources.notices import Told

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
    """True when an incident names a place and none that is wanted. One that names no place concerns everybody."""
    if not wanted or any(name.casefold() in one.place for name in wanted):
        return False
    return _PLACE.search(one.place) is not None
