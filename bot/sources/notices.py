"""One incident or maintenance as a page tells it, whatever the vendor; its ids, words and times are a stranger's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin

import msgspec

from bot.core.model import Health, Notice
from bot.sources.wire import plain, word

OVER = frozenset({"resolved", "postmortem", "completed"})
"""The phases in which nothing is wrong any more."""

_INCIDENT = {
    "investigating": "investigating",
    "identified": "identified",
    "monitoring": "monitoring",
    "watching": "monitoring",
    "resolved": "resolved",
    "fixed": "resolved",
    "closed": "resolved",
    "postmortem": "postmortem",
}
_MAINTENANCE = {
    "scheduled": "scheduled",
    "planned": "scheduled",
    "upcoming": "scheduled",
    "notstartedyet": "scheduled",
    "inprogress": "in_progress",
    "undermaintenance": "in_progress",
    "verifying": "verifying",
    "completed": "completed",
    "complete": "completed",
    "ended": "completed",
    "cancelled": "completed",
    "canceled": "completed",
}
_FORGOTTEN = timedelta(days=15)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notice, its latest text as it came, and what it names.

    `names` are the ids and names of components in lower case. `places` are those it is tagged with, in lower case;
    without any, `text` is where to look for places.
    """

    notice: Notice
    body: object = ""
    names: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    text: str = ""

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


@dataclass(frozen=True, kw_only=True)
class Raw:
    """What a reader found of one notice, still unchecked; `changed` holds every time at which something was said."""

    now: datetime
    id: object = ""
    title: object = ""
    phase: object = ""
    impact: Health = Health.DEGRADED
    began: datetime | None = None
    changed: tuple[datetime | None, ...] = ()
    ended: datetime | None = None
    url: str = ""
    maintenance: bool = False
    body: object = ""
    names: Iterable[object] = ()
    places: Iterable[object] = ()
    text: Iterable[str] = ()


def checked(raw: Raw) -> Told:
    """The notice with its times in order, none of them later than now save a planned start; old open ones are stale."""
    title = plain(raw.title, 200) or "Incident without a title"
    return Told(
        notice=_notice(raw, title),
        body=raw.body,
        names=lower(raw.names),
        places=lower(raw.places),
        text="\n".join([title, *raw.text]).casefold(),
    )


def lower(words: Iterable[object]) -> frozenset[str]:
    """Names to compare, without what is no name."""
    return frozenset(found for name in words if (found := label(name)))


def label(name: object) -> str:
    """A name or number as it is compared: in lower case, without blanks around it; empty when it is neither."""
    if isinstance(name, int) and not isinstance(name, bool) and abs(name) < 10**18:
        return str(name)
    return word(name).strip().casefold()


def phase(said: object, *, maintenance: bool = False) -> str:
    """The phase in our words for the vendor's, however it is spelt; one that we do not know counts as open."""
    key = "".join(c for c in word(said).lower().removeprefix("maintenance") if c.isalpha())
    known = _MAINTENANCE.get(key) or _INCIDENT.get(key)
    if maintenance:
        return {"resolved": "completed", "postmortem": "completed"}.get(known or "", known or "in_progress")
    return known or "investigating"


def planned(said: object) -> bool:
    """True for a phase that only maintenance has."""
    return phase(said) in _MAINTENANCE.values()


def newest(listed: Iterable[Told]) -> list[Told]:
    """Each incident once: its newest version, and of two equally new the one that is over."""
    found: dict[str, Told] = {}
    for one in listed:
        known = found.get(one.notice.key)
        if known is None or _rank(one.notice) >= _rank(known.notice):
            found[one.notice.key] = one
    return list(found.values())


def later(*times: datetime | None) -> datetime:
    """The latest of some times; long ago when there is none."""
    return max(filter(None, times), default=_EVER)


def link(base: str, value: object) -> str:
    """A web address, made whole against the page's own; empty when it is none that could be shown."""
    given = word(value, 500).strip()
    try:
        found = urljoin(base, given) if given else ""
    except ValueError:
        return ""
    return found if found.startswith(("https://", "http://")) and found.isprintable() and " " not in found else ""


def _rank(notice: Notice) -> tuple[datetime, bool]:
    return notice.updated_at, notice.phase in OVER


def _notice(raw: Raw, title: str) -> Notice:
    said = phase(raw.phase, maintenance=raw.maintenance)
    changed = max(filter(None, raw.changed), default=None)
    begun = raw.began or changed or raw.now
    updated = min(changed or begun, raw.now)
    open_ = said not in (*OVER, "scheduled")
    return Notice(
        key=_key(raw, title),
        title=title,
        phase=said,
        impact=Health.MAINTENANCE if raw.maintenance else raw.impact,
        started_at=begun if raw.maintenance else min(begun, updated),
        updated_at=updated,
        resolved_at=(raw.ended or updated) if said in OVER else None,
        url=link("", raw.url),
        maintenance=raw.maintenance,
        stale=open_ and raw.now - updated > _FORGOTTEN,
    )


def _key(raw: Raw, title: str) -> str:
    """The vendor's id; without one its address, else something that stays the same from poll to poll."""
    own = raw.id if isinstance(raw.id, str) else label(raw.id)
    if own and len(own) <= 100:
        return own
    address = link("", raw.url)
    return hashlib.sha256(f"{address or title}\n{'' if address else raw.began}".encode("utf-8", "replace")).hexdigest()[
        :16
    ]
