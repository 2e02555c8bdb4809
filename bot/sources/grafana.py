"""Grafana's webhook contact point: unified alerting (version 1), and the notifications of Grafana 8 and before.

Signatures are those of its contact point's HMAC settings (grafana.com/docs/grafana/latest/alerting, webhook notifier).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.alertmanager import read
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.seals import keyed, plain_keys, signed, timely
from bot.sources.wire import mapping, rows, word

_ITS_OWN_TROUBLE = ("DatasourceError", "DatasourceNoData")


class Grafana(Told):
    """Alerts of Grafana: a webhook contact point that points here.

    With the contact point's HMAC settings the secret signs every delivery; name a timestamp header there too, or an old
    delivery could be played again. Without them, send the secret as the authorization credentials (Bearer), or in the
    address as `?key=...`. Grafana's own trouble with its data (no data, an error) is no outage and counts for nothing.
    """

    kind: Literal["grafana"]
    """The word that says what this watch is."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Only alerts that carry all of these labels count."""
    signature_header: str = "X-Grafana-Alerting-Signature"
    """The header with the signature, as named in the contact point."""
    timestamp_header: str = "X-Grafana-Alerting-Timestamp"
    """The header with the time of the signature, as named in the contact point."""

    def prove(self, letter: Letter) -> None:
        """A signature over `time:body` or the body alone; a delivery without one must bring the secret itself."""
        given = letter.headers.get(self.signature_header.lower())
        if given is None:
            keyed(letter, self.secret)
            return
        stamp = letter.headers.get(self.timestamp_header.lower())
        if stamp is not None:
            timely(stamp, letter.at)
        head = b"" if stamp is None else stamp.encode("utf-8", "surrogateescape") + b":"
        signed([given], head + letter.body, plain_keys(self.secret))

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read a group of alerts, or one rule of an old Grafana."""
        said = document(letter.body)
        if "alerts" not in said and "ruleId" in said:
            return _legacy(self, said)
        return read(self, _without_its_own(said), self.labels)


PLUGIN = Grafana


def _without_its_own(said: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(said.get("alerts"), list):
        return said
    theirs = [row for row in rows(said["alerts"]) if _name(row) not in _ITS_OWN_TROUBLE]
    return {**said, "alerts": theirs}


def _name(row: Mapping[str, Any]) -> str:
    return word(mapping(row.get("labels")).get("alertname"))


def _legacy(watch: Grafana, said: Mapping[str, Any]) -> tuple[Alert, ...]:
    states = {"alerting": Health[watch.means.upper()], "ok": Health.OPERATIONAL}
    health = states.get(word(said.get("state")))
    if health is None:
        return ()
    title = said.get("ruleName") or said.get("title")
    return (alert(f"rule {scalar(said.get('ruleId'))}", health, title=title, url=said.get("ruleUrl")),)
