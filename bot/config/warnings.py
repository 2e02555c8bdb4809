"""What works and should not stay as it is: secrets in the file, levels out of order, doors open to everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.config.models import File
from bot.config.nodes import Listing, Mapping, Node, Scalar, below, pairs
from bot.config.scalars import Reader

_TOKENS = (
    (re.compile(r"xox[a-z]-[\w-]{10,}"), "a Slack token"),
    (re.compile(r"xapp-[\w-]{10,}"), "a Slack app token"),
    (re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"), "a Discord token"),
    (re.compile(r"whsec_[\w+/=]{10,}"), "a webhook secret"),
)


def look(root: Mapping, file: File, reader: Reader) -> None:
    """Put what should be seen to into the findings."""
    for scalar in _scalars(root):
        what = next((name for pattern, name in _TOKENS if pattern.search(scalar.text)), "")
        if what:
            advice = "keep it in the environment (${NAME}) or in a file (!file path), and replace it if others saw it"
            reader.findings.warn(scalar.place, f"this looks like {what}; {advice}")
    _ladder(root, file, reader)
    _open_doors(root, reader)


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _scalars(item)
    else:
        for _, value in node.entries():
            yield from _scalars(value)


def _ladder(root: Mapping, file: File, reader: Reader) -> None:
    """Levels are written mildest first; one that asks for less than the one before it was put in the wrong place."""
    levels = below(root, "levels")
    for (mild, lower), (name, upper) in pairwise(file.levels.items()):
        if lower.reports and upper.reports and upper.reports < lower.reports and isinstance(levels, Mapping):
            place = levels.pairs[name][0].place
            reader.findings.warn(
                place, f"'{name}' needs fewer reports than '{mild}' before it; levels go mildest first"
            )


def _open_doors(root: Mapping, reader: Reader) -> None:
    """A server in Discord may be anybody's; a workspace in Slack is a company's."""
    for key, chat in pairs(below(root, "chats")):
        kind = below(chat, "kind")
        if isinstance(kind, Scalar) and kind.text == "discord" and below(chat, "roles") is None:
            why = "everybody in the server may close and mute incidents; say under `roles` who may `act` and `admin`"
            reader.findings.warn(key.place, f"'{key.text}' has no roles: {why}")
