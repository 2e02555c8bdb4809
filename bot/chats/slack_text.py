"""Words for Slack: ours carry weight and time, strangers' are made inert, and everything fits.

Facts used: mrkdwn reads `& < >` as its own and `* _ ~` and the backtick as formatting
(https://docs.slack.dev/messaging/formatting-message-text); dates as `<!date^unix^{format}|fallback>`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from bot.core.model import Bold, Part, Said, Text, When

_ZWSP = "\u200b"
_ZWJ = "\u200d"
# A zero-width space on both sides: whether Slack takes it for a space or for a letter, the marker no longer opens
# nor closes anything. A backtick would still open code, so it becomes its look-alike. `>` opens a quotation at the
# start of a line even when escaped.
_INERT = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": f"{_ZWSP}&gt;", "`": "\u02cb"} | {c: f"{_ZWSP}{c}{_ZWSP}" for c in "*_~"}
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_MARKS_IN_A_ROW = 3
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s/?#]*)\S*", re.IGNORECASE)
_SHORTCODE = re.compile(r":(?=[\w+'-]+:)")
_FORMATS = {"time": "{time}", "date": "{date_short_pretty} {time}", "ago": "{ago}"}


def mrkdwn(text: Text, limit: int) -> str:
    """A text in Slack's markup, cut between characters and never inside an escape or a date."""
    return _fit((atom for part in text for atom in _atoms(part)), limit)


def plain(words: str, limit: int) -> str:
    """Words for a `plain_text` object, where nothing is interpreted: one line, visible characters only."""
    line = " ".join(_visible(words).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def escaped(words: str, limit: int) -> str:
    """Words of ours for a `text` field, without formatting."""
    return _fit(_letters(plain(words, limit)), limit)


def tame(words: str, *, chars: int = 200, lines: int = 3) -> str:
    """A stranger's words as plain text: few, visible, no live address, no emoji by name. Still to be escaped."""
    rows = (" ".join(_visible(" ".join(row.split())).split()) for row in words.splitlines())
    text = "\n".join([row for row in rows if row][:lines])
    text = _SHORTCODE.sub(f":{_ZWSP}", _URL.sub(_defanged, unicodedata.normalize("NFC", text)))
    return text if len(text) <= chars else text[: chars - 1] + "…"


def _defanged(found: re.Match[str]) -> str:
    scheme = found[1].lower().replace("http", "hxxp")
    host = found[2].rpartition("@")[2]
    return f"{scheme}://{host}" if scheme.startswith("hxxp") else f"{scheme}[:]//{host}"


def _atoms(part: Part) -> Iterator[str]:
    match part:
        case When():
            yield _date(part)
        case Said():
            yield from _letters(tame(part.words))
        case Bold():
            words = "".join(_letters(plain(part.words, 150)))
            yield f"*{words}*" if words else ""
        case _:
            yield from _letters(_visible(part))


def _date(when: When) -> str:
    fallback = f"{when.at:%H:%M} UTC" if when.style == "time" else f"{when.at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(when.at.timestamp())}^{_FORMATS.get(when.style, '{time}')}|{fallback}>"


def _letters(words: str) -> Iterator[str]:
    return (letter.translate(_INERT) for letter in words)


def _fit(atoms: Iterable[str], limit: int) -> str:
    """Join what fits. Quotes, backslashes and line breaks count twice, as they do in the JSON that Slack measures."""
    kept: list[str] = []
    room = limit - 1
    for atom in atoms:
        room -= len(atom) + sum(letter in '"\\\n' for letter in atom)
        if room < 0:
            return "".join(kept) + "…"
        kept.append(atom)
    return "".join(kept)


def _visible(words: str) -> str:
    """Without controls, direction marks, zero-width letters and towers of accents; joined emoji stay joined."""
    kept: list[str] = []
    marks = 0
    for at, letter in enumerate(words):
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        hidden = kind in _HIDDEN and letter != "\n" and not _joins_emoji(words, at)
        if not hidden and marks <= _MARKS_IN_A_ROW:
            kept.append(letter)
    return "".join(kept)


def _joins_emoji(words: str, at: int) -> bool:
    before, after = words[at - 1 : at], words[at + 1 : at + 2]
    return bool(
        words[at] == _ZWJ
        and before
        and after
        and (before == "\ufe0f" or unicodedata.category(before) in ("So", "Sk"))
        and unicodedata.category(after) == "So"
    )
