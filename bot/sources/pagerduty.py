"""PagerDuty's webhooks, version 3 (developer.pagerduty.com, "Webhooks overview" and "Webhook signatures")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.seals import plain_keys, recent, signed
from bot.sources.times import moment
from bot.sources.wire import mapping

_OLDEST = timedelta(hours=24)  # as long as names of messages are remembered: what is older may have been here before
_PREFIX = "v1="


class PagerDuty(Told):
    """Incidents of PagerDuty: a generic webhook (V3) that points here; the secret is the one shown when it was made.

    An incident counts until it is resolved, acknowledged or not. Its priority (P1 to P5) says how bad it is; without
    one it is what `means` says.
    """

    kind: Literal["pagerduty"]
    """The word that says what this watch is."""

    def prove(self, letter: Letter) -> None:
        """HMAC-SHA256 over the body; several signatures while a secret is being replaced."""
        given = letter.headers.get("x-pagerduty-signature", "").split(",")
        ours = [one.strip().removeprefix(_PREFIX) for one in given if one.strip().startswith(_PREFIX)]
        signed(ours, letter.body, plain_keys(self.secret))

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one event; those that change nothing about an incident say nothing."""
        event = mapping(document(letter.body).get("event"))
        kind, data = scalar(event.get("event_type")), mapping(event.get("data"))
        if not kind:
            raise ValueError("there is no `event` in the body; this hook reads webhooks of version 3")
        at = recent(moment(event.get("occurred_at")), letter.at, _OLDEST)
        if not kind.startswith("incident.") or data.get("type") != "incident":
            return ()
        return (
            alert(
                data.get("id"),
                self._health(kind, data),
                title=data.get("title"),
                url=data.get("html_url"),
                id=scalar(event.get("id")),
                started=moment(data.get("created_at")),
                at=at,
            ),
        )

    def _health(self, kind: str, data: Mapping[str, Any]) -> Health:
        if kind == "incident.resolved" or data.get("status") == "resolved":
            return Health.OPERATIONAL
        # Somebody is paged for it, so that even its lowest priority is not nothing.
        return self.weight(mapping(data.get("priority")).get("summary")) or Health.DEGRADED


PLUGIN = PagerDuty
