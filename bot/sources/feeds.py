"""RSS and Atom, read into items; what they mean is for the readers of each vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.sources.markup import Node, tree
from bot.sources.pages import Unread
from bot.sources.times import moment

_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item. `title` and `body` may be HTML; `link` is as it was written."""

    id: str
    title: str
    body: str
    link: str
    published: datetime | None
    updated: datetime | None
    categories: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed's own title and link, and its items as they stand, newest usually first."""

    title: str
    link: str
    items: Sequence[Item]


def feed(body: bytes) -> Feed:
    """Read a feed.

    Raises:
        Unread: it is XML, and no feed.
        ValueError: it is not XML that we would read.
    """
    root = tree(body)
    if root.name == "feed":
        entries = list(root.all("entry"))[:_MOST]
        return Feed(title=root.said("title"), link=_reference(root), items=[_entry(entry) for entry in entries])
    channel = next(root.all("channel"), None)
    if root.name not in ("rss", "RDF") or channel is None:
        raise Unread("wrong_shape", "this is XML, and neither RSS nor Atom")
    items = [*channel.all("item"), *root.all("item")][:_MOST]
    return Feed(title=channel.said("title"), link=_first(channel, "link"), items=[_item(item) for item in items])


def _entry(node: Node) -> Item:
    return Item(
        id=node.said("id"),
        title=node.said("title"),
        body=node.said("content") or node.said("summary"),
        link=_reference(node),
        published=moment(node.said("published")),
        updated=moment(node.said("updated")),
        categories=tuple(each.attributes.get("term", "") for each in node.all("category")),
    )


def _item(node: Node) -> Item:
    dated = moment(node.said("pubDate")) or moment(node.said("http://purl.org/dc/elements/1.1/ date"))
    return Item(
        id=node.said("guid"),
        title=node.said("title"),
        body=node.said("http://purl.org/rss/1.0/modules/content/ encoded") or node.said("description"),
        link=_first(node, "link"),
        published=dated,
        updated=moment(node.said("updated")) or dated,
        categories=tuple(each.inner() for each in node.all("category")),
    )


def _reference(node: Node) -> str:
    """Where an Atom element leads for people."""
    links = [each.attributes for each in node.all("link") if each.attributes.get("rel", "alternate") == "alternate"]
    return links[0].get("href", "") if links else ""


def _first(node: Node, name: str) -> str:
    """The first of several that says something: RSS may hold an Atom `link`, which is empty, beside its own."""
    return next((said for each in node.all(name) if (said := each.inner())), "")
