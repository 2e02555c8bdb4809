"""Sorry: a page with a state, its components, and the notices that are present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, lower, planned
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, rows, word

_STATES = {
    "operational": Health.OPERATIONAL,
    "under-maintenance": Health.MAINTENANCE,
    "recovering": Health.DEGRADED,
    "partially-degraded": Health.PARTIAL_OUTAGE,
    "degraded": Health.MAJOR_OUTAGE,
}
_PRESENT = "filter[type_eq]=unplanned&filter[timeline_state_eq]=present"


class Sorry(PlacedPage):
    """A vendor's status page made with Sorry."""

    needed: ClassVar[int] = 2

    kind: Literal["sorry"]
    """The word that says what this watch is."""

    def addresses(self) -> Sequence[str]:
        """The page, its components, and the notices of the moment, which only add words."""
        api = f"{self.url}/api/v1"
        return f"{api}/page", f"{api}/components?per_page=100", f"{api}/notices?{_PRESENT}"

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the documents say; the anchor is the list of components, each with a state."""
        page = mapping(decoded(bodies[0]))
        inner = mapping(page.get("page") or page.get("response") or page)
        listed = _listed(bodies[1], "components")
        if not listed or not all(isinstance(row.get("state"), str) for row in listed):
            raise Unread("wrong_shape", "this is JSON, and not the components of a page of Sorry")
        parts = _parts(listed)
        own = _health(inner["state"]) if "state" in inner else Health.OPERATIONAL
        return Found(
            told=[_told(row, now) for row in _notices(bodies[2])],
            overall=max([own, *(part.health for part in parts if part.health is not None)]),
            parts=parts,
            hesitant=True,
        )


PLUGIN = Sorry


def _health(state: object) -> Health:
    return _STATES.get(word(state), Health.DEGRADED)


def _listed(body: bytes, name: str) -> list[Mapping[str, Any]]:
    whole = mapping(decoded(body))
    return rows(whole.get(name) or whole.get("response"), 500)


def _notices(body: bytes) -> list[Mapping[str, Any]]:
    try:
        return _listed(body, "notices")[:60]
    except ValueError:
        return []


def _parts(listed: Sequence[Mapping[str, Any]]) -> list[Part]:
    names = {str(row.get("id")): word(row.get("name")) for row in listed}
    return [_part(row, names.get(str(row.get("parent_id")), "")) for row in listed]


def _part(row: Mapping[str, Any], group: str) -> Part:
    name = word(row.get("name"))
    return Part(
        health=_health(row.get("state")),
        names=lower((row.get("id"), name, f"{group} / {name}")),
        groups=lower((group,)),
    )


def _told(row: Mapping[str, Any], now: datetime) -> Told:
    updates = rows(row.get("updates"), 50)
    latest = max(updates, key=lambda update: later(moment(update.get("created_at"))), default={})
    touched = rows(row.get("components"), 200)
    ended = moment(row.get("ended_at"))
    said = "resolved" if ended and ended <= now else latest.get("state") or row.get("state")
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("subject"),
            phase=said,
            began=moment(row.get("began_at")) or moment(row.get("created_at")),
            changed=(moment(row.get("updated_at")), moment(latest.get("created_at"))),
            ended=ended,
            url=word(row.get("url"), 500),
            maintenance=row.get("type") == "planned" or planned(said),
            body=latest.get("content"),
            names=[part.get(key) for part in touched for key in ("id", "name")],
            text=[word(part.get("name")) for part in touched],
        )
    )
