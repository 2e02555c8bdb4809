"""Atlassian Statuspage, API version 2: what a vendor says of itself.

Two documents are read: the summary for the present, and the latest incidents for how each of them ended, since the
summary simply drops what is over. Being healthy must be proved: without the page's own indicator there is no reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field

from bot.core.model import Evidence, Health, Notice, Signal
from bot.fields import Model
from bot.ports import Http, Reply, Unreachable
from bot.sources.notices import IMPACTS, Told, newest, told
from bot.sources.places import placed_elsewhere
from bot.sources.wire import Interval, WebAddress, decoded, mapping, plain, rows, wait_asked, word

_LIMIT = 5_000_000
_OLD_COPY = timedelta(minutes=15)
_HISTORY = timedelta(days=3)
_AHEAD = timedelta(days=7)
_MOST_NOTICES = 20
_MOST_LISTED = 60

_COMPONENTS = {
    "operational": Health.OPERATIONAL,
    "degraded_performance": Health.DEGRADED,
    "partial_outage": Health.PARTIAL_OUTAGE,
    "major_outage": Health.MAJOR_OUTAGE,
    "under_maintenance": Health.MAINTENANCE,
}


class Statuspage(Model):
    """A vendor's status page made with Atlassian Statuspage; most pages whose address ends in `/api/v2/summary.json`.

    The level is the worst of the page's own indicator and its open incidents. Maintenance never alerts, and neither
    does a page that is merely yellow without any incident.
    """

    evidence: ClassVar[Evidence] = Evidence.VENDOR

    kind: Literal["statuspage"]
    """The word that says what this watch is."""
    url: WebAddress
    """The address of the page, as a browser shows it."""
    every: Interval = timedelta(minutes=1)
    """How often to look."""
    components: list[str] = Field(default_factory=list)
    """Only these parts of the page count: a component's name, `Group / Component`, a whole group, or an id."""
    regions: list[str] = Field(default_factory=list)
    """Only incidents there count; incidents that name no place always do."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Read the page once; a page that cannot be read is a signal without health."""
        try:
            summary = await self._fetch(http, "summary.json")
        except Unreachable as exc:
            return Signal(at=now, url=self.url, error=exc.kind, note=str(exc))
        refused = _refusal(summary)
        if refused:
            wait = wait_asked(summary, now)
            return Signal(at=now, url=self.url, error=refused, note=f"the page answered {summary.status}", wait=wait)
        signal = read(self, summary.body, await self._incidents(http), now)
        return _proved(signal, summary)

    async def _incidents(self, http: Http) -> bytes:
        """The latest incidents; empty when they cannot be had, for the summary alone is still a reading."""
        try:
            reply = await self._fetch(http, "incidents.json")
        except Unreachable:
            return b""
        return reply.body if reply.status == 200 else b""

    async def _fetch(self, http: Http, document: str) -> Reply:
        page = self.url.removesuffix("/summary.json").removesuffix("/api/v2")
        return await http.get(f"{page}/api/v2/{document}", allow_private=self.allow_private, limit=_LIMIT)


PLUGIN = Statuspage


def read(page: Statuspage, summary: bytes, incidents: bytes, now: datetime) -> Signal:
    """What both documents say together; `incidents` may be empty or broken, the summary may not."""
    try:
        found = mapping(decoded(summary))
    except ValueError as exc:
        return Signal(at=now, url=page.url, error="unparseable", note=str(exc))
    indicator = mapping(found.get("status")).get("indicator")
    if not isinstance(found.get("page"), dict) or not isinstance(indicator, str):
        return _shapeless(page, now, "this is JSON, and not a Statuspage summary")
    parts = _parts(found.get("components"))
    chosen = [part for part in parts if _chosen(part, page.components)]
    if page.components and not chosen:
        return _shapeless(page, now, "none of the components to watch is on the page any more")
    return _graded(page, found, chosen, _all_told(found, incidents, now), now)


