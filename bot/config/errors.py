"""Problems with a configuration: each has a place, says what is wrong, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

_LONGEST = 400
_MANY = 200


class Place(NamedTuple):
    """Where something stands: the file as the person knows it, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong, in words for the person who wrote the file."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Misconfigured(Exception):
    """The configuration cannot be used. `problems` has every reason, in the order of the files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass
class Findings:
    """What one reading has found so far; the same problem at the same place counts once."""

    errors: dict[Problem, None] = field(default_factory=dict)
    warnings: dict[Problem, None] = field(default_factory=dict)
    spoiled: set[Place] = field(default_factory=set)
    """Places of scalars that are already known to be wrong, so that nothing is said about them twice."""

    def wrong(self, place: Place, message: str) -> None:
        """Remember an error."""
        self.errors[Problem(place, _one_line(message))] = None

    def warn(self, place: Place, message: str) -> None:
        """Remember something that works and should not stay as it is."""
        self.warnings[Problem(place, _one_line(message))] = None

    def spoil(self, place: Place, message: str) -> None:
        """Remember an error in a scalar, whose value is then not looked at any further."""
        self.wrong(place, message)
        self.spoiled.add(place)


def _one_line(message: str) -> str:
    """Names come from the file: none may break the line, colour the terminal or fill the screen."""
    if len(message) <= _LONGEST and message.isprintable():
        return message
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message[:_LONGEST])
    return shown if len(message) <= _LONGEST else f"{shown}…"


def instead(word: str, choices: Collection[str]) -> str:
    """The end of a sentence about a wrong name: `, did you mean 'x'?`, else what there is to choose from."""
    if near := nearest(word, choices):
        return f", did you mean '{near}'?"
    if not choices:
        return "; there are none"
    return f"; there is {listed(choices)}" if len(choices) == 1 else f"; there are {listed(choices)}"


def nearest(word: str, choices: Collection[str]) -> str:
    """The choice that is spelt most alike, or the empty string. Of very many, only likely ones are compared."""
    if len(choices) > _MANY:
        alike = [choice for choice in choices if choice[:1] == word[:1] and abs(len(choice) - len(word)) <= 1]
        choices = alike[:_MANY]
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word.casefold()[:_MANY], folded, n=1)
    return folded[near[0]] if near else ""


def listed(choices: Collection[str], last: str = "and", limit: int = 12) -> str:
    """Names for a sentence: `a, b and c`, cut short when there are many."""
    names = list(choices)
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
