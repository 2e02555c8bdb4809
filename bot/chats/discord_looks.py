"""How heads, lines and answers look in Discord: pure functions from the house's nouns to embeds and buttons.

Words of strangers (`Said`) go into embeds only, never into the content of a message, and come out inert: no ping, no
link, no markdown, no hidden characters, at most 200 characters in 3 lines. Times are shown in the reader's own zone.
Limits: https://discord.com/developers/docs/resources/message#embed-object-embed-limits
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence

import discord

from bot.core.model import Answer, Bold, Button, Fact, Head, Line, Part, Said, Source, Text, When

CHART = "chart.png"

_COLOURS = {"calm": 0x8A8F98, "minor": 0xE0A100, "major": 0xD9362B, "critical": 0x8E1014, "over": 0x2E8B57}
_MARKS = {"calm": "○", "minor": "△", "major": "▲", "critical": "◆", "over": "✓"}
_STYLES = {"primary": discord.ButtonStyle.primary, "danger": discord.ButtonStyle.danger}
_MOMENTS = {"time": "t", "date": "f", "ago": "R"}

_CONTENT, _TITLE, _DESCRIPTION, _VALUE, _FACTS = 2000, 256, 4000, 1024, 12
_SPACE = 5900  # an embed's texts may sum to 6000
_BLANK = "\u200b"

_SAID_LENGTH, _SAID_LINES, _SAID_MARKS = 200, 3, 2
_LINK = re.compile(r"\bhttp(s?)://([^\s/<>?#]*)[^\s<>]*", re.IGNORECASE)
_BARE = re.compile(r"(?<=:)(?=//)|(?<=discord)(?=\.)|(?<=discordapp)(?=\.)", re.IGNORECASE)
"""Where any other scheme and an invitation without one are cut in two."""
_MARK = re.compile(r"[\\*_~|`\[\]#>-]")
_MARKUP = re.compile(r"(?P<link>https?://[^\s<>]+)|[\\*_~|`\[\]]|^[^\S\n]*[#>-]", re.MULTILINE)
"""What formats. The library's own pattern takes a second for 2000 characters of `[](`, so it is not used here."""
_OPENING = re.compile(r"<|@(?=everyone|here)", re.IGNORECASE)
"""Where mentions, timestamps, commands and emoji begin."""
_ELLIPSIS = "…"


def embed(head: Head, *, picture: bool) -> discord.Embed:
    """The card of a head; with `picture` it shows the attachment named `CHART`."""
    card = discord.Embed(colour=_COLOURS.get(head.tone, _COLOURS["calm"]), url=_web(head.link))
    space = _Space(_SPACE)
    card.title = space.take((head.title,), _TITLE)
    foot = space.reserve(head.foot, _VALUE - 3)
    sources = space.reserve(_table(head.sources), _VALUE)
    card.description = space.take((*head.sentence, *_facts(head.facts)), _DESCRIPTION) or None
    if sources:
        card.add_field(name="Sources", value=sources, inline=False)
    if foot:
        card.add_field(name=_BLANK, value=f"-# {foot}", inline=False)
    if not head.buttons:
        card.set_footer(text=head.incident)  # else the buttons carry it, for who looks for a lost post
    if picture:
        card.set_image(url=f"attachment://{CHART}")
    return card


def content(head: Head) -> str:
    """The line of the push notification: state and level first."""
    return fit((head.push,), _CONTENT)


def view(buttons: Iterable[Button], incident: str) -> discord.ui.View | None:
    """Buttons whose ids carry verb and incident, so that they work after any restart; None without buttons."""
    rows = discord.ui.View(timeout=None)
    for button in list(buttons)[:25]:
        style = _STYLES.get(button.style, discord.ButtonStyle.secondary)
        custom = f"{button.verb}:{incident}{f':{button.about}' if button.about else ''}"[:100]
        rows.add_item(discord.ui.Button(style=style, label=label(button.label, 80), custom_id=custom))
    rows.stop()  # presses are heard by their id, so the library need not remember this view
    return rows if rows.children else None


def reply(line: Line) -> discord.Embed:
    """A line of the thread; the number in its foot is how a lost answer is recognised later."""
    card = discord.Embed(colour=_COLOURS.get(line.tone, _COLOURS["calm"]), description=fit(line.text, _DESCRIPTION))
    return card.set_footer(text=number(line.seq))


def number(seq: int) -> str:
    """How a line of the thread is numbered."""
    return f"#{seq}"


def call(line: Line) -> str:
    """The content of a line that calls people: the mention, and our words before the sentence with a stranger's."""
    ours = tuple(itertools.takewhile(lambda part: not isinstance(part, Said), line.text))
    words = fit(ours, _CONTENT - len(line.mention) - 1)
    whole = words if len(ours) == len(line.text) else words[: words.rfind(". ") + 1]
    return f"{line.mention} {whole}".strip() if line.mention else ""


def answered(answer: Answer) -> list[discord.Embed]:
    """What the person who asked gets back: the words, and the head if there is one."""
    head = embed(answer.head, picture=False) if answer.head else None
    room = min(_DESCRIPTION, _SPACE - (_weight(head) if head else 0))
    words: list[Part] = []
    for line in answer.lines:
        words += [*line, "\n"]
    colour = None if answer.ok else _COLOURS["minor"]
    told = discord.Embed(colour=colour, description=fit(tuple(words[:-1]), max(room, 0)))
    told.description = told.description or (None if head else "Done.")
    if answer.png:
        told.set_image(url=f"attachment://{CHART}")
    return [card for card in (told if told.description else None, head) if card]


