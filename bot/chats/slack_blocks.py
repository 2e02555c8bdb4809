"""How heads, lines, answers and the home look in Slack: pure, and always within Slack's limits.

Block Kit limits (https://docs.slack.dev/reference/block-kit/blocks): 50 blocks, header 150, section 3,000, ten
fields of 2,000, button text 75 and value 2,000, alt text 2,000; a whole message breaks at about 13,200 characters,
so every part here is given much less. All mrkdwn is `verbatim`: Slack links only what we mark as a link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bot.chats.slack_text import escaped, mrkdwn, plain
from bot.core.model import Answer, Bold, Button, Head, Line, Said, Source, Text, When

Block = dict[str, Any]

MARKS = {"calm": "⚪", "minor": "🟡", "major": "🟠", "critical": "🔴", "over": "🟢"}
_ALARMING = frozenset({"minor", "major", "critical"})
_PUSH, _TITLE, _SENTENCE, _LABEL, _FACT, _SOURCES, _FOOT, _LINE = 1_000, 140, 900, 60, 220, 1_600, 500, 2_800
_FACTS, _BUTTONS, _ROWS = 10, 5, 12
_ANSWER = 8_000


def head_message(head: Head, picture: str | None) -> dict[str, Any]:
    """The head as `text` (what a phone shows) and `blocks`; `picture` is the id of an uploaded chart."""
    return {
        "text": escaped(head.push, _PUSH) or escaped(head.title, _PUSH) or "Incident",
        "blocks": _head(head, picture),
    }


def line_message(line: Line, note: str = "") -> dict[str, Any]:
    """A reply as `text` and `blocks`. Its mention is raw markup of ours and nothing else may be; `note` is ours too."""
    words = mrkdwn((*line.text, note), _LINE) or "…"
    text = " ".join(part for part in (MARKS.get(line.tone, ""), line.mention, words) if part)
    return {"text": text, "blocks": [section(text)]}


def answer_message(answer: Answer, incident: str, picture: str | None = None) -> dict[str, Any]:
    """A private answer as `text` and `blocks`; its buttons speak of `incident` unless it shows a head of its own.

    `picture` is the id of an uploaded chart.
    """
    head = answer.head
    blocks = _paragraphs(answer.lines)
    if head is not None:
        shown = _head(head, None)
        blocks += [block for block in shown if block["type"] != "actions"] if answer.buttons else shown
    blocks += [_image(picture, answer.alt)] if picture else []
    blocks += _actions(answer.buttons, head.incident if head else incident, at_most=25)
    blocks = blocks or [section("Done.")]
    first = mrkdwn(answer.lines[0], _PUSH) if answer.lines else ""
    return {"text": first or "Done.", "blocks": blocks[:50]}


def home_view(answers: Sequence[Answer], buttons: Sequence[Button]) -> Block:
    """The app's home: what is wrong now, in the words of the answers, and what a person can do from here."""
    blocks: list[Block] = [{"type": "header", "text": plain_text("What is wrong now")}]
    for answer in answers:
        blocks += [*_paragraphs(answer.lines), {"type": "divider"}]
    return {"type": "home", "blocks": [*blocks, *_actions(buttons, "", at_most=_BUTTONS)][:100]}


def _head(head: Head, picture: str | None) -> list[Block]:
    blocks: list[Block] = [{"type": "header", "text": plain_text(_title(head))}]
    if sentence := mrkdwn(head.sentence, _SENTENCE):
        blocks.append(section(sentence))
    if facts := "\n".join(_fact(fact.label, fact.value) for fact in head.facts[:_FACTS]):
        blocks.append(section(facts))
    if head.sources:
        blocks.append(section(_sources(head.sources)))
    if picture:
        blocks.append(_image(picture, head.alt))
    return blocks + _actions(head.buttons, head.incident, at_most=_BUTTONS) + _foot(head)


