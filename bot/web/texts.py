"""Texts for a browser: every stranger's word escaped, bare of tricks and short; every time with its zone."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from markupsafe import Markup, escape

from bot.core.model import Bold, Part, Said, Text, When

_LONGEST = 600
_MOST_MARKS = 3
_BREAKS = ("Zl", "Zp")
"""Line ends of their own kind, which some readers take for one and some for nothing."""


def html(text: Text) -> Markup:
    """A text as HTML. Strangers' words stand in quotation marks and are never links."""
    return Markup().join(_part(part) for part in text)


def inert(words: str) -> str:
    """Words of a stranger without what XML forbids, hides or turns the direction of, and of bounded length.

    Stacks of combining marks are cut after three, so that they stay in their own line.
    """
    kept: list[str] = []
    marks = 0
    for letter in words[:_LONGEST]:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if ((kind[0] != "C" and kind not in _BREAKS) or letter in "\n\t") and marks <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept).strip() + ("…" if len(words) > _LONGEST else "")


def moment(at: datetime, style: str = "time") -> Markup:
    """A time in UTC that a script may turn to the reader's own zone; `style` as in `When`."""
    at = at.astimezone(UTC)
    words = f"{at:%H:%M} UTC" if style == "time" else f"{at.day} {at:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}" data-style="{}">{}</time>').format(stamp(at), style, words)


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC, to the second: `2022-11-04T07:05:00Z`."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def when(value: object) -> datetime | None:
    """The moment in an answer of the board: a datetime, or RFC 3339."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _part(part: Part) -> Markup:
    match part:
        case When():
            return moment(part.at, part.style)
        case Said():
            return Markup("<q>{}</q>").format(inert(part.words))
        case Bold():
            return Markup("<strong>{}</strong>").format(inert(part.words))
        case _:
            return escape(part)
