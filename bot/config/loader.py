"""Strict YAML: one document of plain mappings, lists and scalars, each with its place; all else is an error.

PyYAML's `compose()` would do, but libyaml's composer calls itself for every level of nesting and brings the whole
process down on a deep document, and it copies aliases. So the tree is built here, from the same parser's events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import yaml

from bot.config.errors import Findings, Place
from bot.config.nodes import Listing, Mapping, Node, Scalar

SIZE = 1_000_000
"""The largest file, in bytes."""
DEPTH = 40
"""The deepest nesting."""
NODES = 100_000
"""The most nodes, with every alias written out."""
ALIASES = 100
"""The most uses of aliases."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_TAB = re.compile(r"^ *(\t)(?=[^\r\n]*\S)", re.MULTILINE)
_WORDS = (
    # what libyaml says, whether the fault is where the construct began, and what that means for the person
    (
        "mapping values are not allowed",
        False,
        "a colon that makes this a key; put the value in quotes, or check the indentation",
    ),
    ("found unexpected end of stream", True, "a quote that is opened here is never closed"),
    ("could not find expected ':'", True, "this line is neither a key with a colon nor part of a value"),
    ("did not find expected key", False, "this does not line up with the lines above; check indentation and quotes"),
    ("did not find expected '-' indicator", False, "this does not line up with the list above; check the indentation"),
    ("did not find expected ',' or ']'", True, "this bracket is not closed, or a comma is missing in it"),
    ("did not find expected ',' or '}'", True, "this brace is not closed, or a comma is missing in it"),
    (
        "found character that cannot start any token",
        False,
        "a value cannot begin with this character; put it in quotes",
    ),
    (
        "did not find expected node content",
        False,
        "a value is missing before this, or a bracket, brace or comma is out of place",
    ),
    ("did not find expected <document start>", False, "this belongs to nothing above; check the indentation"),
)


def load(path: Path, name: str, findings: Findings) -> Node | None:
    """The file as nodes, or None when it is empty or cannot be read at all; what is wrong goes into `findings`."""
    text = _text(path, name, findings)
    return None if text is None else parse(text, name, findings)


def parse(text: str, name: str, findings: Findings) -> Node | None:
    """The text of a file as nodes; `name` is the file as people know it."""
    loader = yaml.CSafeLoader(text)
    try:
        return _Builder(loader, name, findings).document()
    except yaml.MarkedYAMLError as error:
        findings.wrong(*_explained(error, name))
    finally:
        loader.dispose()
    return None


def _text(path: Path, name: str, findings: Findings) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE + 1)
    except OSError as error:
        findings.wrong(Place(name, 1, 1), f"this file cannot be read: {error.strerror or error}")
        return None
    except ValueError:
        findings.wrong(Place(name, 1, 1), "this is not a name that a file can have")
        return None
    text, problem = decoded(data, name)
    for place, message in problem:
        findings.wrong(place, message)
    return None if problem else text


def decoded(data: bytes, name: str) -> tuple[str, list[tuple[Place, str]]]:
    """The bytes of a file as text, and whatever makes them unfit to be read as YAML."""
    top = Place(name, 1, 1)
    if len(data) > SIZE:
        return "", [(top, f"this file is larger than {SIZE // 1_000_000} MB; split it with include")]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:2]:
        return "", [(top, "this file is UTF-16; save it as UTF-8")]
    if data.startswith(b"\xef\xbb\xbf"):
        return "", [(top, "this file begins with a byte order mark; save it as UTF-8 without one")]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        return "", [(_place(before, len(before), name), "this byte is not UTF-8; save the file as UTF-8")]
    return text, list(_unfit(text, name))


def _unfit(text: str, name: str) -> Iterator[tuple[Place, str]]:
    if (at := text.find("\r")) >= 0:
        yield _place(text, at, name), "a carriage return: this file has Windows line ends; save it with plain ones (LF)"
    if found := _UNPRINTABLE.search(text):
        code = f"U+{ord(found[0]):04X}"
        yield _place(text, found.start(), name), f"the control character {code} does not belong in a configuration"
    for found in _TAB.finditer(text):
        yield _place(text, found.start(1), name), "a tab; indent with spaces"


