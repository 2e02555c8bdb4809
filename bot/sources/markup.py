"""XML from strangers, read into a small tree: no entities, no outside documents, bounded depth and size."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 64
_MOST = 100_000
_PLAIN = (
    "",
    "http://www.w3.org/2005/Atom",
    "http://www.w3.org/1999/xhtml",
    "http://purl.org/rss/1.0/",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
)


@dataclass(kw_only=True)
class Node:
    """An element: its name without a prefix where the vocabulary is RSS, Atom or XHTML, else with the namespace before it."""

    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Node]:
        """The children that have one of these names."""
        return (child for child in self.children if child.name in names)

    def said(self, *names: str) -> str:
        """The text of the first such child; empty when there is none."""
        return next((child.inner() for child in self.all(*names)), "")

    def inner(self) -> str:
        """What stands between the tags; elements inside, as in Atom's XHTML, become HTML again."""
        own = "".join(self.text).strip()
        if not self.children:
            return own
        return html.escape(own) + "".join(f"<{c.name}>{c.inner()}</{c.name}>" for c in self.children)


def tree(body: bytes) -> Node:
    """The root element of a document.

    Raises:
        ValueError: with the reason in words.
    """
    growing = _Growing()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.EntityDeclHandler = growing.refuse_entity
    parser.StartElementHandler = growing.start
    parser.EndElementHandler = growing.end
    parser.CharacterDataHandler = growing.say
    try:
        parser.Parse(body.lstrip(b" \t\r\n"), True)
    except (expat.ExpatError, LookupError, UnicodeError) as exc:
        raise ValueError(f"the answer is not XML ({exc})") from exc
    return growing.root


class _Growing:
    """The tree while it is read."""

    def __init__(self) -> None:
        self.root = Node(name="", attributes={})
        self._open: list[Node] = []
        self._count = 0

    def refuse_entity(self, *_: object) -> None:
        raise ValueError("the answer declares entities of its own, which no honest feed needs")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST or len(self._open) >= _DEEPEST:
            raise ValueError("the answer nests too deeply or holds too many elements")
        node = Node(name=_short(name), attributes=attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _: str) -> None:
        self._open.pop()

    def say(self, text: str) -> None:
        self._open[-1].text.append(text)


def _short(name: str) -> str:
    """The words of RSS and Atom stand for themselves; other vocabularies keep their namespace."""
    space, _, local = name.rpartition(" ")
    return local if space in _PLAIN else name
