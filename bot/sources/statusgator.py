"""StatusGator's webhook, version 3: changes of the pages it reads, and its early warnings out of what people say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.times import moment
from bot.sources.wire import mapping

_STATES = {
    "up": Health.OPERATIONAL,
    "warn": Health.DEGRADED,
    "down": Health.MAJOR_OUTAGE,
    "maintenance": Health.MAINTENANCE,
}


class StatusGator(Told):
    """What StatusGator says of a service: a notification of the type Webhook that points here.

    A change of status counts until the service is up again. An early warning means `means`; a change to up ends it, and
    else it is forgotten after `forget_after`. Put the secret behind the address as `?key=...`.
    """

    kind: Literal["statusgator"]
    """The word that says what this watch is."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one message; services are told apart, for one board may send several."""
        said = document(letter.body)
        kind, about = scalar(said.get("type")), mapping(said.get("service"))
        name = scalar(about.get("id")) or scalar(about.get("slug"))
        if kind not in ("EarlyWarningSignal", "StatusChange") or not name:
            raise ValueError(
                "this is no message of StatusGator's webhook, version 3: it needs a `type` and a `service`"
            )
        if kind == "EarlyWarningSignal":
            return (_told(said, f"{name} early warning", Health[self.means.upper()], said.get("summary")),)
        return self._changed(said, name)

    def _changed(self, said: Mapping[str, Any], name: str) -> tuple[Alert, ...]:
        status = scalar(said.get("status")).lower()
        if status == "unknown":
            return ()
        health = _STATES.get(status, Health.DEGRADED)
        changed = _told(said, name, health, said.get("message") or said.get("details") or status)
        if health is not Health.OPERATIONAL:
            return (changed,)
        return (changed, _told(said, f"{name} early warning", health, ""))


PLUGIN = StatusGator


def _told(said: Mapping[str, Any], key: str, health: Health, words: object) -> Alert:
    about, at = mapping(said.get("service")), moment(said.get("recorded_at"))
    return alert(
        key,
        health,
        title=f"{scalar(about.get('name'))}: {scalar(words)}",
        url=about.get("landing_page_url") or about.get("status_page_url"),
        id=f"{key} {scalar(said.get('type'))} {at.isoformat()}" if at else "",
        started=at if health is not Health.OPERATIONAL else None,
        at=at,
    )
