"""Checkly status pages: a list of the incidents that are not resolved, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, rows, word

_SEVERITIES = {
    "MINOR": Health.DEGRADED,
    "MEDIUM": Health.PARTIAL_OUTAGE,
    "MAJOR": Health.MAJOR_OUTAGE,
    "CRITICAL": Health.MAJOR_OUTAGE,
    "MAINTENANCE": Health.MAINTENANCE,
}


class Checkly(PlacedPage):
    """A vendor's status page made with Checkly; it is healthy when the list of open incidents is empty."""

    kind: Literal["checkly"]
    """The word that says what this watch is."""
    slug: str = Field(default="", max_length=100)
    """The page's short name at Checkly; the first word of the host when left out."""

    def addresses(self) -> Sequence[str]:
        """The open incidents."""
        parts = urlsplit(self.url)
        slug = self.slug or (parts.hostname or "").partition(".")[0]
        return (f"{parts.scheme}://{parts.netloc}/api/status-page/{quote(slug, safe='')}/unresolved-incidents",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the list says; that there is one, and no page as in Statuspage, is the anchor."""
        whole = mapping(decoded(bodies[0]))
        incidents = whole.get("incidents")
        if not isinstance(incidents, list) or "page" in whole:
            raise Unread("wrong_shape", "this is JSON, and no list of incidents of Checkly")
        return Found(told=[_told(row, now) for row in rows(incidents, 60)])


PLUGIN = Checkly


def _told(row: Mapping[str, Any], now: datetime) -> Told:
    updates = rows(row.get("incidentUpdates"), 50)
    latest = max(updates, key=lambda u: later(moment(u.get("publicIncidentUpdateDate"))), default={})
    services = rows(row.get("services"), 200)
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("name"),
            phase=row.get("lastUpdateStatus") or latest.get("status"),
            impact=_SEVERITIES.get(word(row.get("severity")), Health.DEGRADED),
            began=moment(row.get("created_at")),
            changed=(moment(row.get("updated_at")), moment(latest.get("publicIncidentUpdateDate"))),
            maintenance=row.get("severity") == "MAINTENANCE",
            body=latest.get("description"),
            names=[service.get(key) for service in services for key in ("id", "name")],
            text=[word(service.get("name")) for service in services],
        )
    )
