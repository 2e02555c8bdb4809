"""`configuration.md`: every key of the configuration, from the models that read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pydantic import TypeAdapter

from bot.config.fields import Address, Alarms, Cron, Moment, Name
from bot.config.plugins import CHATS, SOURCES
from bot.fields import Duration
from writing.catalogue import known
from writing.tables import WORDS, Schema, either, referred, slug, table

_PATTERNS = {
    TypeAdapter(kind).json_schema()["pattern"]: word
    for kind, word in ((Duration, "duration"), (Name, "name"), (Address, "host:port"), (Alarms, "budget"))
}
_FORMATS = {"password": "secret", "uri": "web address"}
_EXAMPLES = {
    tuple(TypeAdapter(kind).json_schema()["examples"]): word for kind, word in ((Moment, "time"), (Cron, "schedule"))
}
_MANY = 12
_PLUGINS = {plugin.__name__: kind for kind, plugin in (*CHATS.items(), *SOURCES.items())}


def configuration(whole: Schema) -> Iterator[str]:
    """`configuration.md`: every key, section by section, from the top of the file down."""
    yield (
        "# Configuration\n\n"
        "Every key of `config.yaml`. All are optional unless marked. `tocsin check` reports every problem of a file at\n"
        "once, with line and column, and `tocsin schema` prints this page as JSON Schema for editors.\n\n"
        "- A *duration* is a number and a unit: `30s`, `5m`, `2h`, `1d`, or a sum such as `1h30m`.\n"
        "- A *name* is up to 64 letters, digits, dots, dashes and underscores; `NAME` below is one of your choice.\n"
        '- A *secret* is never printed. Keep it out of the file: `"${SLACK_BOT_TOKEN}"` or `!file /run/secrets/slack`.\n'
        "- `${VAR}`, `${VAR:-default}` and `!file path` work wherever a value stands.\n"
        "- Overrides go deep: the catalogue's entry, then `defaults`, then the service itself.\n"
    )
    parts = whole["$defs"]
    yield _section("The file", whole, parts)
    for name, places in _places(whole).items():
        if name not in _PLUGINS:
            yield _section(_title(name), parts[name], parts, places)
    yield "\n## Chats\n\nThe kinds of connection under `chats.NAME`.\n"
    for kind, plugin in CHATS.items():
        yield _section(f"Chat: {kind}", parts[plugin.__name__], parts, depth=3)
    yield from known()


def _places(whole: Schema) -> dict[str, list[str]]:
    """The sections below the top, in the order they are met, each with the paths where it stands."""
    found: dict[str, list[str]] = {}
    waiting = [("", whole)]
    while waiting:
        path, node = waiting.pop(0)
        for key, inner in node.get("properties", {}).items():
            for name, where in _references(inner, f"{path}{key}"):
                known_places = found.setdefault(_same(name), [])
                if where not in known_places:
                    known_places.append(where)
                    waiting.append((f"{where}.", whole["$defs"][name]))
    return found


def _references(node: Schema, path: str) -> Iterator[tuple[str, str]]:
    """The models that may stand at a path, and the path of each."""
    if name := referred(node):
        yield name, path
    for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _references(choice, path)
    if "items" in node:
        yield from _references(node["items"], f"{path}[]")
    for inner in node.get("patternProperties", {}).values():
        yield from _references(inner, f"{path}.NAME")


def _same(name: str) -> str:
    """A whole level has the same keys as an override of one."""
    return name.removeprefix("Whole")


def _title(name: str) -> str:
    return f"Chat: {_PLUGINS[name]}" if name in _PLUGINS else _same(name)


def _section(title: str, part: Schema, parts: Schema, places: Sequence[str] = (), depth: int = 2) -> str:
    stands = f"\n\nStands at {', '.join(f'`{place}`' for place in places)}." if places else ""
    return f"\n{'#' * depth} {title}\n\n{part['description']}{stands}\n{keys(part, parts)}"


def keys(part: Schema, parts: Schema) -> str:
    """The keys of one model as a table."""
    required = part.get("required", ())
    rows = [
        (f"`{key}`", said(node), "required" if key in required else _default(node), _meaning(key, node, parts))
        for key, node in _ordered(part)
    ]
    return table(("Key", "Type", "Default", "Meaning"), rows)


def _ordered(part: Schema) -> list[tuple[str, Schema]]:
    """The keys of a model: its kind first, then those that must be given, then the others as they stand."""
    required = ("kind", *part.get("required", ()))
    return sorted(part["properties"].items(), key=lambda pair: (pair[0] != "kind", pair[0] not in required))


def _meaning(key: str, node: Schema, parts: Schema) -> str:
    if key == "kind":
        return "The word that says which kind this is."
    return str(node.get("description") or parts[referred(node)]["description"])


def _default(node: Schema) -> str:
    return f"`{json.dumps(node['default']).strip(chr(34))}`" if node.get("default", "") != "" else "-"


def said(node: Schema) -> str:
    """A type in words."""
    if name := referred(node):
        return f"[{_title(name)}]({_address(name)})"
    if choices := (*node.get("anyOf", ()), *node.get("oneOf", ())):
        return _chosen(choices)
    if "enum" in node or "const" in node:
        given = node.get("enum", [node.get("const")])
        return (
            "an entry of [the catalogue](configuration.md#the-catalogue)"
            if len(given) > _MANY
            else either(f"`{v}`" for v in given)
        )
    if special := _special(node):
        return special
    held = node.get("type", "text")
    kinds = [kind for kind in ([held] if isinstance(held, str) else held) if kind != "null"]
    return either(_held(kind, node) for kind in kinds)


def _chosen(choices: Sequence[Schema]) -> str:
    meant = [choice for choice in choices if choice.get("$ref") != "#/$defs/variable" and "not" not in choice]
    kinds = {_PLUGINS[name] for choice in choices if (name := referred(choice)) in _PLUGINS}
    if kinds and kinds <= SOURCES.keys():
        return f"a [watch](sources.md): {either(f'`{kind}`' for kind in sorted(kinds))}"
    return either(said(choice) for choice in meant)


def _special(node: Schema) -> str:
    """The house's own word for a text of a certain form, or nothing."""
    examples = tuple(map(str, node.get("examples", ())))
    known_by = (_PATTERNS.get(node.get("pattern")), _FORMATS.get(node.get("format", "")), _EXAMPLES.get(examples))
    return next(filter(None, known_by), "")


def _held(kind: str, node: Schema) -> str:
    if kind == "array" and "items" in node:
        return f"list of {said(node['items'])}"
    inner = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    if kind == "object" and isinstance(inner[0], dict):
        return f"mapping of name to {said(inner[0])}"
    low, high = node.get("minimum"), node.get("maximum")
    bounds = f", {low} to {high}" if high is not None else f", {low} or more" if low is not None else ""
    return WORDS[kind] + bounds + (", above 0" if node.get("exclusiveMinimum") == 0 else "")


def _address(name: str) -> str:
    if _PLUGINS.get(name) in SOURCES:
        return f"sources.md#{_PLUGINS[name]}"
    return "configuration.md#" + slug(_title(name))
