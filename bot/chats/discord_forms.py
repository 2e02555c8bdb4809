"""Forms as Discord's modals, and what a person filled in.

Limits: https://docs.discord.com/developers/components/reference (title and label 45, five components, 25 options).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord

from bot.chats.discord_looks import fit, label
from bot.core.model import Field, Form, Part

_TITLE, _LABEL, _HINT, _OPTION, _CUSTOM, _WORDS, _ABOUT = 45, 45, 100, 100, 100, 1000, 1500
_OPTIONS, _PARTS = 25, 5
_BLANK = "…"


def modal(form: Form) -> discord.ui.Modal:
    """A modal that remembers in its id what it is about."""
    custom = f"{form.verb}:{form.incident}:{form.target}"[:_CUSTOM]
    made = discord.ui.Modal(title=label(form.title, _TITLE) or form.verb, custom_id=custom)
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
    verb, incident, target = [*data["custom_id"].split(":", 2), "", ""][:3]
    return verb, incident, target


def _label(field: Field) -> discord.ui.Label[Any]:
    """The question, and beneath it what is said after its question mark."""
    question, mark, hint = field.label.partition("? ")
    options = [(value, words) for value, words in field.options if value]
    shown = 1 <= len(options) <= _OPTIONS and all(len(value) <= _OPTION for value, _ in options)
    asked = _choice(field, options) if shown else _input(field)
    return discord.ui.Label(
        text=label(f"{question}?" if mark else question, _LABEL) or field.name,
        description=label(hint, _HINT) or None,
        component=asked,
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
        discord.SelectOption(label=label(words or value, _OPTION) or _BLANK, value=value, default=value == field.value)
        for value, words in options
    ]
    return discord.ui.Select(custom_id=field.name, options=shown, required=field.needed)


def _items(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _items([*row.get("components", []), *([row["component"]] if "component" in row else [])])
