"""The shipped catalogue as a table."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.layers import catalogue
from bot.config.nodes import Listing, Node, Scalar, below
from bot.config.plugins import SOURCES
from writing.tables import table


def known() -> Iterator[str]:
    """Every entry: what it is called, and whether its status page is read."""
    yield (
        "\n## The catalogue\n\n"
        "`services: {github: {catalogue: github}}` takes name, aliases, words and status page from here. Where the page is not\n"
        "read, people's reports alone decide until the service gets a watch of its own.\n"
    )
    rows = [
        (f"`{id_}`", _text(below(entry, "name")), ", ".join(_texts(below(entry, "aliases"))) or "-", _page(entry))
        for id_, (_, entry) in sorted(catalogue().pairs.items())
    ]
    yield table(("Entry", "Name", "Aliases", "Page"), rows)


def _page(entry: Node) -> str:
    page = below(entry, "page")
    if page is None:
        return "-"
    kind = _text(below(page, "kind"))
    return f"[{f'read as {kind}' if kind in SOURCES else 'not read'}]({_text(below(page, 'url'))})"


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _texts(node: Node | None) -> list[str]:
    return [_text(item) for item in node.items] if isinstance(node, Listing) else []
