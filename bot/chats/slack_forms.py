"""Forms as Slack's modals, and what a person filled in. View payloads: https://docs.slack.dev/reference/views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.chats.slack_blocks import Block, plain_text, section
from bot.chats.slack_text import mrkdwn
from bot.core.model import Field, Form

_ABOUT, _WORDS, _OPTIONS = 900, 500, 100


def view(form: Form, metadata: str) -> Block:
    """A modal; `metadata` comes back with what was filled in, at most 3,000 characters."""
    about = [section(words) for line in form.about if (words := mrkdwn(line, _ABOUT)).strip()]
    return {
        "type": "modal",
        "callback_id": "tocsin",
        "title": plain_text(form.title, 24),
        "submit": plain_text(form.submit, 24),
        "close": plain_text("Cancel", 24),
        "private_metadata": metadata,
        "blocks": [*about, *(_input(field) for field in form.fields)],
    }


def filled(state: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in, by the field's name; fields left empty are not there."""
    return {name: value for block in state["values"].values() for name, value in _values(block)}


def _input(field: Field) -> Block:
    """A drop-down where Slack can show all the options, else a line for words."""
    options = [(value, label) for value, label in field.options if value]
    element = _choice(field, options) if 1 <= len(options) <= _OPTIONS else _words(field)
    return {
        "type": "input",
        "block_id": field.name,
        "optional": not field.needed,
        "label": plain_text(field.label),
        "element": element,
    }


def _words(field: Field) -> Block:
    words: Block = {"type": "plain_text_input", "action_id": field.name, "multiline": True, "max_length": _WORDS}
    return words | ({"initial_value": field.value[:_WORDS]} if field.value else {})


def _choice(field: Field, given: Sequence[tuple[str, str]]) -> Block:
    options = [_option(value, label) for value, label in given]
    chosen = [option for option in options if option["value"] == field.value]
    element: Block = {"type": "static_select", "action_id": field.name, "options": options}
    return element | ({"initial_option": chosen[0]} if chosen else {})


def _option(value: str, label: str) -> Block:
    return {"text": plain_text(label or value, 75), "value": value[:150]}


def _values(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What one field of a form holds: words, or the chosen option's value."""
    for name, field in block.items():
        value = field.get("value") or (field.get("selected_option") or {}).get("value")
        if value:
            yield name, str(value)
