"""Senders that keep to Standard Webhooks (github.com/standard-webhooks/standard-webhooks, version 1.0.0)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bot.core.alerts import Alert
from bot.ports import Forbidden, Letter
from bot.sources.letters import document
from bot.sources.mapped import Mapped, Words
from bot.sources.paths import JsonPath, Path
from bot.sources.seals import coded_key, signed, timely

_PREFIX = "v1,"
_LONGEST = 256


class StandardWebhooks(Mapped):
    """Signed messages of any sender that keeps to Standard Webhooks; the secret is the one that begins with `whsec_`.

    Paths lead into `{"type": ..., "timestamp": ..., "data": {...}}`. By its type a message fires, is over, or counts
    for nothing. A message is taken in once, and only within five minutes of when it was sent.
    """

    kind: Literal["standard_webhooks"]
    """The word that says what this watch is."""
    key: JsonPath = Path("data.id")
    """What stays the same from the alert to its end."""
    state: JsonPath = Path("type")
    """The word that says whether it fires or is over."""
    firing: Words = Field(default=["*firing", "*triggered", "*opened", "*created", "*failed"])
    """Types that mean that it fires; `*` stands for anything."""
    resolved: Words = Field(default=["*resolved", "*closed", "*recovered", "*succeeded"])
    """Types that mean that it is over."""
    title: JsonPath = Path("data.title")
    """What it is, in words."""
    severity: JsonPath = Path("data.severity")
    """The word that says how bad it is."""
    url: JsonPath = Path("data.url")
    """Where people can read more."""
    started: JsonPath = Path("data.started")
    """When it began: RFC 3339, or Unix time in any unit."""
    at: JsonPath = Path("timestamp")
    """When this was said; older news than what is known already changes nothing."""

    def prove(self, letter: Letter) -> None:
        """HMAC-SHA256 over `id.timestamp.body`; several signatures while a secret is being replaced."""
        name, stamp = letter.headers.get("webhook-id", ""), letter.headers.get("webhook-timestamp", "")
        if not 0 < len(name) <= _LONGEST:
            raise Forbidden("the delivery has no webhook-id")
        timely(stamp, letter.at)
        given = letter.headers.get("webhook-signature", "").split(" ")
        ours = [one.removeprefix(_PREFIX) for one in given if one.startswith(_PREFIX)]
        message = f"{name}.{stamp}.".encode("utf-8", "surrogateescape") + letter.body
        signed(ours, message, [coded_key(secret) for secret in self.secret], encoded="base64")

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one message."""
        return self.news(document(letter.body), name=letter.headers["webhook-id"])


PLUGIN = StandardWebhooks