def _title(head: Head) -> str:
    """Shape, level, words: the colour of the mark is never the only sign."""
    title = plain(head.title, _TITLE) or plain(head.service, _TITLE) or "Incident"
    level = plain(head.level, 40).capitalize() if head.tone in _ALARMING else ""
    words = f"{level} · {title}" if level else title
    return f"{MARKS.get(head.tone, '')} {words}".strip()


def _fact(label: str, value: Text) -> str:
    """One line: a phone stacks Slack's own fields, and shows half as much."""
    return f"{mrkdwn((Bold(plain(label, 40)),), _LABEL)} {mrkdwn(value, _FACT) or '-'}"


def _sources(sources: Sequence[Source]) -> str:
    tones = {source.tone for source in sources}
    disagree = bool(tones & _ALARMING) and bool(tones - _ALARMING)
    rows = ["*Sources disagree*" if disagree else "*Sources*"]
    room = _SOURCES // min(len(sources), _ROWS)
    rows += [f"{MARKS.get(s.tone, '▫️')} {mrkdwn(_source(s), room)}" for s in sources[:_ROWS]]
    hidden = len(sources) - _ROWS
    return "\n".join([*rows, f"and {hidden} more"] if hidden > 0 else rows)


def _source(source: Source) -> Text:
    parts: list[Any] = [Bold(source.name), f" {source.word}"]
    if source.since:
        parts += [" since ", When(source.since)]
    if source.note:
        parts += [" (", Said(source.note), ")"]
    return tuple(parts)


def _foot(head: Head) -> list[Block]:
    elements = [_mrkdwn(words)] if (words := mrkdwn(head.foot, _FOOT)) else []
    if head.link.startswith(("https://", "http://")) and not set(head.link) & set("<>| \n") and len(head.link) <= 500:
        elements.append(_mrkdwn(f"<{head.link.replace('&', '&amp;')}|Open the incident page>"))
    return [{"type": "context", "elements": elements}] if elements else []


def _actions(buttons: Iterable[Button], incident: str, *, at_most: int) -> list[Block]:
    """Rows of five. A verb stands once in a message: its name is the action's id, which Slack wants unique."""
    unique = list({button.verb: button for button in buttons if button.verb}.values())[:at_most]
    rows = [unique[at : at + _BUTTONS] for at in range(0, len(unique), _BUTTONS)]
    return [{"type": "actions", "elements": [_button(button, incident) for button in row]} for row in rows]


def _button(button: Button, incident: str) -> Block:
    shown: Block = {
        "type": "button",
        "action_id": button.verb[:255],
        "text": plain_text(button.label or button.verb, 75),
    }
    if incident or button.about:
        shown["value"] = pressed_for(incident, button.about)
    if button.style in ("primary", "danger"):
        shown["style"] = button.style
    return shown


def pressed_for(incident: str, about: str = "") -> str:
    """What a button carries: the incident, and what else it is about."""
    return f"{incident}|{about}"[:2_000] if about else incident[:2_000]


def _paragraphs(lines: Sequence[Text]) -> list[Block]:
    """The lines in as few sections as hold them; what is beyond a message's size is counted, not shown."""
    sections: list[str] = []
    room = _ANSWER
    for told, line in enumerate(lines):
        words = mrkdwn(line, min(_LINE, 1_500)) or " "
        room -= len(words)
        if room < 0:
            sections.append(f"… and {len(lines) - told} more lines")
            break
        if sections and len(sections[-1]) + len(words) < _LINE:
            sections[-1] += f"\n{words}"
        else:
            sections.append(words)
    return [section(words) for words in sections if words.strip()]


def _image(picture: str, alt: str) -> Block:
    return {"type": "image", "slack_file": {"id": picture}, "alt_text": plain(alt, 1_000) or "Chart"}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain_text(text: str, limit: int = 150) -> Block:
    """Words in which nothing is interpreted, never empty."""
    return {"type": "plain_text", "text": plain(text, limit) or "-", "emoji": False}
