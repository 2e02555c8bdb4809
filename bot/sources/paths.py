"""Paths into JSON, as they are written in the configuration: `incident.state`, `alerts[0].name`, `targets[*].name`.

There is nothing else to the language on purpose: no filters, no code, and no path that takes long to follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

Step = str | int | None
_MOST = 2_000
_PATH = re.compile(r"[^.\[\]]+(\[(\d{1,4}|\*)\])*(\.[^.\[\]]+(\[(\d{1,4}|\*)\])*)*")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\*)\]")


class Path(tuple[Step, ...]):
    """Steps from the outside in: a key, a place in a list, or None for every place."""

    __slots__ = ()


def path(value: object) -> Path:
    """Read a path; the empty one leads to the whole document.

    Raises:
        ValueError: with what would be right.
    """
    if isinstance(value, Path):
        return value
    if value == "":
        return Path()
    if not isinstance(value, str) or len(value) > 200 or not _PATH.fullmatch(value):
        raise ValueError(f"{value!r} is not a path; write it like incident.state, alerts[0].name or targets[*].name")
    return Path(m[1] or (None if m[2] == "*" else int(m[2])) for m in _STEP.finditer(value))


JsonPath = Annotated[
    Path,
    BeforeValidator(path),
    WithJsonSchema({"type": "string", "examples": ["incident.state", "alerts[0].name", "targets[*].name"]}),
]


def every(document: Any, steps: Path) -> list[Any]:
    """Whatever a path leads to, in order, at most two thousand; nothing where it leads nowhere."""
    found = [document]
    for step in steps:
        found = [inner for outer in found for inner in _inside(outer, step)][:_MOST]
    return found


def first(document: Any, steps: Path) -> Any:
    """The first thing a path leads to that is not null; None when it leads nowhere."""
    return next((one for one in every(document, steps) if one is not None), None)


def _inside(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(value, dict) and isinstance(step, str) and step in value:
        yield value[step]
    elif isinstance(value, list) and step is None:
        yield from value
    elif isinstance(value, list) and isinstance(step, int) and step < len(value):
        yield value[step]
