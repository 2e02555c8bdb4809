"""How long, until when, from when: durations and moments in the words that people type.

Times of day are UTC, since a chat does not tell us where its reader is; a moment without a date is the next one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ONE = r"\d{1,4}(?:\.\d+)?\s*(?:s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?![a-z])"
_SPAN = re.compile(rf"(?:for\s+)?({_ONE}(?:[\s,]*(?:and\s+)?{_ONE})*)", re.IGNORECASE | re.ASCII)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])", re.IGNORECASE | re.ASCII)
_SPOKEN = re.compile(r"(?:for\s+)?(half an hour|an? (?:hour|day|week))\b", re.IGNORECASE | re.ASCII)
_WORDS = {"half an hour": 0.5, "hour": 1, "day": 24, "week": 168}
_RECOVERY = re.compile(
    r"until\s+(?:recover(?:y|ed)|it\s+(?:recovers|is\s+over|ends)|over|the\s+end)\b", re.IGNORECASE | re.ASCII
)
_CLOCK = r"(\d{1,2}):(\d{2})(?:\s*(?:utc|z))?"
_DATED = r"(\d{4}-\d{2}-\d{2})[t\s](\d{1,2}:\d{2}(?::\d{2})?)(?:\s*(?:utc|z))?"
_UNTIL = re.compile(rf"(?:until|till)\s+(?:{_DATED}|{_CLOCK})(?![\d:])", re.IGNORECASE | re.ASCII)
_FROM = re.compile(rf"(?:from|at|on|starting)\s+(?:{_DATED}|(tomorrow\s+)?{_CLOCK})(?![\d:])", re.IGNORECASE | re.ASCII)


def span(words: str) -> tuple[timedelta | None, str]:
    """The duration at the front (`2h`, `for 90 minutes`, `1h30m`, `half an hour`) and the words after it."""
    words = words.strip()
    if found := _SPAN.match(words):
        seconds = sum(float(n) * _UNITS[unit.lower()] for n, unit in _PIECE.findall(found[1]))
        return timedelta(seconds=seconds), words[found.end() :].strip()
    if found := _SPOKEN.match(words):
        key = found[1].lower()
        return timedelta(hours=_WORDS[key if key in _WORDS else key.split()[-1]]), words[found.end() :].strip()
    return None, words


def until(words: str, now: datetime) -> tuple[datetime | None, str]:
    """When a mute ends, and the reason after it; None is `until it recovers`, which is also what no word means."""
    words = words.strip()
    if found := _RECOVERY.match(words):
        return None, words[found.end() :].strip()
    if found := _UNTIL.match(words):
        at = _moment(found[1], found[2], found[3], found[4], now)
        return (at, words[found.end() :].strip()) if at else (None, words)
    lasts, rest = span(words)
    return (None if lasts is None else now + lasts), rest


def begin(words: str, now: datetime) -> tuple[datetime | None, str]:
    """When something begins (`from 22:00`, `at 2026-12-01 22:00`, `from tomorrow 8:00`), and the words after it."""
    words = words.strip()
    found = _FROM.match(words)
    if found is None:
        return None, words
    at = _moment(found[1], found[2], found[4], found[5], now, tomorrow=bool(found[3]))
    return (at, words[found.end() :].strip()) if at else (None, words)


def _moment(
    day: str | None, clock: str | None, hour: str | None, minute: str | None, now: datetime, *, tomorrow: bool = False
) -> datetime | None:
    """The moment meant, or None when there is no such date or time of day."""
    try:
        if day and clock:
            return datetime.fromisoformat(f"{day}T{clock.zfill(5)}").replace(tzinfo=UTC)
        at = now.replace(hour=int(hour or 0), minute=int(minute or 0), second=0, microsecond=0)
    except ValueError:
        return None
    return at + timedelta(days=1) if tomorrow or at <= now else at