def _weight(card: discord.Embed) -> int:
    """What a card takes of the space that one message's embeds share."""
    fields = [f"{field.name}{field.value}" for field in card.fields]
    return sum(_size(text or "") for text in (card.title, card.description, card.footer.text, *fields))


def fit(text: Text, limit: int) -> str:
    """A text as Discord shows it, cut at a whole part or inside plain words so that nothing is left half open."""
    out = ""
    for part in text:
        shown = render(part)
        if _size(out + shown) > limit:
            return out + _shortened(part, limit - _size(out))
        out += shown
    return out


def _shortened(part: Part, room: int) -> str:
    """As much of a part as fits, with an ellipsis; a moment is left out whole."""
    if isinstance(part, When):
        return _ELLIPSIS if room else ""
    words = part if isinstance(part, str) else part.words
    while words:
        shown = render(part.__class__(words + _ELLIPSIS))
        if _size(shown) <= room:
            return shown
        words = words[: -max(1, (_size(shown) - room) // 3)]
    return ""


def render(part: Part) -> str:
    """One part of a text as Discord markdown."""
    match part:
        case When():
            return f"<t:{int(part.at.timestamp())}:{_MOMENTS.get(part.style, 't')}>"
        case Said():
            return said(part.words)
        case Bold():
            return f"**{plain(part.words)}**" if part.words.strip() else ""
    return plain(part)


def plain(words: str) -> str:
    """Words shown exactly as they are: nothing in them formats, mentions or points anywhere; our own links stay."""
    return _inert(_visible(words), links=True)


def label(words: str, limit: int) -> str:
    """Words where nothing formats, as the names of buttons and questions: visible, in one line, and cut to fit."""
    line = " ".join(_visible(words).split())
    if _size(line) <= limit:
        return line
    kept = line[:limit]
    while _size(kept) > limit - 1:
        kept = kept[:-1]
    return kept.rstrip() + _ELLIPSIS


def said(words: str) -> str:
    """A stranger's words: as `plain`, short, and with every link made dead."""
    lines = [line.strip() for line in _visible(words).splitlines() if line.strip()]
    short = _cut("\n".join(lines[:_SAID_LINES]), _SAID_LENGTH)
    dead = _LINK.sub(lambda link: f"hxxp{link[1].lower()}://{link[2]}", short)
    return _BARE.sub(_BLANK, _inert(dead, links=False))


def _inert(words: str, *, links: bool) -> str:
    escaped = _MARKUP.sub(lambda found: found[0] if links and found["link"] else _escaped(found[0]), words)
    return _OPENING.sub(rf"\g<0>{_BLANK}", escaped)


def _escaped(marks: str) -> str:
    return _MARK.sub(r"\\\g<0>", marks)


def _visible(words: str) -> str:
    """Composed, without control, format and private characters, and without towers of combining marks."""
    kept: list[str] = []
    tower = 0
    for char in unicodedata.normalize("NFC", words).replace("\r\n", "\n").replace("\t", " "):
        kind = unicodedata.category(char)
        tower = tower + 1 if kind in ("Mn", "Me") else 0
        joins = char == "\u200d" and bool(kept) and unicodedata.category(kept[-1]) in ("So", "Sk", "Mn")
        if char == "\n" or joins or (kind[0] != "C" and kind not in ("Zl", "Zp") and tower <= _SAID_MARKS):
            kept.append(char)
    return "".join(kept)


def _table(sources: Iterable[Source]) -> Text:
    """One row for each source, so that disagreement shows; shape and word beside the colour."""
    rows: list[Part] = []
    for source in sources:
        rows += ["\n" if rows else "", f"{_MARKS.get(source.tone, '○')} ", Bold(source.name), f" {source.word}"]
        rows += [", since ", When(source.since)] if source.since else []
        rows += [" · ", Said(source.note)] if source.note else []
    return tuple(rows)


def _facts(facts: Sequence[Fact]) -> Text:
    """One line each: a phone stacks Discord's own fields, and shows half as much."""
    rows: list[Part] = ["\n"] if facts else []
    for fact in facts[:_FACTS]:
        rows += ["\n", Bold(fact.label), " ", *fact.value]
    return tuple(rows)


class _Space:
    """What is left of the characters that one message's embeds may hold together."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, text: Text, limit: int) -> str:
        shown = fit(text, min(limit, self._left))
        self._left -= _size(shown)
        return shown

    def reserve(self, text: Text, limit: int) -> str:
        """As `take`, with room for the field's own name and mark."""
        shown = fit(text, max(0, min(limit, self._left - 10)))
        self._left -= _size(shown) + 10 if shown else 0
        return shown


def _cut(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[: limit - 1].rstrip() + _ELLIPSIS


def _size(text: str) -> int:
    """Length in UTF-16 units, the stricter of the two ways Discord's clients count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _web(link: str) -> str | None:
    return link if re.match(r"https?://[^\s/]+", link) else None
