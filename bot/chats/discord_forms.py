"""Forms as Discord's modals, and what a person filled in.

Limits: https://docs.discord.com/developers/components/reference (title and label 45, five components, 25 options).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord

from bot.chats.discord_looks import fit
from bot.core.model import Field, Form, Part

_TITLE, _LABEL, _HINT, _OPTION, _CUSTOM, _WORDS, _ABOUT = 45, 45, 100, 100, 100, 1000, 1500
_OPTIONS, _PARTS = 25, 5


def modal(form: Form) -> discord.ui.Modal:
    """A modal that remembers in its id what it is about."""
    custom = f"{form.verb}:{form.incident}:{form.target}"[:_CUSTOM]
    made = discord.ui.Modal(title=_cut(form.title, _TITLE), custom_id=custom)
    words: list[Part] = []
    for line in form.about:
        words += ["\n" if words else "", *line]
    about = fit(tuple(words), _ABOUT)
    parts: list[discord.ui.Item[Any]] = [discord.ui.TextDisplay(about)] if about.strip() else []
    for part in [*parts, *(_label(field) for field in form.fields)][:_PARTS]:
        made.add_item(part)
    made.stop()  # its answer is heard by its id, so the library need not remember it
    return made


def filled(data: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by the field's name; fields left empty are not there."""
    found: dict[str, str] = {}
    for item in _items(data.get("components", [])):
        value = item.get("value") or next(iter(item.get("values") or ()), "")
        if item.get("custom_id") and value:
            found[str(item["custom_id"])] = str(value)
    return found


def about(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """The verb, incident and target that a modal or a button was about."""
    verb, incident, target = (data["custom_id"] + "::").split(":")[:3]
    return verb, incident, target


def _label(field: Field) -> discord.ui.Label[Any]:
    """The question, and beneath it what is said after its question mark."""
    question, mark, hint = field.label.partition("? ")
    options = [(value, label) for value, label in field.options if value]
    asked = _choice(field, options) if 1 <= len(options) <= _OPTIONS else _input(field)
    return discord.ui.Label(
        text=_cut(f"{question}?" if mark else question, _LABEL), description=_cut(hint, _HINT) or None, component=asked
    )


def _input(field: Field) -> discord.ui.TextInput[Any]:
    return discord.ui.TextInput(
        style=discord.TextStyle.paragraph,
        required=field.needed,
        max_length=_WORDS,
        custom_id=field.name,
        default=field.value[:_WORDS] or None,
    )


def _choice(field: Field, options: Sequence[tuple[str, str]]) -> discord.ui.Select[Any]:
    shown = [
        discord.SelectOption(label=_cut(label or value, _OPTION), value=value[:_OPTION], default=value == field.value)
        for value, label in options
    ]
    return discord.ui.Select(custom_id=field.name, options=shown, required=field.needed)


def _cut(words: str, limit: int) -> str:
    """Words as a label, where nothing formats; in one line, and never longer than fits."""
    line = " ".join(words.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _items(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _items([*row.get("components", []), *([row["component"]] if "component" in row else [])])
