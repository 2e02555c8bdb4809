"""What sentences are made of: spans of time, counts, lists, and a text in plain words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from bot.core.model import Incident, Numbers, Part, Text, When

MORE = 1.5
"""Times the usual, from which on a count is worth a remark."""
_SURE = timedelta(minutes=5)  # either side of a start: less is no doubt worth a word
_MUCH = ((20.0, "far more"), (4.0, "many more"), (0.0, "more"))


def lasted(span: timedelta) -> str:
    """A duration as people say it: `45 s`, `12 min`, `3 h 40 min`, `2 d 4 h`."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def began(incident: Incident) -> Text:
    """`about 03:03 (between 02:40 and 03:10)`: when it began, with the doubt of that if it is worth a word."""
    doubt = between(incident)
    return ("about ", When(incident.started_at), *((" (", *doubt, ")") if doubt else ()))


def between(incident: Incident) -> Text:
    """`between 02:40 and 03:10`: how surely it began when it did; nothing where that is sure to a few minutes."""
    span = incident.started_between
    if span is None or max(incident.started_at - span.early, span.late - incident.started_at) <= _SURE:
        return ()
    return ("between ", When(span.early), " and ", When(span.late))


def counted(numbers: Numbers) -> str:
    """`312 reports in 15 min, usually 6 (52 times as many)`."""
    window = _window(reports(numbers.count), numbers)
    if numbers.usual is None:
        return f"{window} (no usual known yet)"
    times = f" ({ratio(numbers.times)})" if lifted(numbers) else ""
    return f"{window}{times}"


def brief(numbers: Numbers) -> str:
    """`312 in 15 min, usually 6`: the same for one line on a locked screen."""
    return _window(f"{numbers.count:,}", numbers)


def _window(count: str, numbers: Numbers) -> str:
    part = f" from {numbers.of}" if numbers.of else ""
    usual = "" if numbers.usual is None else f", usually {few(numbers.usual)}"
    return f"{count}{part} in {lasted(numbers.within)}{usual}"


def reports(count: int) -> str:
    """`1 report`, `1,479 reports`."""
    return f"{count:,} {'report' if count == 1 else 'reports'}"


def few(number: float) -> str:
    """A usual count, without false precision."""
    return "none" if number < 0.5 else f"{math.floor(number + 0.5):,}"


def ratio(times: float | None) -> str:
    """`52 times as many`."""
    if times is None:
        return ""
    return f"{times:,.0f} times as many" if times >= 10 else f"{times:.1f} times as many".replace(".0 ", " ")


def much(numbers: Numbers | None) -> str:
    """`many more problem reports than usual`."""
    if numbers is None or numbers.usual is None or numbers.times is None:
        return "people report problems"
    word = next(word for least, word in _MUCH if numbers.times >= least)
    return f"{word} problem reports than usual"


def lifted(numbers: Numbers | None) -> bool:
    """True where a count is worth a remark: well beyond its usual."""
    return numbers is not None and numbers.times is not None and numbers.times >= MORE


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def upper(words: str) -> str:
    """The words as they begin a sentence; names that begin small stay so."""
    return words if words.startswith("iOS") else words[:1].upper() + words[1:]


def plain(text: Text) -> str:
    """A text as one line of plain words, times in UTC; for the API, logs and terminals."""
    return "".join(_plain(part) for part in text)


def _plain(part: Part) -> str:
    if isinstance(part, When):
        return f"{part.at:%Y-%m-%d %H:%M} UTC" if part.style == "date" else f"{part.at:%H:%M} UTC"
    return part if isinstance(part, str) else part.words
