"""Datadog's webhooks integration, with a payload that this page asks for (docs.datadoghq.com/integrations/webhooks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.times import moment

_OVER = ("recovered", "resolved", "ok", "success")
_MILD = ("warn", "re-warn", "no data", "re-no data")
_TYPES = {"error": "error", "warning": "warning", "success": "recovered"}


class Datadog(Told):
    """Monitors of Datadog: an integration of the type Webhooks that posts here.

    Its payload: `{"id":"$ID","alert_id":"$ALERT_ID","cycle":"$ALERT_CYCLE_KEY","transition":"$ALERT_TRANSITION",
    "priority":"$ALERT_PRIORITY","type":"$ALERT_TYPE","title":"$EVENT_TITLE","date":"$DATE","link":"$LINK",
    "scope":"$ALERT_SCOPE"}`. Send the secret as a custom header `{"X-Tocsin-Key": "..."}`. A warning or missing data is
    degraded; the priority of the monitor (P1 to P5) says how bad an alert is.
    """

    kind: Literal["datadog"]
    """The word that says what this watch is."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one transition of one monitor."""
        said = document(letter.body)
        transition = _transition(said)
        health = Health.OPERATIONAL if transition in _OVER else self._health(transition, said)
        if health is None:
            return ()
        at, name = moment(said.get("date")), _text(said, "id")
        return (
            alert(
                _key(said),
                health,
                title=_text(said, "title") or _text(said, "monitor_name"),
                url=said.get("link") or said.get("url"),
                id=f"{name} {transition}" if name else "",
                at=at,
            ),
        )

    def _health(self, transition: str, said: Mapping[str, Any]) -> Health | None:
        if transition in _MILD:
            return Health.DEGRADED
        priority = _text(said, "priority").lower()
        return self.weight(priority if priority[:1] == "p" else "")


PLUGIN = Datadog


def _transition(said: Mapping[str, Any]) -> str:
    """What happened; a variable that Datadog did not fill in is no word.

    Raises:
        ValueError: nothing says what happened.
    """
    kind = _text(said, "type") if _text(said, "type") in _TYPES else _text(said, "alert_type")
    found = (_text(said, "transition") or _TYPES.get(kind, "")).strip().lower()
    if not found:
        raise ValueError('the payload does not say what happened: add "transition": "$ALERT_TRANSITION" to it')
    return found


def _key(said: Mapping[str, Any]) -> str:
    """The cycle is the same from the first alert to the recovery, for each group of a monitor."""
    cycle = _text(said, "cycle")
    if cycle:
        return f"cycle {cycle}"
    monitor = _text(said, "alert_id") or _text(said, "monitor_id") or _text(said, "aggreg") or _text(said, "title")
    if not monitor:
        raise ValueError('the payload does not say which monitor it is: add "alert_id": "$ALERT_ID" to it')
    return f"monitor {monitor} {_text(said, 'scope')}".strip()


def _text(said: Mapping[str, Any], name: str) -> str:
    found = scalar(said.get(name)).strip()
    return "" if found.startswith("$") else found
