"""Markdown tables, and JSON Schema in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, with an empty line before it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def slug(title: str) -> str:
    """The anchor that a heading gets on a rendered page."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def either(choices: Iterable[str]) -> str:
    """Choices for a sentence: `a, b or c`, each once."""
    said = list(dict.fromkeys(choices))
    return " or ".join(filter(None, (", ".join(said[:-1]), *said[-1:])))


def referred(node: Schema) -> str:
    """The name of the model a schema refers to, or nothing."""
    name = str(node.get("$ref", "")).rpartition("/")[2]
    return "" if name == "variable" else name
