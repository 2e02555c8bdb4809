"""CloudEvents 1.0 over HTTP: one event in headers (binary) or in JSON (structured), or a batch of them.

Format: github.com/cloudevents/spec, "HTTP Protocol Binding" and "JSON Event Format", version 1.0.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import Field

from bot.core.alerts import Alert
from bot.ports import Letter
from bot.sources.letters import decoded, document, scalar
from bot.sources.mapped import Mapped, Words
from bot.sources.paths import JsonPath, Path
from bot.sources.wire import rows

_MOST = 500


class CloudEvents(Mapped):
    """Events of any program that speaks CloudEvents; by their type they fire, are over, or count for nothing.

    Paths lead into the event: `type`, `source`, `subject`, `data.title`. The sender shows the secret as `?key=...`, as a
    bearer token or in `X-Tocsin-Key`.
    """

    kind: Literal["cloudevents"]
    """The word that says what this watch is."""
    key: JsonPath = Path("subject")
    """What stays the same from the alert to its end."""
    state: JsonPath = Path("type")
    """The word that says whether it fires or is over."""
    firing: Words = Field(default=["*.firing", "*.triggered", "*.opened", "*.failed", "*.alert"])
    """Types that mean that it fires; `*` stands for anything."""
    resolved: Words = Field(default=["*.resolved", "*.closed", "*.recovered", "*.succeeded"])
    """Types that mean that it is over."""
    title: JsonPath = Path("data.title")
    """What it is, in words."""
    severity: JsonPath = Path("data.severity")
    """The word that says how bad it is."""
    url: JsonPath = Path("data.url")
    """Where people can read more."""
    started: JsonPath = Path("data.started")
    """When it began: RFC 3339, or Unix time in any unit."""
    at: JsonPath = Path("time")
    """When this was said; older news than what is known already changes nothing."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read each event; source and id together are its name."""
        return tuple(one for event in _events(letter) for one in self.news(event, name=_name(event)))


PLUGIN = CloudEvents


def _events(letter: Letter) -> list[Mapping[str, Any]]:
    kind = letter.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents-batch+json":
        found = decoded(letter.body)
        if not isinstance(found, list) or len(rows(found, _MOST)) != len(found):
            raise ValueError(f"a batch is a JSON array of at most {_MOST} events")
        return [_whole(event) for event in found]
    if kind == "application/cloudevents+json":
        return [_whole(document(letter.body))]
    attributes = {
        name.removeprefix("ce-"): unquote(value) for name, value in letter.headers.items() if name[:3] == "ce-"
    }
    carried = decoded(letter.body) if letter.body and "json" in (kind or "json") else None
    return [_whole({**attributes, "data": carried})]


def _whole(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event, with its data where paths can reach it.

    Raises:
        ValueError: it lacks what every event has.
    """
    missing = [name for name in ("id", "source", "type", "specversion") if not scalar(event.get(name))]
    if missing:
        raise ValueError(f"this is no CloudEvent: it has no {missing[0]!r}")
    packed = event.get("data_base64")
    if not isinstance(packed, str):
        return event
    return {**event, "data": decoded(base64.b64decode(packed, validate=True))}


def _name(event: Mapping[str, Any]) -> str:
    return f"{scalar(event['source'])} {scalar(event['id'])}"
