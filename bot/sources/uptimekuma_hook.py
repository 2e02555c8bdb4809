"""Uptime Kuma's webhook notification: one heartbeat of one monitor."""

from __future__ import annotations

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar, Literal

from bot.core.alerts import Alert
from bot.core.model import Evidence, Health
from bot.ports import Letter
from bot.sources.letters import Severity, Told, alert, document, scalar
from bot.sources.times import moment
from bot.sources.wire import mapping

_UP, _MAINTENANCE, _DOWN = "1", "3", "0"


class UptimeKumaHook(Told):
    """What an Uptime Kuma of yours sees: a notification of the type Webhook that points here.

    Either body it offers will do, JSON or form data. Put the secret behind the address as `?key=...`, or send it as an
    additional header `X-Tocsin-Key`. A retry that is pending changes nothing, and neither do warnings about certificates.
    """

    evidence: ClassVar[Evidence] = Evidence.PROBE

    kind: Literal["uptimekuma_hook"]
    """The word that says what this watch is."""
    means: Severity = "major_outage"
    """What a monitor that is down means for the service."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one heartbeat; test messages have none."""
        said = document(_json(letter))
        if "heartbeat" not in said:
            raise ValueError("there is no `heartbeat` in the body; leave the notification's body as it is preset")
        beat, monitor = mapping(said["heartbeat"]), mapping(said.get("monitor"))
        states = {_DOWN: Health[self.means.upper()], _UP: Health.OPERATIONAL, _MAINTENANCE: Health.MAINTENANCE}
        state = scalar(beat.get("status"))
        if state not in states:
            return ()
        return (_alert(beat, monitor, state, states[state]),)


PLUGIN = UptimeKumaHook


def _alert(beat: Mapping[str, Any], monitor: Mapping[str, Any], state: str, health: Health) -> Alert:
    key, time = scalar(beat.get("monitorID") or monitor.get("id")), scalar(beat.get("time"))
    name, words = scalar(monitor.get("name")), scalar(beat.get("msg"))
    return alert(
        f"monitor {key}",
        health,
        title=": ".join(part for part in (name, words) if part),
        url=monitor.get("url"),
        id=f"{key} {time} {state}" if time else "",
        at=moment(beat.get("time")),
    )


def _json(letter: Letter) -> bytes:
    """The body, or the field `data` of a form (RFC 7578)."""
    kind = letter.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        return letter.body
    head = b"Content-Type: " + kind.encode("utf-8", "replace") + b"\r\n\r\n"
    form = BytesParser(policy=HTTP).parsebytes(head + letter.body)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "data":
            found = part.get_payload(decode=True)
            return found if isinstance(found, bytes) else b""
    raise ValueError("there is no field `data` in the form")
