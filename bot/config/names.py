"""Names that must mean something: levels, chats, channels, services, entries of the catalogue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.config.errors import Place, instead
from bot.config.layers import catalogue
from bot.config.nodes import Listing, Mapping, Node, Scalar, below, pairs
from bot.config.scalars import Reading


def check(root: Mapping, reading: Reading) -> None:
    """Look up every name that the file refers to, as it was written; the wrong ones go into the findings."""
    names = _Names(reading, *(_keys(root.get(key)) for key in ("levels", "chats", "channels", "services")))
    names.refer(below(root, "policy", "open_at"), "level", names.levels)
    for _, channel in pairs(root.get("channels")):
        names.channel(channel)
    names.service(root.get("defaults"), "")
    for key, service in pairs(root.get("services")):
        names.service(service, key.text)
    _aliases(root, reading)


def _keys(node: Node | None) -> tuple[str, ...]:
    return tuple(key.text for key, _ in pairs(node))


@dataclass(frozen=True)
class _Names:
    reading: Reading
    levels: Collection[str]
    chats: Collection[str]
    channels: Collection[str]
    services: Collection[str]

    def refer(self, node: Node | None, what: str, choices: Collection[str]) -> None:
        """A reference to something that must exist. What is not text is for the models to complain about."""
        if not isinstance(node, Scalar):
            return
        value = self.reading.scalar(node)
        if isinstance(value, str) and value not in choices:
            shown = node.text if node.file or "$" in node.text else value
            self.reading.findings.wrong(node.place, f"unknown {what} '{shown}'{instead(value, choices)}")

    def channel(self, node: Node) -> None:
        self.refer(below(node, "chat"), "chat", self.chats)
        for level, _ in pairs(below(node, "mention")):
            self.refer(level, "level", self.levels)

    def service(self, node: Node | None, name: str) -> None:
        for level, _ in pairs(below(node, "levels")):
            self.refer(level, "level", self.levels)
        self.refer(below(node, "policy", "open_at"), "level", self.levels)
        for route in _items(below(node, "tell")):
            self.refer(below(route, "channel") if isinstance(route, Mapping) else route, "channel", self.channels)
            self.refer(below(route, "from"), "level", self.levels)
        for needed in _items(below(node, "depends_on")):
            self.refer(needed, "service", self.services)
            if isinstance(needed, Scalar) and needed.text == name:
                self.reading.findings.wrong(needed.place, "a service cannot depend on itself")
        self.refer(below(node, "catalogue"), "entry of the catalogue", _keys(catalogue()))


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, Listing) else []


def _aliases(root: Mapping, reading: Reading) -> None:
    """A word that means two services means neither."""
    taken: dict[str, tuple[str, Place]] = {k.text.casefold(): (k.text, k.place) for k, _ in pairs(root.get("services"))}
    for key, service in pairs(root.get("services")):
        for alias in _items(below(service, "aliases")):
            word = reading.scalar(alias) if isinstance(alias, Scalar) else None
            if not isinstance(word, str):
                continue
            other, place = taken.setdefault(word.casefold(), (key.text, alias.place))
            if other != key.text:
                message = f"'{word}' already means the service '{other}' ({place.file}:{place.line})"
                reading.findings.wrong(alias.place, message)
