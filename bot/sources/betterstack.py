"""Better Stack (once Better Uptime): one document in the manner of JSON:API, with reports beside resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import Interval, decoded, mapping, rows, word

_STATES = {
    "operational": Health.OPERATIONAL,
    "maintenance": Health.MAINTENANCE,
    "degraded": Health.DEGRADED,
    "downtime": Health.MAJOR_OUTAGE,
    "not_monitored": None,
}
_MAJOR_SHARE = 0.3


class BetterStack(PlacedPage):
    """A status page made with Better Stack.

    The page calls itself down when a single resource is: with fewer than three in ten of those it measures down, that
    is a partial outage, unless they are chosen by name.
    """

    kind: Literal["betterstack"]
    """The word that says what this watch is."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""

    def addresses(self) -> Sequence[str]:
        """One document holds all."""
        return (f"{self.url}/index.json",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the document says; its anchor is the page's aggregate state."""
        whole = mapping(decoded(bodies[0]))
        state = mapping(mapping(whole.get("data")).get("attributes")).get("aggregate_state")
        if not isinstance(state, str):
            raise Unread("wrong_shape", "this is JSON, and not a page of Better Stack")
        included = rows(whole.get("included"), 20_000)
        parts = _parts(included)
        down = _down(parts)
        return Found(
            told=[_told(row, included, down, now) for row in _kind(included, "status_report")[:60]],
            overall=_health(state, down),
            parts=parts,
            hesitant=True,
        )


PLUGIN = BetterStack


def _kind(included: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [row for row in included if row.get("type") == name]


def _health(state: object, down: Health) -> Health:
    health = _STATES.get(word(state), Health.DEGRADED)
    return down if health is Health.MAJOR_OUTAGE else health or Health.OPERATIONAL


def _parts(included: Sequence[Mapping[str, Any]]) -> list[Part]:
    sections = {
        word(row.get("id")): word(mapping(row.get("attributes")).get("name"))
        for row in _kind(included, "status_page_section")
    }
    return [_part(row, sections) for row in _kind(included, "status_page_resource")]


def _part(row: Mapping[str, Any], sections: Mapping[str, str]) -> Part:
    own = mapping(row.get("attributes"))
    name, group = word(own.get("public_name")), sections.get(str(own.get("status_page_section_id")), "")
    return Part(
        health=_STATES.get(word(own.get("status")), Health.DEGRADED),
        names=lower((row.get("id"), name, f"{group} / {name}")),
        groups=lower((group,)),
    )


def _down(parts: Sequence[Part]) -> Health:
    """What the page's word for downtime comes to, by the share of what it measures."""
    measured = [part.health for part in parts if part.health is not None]
    share = measured.count(Health.MAJOR_OUTAGE) / len(measured) if measured else 1.0
    return Health.MAJOR_OUTAGE if share >= _MAJOR_SHARE else Health.PARTIAL_OUTAGE


def _told(row: Mapping[str, Any], included: Sequence[Mapping[str, Any]], down: Health, now: datetime) -> Told:
    own = mapping(row.get("attributes"))
    latest = _latest(row, included)
    affected = {str(part.get("status_page_resource_id")) for part in rows(own.get("affected_resources"), 500)}
    names = {
        str(part.get("id")): mapping(part.get("attributes")).get("public_name")
        for part in _kind(included, "status_page_resource")
        if str(part.get("id")) in affected
    }
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=own.get("title"),
            phase=_phase(own, now),
            impact=_health(own.get("aggregate_state"), down),
            began=moment(own.get("starts_at")),
            changed=(moment(latest.get("published_at")), _past(own.get("ends_at"), now)),
            ended=_past(own.get("ends_at"), now),
            maintenance=own.get("report_type") == "maintenance",
            body=latest.get("message"),
            names=[*affected, *names.values()],
            text=[word(name) for name in names.values()],
        )
    )


def _phase(own: Mapping[str, Any], now: datetime) -> str:
    """Reports by hand never get an end: their state says that they are over. Planned work goes by the clock."""
    if own.get("aggregate_state") == "resolved" or _past(own.get("ends_at"), now):
        return "resolved"
    starts = moment(own.get("starts_at"))
    planned = own.get("report_type") == "maintenance" and starts is not None and starts > now
    return "scheduled" if planned else "investigating" if own.get("report_type") != "maintenance" else "in_progress"


def _past(value: object, now: datetime) -> datetime | None:
    time = moment(value)
    return time if time and time <= now else None


def _latest(row: Mapping[str, Any], included: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The newest update that belongs to a report."""
    linked = mapping(mapping(row.get("relationships")).get("status_updates")).get("data")
    ours = {word(each.get("id")) for each in rows(linked, 200)} - {""}
    updates = [mapping(u.get("attributes")) for u in _kind(included, "status_update") if word(u.get("id")) in ours]
    return max(updates, key=lambda update: later(moment(update.get("published_at"))), default={})