def _place(text: str, at: int, name: str) -> Place:
    return Place(name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def _explained(error: yaml.MarkedYAMLError, name: str) -> tuple[Place, str]:
    problem = error.problem or "something is wrong here"
    known = (row[1:] for row in _WORDS if row[0] in problem)
    begun, words = next(known, (False, f"this is not YAML: {problem}"))
    mark = error.context_mark if begun and error.context_mark else error.problem_mark
    return (Place(name, mark.line + 1, mark.column + 1) if mark else Place(name, 1, 1)), words


class _TooMuch(Exception):
    """The document is not one that a person wrote; reading on would only cost time."""


class _Builder:
    """Builds the tree from the parser's events, and refuses what a configuration has no use for."""

    def __init__(self, loader: yaml.CSafeLoader, name: str, findings: Findings) -> None:
        self._event: Any = loader.get_event
        self._name = name
        self._findings = findings
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._nodes = 0
        self._aliases = 0

    def document(self) -> Node | None:
        """The one document of the file."""
        self._event()
        if isinstance(self._event(), yaml.StreamEndEvent):
            return None
        try:
            root, _ = self._node(self._event(), 1)
        except _TooMuch:
            return None
        self._event()
        if not isinstance(extra := self._event(), yaml.StreamEndEvent):
            self._wrong(extra, "a second document begins here; a configuration is one document")
        return root

    def _node(self, event: Any, depth: int) -> tuple[Node, int]:
        """The node that an event begins, and how many levels it has."""
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1)
        if depth > DEPTH:
            self._stop(event, f"this is nested more than {DEPTH} deep")
        if event.anchor:
            self._anchors[event.anchor] = None
        before = self._nodes
        node, height = self._built(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._nodes - before + 1, height)
        return node, height

    def _built(self, event: Any, depth: int) -> tuple[Node, int]:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event), 1
        if event.tag:
            self._tag(event, "only !file is, before the path of a file")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._listing(event, depth)
        return self._mapping(event, depth)

    def _alias(self, event: Any, depth: int) -> tuple[Node, int]:
        if event.anchor not in self._anchors:
            self._stop(event, f"there is no anchor '{event.anchor}' above")
        known = self._anchors[event.anchor]
        if known is None:
            self._stop(event, f"'{event.anchor}' contains itself")
        node, size, height = known
        self._aliases += 1
        if self._aliases > ALIASES:
            self._stop(event, f"more than {ALIASES} aliases; write it out, or use defaults")
        if depth + height - 1 > DEPTH:
            self._stop(event, f"this is nested more than {DEPTH} deep")
        self._count(event, size)
        return node, height

    def _scalar(self, event: Any) -> Scalar:
        plain = bool(event.implicit[0])
        if event.tag and event.tag != "!file":
            self._tag(event, "put the value in quotes if it is text")
        return Scalar(self._at(event), event.value, plain=plain, file=event.tag == "!file")

    def _listing(self, event: Any, depth: int) -> tuple[Listing, int]:
        listing, height = Listing(self._at(event)), 1
        while not isinstance(inner := self._event(), yaml.SequenceEndEvent):
            node, inside = self._node(inner, depth + 1)
            listing.items.append(node)
            height = max(height, inside + 1)
        return listing, height

    def _mapping(self, event: Any, depth: int) -> tuple[Mapping, int]:
        mapping, height = Mapping(self._at(event)), 1
        while not isinstance(inner := self._event(), yaml.MappingEndEvent):
            key, _ = self._node(inner, depth + 1)
            value, inside = self._node(self._event(), depth + 1)
            self._pair(mapping, key, value)
            height = max(height, inside + 1)
        return mapping, height

    def _pair(self, mapping: Mapping, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            self._findings.wrong(key.place, "a key must be one word; put a value with brackets or braces in quotes")
        elif key.plain and key.text == "<<":
            self._findings.wrong(key.place, "merge keys are not used here; put what services share under defaults")
        elif key.text in mapping.pairs:
            first = mapping.pairs[key.text][0].place.line
            self._findings.wrong(key.place, f"duplicate key '{key.text}', it is already on line {first}")
        else:
            mapping.pairs[key.text] = (key, value)

    def _count(self, event: Any, more: int) -> None:
        self._nodes += more
        if self._nodes > NODES:
            self._stop(event, f"more than {NODES} values, with every alias written out")

    def _at(self, event: Any) -> Place:
        return Place(self._name, event.start_mark.line + 1, event.start_mark.column + 1)

    def _wrong(self, event: Any, message: str) -> None:
        self._findings.wrong(self._at(event), message)

    def _tag(self, event: Any, advice: str) -> None:
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        self._findings.spoil(self._at(event), f"the tag {shown} is not used here; {advice}")

    def _stop(self, event: Any, message: str) -> NoReturn:
        self._wrong(event, message)
        raise _TooMuch
