"""Names that must mean something: levels, chats, channels, services, entries of the catalogue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bot.config.errors import Place, instead
from bot.config.layers import catalogue
from bot.config.nodes import Listing, Mapping, Node, Scalar, below, pairs
from bot.config.scalars import Reader


def check(root: Mapping, reader: Reader) -> None:
    """Look up every name that the file refers to, as it was written; the wrong ones go into the findings."""
    names = _Names(reader, *(_keys(root.get(key)) for key in ("levels", "chats", "channels", "services")))
    names.refer(below(root, "policy", "open_at"), "level", names.levels)
    for _, channel in pairs(root.get("channels")):
        names.channel(channel)
    names.service(root.get("defaults"), "")
    for key, service in pairs(root.get("services")):
        names.service(service, key.text)
    _aliases(root, reader)
    _tokens(root, reader)


def _keys(node: Node | None) -> Collection[str] | None:
    """The names that there are; None when what should hold them is something else, and cannot be asked."""
    return dict.fromkeys(key.text for key, _ in pairs(node)) if node is None or isinstance(node, Mapping) else None


@dataclass(frozen=True)
class _Names:
    reader: Reader
    levels: Collection[str] | None
    chats: Collection[str] | None
    channels: Collection[str] | None
    services: Collection[str] | None

    def refer(self, node: Node | None, what: str, choices: Collection[str] | None) -> None:
        """A reference to something that must exist. What is not text is for the models to complain about."""
        if not isinstance(node, Scalar) or choices is None:
            return
        value = self.reader.scalar(node)
        if isinstance(value, str) and value not in choices:
            shown = node.shown if node.put_in else value
            self.reader.findings.wrong(node.place, f"unknown {what} '{shown}'{instead(value, choices)}")

    def channel(self, node: Node) -> None:
        self.refer(below(node, "chat"), "chat", self.chats)
        for level, _ in pairs(below(node, "mention")):
            self.refer(level, "level", self.levels)
        quiet = below(node, "quiet")
        for hours in [*_items(quiet), *([quiet] if isinstance(quiet, Mapping) else [])]:
            self.refer(below(hours, "unless"), "level", self.levels)

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
                self.reader.findings.wrong(needed.place, "a service cannot depend on itself")
        self.refer(below(node, "catalogue"), "entry of the catalogue", _keys(catalogue()))


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, Listing) else []


def _aliases(root: Mapping, reader: Reader) -> None:
    """A word that means two services means neither."""
    taken: dict[str, tuple[str, Place]] = {k.text.casefold(): (k.text, k.place) for k, _ in pairs(root.get("services"))}
    for key, service in pairs(root.get("services")):
        for alias, word in _texts(_items(below(service, "aliases")), reader):
            other, place = taken.setdefault(word.casefold(), (key.text, alias.place))
            if other != key.text:
                known = f"'{word}' already means the service '{other}', {_seen_from(alias.place, place)}"
                reader.findings.wrong(alias.place, known)


def _tokens(root: Mapping, reader: Reader) -> None:
    """Two tokens of one name could not be told apart in the log."""
    names = [below(token, "name") for token in _items(below(root, "web", "tokens"))]
    taken: dict[str, Place] = {}
    for name, word in _texts(names, reader):
        if (first := taken.setdefault(word, name.place)) != name.place:
            known = f"there is already a token named '{word}', {_seen_from(name.place, first)}"
            reader.findings.wrong(name.place, known)


def _texts(nodes: Iterable[Node | None], reader: Reader) -> Iterator[tuple[Scalar, str]]:
    for node in nodes:
        if isinstance(node, Scalar) and isinstance(word := reader.scalar(node), str):
            yield node, word


def _seen_from(here: Place, there: Place) -> str:
    return f"on line {there.line}" if here.file == there.file else f"at {there}"
