"""Slack calls us: events, buttons and commands as signed requests, answered at once and worked on afterwards.

The library's own check of signatures raises on odd input, where an answer is due; this one refuses. Signatures:
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bot.chats.inbox import Inbox
from bot.chats.proof import Once, timely
from bot.ports import Forbidden, Letter, Word

_FIELDS = 100


class Calls:
    """The door for Slack, as strict as its signature allows; `secret` is the app's signing secret."""

    def __init__(self, secret: str, inbox: Inbox) -> None:
        self._key = secret.encode()
        self._inbox = inbox
        self._once = Once()

    def take(self, letter: Letter) -> Word:
        """Take a call in.

        Raises:
            Forbidden: it is not Slack's, too old, or a copy.
            ValueError: it is nothing that Slack sends.
        """
        signature = self._proved(letter)
        payload = _opened(letter)
        kind = _kind(payload)
        if kind == "url_verification":
            return Word(body={"challenge": str(payload.get("challenge", ""))})
        if kind:
            told = json.loads(payload["payload"]) if kind == "interactive" else payload
            self._inbox.take(str(payload.get("event_id") or signature), kind, _object(told))
        return Word()

    def _proved(self, letter: Letter) -> str:
        stamp, given = (letter.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
        timely(stamp, letter.at)
        ours = "v0=" + hmac.digest(self._key, b"v0:%b:%b" % (stamp.encode(), letter.body), "sha256").hex()
        if not hmac.compare_digest(ours.encode(), given.encode("utf-8", "surrogateescape")):
            raise Forbidden("the signature does not fit the body; is signing_secret the one under Basic Information?")
        self._once.first(ours, letter.at)
        return ours


def _opened(letter: Letter) -> dict[str, Any]:
    """Events come as JSON, the rest as a form."""
    if letter.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return dict(parse_qsl(letter.body.decode(), keep_blank_values=True, max_num_fields=_FIELDS))
    try:
        return _object(json.loads(letter.body))
    except RecursionError as deep:
        raise ValueError("the body is nested too deeply") from deep


def _object(told: object) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004  # what a stranger sent is a value, not a type
    return told


def _kind(payload: Mapping[str, Any]) -> str:
    """What Socket Mode would call it; nothing where nobody is to be heard, as when Slack tries the certificate."""
    if payload.get("type") == "url_verification":
        return "url_verification"
    if payload.get("type") == "event_callback":
        return "events_api"
    return "interactive" if "payload" in payload else "slash_commands" if "command" in payload else ""
