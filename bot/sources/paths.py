"""Paths into JSON, as they are written in the configuration: `incident.state`, `alerts[0].name`, `targets[*].name`.

There is nothing else to the language on purpose: no filters, no code, and no path that takes long to follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, WithJsonSchema

Step = str | int | None
_MOST, _LONGEST = 2_000, 200
_PATH = re.compile(r"[^.\[\]]+(\[(\d{1,4}|\*)\])*(\.[^.\[\]]+(\[(\d{1,4}|\*)\])*)*")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")


class Path(str):
    """A path as it is written; `steps` lead from the outside in: a key, a place in a list, or None for every place.

    Raises:
        ValueError: it is no path; the words say what would be right.
    """

    __slots__ = ("steps",)
    steps: tuple[Step, ...]

    def __new__(cls, text: str) -> Self:
        """The empty path leads to the whole document."""
        if text and (len(text) > _LONGEST or not _PATH.fullmatch(text)):
            raise ValueError(
                f"{text[:50]!r} is not a path; write it like incident.state, alerts[0].name or targets[*].name"
            )
        made = super().__new__(cls, text)
        made.steps = tuple(m[1] or (None if m[2] == "*" else int(m[2])) for m in _STEP.finditer(text))
        return made


def _read(value: object) -> Path:
    if isinstance(value, str):
        return value if isinstance(value, Path) else Path(value)
    raise ValueError("a path is written as text, like incident.state, alerts[0].name or targets[*].name")


JsonPath = Annotated[
    Path,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string", "examples": ["incident.state", "alerts[0].name", "targets[*].name"]}),
]


def every(document: Any, path: Path) -> list[Any]:
    """Whatever a path leads to, in order, at most two thousand; nothing where it leads nowhere."""
    found = [document]
    for step in path.steps:
        found = [inner for outer in found for inner in _inside(outer, step)][:_MOST]
    return found


def first(document: Any, path: Path) -> Any:
    """The first thing a path leads to that is not null; None when it leads nowhere."""
    return next((one for one in every(document, path) if one is not None), None)


def _inside(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        yield value[step]
    elif isinstance(value, list) and step is None:
        yield from value
    elif isinstance(value, list) and isinstance(step, int) and step < len(value):
        yield value[step]
