"""Times as they come over the wire, in every form that pages and feeds use; what comes out is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_YEARS = range(2000, 2100)
_LONGEST = 80
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = 946_684_800  # 2000-01-01: a smaller number of seconds is no time that we believe
_DIGITS = re.compile(r"\d{9,19}(\.\d+)?")
# JavaScript's Date.toString(): `Sat Jun 11 2022 18:55:50 GMT+0000 (Coordinated Universal Time)`.
_SCRIPT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d{4}) (\d\d:\d\d:\d\d) GMT([+-]\d{4})( \(.*\))?")


def moment(value: object) -> datetime | None:
    """A time in UTC, or None when it is no time of this century; without a zone it counts as UTC.

    Takes RFC 3339 and ISO 8601, RFC 5322 (feeds, also `PDT` and `Z`), JavaScript's `Date.toString()`, and Unix time in
    seconds, milli-, micro- or nanoseconds, as a number or in digits.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    text = value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
    if _DIGITS.fullmatch(text):
        return _counted(float(text))
    return _written(text) if text else None


def _counted(number: float) -> datetime | None:
    """Unix time; the unit follows from the size, since no two units overlap within this century."""
    unit = next((u for u in (1.0, 1e3, 1e6, 1e9) if _FIRST_SECOND <= number / u < 4.2e9), None)
    return None if unit is None else _sane(_EPOCH + timedelta(seconds=number / unit))


def _written(text: str) -> datetime | None:
    try:
        return _sane(datetime.fromisoformat(text.removesuffix(" UTC")))
    except (ValueError, OverflowError):
        pass
    if script := _SCRIPT.fullmatch(text):
        month, day, year, time, zone, _ = script.groups()
        text = f"{day} {month} {year} {time} {zone}"
    try:
        return _sane(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _sane(found: datetime) -> datetime | None:
    """In UTC and of this century.

    Raises:
        OverflowError: the calendar ends before.
    """
    found = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    return found if found.year in _YEARS else None
