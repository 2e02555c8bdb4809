"""The slash commands as data: what Discord is told of them, and what an interaction says back.

Payloads: https://discord.com/developers/docs/interactions/application-commands#create-global-application-command
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.speech import VERBS

ROOT = "incident"
SHORT = ("status", "report")
MENUS: Mapping[str, str] = {"Add to timeline": "note", "Report a problem": "report"}
"""Entries in the menu of a message, and the verbs that they stand for."""
_SUB_COMMAND, _STRING, _ON_MESSAGE = 1, 3, 3

_OPTIONS: Mapping[str, str] = {
    "service": "Which service",
    "incident": "Which incident; in its thread you need not say",
    "into": "The other open incident that it is part of",
    "symptom": "What you see",
    "region": "Where you are",
    "platform": "What you use",
    "level": "How bad it is",
    "for": "For how long: 2h, until 14:00 (UTC), until recovery",
    "from": "When it begins, in UTC: 22:00, tomorrow 8:00, 2026-12-01 22:00; now if not said",
    "channel": "Which channel",
    "do": "What to do",
    "number": "Its number in the list",
    "text": "In your own words",
}
_COMPLETED: Mapping[str, str] = {
    **{name: name for name in ("service", "incident", "symptom", "region", "platform", "level", "channel")},
    "for": "span",
    "into": "incident",
}
"""Options that are completed while they are typed, by what the desk calls that."""
_TAKES: Mapping[str, tuple[str, ...]] = {
    "status": ("service",),
    "show": ("incident",),
    "chart": ("service", "do"),
    "why": ("incident",),
    "ack": ("incident", "text"),
    "unack": ("incident",),
    "take": ("incident",),
    "mute": ("for", "incident", "text"),
    "unmute": ("incident",),
    "resolve": ("incident", "text"),
    "reopen": ("incident", "text"),
    "note": ("text", "incident"),
    "declare": ("service", "level", "text"),
    "merge": ("into", "incident", "text"),
    "subscribe": ("service", "level", "do"),
    "report": ("service", "symptom", "region", "platform", "text"),
    "works": ("service",),
    "real": ("incident", "text"),
    "false-alarm": ("incident", "text"),
    "maintenance": ("do", "service", "for", "from", "number", "text"),
    "config": ("do", "service", "text"),
    "test": ("channel",),
    "replay": ("incident", "channel"),
}
_REQUIRED = {
    ("report", "service"),
    ("declare", "service"),
    ("chart", "service"),
    ("merge", "into"),
} | {
    ("maintenance", "do"),
    ("test", "channel"),
}
_DOES: Mapping[str, tuple[str, ...]] = {
    "maintenance": ("list", "add", "end"),
    "config": ("show", "audit", "ignore", "heed", "ignored"),
    "subscribe": ("list", "off", "here"),
    "chart": ("share",),
}
FOLDED: Mapping[str, str] = {"share": "chart"}
"""Verbs that are a choice of another one's `do`: a command of Discord has room for 25 sub-commands."""
_COMPARED = (
    *("name", "description", "type", "required", "autocomplete"),
    *("options", "choices", "contexts", "integration_types"),
)
_SAID = ("symptom", "region", "platform", "level")


def commands(*, short: bool) -> list[dict[str, Any]]:
    """The commands of one server: `/incident` with a sub-command per verb, the short forms, and the message menu."""
    verbs = [_command(verb, _SUB_COMMAND) for verb in VERBS if verb not in FOLDED]
    root = {"name": ROOT, "type": 1, "description": "What is wrong, and what is done about it", "options": verbs}
    shorts = [_command(verb, 1) for verb in SHORT] if short else []
    menus = [{"name": name, "type": _ON_MESSAGE} for name in MENUS]
    return [{**command, "contexts": [0], "integration_types": [0]} for command in (root, *shorts, *menus)]


def _command(verb: str, kind: int) -> dict[str, Any]:
    options = [_option(verb, name) for name in _TAKES.get(verb, ())]
    return {"name": verb, "type": kind, "description": VERBS[verb][:100].capitalize(), "options": options}


def _option(verb: str, name: str) -> dict[str, Any]:
    option = {
        "name": name,
        "type": _STRING,
        "description": _OPTIONS[name],
        "required": (verb, name) in _REQUIRED,
        "autocomplete": name in _COMPLETED,
    }
    choices = [{"name": word, "value": word} for word in _DOES[verb]] if name == "do" else []
    return option | ({"choices": choices} if choices else {})


def differ(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """True when the commands that Discord knows are not the ones we mean; the ids and defaults it adds do not count."""
    return sorted(map(_shape, ours), key=str) != sorted(map(_shape, theirs), key=str)


def _shape(command: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: command[key] for key in _COMPARED if command.get(key)}
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
    given = {option["name"]: str(option["value"]) for option in options}
    if FOLDED.get(given.get("do", "")) == verb:
        verb = given.pop("do")
    return verb, given, focused


def path(verb: str) -> str:
    """What people choose to have a verb done: `/incident chart do:share`."""
    return f"/{ROOT} {FOLDED[verb]} do:{verb}" if verb in FOLDED else f"/{ROOT} {verb}"


def completed(option: str) -> str:
    """What the desk calls the kind of thing that an option takes."""
    return _COMPLETED.get(option, option)


def meant(options: Mapping[str, str]) -> dict[str, str]:
    """The options as parts of a request: what is about when and where joins the words, in the order people type it."""
    given = {name: options[name] for name in _SAID if name in options}
    begins = f"from {options['from']}" if "from" in options else ""
    into = f"into {options['into']}" if "into" in options else ""
    words = (options.get("do"), options.get("number"), begins, into, options.get("channel"), options.get("text"))
    parts = {
        "target": options.get("incident") or options.get("service") or "",
        "span": options.get("for", ""),
        "text": " ".join(word for word in words if word),
    }
    return given | {name: value for name, value in parts.items() if value}


def picked(data: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The verb of a message's menu, and of that message the words, their author's id and name."""
    message = data["resolved"]["messages"][data["target_id"]]
    author = message.get("author", {})
    name = author.get("global_name") or author.get("username", "")
    return MENUS.get(data["name"], ""), message.get("content", ""), str(author.get("id", "")), name
