"""One incident or maintenance of a Statuspage document, read with care: its ids, words and times are a vendor's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bot.core.model import Health, Notice
from bot.sources.wire import moment, plain, rows, word

IMPACTS = {
    "none": Health.OPERATIONAL,
    "minor": Health.DEGRADED,
    "major": Health.PARTIAL_OUTAGE,
    "critical": Health.MAJOR_OUTAGE,
    "maintenance": Health.MAINTENANCE,
}
"""What the vendor's words for an incident's impact and for the whole page's indicator come to."""

_PHASES = ("investigating", "identified", "monitoring", "resolved", "postmortem")
_MAINTENANCE_PHASES = ("scheduled", "in_progress", "verifying", "completed")
_OVER = ("resolved", "postmortem", "completed")
_FORGOTTEN = timedelta(days=15)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notice, its latest text as it came, and the components it names.

    `names` are their ids and names in lower case; `place` is where to look for places.
    """

    notice: Notice
    body: object
    names: frozenset[str]
    place: str

    @property
    def worded(self) -> Notice:
        """The notice with its text in plain words; left to the end, for only a few are worth the work."""
        return msgspec.structs.replace(self.notice, words=plain(self.body))

    @property
    def weight(self) -> Health:
        """What it does to the page's health: an open incident is at least degraded, unless it had no impact and is watched only."""
        if not self.notice.open:
            return Health.OPERATIONAL
        if self.notice.maintenance:
            return Health.MAINTENANCE
        if self.notice.impact is Health.OPERATIONAL and self.notice.phase == "monitoring":
            return Health.OPERATIONAL
        return max(self.notice.impact, Health.DEGRADED)


def told(row: Mapping[str, Any], now: datetime, *, maintenance: bool = False) -> Told:
    """Read one row; the vendor's own `status` decides whether it is open, whatever its updates say."""
    updates = rows(row.get("incident_updates"), 50)
    affected = [part for update in updates for part in rows(update.get("affected_components"), 100)]
    parts = [*rows(row.get("components"), 500), *affected]
    labels = [word(part.get(key)) for part in parts for key in ("id", "code", "name")]
    title = plain(row.get("name"), 200) or "Incident without a title"
    latest = max(updates, key=lambda update: _said_at(update) or _EVER, default={})
    return Told(
        notice=_notice(row, title, _said_at(latest), now, maintenance=maintenance or _is_maintenance(row)),
        body=latest.get("body"),
        names=frozenset(label.casefold() for label in labels if label),
        place="\n".join([title, *(word(part.get("name")) for part in parts)]).casefold(),
    )


def newest(listed: Iterable[Told]) -> list[Told]:
    """Each incident once: its newest version, and of two equally new the one that is over."""
    found: dict[str, Told] = {}
    for one in listed:
        known = found.get(one.notice.key)
        if known is None or _rank(one.notice) >= _rank(known.notice):
            found[one.notice.key] = one
    return list(found.values())


def _rank(notice: Notice) -> tuple[datetime, bool]:
    return notice.updated_at, notice.phase in _OVER


def _is_maintenance(row: Mapping[str, Any]) -> bool:
    planned = row.get("scheduled_for") is not None or row.get("status") in _MAINTENANCE_PHASES
    return planned or row.get("impact") == "maintenance"


def _notice(
    row: Mapping[str, Any], title: str, said_at: datetime | None, now: datetime, *, maintenance: bool
) -> Notice:
    phase = _phase(row, maintenance=maintenance)
    changed = max(filter(None, (moment(row.get("updated_at")), said_at)), default=None)
    begun = _began(row) or changed or now
    updated = min(changed or begun, now)
    started = begun if maintenance else min(begun, updated)
    open_ = phase not in (*_OVER, "scheduled")
    return Notice(
        key=_key(row, title),
        title=title,
        phase=phase,
        impact=Health.MAINTENANCE if maintenance else IMPACTS.get(word(row.get("impact")), Health.DEGRADED),
        started_at=started,
        updated_at=updated,
        resolved_at=(moment(row.get("resolved_at")) or updated) if phase in _OVER else None,
        url=_link(row.get("shortlink")),
        maintenance=maintenance,
        stale=open_ and now - updated > _FORGOTTEN,
    )


def _phase(row: Mapping[str, Any], *, maintenance: bool) -> str:
    """The vendor's word; one we do not know counts as open."""
    status = word(row.get("status"))
    if status in (*_PHASES, *_MAINTENANCE_PHASES):
        return status
    return "in_progress" if maintenance else "investigating"


def _began(row: Mapping[str, Any]) -> datetime | None:
    times = (moment(row.get(key)) for key in ("scheduled_for", "started_at", "created_at"))
    return next((time for time in times if time), None)


def _said_at(update: Mapping[str, Any]) -> datetime | None:
    return moment(update.get("display_at")) or moment(update.get("created_at"))


def _key(row: Mapping[str, Any], title: str) -> str:
    """The vendor's id; without one, something that stays the same from poll to poll."""
    own = word(row.get("id"), 100)
    return own or hashlib.sha256(f"{title}\n{_began(row)}".encode("utf-8", "replace")).hexdigest()[:16]


def _link(value: object) -> str:
    link = word(value, 500)
    return link if link.startswith(("https://", "http://")) and link.isprintable() and " " not in link else ""
