"""What lies beneath a service: the built-in ladder, the base of the file, the catalogue, the defaults."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from bot.config.errors import Findings, Misconfigured
from bot.config.loader import load, parse
from bot.config.nodes import Listing, Mapping, Node, Scalar, below, overlay, pairs
from bot.config.plugins import SOURCES
from bot.config.scalars import Reader

BUILT_IN = """\
chats: {page: {kind: page}}
channels: {wall: {chat: page}}
levels:
  minor: {reports: 10, within: 15m, times: 2, alarms: 1/month}
  major: {reports: 50, within: 15m, times: 5}
  critical: {reports: 200, within: 15m, times: 15}
"""
"""What holds where the file says nothing of it."""

BUILT_IN_NAME = "built in"
"""What stands in the place of a file for these."""

CATALOGUE = Path(__file__).with_name("catalogue.yaml")
"""Well-known services: name, aliases, status page and words."""


@cache
def catalogue() -> Mapping:
    """The shipped catalogue, by id."""
    findings = Findings()
    node = load(CATALOGUE, CATALOGUE.name, findings)
    if not isinstance(node, Mapping):
        raise Misconfigured(findings.errors)
    return node


def completed(root: Mapping) -> Mapping:
    """The file with the built-in chat, channel and ladder where it has none of its own."""
    built_in = parse(BUILT_IN, BUILT_IN_NAME, Findings())
    given = {key: node for key, (_, node) in root.pairs.items() if not _empty(node)}
    wanted = {"chats", "channels", "levels"} - given.keys()
    if "chats" in given and below(given["chats"], "page") is None:
        wanted -= {"channels"}
    missing = {key.text: (key, node) for key, node in pairs(built_in) if key.text in wanted}
    return Mapping(root.place, root.pairs | missing)


def _empty(node: Node) -> bool:
    return node.blank if isinstance(node, Scalar) else not (node.items if isinstance(node, Listing) else node.pairs)


def layered(root: Mapping, reader: Reader) -> Mapping:
    """The file with every service as it is in the end."""
    if not isinstance(services := root.get("services"), Mapping):
        return root
    base: dict[str, tuple[Scalar, Node]] = {
        key: root.pairs[key] for key in ("levels", "policy", "holidays") if key in root.pairs
    }
    whole = {
        name: (key, overlay(Mapping(node.place, base), _entry(node, reader), root.get("defaults"), node) or node)
        for name, (key, node) in services.pairs.items()
    }
    return Mapping(root.place, root.pairs | {"services": (root.pairs["services"][0], Mapping(services.place, whole))})


def _entry(service: Node, reader: Reader) -> Node | None:
    """What the catalogue says of a service that names an entry, in the keys that a service has."""
    wanted = below(service, "catalogue")
    entry = below(catalogue(), str(reader.scalar(wanted))) if isinstance(wanted, Scalar) else None
    if not isinstance(entry, Mapping):
        return None
    said = {key: pair for key, pair in entry.pairs.items() if key in ("name", "aliases", "words")}
    kind = below(entry, "page", "kind")
    if isinstance(kind, Scalar) and kind.text in SOURCES:
        key, page = entry.pairs["page"]
        said["watch"] = (replace(key, text="watch"), Mapping(page.place, {"page": (key, page)}))
    return Mapping(entry.place, said)
