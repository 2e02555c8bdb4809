"""Incidents and components in the shape of Atlassian Statuspage, which several other vendors imitate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, planned
from bot.sources.times import moment
from bot.sources.wire import rows, word

IMPACTS = {
    "none": Health.OPERATIONAL,
    "minor": Health.DEGRADED,
    "major": Health.PARTIAL_OUTAGE,
    "critical": Health.MAJOR_OUTAGE,
    "maintenance": Health.MAINTENANCE,
}
"""What the words for an incident's impact and for the whole page's indicator come to."""

COMPONENTS = {
    "operational": Health.OPERATIONAL,
    "degraded_performance": Health.DEGRADED,
    "partial_outage": Health.PARTIAL_OUTAGE,
    "major_outage": Health.MAJOR_OUTAGE,
    "full_outage": Health.MAJOR_OUTAGE,
    "under_maintenance": Health.MAINTENANCE,
}
"""What the words for a component's state come to; `full_outage` is incident.io's."""


def incident(row: Mapping[str, Any], now: datetime, *, maintenance: bool = False) -> Told:
    """Read one row; the vendor's own `status` decides whether it is open, whatever its updates say."""
    updates = rows(row.get("incident_updates"), 50)
    affected = [part for update in updates for part in rows(update.get("affected_components"), 100)]
    parts = [*rows(row.get("components"), 500), *affected]
    latest = max(updates, key=lambda update: later(_said_at(update)), default={})
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("name"),
            phase=row.get("status"),
            impact=IMPACTS.get(word(row.get("impact")), Health.DEGRADED),
            began=_began(row),
            changed=(moment(row.get("updated_at")), _said_at(latest)),
            ended=moment(row.get("resolved_at")),
            url=word(row.get("shortlink"), 500),
            maintenance=maintenance or _is_maintenance(row),
            body=latest.get("body"),
            names=[part.get(key) for part in parts for key in ("id", "code", "name")],
            text=[word(part.get("name")) for part in parts],
        )
    )


def _is_maintenance(row: Mapping[str, Any]) -> bool:
    return row.get("scheduled_for") is not None or planned(row.get("status")) or row.get("impact") == "maintenance"


def _began(row: Mapping[str, Any]) -> datetime | None:
    times = (moment(row.get(key)) for key in ("scheduled_for", "started_at", "created_at"))
    return next((time for time in times if time), None)


def _said_at(update: Mapping[str, Any]) -> datetime | None:
    return moment(update.get("display_at")) or moment(update.get("created_at"))
