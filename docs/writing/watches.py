"""`sources.md`: every kind of watch, from the models that ask."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.plugins import SOURCES, words
from bot.fields import Model
from writing.keys import keys, said
from writing.tables import Schema


def sources(parts: Schema) -> Iterator[str]:
    """`sources.md`: every kind of watch with its options."""
    yield (
        "# Sources\n\nWhat a service can be watched by, under `services.NAME.watch.NAME`, told apart by `kind`. Each asks on its own\n"
        "schedule, a little jittered, and faster while an incident of its service lives. One that cannot be read is *no\n"
        "reading*: it is shown as such and nothing is concluded from it.\n\n"
        "Reports of people need no watch: they come in over the [API](http.md), the report page and the chats.\n"
    )
    for plugin in dict.fromkeys(SOURCES.values()):
        part = parts[plugin.__name__]
        kinds = words(plugin)
        evidence = getattr(plugin, "evidence", None)
        counts = f"\n\nCounts as evidence of the kind *{evidence.value}*." if evidence else ""
        titled = " and ".join(kinds)
        yield f"\n## {titled}\n\n{part['description']}{counts}\n\n{_example(plugin, part)}{keys(part, parts)}"


def _example(plugin: type[Model], part: Schema) -> str:
    """The least that this kind needs, as YAML."""
    lines = [f"  {key}: {_sample(key, part['properties'][key])}" for key in part["required"] if key != "kind"]
    return "```yaml\n" + "\n".join([f"{words(plugin)[0]}:", f"  kind: {words(plugin)[0]}", *lines]) + "\n```\n"


def _sample(key: str, node: Schema) -> str:
    if said(node) == "secret":
        return f'"${{{key.upper()}}}"'
    return str(node.get("examples", ["..."])[0])
