"""Texts as Markdown, for files that people carry elsewhere: wikis, issues, mail.

A stranger's words stand in a code span. There no renderer makes a link, a mention, a picture or markup of them, which
no set of backslashes can promise: GitHub looks for `@name` after the escapes are gone.
"""

from __future__ import annotations

import re
import unicodedata

from bot.core.model import Bold, Part, Said, Text, When

_LONGEST = 600
_BREAKING = str.maketrans({"`": "\u2019", "|": "\u00a6"})  # what would end the span, or the cell of a table
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def markdown(text: Text) -> str:
    """A text as one line of Markdown, times in UTC, fit for a cell of a table."""
    return "".join(_part(part) for part in text).strip()


def quoted(words: str) -> str:
    """A stranger's words as a code span; empty for no words."""
    shown = " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in words[:_LONGEST]).split())
    if not shown:
        return ""
    more = "…" if len(words) > _LONGEST else ""
    return f"`{shown.translate(_BREAKING)}{more}`"


def escaped(words: str) -> str:
    """Words of ours, or of the configuration, with nothing in them that Markdown would take for markup."""
    return _MARKUP.sub(r"\\\1", words).replace("\n", " ")


def _part(part: Part) -> str:
    match part:
        case When():
            return f"{part.at:%Y-%m-%d %H:%M}" if part.style == "date" else f"{part.at:%H:%M}"
        case Said():
            return quoted(part.words)
        case Bold():
            return f"**{escaped(part.words)}**"
        case _:
            return escaped(part)
