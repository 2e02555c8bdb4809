"""StatusPal: one summary with nested services, open incidents and maintenances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, link, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_TYPES = {
    "scheduled": Health.MAINTENANCE,
    "minor": Health.DEGRADED,
    "major": Health.MAJOR_OUTAGE,
}
_DEEPEST = 5


class StatusPal(PlacedPage):
    """A vendor's status page made with StatusPal."""

    kind: Literal["statuspal"]
    """The word that says what this watch is."""
    url: WebAddress = "https://statuspal.io"
    """Where StatusPal itself is; pages kept in the European Union are at `https://statuspal.eu`."""
    page: str = Field(pattern=r"^[A-Za-z0-9.-]{1,100}$")
    """The page's subdomain at StatusPal, or its own domain."""

    def addresses(self) -> Sequence[str]:
        """The summary."""
        return (f"{self.url}/api/v2/status_pages/{self.page}/summary",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the summary says; its anchor is the page with a type that may be null, but not missing."""
        whole = mapping(decoded(bodies[0]))
        page = mapping(whole.get("status_page"))
        if "current_status_type" not in page:
            raise Unread("wrong_shape", "this is JSON, and not a summary of StatusPal")
        return Found(
            told=[
                *(_told(row, now, "") for row in rows(whole.get("incidents"), 60)),
                *(_told(row, now, "in_progress") for row in rows(whole.get("maintenances"), 60)),
                *(_told(row, now, "scheduled") for row in rows(whole.get("upcoming_maintenances"), 60)),
            ],
            overall=_health(page["current_status_type"]),
            parts=list(_parts(whole.get("services"), "", 0)),
            url=link("", page.get("url")),
            hesitant=True,
        )


PLUGIN = StatusPal


def _health(said: object) -> Health:
    return Health.OPERATIONAL if said is None else _TYPES.get(word(said), Health.DEGRADED)


def _parts(services: object, group: str, depth: int) -> Iterator[Part]:
    """The services that hold no others, each also under the name of what it is in."""
    for row in rows(services):
        name = word(row.get("name"))
        children = row.get("children")
        if children and depth < _DEEPEST:
            yield from _parts(children, name, depth + 1)
        else:
            yield Part(
                health=_health(row.get("current_incident_type")),
                names=lower((row.get("id"), name, f"{group} / {name}")),
                groups=lower((group,)),
            )


def _told(row: Mapping[str, Any], now: datetime, planned: str) -> Told:
    updates = rows(row.get("updates"), 50)
    latest = max(updates, key=lambda update: later(moment(update.get("posted_at"))), default={})
    services = rows(row.get("services"), 200)
    ended = moment(row.get("ends_at"))
    over = ended is not None and ended <= now
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("title"),
            phase=_phase(planned, over=over, latest=latest.get("type")),
            impact=_health(row.get("type", "")),
            began=moment(row.get("starts_at")),
            changed=(moment(row.get("updated_at")), moment(latest.get("posted_at"))),
            ended=ended if over else None,
            url=word(row.get("url"), 500),
            maintenance=bool(planned),
            body=latest.get("description"),
            names=[*(service.get(key) for service in services for key in ("id", "name"))],
            text=[word(service.get("name")) for service in services],
        )
    )


def _phase(planned: str, *, over: bool, latest: object) -> object:
    if over:
        return "completed" if planned else "resolved"
    return planned or {"issue": "identified"}.get(word(latest), latest)
