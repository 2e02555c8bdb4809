"""Gatus: endpoints with the results of their latest checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.core.model import Health
from bot.fields import Secret
from bot.sources.notices import lower
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.wire import decoded, rows, word


class Gatus(Page):
    """A Gatus. `components` are endpoints, groups or keys; an endpoint that fails is a major outage."""

    kind: Literal["gatus"]
    """The word that says what this watch is."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as Authorization, for a Gatus that asks for a password."""

    def addresses(self) -> Sequence[str]:
        """The latest results of up to a hundred endpoints."""
        return (f"{self.url}/api/v1/endpoints/statuses?page=1&pageSize=100",)

    def sent(self) -> dict[str, str]:
        """What the configuration says to send."""
        return {name: value.reveal() for name, value in self.headers.items()}

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:  # noqa: ARG002 - only the latest result counts
        """What the results say; an endpoint that was never checked is not known."""
        listed = decoded(bodies[0])
        endpoints = rows(listed)
        if not endpoints or not all(word(e.get("name")) and isinstance(e.get("results"), list) for e in endpoints):
            raise Unread("wrong_shape", "this is no list of endpoints of Gatus")
        parts = [_part(endpoint) for endpoint in endpoints]
        known = [part.health for part in parts if part.health is not None]
        if not known:
            raise Unread("wrong_shape", "no endpoint has been checked yet")
        return Found(overall=max(known), parts=parts)


PLUGIN = Gatus


def _part(endpoint: Mapping[str, Any]) -> Part:
    results = rows(endpoint.get("results"), 1_000)
    name, group = word(endpoint.get("name")), word(endpoint.get("group"))
    return Part(
        health=_health(results[-1]) if results else None,
        names=lower((endpoint.get("key"), name, f"{group} / {name}")),
        groups=lower((group,)),
        title=name,
    )


def _health(result: Mapping[str, Any]) -> Health:
    success = result.get("success")
    if success is True:
        return Health.OPERATIONAL
    return Health.MAJOR_OUTAGE if success is False else Health.DEGRADED
