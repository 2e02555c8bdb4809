"""Uptime Kuma, versions 1 and 2: a self-hosted page of monitors with their latest heartbeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, label, lower
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.times import moment
from bot.sources.wire import Interval, decoded, mapping, rows, word

_BEATS = {0: Health.MAJOR_OUTAGE, 1: Health.OPERATIONAL, 3: Health.MAINTENANCE}
_PENDING = 2
_WORK = {"under-maintenance": "in_progress", "scheduled": "scheduled"}
_CALM = frozenset({"info", "primary", "light", "dark"})
_FRESH = 2.5
_LEAST = timedelta(minutes=5)


class UptimeKuma(Page):
    """A status page of Uptime Kuma. `components` are monitors or groups; one that is down is a major outage.

    A monitor whose last heartbeat is too old is not known, and neither is one that is being tried again.
    """

    needed: ClassVar[int] = 2

    kind: Literal["uptimekuma"]
    """The word that says what this watch is."""
    every: Interval = timedelta(minutes=2)
    """How often to look; the server remembers its own answers for a minute or more."""
    slug: str = Field(default="", max_length=100)
    """The page's short name; taken from an address that ends in `/status/name` when left out."""

    def addresses(self) -> Sequence[str]:
        """The page, and the heartbeats of its monitors."""
        base, _, name = self.url.partition("/status/")
        slug = quote((self.slug or name or "default").lower(), safe="")
        return f"{base}/api/status-page/{slug}", f"{base}/api/status-page/heartbeat/{slug}"

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both documents say; the anchors are the list of groups and the heartbeats."""
        page, beats = (mapping(decoded(body)) for body in bodies)
        groups, lists = page.get("publicGroupList"), beats.get("heartbeatList")
        if not isinstance(groups, list) or not isinstance(lists, dict):
            raise Unread("wrong_shape", "this is JSON, and not a status page of Uptime Kuma")
        parts = list(_parts(groups, lists, now))
        known = [part.health for part in parts if part.health is not None]
        told = list(_all_told(page, now))
        if not known and not any(t.notice.open for t in told):
            raise Unread("wrong_shape", "no monitor of the page has a fresh heartbeat")
        return Found(told=told, overall=max(known, default=Health.OPERATIONAL), parts=parts)


PLUGIN = UptimeKuma


def _parts(groups: object, lists: Mapping[str, Any], now: datetime) -> Iterator[Part]:
    """Each monitor in each of its groups; its beats are weighed once, however often it is listed."""
    healths = {id_: _health(rows(beats, 200), now) for id_, beats in lists.items()}
    for group in rows(groups, 500):
        for monitor in rows(group.get("monitorList"), 1_000):
            name, inside = word(monitor.get("name")), word(group.get("name"))
            yield Part(
                health=healths.get(label(monitor.get("id"))),
                names=lower((monitor.get("id"), name, f"{inside} / {name}")),
                groups=lower((inside,)),
                title=name,
            )


def _health(beats: Sequence[Mapping[str, Any]], now: datetime) -> Health | None:
    """The last beat that is no retry, if beats still come."""
    times = [time for beat in beats if (time := moment(beat.get("time")))]
    firm = [beat.get("status") for beat in beats if beat.get("status") != _PENDING]
    if not firm or not times or now - times[-1] > _patience(times):
        return None
    return _BEATS.get(firm[-1]) if isinstance(firm[-1], int) else None


def _patience(times: Sequence[datetime]) -> timedelta:
    """Two and a half of the usual gaps between beats."""
    gaps = sorted(b - a for a, b in pairwise(times))
    return max(_LEAST, _FRESH * gaps[len(gaps) // 2]) if gaps else timedelta(days=1)


def _all_told(page: Mapping[str, Any], now: datetime) -> Iterator[Told]:
    """Version 1 has one incident or none, version 2 a list."""
    for row in [*rows(page.get("incidents"), 60), *rows([page.get("incident")])]:
        yield _incident(row, now)
    for row in rows(page.get("maintenanceList"), 60):
        yield _work(row, now)


def _incident(row: Mapping[str, Any], now: datetime) -> Told:
    """A note in a calm colour is an announcement: seen, not alarming."""
    alarming = word(row.get("style")) not in _CALM
    open_ = row.get("active") not in (False, 0)
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("title"),
            phase="resolved" if not open_ else "investigating" if alarming else "monitoring",
            impact=Health.DEGRADED if alarming else Health.OPERATIONAL,
            began=moment(row.get("createdDate")),
            changed=(moment(row.get("lastUpdatedDate")),),
            body=row.get("content"),
        )
    )


def _work(row: Mapping[str, Any], now: datetime) -> Told:
    slots = rows(row.get("timeslotList"), 100)
    zone = word(row.get("timezoneOffset"), 6)
    starts = [time for slot in slots if (time := moment(f"{word(slot.get('startDate'))}{zone}"))]
    return checked(
        Raw(
            now=now,
            id=f"maintenance-{row.get('id')}"[:100],
            title=row.get("title"),
            phase=_WORK.get(word(row.get("status")), "completed"),
            began=max(starts, default=None),
            maintenance=True,
            body=row.get("description"),
        )
    )
