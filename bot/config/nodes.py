"""A configuration as it was written: scalars, lists and mappings that know where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.config.errors import Place


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A piece of text. `plain`: written without quotes, so it may mean a number; `file`: it names a file to read."""

    place: Place
    text: str
    plain: bool = False
    file: bool = False

    @property
    def blank(self) -> bool:
        """True where nothing was written after the colon or the dash, or a word for nothing."""
        return self.plain and self.text in ("", "~", "null")

    @property
    def put_in(self) -> bool:
        """True where the value comes from a variable or a file, and may be a secret."""
        return self.file or "${" in self.text

    @property
    def shown(self) -> str:
        """What stands in the file, in place of what it stands for."""
        return f"!file {self.text}" if self.file else self.text


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """A sequence."""

    place: Place
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """Keys in the order written, each with its own place."""

    place: Place
    pairs: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value under a key."""
        pair = self.pairs.get(key)
        return pair[1] if pair else None

    def entries(self) -> Iterator[tuple[Scalar, Node]]:
        """Keys and values, with their places."""
        return iter(self.pairs.values())


Node = Scalar | Listing | Mapping


def pairs(node: Node | None) -> Sequence[tuple[Scalar, Node]]:
    """The keys and values of a mapping; nothing for anything else."""
    return tuple(node.entries()) if isinstance(node, Mapping) else ()


def below(node: Node | None, *path: str) -> Node | None:
    """What stands under a path of keys, if it is there."""
    for key in path:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def overlay(*layers: Node | None) -> Node | None:
    """Several layers as one, the last one strongest: mappings are joined key by key, anything else is replaced.

    A layer with nothing written in it leaves what is beneath as it was.
    """
    top: Node | None = None
    for layer in layers:
        top = _over(top, layer)
    return top


def _over(under: Node | None, over: Node | None) -> Node | None:
    if under is None or over is None:
        return over or under
    if isinstance(under, Mapping) and isinstance(over, Mapping) and not _another_kind(under, over):
        return Mapping(over.place, under.pairs | {k: _pair(under, k, p) for k, p in over.pairs.items()})
    return under if isinstance(over, Scalar) and over.blank else over


def _another_kind(under: Mapping, over: Mapping) -> bool:
    """True for two plugins of different kinds, whose keys have nothing to do with each other."""
    kinds = [node.text for node in (under.get("kind"), over.get("kind")) if isinstance(node, Scalar)]
    return len(kinds) == 2 and kinds[0] != kinds[1]


def _pair(under: Mapping, key: str, pair: tuple[Scalar, Node]) -> tuple[Scalar, Node]:
    return pair[0], _over(under.get(key), pair[1]) or pair[1]
