"""`sources.md`: every kind of watch, from the models that ask and hear."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.config.plugins import SOURCES, words
from bot.fields import Model
from writing.keys import keys, said
from writing.tables import Schema, table

_INTRO = """\
# Sources

What a service can be watched by, under `services.NAME.watch.NAME`, told apart by `kind`. Some are looked at, each on its
own schedule, a little jittered, and faster while an incident of its service lives. Some count what people say. Others tell by themselves. One that
cannot be read is *no reading*: it is shown as such, and nothing is concluded from it.

Reports of people need no watch: they come in over the [API](http.md), the report page and the chats.

*Evidence* is the kind that a watch counts as. Two of one kind do not confirm each other; a vendor's word does by itself.
"""
_LOOKED_AT = """
## Looked at

`allow_private: true` is needed where the address leads into a private network.
"""
_COUNTED = """
## Counted

These know how many people complain, or overhear them. What they know is counted like every other report; a window or a
post that comes twice counts once, and where nobody could listen there is a gap, not a silence. Public posts are read by
rules, in English, Spanish, Portuguese, French, German, Hindi and Japanese: one that says (or asks whether) the service
does not work becomes a report of its author, who is one voice as everybody is, and its words are not kept. Which posts
are about a service is said by `words`, here or under the service: all the words of one of the phrases.
"""
_TOLD = """
## Told by others

Other programs send these to `POST /hooks/SERVICE/WATCH`, signed in the way of their kind. A delivery is answered once it
is kept; one that comes twice counts once. The address must be reachable from the sender: see
[the reverse proxy](operations.md#reverse-proxy).
"""
_SAMPLES = {"page": "0123456789abcdef01234567", "topic": "arn:aws:sns:eu-west-1:123456789012:alarms"}
"""Values of required keys whose models show no example."""


def sources(parts: Schema) -> Iterator[str]:
    """`sources.md`: every kind of watch with its options."""
    plugins = sorted(dict.fromkeys(SOURCES.values()), key=lambda plugin: words(plugin)[0])
    groups: dict[str, list[type[Model]]] = {_LOOKED_AT: [], _COUNTED: [], _TOLD: []}
    for plugin in plugins:
        counted = hasattr(plugin, "gather") or hasattr(plugin, "listen")
        groups[_TOLD if hasattr(plugin, "hear") else _COUNTED if counted else _LOOKED_AT].append(plugin)
    yield _INTRO
    for intro, group in groups.items():
        yield intro
        yield table(("Kind", "Evidence", "What it is"), [_row(plugin, parts) for plugin in group])
        yield from (_section(plugin, parts) for plugin in group)


def _row(plugin: type[Model], parts: Schema) -> Sequence[str]:
    links = " ".join(f"[`{kind}`](#{kind})" for kind in words(plugin))
    return links, getattr(plugin, "evidence").value, parts[plugin.__name__]["description"].split("\n\n")[0]  # noqa: B009 - every watch has it


def _section(plugin: type[Model], parts: Schema) -> str:
    part = parts[plugin.__name__]
    return (
        f"\n### {' and '.join(words(plugin))}\n\n{part['description']}\n\n{_example(plugin, part)}{keys(part, parts)}"
    )


def _example(plugin: type[Model], part: Schema) -> str:
    """The least that this kind needs, as YAML."""
    lines = [f"  {key}: {_sample(key, part['properties'][key])}" for key in part["required"] if key != "kind"]
    return "```yaml\n" + "\n".join([f"{words(plugin)[0]}:", f"  kind: {words(plugin)[0]}", *lines]) + "\n```\n"


def _sample(key: str, node: Schema) -> str:
    if said(node).startswith("secret"):
        return f'"${{{key.upper()}}}"'
    sample = node.get("examples", [_SAMPLES.get(key, key.upper())])[0]
    return f'"{sample}"' if isinstance(sample, str) and sample.isdecimal() else str(sample)
