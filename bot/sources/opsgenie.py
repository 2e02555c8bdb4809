"""Opsgenie's outgoing webhook (support.atlassian.com/opsgenie, "Opsgenie Edge Connector alert action data")."""

from __future__ import annotations

from typing import Literal

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.times import moment
from bot.sources.wire import mapping

_FIRES = ("create", "unacknowledge", "escalate", "reopen")
_OVER = ("close", "delete")


class Opsgenie(Told):
    """Alerts of Opsgenie: a webhook integration that points here.

    Put the secret behind the address as `?key=...`, or send it as a custom header `X-Tocsin-Key`. An alert counts until
    it is closed or deleted; its priority (P1 to P5) says how bad it is.
    """

    kind: Literal["opsgenie"]
    """The word that says what this watch is."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one action; those that change nothing about an alert say nothing."""
        said = document(letter.body)
        action, told = scalar(said.get("action")).lower(), mapping(said.get("alert"))
        if not action or not scalar(told.get("alertId")):
            raise ValueError("there is no `action` or no `alert` with its `alertId` in the body")
        health = Health.OPERATIONAL if action in _OVER else self.weight(told.get("priority"))
        if action not in (*_FIRES, *_OVER) or health is None:
            return ()
        key, updated = scalar(told["alertId"]), scalar(told.get("updatedAt"))
        return (
            alert(
                key,
                health,
                title=told.get("message"),
                id=f"{key} {action} {updated}" if updated else "",
                started=moment(told.get("createdAt")),
                at=moment(told.get("updatedAt")),
            ),
        )


PLUGIN = Opsgenie
