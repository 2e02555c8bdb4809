"""Look up the services that the shipped catalogue knows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from bot.config.layers import catalogue
from bot.config.nodes import Listing, Mapping, Scalar, below


@dataclass(frozen=True, kw_only=True)
class Known:
    """An entry: what it is called, and how its status page is read. `kind` empty: only people can read it."""

    id: str
    name: str
    aliases: tuple[str, ...]
    kind: str
    url: str

    @property
    def words(self) -> tuple[str, ...]:
        """Everything that it goes by, in lower case."""
        return tuple(word.casefold() for word in (self.id, self.name, *self.aliases))


def search(words: Sequence[str], *, as_json: bool = False) -> int:
    """Print the services that go by all of these words, or all services without any; 1 when there is none."""
    found = list(matching(" ".join(words)))
    if as_json:
        sys.stdout.write(json.dumps([asdict(known) for known in found], indent=2, ensure_ascii=False) + "\n")
    elif found:
        sys.stdout.writelines(_lines(found))
        sys.stderr.write(f"Write for example:  services: {{{found[0].id}: {{catalogue: {found[0].id}}}}}\n")
    if not found:
        sys.stderr.write(f"{_instead(' '.join(words))}\n")
    return 0 if found else 1


def entries() -> Iterator[Known]:
    """Every service of the catalogue, in its order."""
    for id_, (_, entry) in catalogue().pairs.items():
        names = below(entry, "aliases")
        aliases = tuple(_text(each) for each in names.items) if isinstance(names, Listing) else ()
        page = below(entry, "page")
        inside = page if isinstance(page, Mapping) else None
        kind, url = (_text(below(inside, key)) if inside else "" for key in ("kind", "url"))
        yield Known(id=id_, name=_text(below(entry, "name")), aliases=aliases, kind=kind, url=url)


def matching(typed: str) -> Iterator[Known]:
    """The services of which some name holds every word that was typed."""
    wanted = typed.casefold().split()
    return (known for known in entries() if all(any(word in name for name in known.words) for word in wanted))


def _text(node: object) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _lines(found: Sequence[Known]) -> Iterator[str]:
    """A line for each, in columns that are as wide as they must be."""
    rows = [(known.id, known.name, known.kind or "-", known.url or "no page of its own") for known in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ("  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows)


def _instead(typed: str) -> str:
    names = {word: known.id for known in entries() for word in known.words}
    near = get_close_matches(typed.casefold(), names, 1, 0.7)
    meant = f"; did you mean '{names[near[0]]}'?" if near else "; any page can be watched with {kind: status, url: ...}"
    return f"The catalogue has no '{typed}'{meant}"
