"""Instatus: what a vendor says of itself; the lists of open incidents and maintenances are missing when they are empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, rows, word

_PAGE = {
    "UP": Health.OPERATIONAL,
    "UNDERMAINTENANCE": Health.MAINTENANCE,
    "HASISSUES": Health.DEGRADED,
    "ONEMAJOROUTAGE": Health.MAJOR_OUTAGE,
}
_IMPACTS = {
    "OPERATIONAL": Health.OPERATIONAL,
    "UNDERMAINTENANCE": Health.MAINTENANCE,
    "DEGRADEDPERFORMANCE": Health.DEGRADED,
    "MINOROUTAGE": Health.PARTIAL_OUTAGE,
    "PARTIALOUTAGE": Health.PARTIAL_OUTAGE,
    "MAJOROUTAGE": Health.MAJOR_OUTAGE,
}


class Instatus(PlacedPage):
    """A vendor's status page made with Instatus; most pages whose address ends in `/summary.json`.

    The level is the worst of the page's own state and its open incidents.
    """

    kind: Literal["instatus"]
    """The word that says what this watch is."""

    def addresses(self) -> Sequence[str]:
        """The summary, and the components, which only a choice of them needs."""
        return f"{self.url}/summary.json", *([f"{self.url}/v2/components.json"] if self.components else [])

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the summary says; its anchor is the page's state in capitals."""
        whole = mapping(decoded(bodies[0]))
        page = mapping(whole.get("page"))
        state = word(page.get("status"))
        if not state or state != state.upper():
            raise Unread("wrong_shape", "this is JSON, and not an Instatus summary")
        return Found(
            told=[
                *(_told(row, now) for row in rows(whole.get("activeIncidents"), 60)),
                *(_told(row, now, maintenance=True) for row in rows(whole.get("activeMaintenances"), 60)),
            ],
            overall=_PAGE.get(state, Health.DEGRADED),
            parts=_parts(bodies[1]) if len(bodies) > 1 else None,
            hesitant=True,
        )


PLUGIN = Instatus


def _told(row: Mapping[str, Any], now: datetime, *, maintenance: bool = False) -> Told:
    named = rows(row.get("components"), 200)
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=_name(row),
            phase=row.get("status"),
            impact=_IMPACTS.get(word(row.get("impact")), Health.DEGRADED),
            began=moment(row.get("start" if maintenance else "started")),
            changed=(moment(row.get("updatedAt")),),
            url=word(row.get("url"), 500),
            maintenance=maintenance,
            names=[value for part in named for value in (part.get("id"), _name(part))],
            text=[word(_name(part)) for part in named],
        )
    )


def _parts(body: bytes) -> list[Part] | None:
    """The components, those inside others under both names; None when there is no list to choose from."""
    try:
        listed = mapping(decoded(body)).get("components")
    except ValueError:
        return None
    if not isinstance(listed, list):
        return None
    found: list[Part] = []
    for row in rows(listed):
        children = rows(row.get("children"), 500)
        found += [_part(child, word(_name(row))) for child in children] or [_part(row, _group(row))]
    return found


def _part(row: Mapping[str, Any], group: str) -> Part:
    name = word(_name(row))
    health = _IMPACTS.get(word(row.get("status")), Health.DEGRADED)
    return Part(health=health, names=lower((row.get("id"), name, f"{group} / {name}")), groups=lower((group,)))


def _group(row: Mapping[str, Any]) -> str:
    return word(_name(mapping(row.get("group"))))


def _name(row: Mapping[str, Any]) -> object:
    """A name is a string, or one for each language with a default."""
    name = row.get("name")
    return name.get("default") if isinstance(name, dict) else name
