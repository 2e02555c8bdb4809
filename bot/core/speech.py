"""Words to a request: what a person typed after `/incident`, or in a form."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from msgspec.structs import replace

from bot.core.model import Request

VERBS = {
    "status": "what is wrong now, worst first; or one service",
    "list": "open incidents",
    "show": "one incident with its timeline",
    "chart": "the last 24 hours of a service against its usual",
    "share": "show that chart to everybody here",
    "why": "why an incident is at its level",
    "ack": "say that you are on it",
    "unack": "take that back",
    "take": "say that it is yours",
    "mute": "call nobody: for 2h, until 14:00, or until recovery",
    "unmute": "call people again",
    "resolve": "close an incident, with a word on how it ended",
    "reopen": "open a closed incident again",
    "note": "add a line to the timeline",
    "declare": "open an incident that nothing has noticed yet",
    "merge": "close an incident as part of another: merge <this> into <that>",
    "subscribe": "be called for <service or all> [level]; off, list; with here the whole channel hears of it",
    "report": "say that a service does not work for you; report undo takes it back",
    "works": "say that it works for you",
    "real": "say afterwards that it was a real incident",
    "false-alarm": "say that nothing was wrong",
    "maintenance": "planned work: add <service> 2h from 22:00, list, end <number>",
    "config": "show: the levels and the file; audit: who changed what; ignore, heed: whose reports count",
    "test": "play a marked TEST incident in a channel",
    "replay": "build a lost thread again",
    "help": "this list",
}
_SYNONYMS = {
    "acknowledge": "ack",
    "unacknowledge": "unack",
    "silence": "mute",
    "snooze": "mute",
    "unsilence": "unmute",
    "close": "resolve",
    "open": "declare",
    "incidents": "list",
    "?": "help",
    "comment": "note",
    "graph": "chart",
    "falsealarm": "false-alarm",
}
_ABOUT_SERVICE = ("status", "report", "declare", "chart", "share", "works")
UNDO = "undo"
"""After `report`: take it back."""
_OWN_WORDS = ("maintenance", "config", "test", "help", "subscribe")


def understood(request: Request, service: Callable[[str], str | None]) -> Request:
    """The request with verb, target and text told apart; `service` finds the id a person means, if any.

    An unknown first word that names a service asks for its status; otherwise the verb stays unknown for the desk to
    answer.
    """
    if request.verb:
        return _targeted(request, service) if not request.target else request
    words = request.text.split()
    if not words:
        return replace(request, verb="help", text="")
    verb = _SYNONYMS.get(words[0].lower(), words[0].lower())
    if verb == "unsubscribe":
        return replace(request, verb="subscribe", text=" ".join((*words[1:], "off")))
    if verb not in VERBS:
        known = service(request.text)
        return replace(request, verb="status", target=known, text="") if known else replace(request, verb=verb, text="")
    return _targeted(replace(request, verb=verb, text=" ".join(words[1:])), service)


def meant(verb: str) -> str:
    """The verb spelt most alike, or the empty string."""
    return next(iter(difflib.get_close_matches(verb, VERBS, 1, 0.5)), "")


def fronted(text: str, service: Callable[[str], str | None]) -> tuple[str, str]:
    """The service that the longest run of words at the front names (or the empty string), and the words after it."""
    words = text.split()
    for n in range(len(words), 0, -1):
        found = service(" ".join(words[:n]))
        if found:
            return found, " ".join(words[n:])
    return "", text


def _targeted(request: Request, service: Callable[[str], str | None]) -> Request:
    """Take the target off the front of the text: the longest run of words that names a service, or an incident id."""
    about = request.verb in _ABOUT_SERVICE
    if request.verb in _OWN_WORDS or (request.incident and not about):
        return request  # said in a thread or on a button: the words are all text
    words = request.text.split()
    if request.verb == "report" and words[:1] == [UNDO]:  # `report undo twitter` is `report twitter undo`
        words = [*words[1:], UNDO]
    found, rest = fronted(" ".join(words), service)
    if found:
        return replace(request, target=found, text=rest)
    if words and (_looks_like_id(words[0]) or (about and not request.incident)):
        return replace(request, target=words[0], text=" ".join(words[1:]))
    return request


def _looks_like_id(word: str) -> bool:
    parts = word.rsplit("-", 3)
    return len(parts) > 2 and any(part.isdigit() and len(part) == 8 for part in parts)
