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
    "why": "why an incident is at its level",
    "ack": "say that you are on it",
    "resolve": "close an incident, with a word on how it ended",
    "note": "add a line to the timeline",
    "report": "say that a service does not work for you",
    "help": "this list",
}
_SYNONYMS = {"acknowledge": "ack", "close": "resolve", "incidents": "list", "?": "help", "comment": "note"}
_ABOUT_SERVICE = ("status", "report")


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
    if verb not in VERBS:
        known = service(request.text)
        return replace(request, verb="status", target=known, text="") if known else replace(request, verb=verb, text="")
    return _targeted(replace(request, verb=verb, text=" ".join(words[1:])), service)


def meant(verb: str) -> str:
    """The verb spelt most alike, or the empty string."""
    return next(iter(difflib.get_close_matches(verb, VERBS, 1, 0.5)), "")


def _targeted(request: Request, service: Callable[[str], str | None]) -> Request:
    """Take the target off the front of the text: the longest run of words that names a service, or an incident id."""
    if request.incident and request.verb not in _ABOUT_SERVICE:
        return request  # said in a thread or on a button: the words are all text
    words = request.text.split()
    for n in range(len(words), 0, -1):
        found = service(" ".join(words[:n]))
        if found:
            return replace(request, target=found, text=" ".join(words[n:]))
    if words and _looks_like_id(words[0]):
        return replace(request, target=words[0], text=" ".join(words[1:]))
    if request.verb in _ABOUT_SERVICE and words:
        return replace(request, target=words[0], text=" ".join(words[1:]))
    return request


def _looks_like_id(word: str) -> bool:
    parts = word.rsplit("-", 3)
    return len(parts) > 2 and any(part.isdigit() and len(part) == 8 for part in parts)
