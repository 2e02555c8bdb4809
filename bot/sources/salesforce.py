"""Salesforce: the active incidents of all instances, or the state of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_STATES = {
    "OK": Health.OPERATIONAL,
    "INFORMATIONAL_CORE": Health.DEGRADED,
    "INFORMATIONAL_NONCORE": Health.DEGRADED,
    "MAINTENANCE_CORE": Health.MAINTENANCE,
    "MAINTENANCE_NONCORE": Health.MAINTENANCE,
    "MINOR_INCIDENT_CORE": Health.DEGRADED,
    "MINOR_INCIDENT_NONCORE": Health.DEGRADED,
    "MAJOR_INCIDENT_CORE": Health.MAJOR_OUTAGE,
    "MAJOR_INCIDENT_NONCORE": Health.MAJOR_OUTAGE,
}
_SEVERITIES = {"minor": Health.DEGRADED, "major": Health.MAJOR_OUTAGE}


class Salesforce(PlacedPage):
    """Salesforce's trust site. `regions` are instances (`EU44`, `NA*`), `components` are services (`coreService`)."""

    kind: Literal["salesforce"]
    """The word that says what this watch is."""
    url: WebAddress = "https://api.status.salesforce.com"
    """The address of the interface, not of the page for people."""
    instance: str = Field(default="", pattern=r"^[A-Za-z0-9]{0,20}$")
    """Watch one instance by its own state, such as `EU44`; all active incidents when left out."""

    def addresses(self) -> Sequence[str]:
        """The state of the instance, or the active incidents of all."""
        api = f"{self.url}/v1"
        return (f"{api}/instances/{self.instance.upper()}/status" if self.instance else f"{api}/incidents/active",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What either document says; an empty list of incidents is good news."""
        whole = decoded(bodies[0])
        if isinstance(whole, dict):
            return _instance(whole, now)
        incidents = rows(whole)
        if not isinstance(whole, list) or len(incidents) < len(whole) or not all(_whole(row) for row in incidents):
            raise Unread("wrong_shape", "this is no list of incidents of Salesforce")
        return Found(told=[_told(row, now) for row in incidents[:100]])


PLUGIN = Salesforce


def _instance(whole: Mapping[str, Any], now: datetime) -> Found:
    state = whole.get("status")
    if not isinstance(state, str) or "key" not in whole:
        raise Unread("wrong_shape", "this is JSON, and not the state of an instance of Salesforce")
    told = [_told(row, now) for row in rows(whole.get("Incidents"), 100)]
    return Found(told=told, overall=_STATES.get(state, Health.DEGRADED), hesitant=True)


def _whole(row: Mapping[str, Any]) -> bool:
    return "id" in row and any(key in row for key in ("IncidentImpacts", "IncidentEvents", "instanceKeys", "status"))


def _told(row: Mapping[str, Any], now: datetime) -> Told:
    impacts = rows(row.get("IncidentImpacts"), 50)
    events = rows(row.get("IncidentEvents"), 50)
    latest = max(events, key=lambda event: later(moment(event.get("createdAt"))), default={})
    lasting = [impact for impact in impacts if not impact.get("endTime")]
    said = word(mapping(row.get("message")).get("pathToResolution")) or latest.get("message")
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("externalId") or word(latest.get("message")) or f"Incident {row.get('id')}",
            phase=row.get("status"),
            impact=max((_severity(impact) for impact in lasting), default=Health.DEGRADED),
            began=min(
                filter(None, (moment(i.get("startTime")) for i in impacts)), default=moment(row.get("createdAt"))
            ),
            changed=(moment(row.get("updatedAt")), moment(latest.get("createdAt"))),
            body=latest.get("message") or said,
            names=_texts(row.get("serviceKeys")),
            places=_texts(row.get("instanceKeys")),
        )
    )


def _severity(impact: Mapping[str, Any]) -> Health:
    return _SEVERITIES.get(word(impact.get("severity")).lower(), Health.DEGRADED)


def _texts(value: object) -> list[str]:
    return [each for each in value[:1_000] if isinstance(each, str)] if isinstance(value, list) else []
