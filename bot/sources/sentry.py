"""Sentry's integration platform: signed webhooks of an internal integration (docs.sentry.io/integrations/webhooks)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.seals import plain_keys, signed, timely
from bot.sources.times import moment
from bot.sources.wire import mapping

_ISSUE_OVER = ("resolved", "archived", "ignored")
_ISSUE_FIRES = ("created", "unresolved")


class Sentry(Told):
    """Alerts of Sentry: an internal integration whose webhook URL points here; the secret is its client secret.

    A metric alert counts from `critical` or `warning` until it is resolved. An issue, or an alert rule about issues,
    means `means` until the issue is resolved or archived; a rule alone says only that it fired, and is forgotten after
    `forget_after`.
    """

    kind: Literal["sentry"]
    """The word that says what this watch is."""

    def prove(self, letter: Letter) -> None:
        """HMAC-SHA256 over the body; the time beside it is checked too, though Sentry does not sign it."""
        signature = letter.headers.get("sentry-hook-signature")
        signed([signature] if signature else [], letter.body, plain_keys(self.secret))
        timely(letter.headers.get("sentry-hook-timestamp", ""), letter.at)

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read what the resource is about; resources that are no alerts say nothing."""
        said = document(letter.body)
        data, action = mapping(said.get("data")), scalar(said.get("action"))
        # The signature covers the body alone, so the body alone can be the message's name.
        name = hashlib.sha256(letter.body).hexdigest()
        if "metric_alert" in data:
            return self._metric(data, action, name)
        if "issue" in data:
            return self._issue(mapping(data["issue"]), action, name)
        return self._event(data, name) if action == "triggered" else ()

    def _metric(self, data: Mapping[str, Any], action: str, name: str) -> tuple[Alert, ...]:
        metric = mapping(data["metric_alert"])
        over = action == "resolved"
        health = Health.OPERATIONAL if over else self.weight(action) or Health.DEGRADED
        rule = mapping(metric.get("alert_rule"))
        return (
            alert(
                f"metric {scalar(metric.get('id')) or scalar(rule.get('name'))}",
                health,
                title=data.get("description_title") or rule.get("name"),
                url=data.get("web_url"),
                id=name,
                started=moment(metric.get("date_started")),
                at=moment(metric.get("date_closed")) if over else None,
            ),
        )

    def _issue(self, issue: Mapping[str, Any], action: str, name: str) -> tuple[Alert, ...]:
        if action not in (*_ISSUE_OVER, *_ISSUE_FIRES):
            return ()
        health = Health.OPERATIONAL if action in _ISSUE_OVER else Health[self.means.upper()]
        link = issue.get("web_url") or issue.get("permalink")
        return (alert(_issue_key(issue.get("id")), health, title=issue.get("title"), url=link, id=name),)

    def _event(self, data: Mapping[str, Any], name: str) -> tuple[Alert, ...]:
        event = mapping(data.get("event"))
        if not event:
            return ()
        title = " - ".join(scalar(one) for one in (data.get("triggered_rule"), event.get("title")) if scalar(one))
        health = Health[self.means.upper()]
        return (alert(_issue_key(event.get("issue_id")), health, title=title, url=event.get("web_url"), id=name),)


PLUGIN = Sentry


def _issue_key(number: object) -> str:
    return f"issue {scalar(number)}"
