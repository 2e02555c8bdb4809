"""Gatus' custom alert, with a body that this page asks for; Gatus fills it in without escaping anything."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from bot.core.alerts import Alert
from bot.core.model import Evidence, Health
from bot.ports import Letter
from bot.sources.letters import Severity, Told, alert, document, scalar

_NAMES = ("endpoint", "group", "url", "state", "description", "errors", "conditions")
_FIELD = re.compile(rf'"({"|".join(_NAMES)})"\s*:\s*"')


class GatusHook(Told):
    """What a Gatus of yours sees: a `custom` alert that posts here.

    Its body: `{"endpoint":"[ENDPOINT_NAME]","group":"[ENDPOINT_GROUP]","url":"[ENDPOINT_URL]",
    "state":"[ALERT_TRIGGERED_OR_RESOLVED]","description":"[ALERT_DESCRIPTION]","errors":"[RESULT_ERRORS]"}`. Send the
    secret as a header `Authorization: Bearer ...`, and set `send-on-resolved: true`.
    """

    evidence: ClassVar[Evidence] = Evidence.PROBE

    kind: Literal["gatus_hook"]
    """The word that says what this watch is."""
    means: Severity = "major_outage"
    """What an endpoint that fails means for the service."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read one alert; a body that errors have broken is read field by field."""
        said = _fields(letter.body)
        states = {"TRIGGERED": Health[self.means.upper()], "RESOLVED": Health.OPERATIONAL}
        health = states.get(said.get("state", "").strip().upper())
        if health is None or not said.get("endpoint"):
            raise ValueError(
                'the body must have an `endpoint` and a `state` that is TRIGGERED or RESOLVED: set "state" to '
                '"[ALERT_TRIGGERED_OR_RESOLVED]"'
            )
        name = " / ".join(part for part in (said.get("group", ""), said["endpoint"]) if part)
        why = said.get("errors") or said.get("description", "") if health else ""
        return (alert(name, health, title=f"{name}: {why}" if why else name, url=said.get("url")),)


PLUGIN = GatusHook


def _fields(body: bytes) -> dict[str, str]:
    try:
        said = document(body)
        return {name: scalar(said.get(name)) for name in _NAMES}
    except ValueError:
        return _guessed(body.decode("utf-8", "replace")[:100_000])


def _guessed(text: str) -> dict[str, str]:
    """Each field reaches to where the next one begins, whatever quotes stand in between."""
    starts = list(_FIELD.finditer(text))
    ends = [after.start() for after in starts[1:]] + [len(text)]
    return {
        m[1]: text[m.end() : end].rstrip("} \t\r\n,").removesuffix('"') for m, end in zip(starts, ends, strict=True)
    }