def _graded(
    page: Statuspage, found: Mapping[str, Any], chosen: Sequence[_Part], everything: Sequence[Told], now: datetime
) -> Signal:
    ours = [t for t in everything if not page.components or _touches(t, chosen)]
    here = [t for t in ours if not placed_elsewhere(t, page.regions)]
    elsewhere = any(t.notice.open for t in ours if t not in here)
    open_ones = [t.notice for t in here if t.notice.open and not t.notice.maintenance]
    health = max((t.weight for t in here), default=Health.OPERATIONAL)
    if page.components:
        health = max(health, *(part.health for part in chosen))
    elif not elsewhere:
        health = max(health, IMPACTS.get(found["status"]["indicator"], Health.DEGRADED), _maintained(found))
    forgotten = any(t.notice.stale for t in here)
    worst = max(open_ones, key=lambda n: n.impact, default=None)
    return Signal(
        at=now,
        health=health,
        note=worst.title if worst else plain(found["status"].get("description"), 200),
        url=page.url,
        notices=_worth_telling(here, now),
        quiet=not page.components and not open_ones and (health is Health.DEGRADED or forgotten),
    )


def _refusal(reply: Reply) -> str:
    if "cf-mitigated" in reply.headers:
        return "blocked"
    return "" if reply.status == 200 else f"http_{reply.status}"


def _proved(signal: Signal, summary: Reply) -> Signal:
    """A cache may serve an old green page for an hour while the vendor's own server is down; that proves nothing."""
    age = summary.headers.get("age", "")
    old = timedelta(seconds=int(age)) if age.isdecimal() and len(age) < 8 else timedelta(0)
    if old <= _OLD_COPY or signal.health is None or signal.health > Health.MAINTENANCE:
        return signal
    note = f"a cache answers with a copy that is {old // timedelta(minutes=1)} min old"
    return Signal(at=signal.at, url=signal.url, error="timeout", note=note)


def _shapeless(page: Statuspage, now: datetime, why: str) -> Signal:
    return Signal(at=now, url=page.url, error="wrong_shape", note=why)


class _Part:
    """A component that is not a group: its health, and every name it goes by in lower case."""

    def __init__(self, row: Mapping[str, Any], groups: Mapping[str, str]) -> None:
        name, group = word(row.get("name")), groups.get(word(row.get("group_id")), "")
        self.health = _COMPONENTS.get(word(row.get("status")), Health.DEGRADED)
        self.own = frozenset(n.casefold() for n in (word(row.get("id")), name, f"{group} / {name}") if n)
        self.group = group.casefold()


def _parts(components: object) -> list[_Part]:
    found = rows(components)
    groups = {word(row.get("id")): word(row.get("name")) for row in found if row.get("group")}
    return [_Part(row, groups) for row in found if not row.get("group")]


def _chosen(part: _Part, wanted: Sequence[str]) -> bool:
    names = {w.casefold() for w in wanted}
    return bool(names & part.own) or (bool(part.group) and part.group in names)


def _touches(one: Told, chosen: Sequence[_Part]) -> bool:
    """True for an incident that names a chosen component, and for one that names none at all."""
    return not one.names or any(one.names & part.own for part in chosen)


def _maintained(found: Mapping[str, Any]) -> Health:
    """Maintenance does not raise the page's indicator, so it is looked for among the components."""
    working_on = any(word(row.get("status")) == "under_maintenance" for row in rows(found.get("components")))
    return Health.MAINTENANCE if working_on else Health.OPERATIONAL


def _all_told(found: Mapping[str, Any], incidents: bytes, now: datetime) -> list[Told]:
    """Every incident and maintenance of both documents once, in its newest version."""
    try:
        history = mapping(decoded(incidents))
    except ValueError:
        history = {}
    listed = [
        *(told(row, now) for row in rows(history.get("incidents"), _MOST_LISTED)),
        *(told(row, now) for row in rows(found.get("incidents"), _MOST_LISTED)),
        *(told(row, now, maintenance=True) for row in rows(found.get("scheduled_maintenances"), _MOST_LISTED)),
    ]
    return newest(listed)


def _worth_telling(everything: Sequence[Told], now: datetime) -> tuple[Notice, ...]:
    """Open ones first, then what ended lately or begins soon; never so many that a case grows fat."""
    near = [t for t in everything if t.notice.open or t.notice.stale or _recent(t.notice, now)]
    near.sort(key=lambda t: (not t.notice.open, t.notice.stale, -t.notice.updated_at.timestamp()))
    return tuple(t.worded for t in near[:_MOST_NOTICES])


def _recent(notice: Notice, now: datetime) -> bool:
    if notice.phase == "scheduled":
        return notice.started_at - now < _AHEAD
    return now - notice.updated_at < _HISTORY
