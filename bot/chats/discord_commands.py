"""The slash commands as data: what Discord is told of them, and what an interaction says back.

Payloads: https://discord.com/developers/docs/interactions/application-commands#create-global-application-command
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.core.speech import VERBS

ROOT = "incident"
SHORT = ("status", "report")
_SUB_COMMAND, _STRING = 1, 3

_OPTIONS: Mapping[str, str] = {
    "service": "Which service",
    "incident": "Which incident; in its thread you need not say",
    "symptom": "What you see",
    "region": "Where you are",
    "platform": "What you use",
    "text": "In your own words",
}
_COMPLETED = ("service", "incident", "symptom", "region", "platform")
_TAKES: Mapping[str, tuple[str, ...]] = {
    "status": ("service",),
    "show": ("incident",),
    "why": ("incident",),
    "ack": ("incident", "text"),
    "resolve": ("incident", "text"),
    "note": ("text", "incident"),
    "report": ("service", "symptom", "region", "platform", "text"),
}
_REQUIRED = {("report", "service")}
_MEANT = ("name", "description", "type", "required", "autocomplete", "options", "contexts", "integration_types")


def commands(*, short: bool) -> list[dict[str, Any]]:
    """The commands of one server: `/incident` with a sub-command per verb, and the short forms."""
    verbs = [_command(verb, _SUB_COMMAND) for verb in VERBS]
    root = {"name": ROOT, "type": 1, "description": "What is wrong, and what is done about it", "options": verbs}
    shorts = [_command(verb, 1) for verb in SHORT] if short else []
    return [{**command, "contexts": [0], "integration_types": [0]} for command in (root, *shorts)]


def _command(verb: str, kind: int) -> dict[str, Any]:
    options = [_option(verb, name) for name in _TAKES.get(verb, ())]
    return {"name": verb, "type": kind, "description": VERBS[verb][:100].capitalize(), "options": options}


def _option(verb: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": _STRING,
        "description": _OPTIONS[name],
        "required": (verb, name) in _REQUIRED,
        "autocomplete": name in _COMPLETED,
    }


def differ(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """True when the commands that Discord knows are not the ones we mean; the ids and defaults it adds do not count."""
    return sorted(map(_shape, ours), key=str) != sorted(map(_shape, theirs), key=str)


def _shape(command: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: command[key] for key in _MEANT if command.get(key)}
    if "options" in kept:
        kept["options"] = [_shape(option) for option in kept["options"]]
    return kept


def typed(data: Mapping[str, Any]) -> tuple[str, dict[str, str], str]:
    """The verb, the options by name, and the option being typed if any, of a command's interaction."""
    options = data.get("options", [])
    verb = data["name"]
    if options and options[0]["type"] == _SUB_COMMAND:
        verb, options = options[0]["name"], options[0].get("options", [])
    focused = next((option["name"] for option in options if option.get("focused")), "")
    return verb, {option["name"]: str(option["value"]) for option in options}, focused


def written(data: Mapping[str, Any]) -> str:
    """The words of a form with one input, however its rows are nested."""
    return next((str(item["value"]) for item in _items(data.get("components", [])) if item.get("value")), "")


def _items(rows: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for row in rows:
        yield row
        yield from _items([*row.get("components", []), *([row["component"]] if "component" in row else [])])
