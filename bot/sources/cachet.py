"""Cachet, versions 1 to 3: a self-hosted page of components and incidents, whose states are numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import PrivateAttr

from bot.core.model import Health, Signal
from bot.ports import Http
from bot.sources.fitting import Learnt, fitted
from bot.sources.notices import Raw, Told, checked, lower
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, rows, word

_COMPONENTS = {
    1: Health.OPERATIONAL,
    2: Health.DEGRADED,
    3: Health.PARTIAL_OUTAGE,
    4: Health.MAJOR_OUTAGE,
    5: Health.MAINTENANCE,
}
_PHASES = {0: "scheduled", 1: "investigating", 2: "identified", 3: "monitoring", 4: "resolved"}
_QUERIES = ("components?per_page=1000", "incidents?sort=id&order=desc&per_page=50")


class Cachet(Page):
    """A status page run with Cachet. Components that are switched off, and incidents that are hidden, do not count."""

    needed: ClassVar[int] = 2

    kind: Literal["cachet"]
    """The word that says what this watch is."""
    _learnt: Learnt = PrivateAttr(default_factory=Learnt)

    async def look(self, http: Http, now: datetime) -> Signal:
        """Read the page once, in the version that answers."""
        roots = (f"{self.url}/api/v1", f"{self.url}/api")
        ways = {root: partial(self._asked, http, [f"{root}/{query}" for query in _QUERIES], now) for root in roots}
        return await fitted(ways, self._learnt)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both lists say; the anchor is that each is a list under `data`, and something is measured."""
        components, incidents = (mapping(decoded(body)).get("data") for body in bodies)
        if not isinstance(components, list) or not isinstance(incidents, list):
            raise Unread("wrong_shape", "this is JSON, and not a page of Cachet")
        shown = [row for row in map(_flat, rows(components)) if row.get("enabled") is not False]
        parts = [_part(row) for row in shown]
        measured = [part.health for part in parts if part.health is not None]
        if not measured:
            raise Unread("wrong_shape", "no component of the page has a state")
        names = {str(row.get("id")): row.get("name") for row in shown}
        listed = [row for row in map(_flat, rows(incidents, 60)) if row.get("visible") not in (0, False)]
        return Found(told=[_told(row, names, now) for row in listed], overall=max(measured), parts=parts)


PLUGIN = Cachet


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Version 3 puts the fields under `attributes`, and values beside their words."""
    own = {**row, **mapping(row.get("attributes"))}
    return {key: _bare(value) for key, value in own.items()}


def _bare(value: object) -> object:
    inner = mapping(value)
    return inner.get("value", inner.get("string", value))


def _number(value: object) -> int:
    """Numbers come as themselves or in digits; -1 for anything else."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else word(value, 4)
    return int(text) if text.isascii() and text.isdigit() else -1


def _part(row: Mapping[str, Any]) -> Part:
    state = _number(row.get("status"))
    health = None if state == 0 else _COMPONENTS.get(state, Health.DEGRADED)
    return Part(health=health, names=lower((row.get("id"), row.get("name"))), groups=lower((row.get("group_name"),)))


def _told(row: Mapping[str, Any], names: Mapping[str, object], now: datetime) -> Told:
    said = _PHASES.get(_number(row.get("latest_status", row.get("status"))), "")
    component = row.get("component_id")
    affected = [component, names.get(str(component))] if component else []
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("name"),
            phase=said,
            impact=_COMPONENTS.get(_number(row.get("component_status")), Health.DEGRADED),
            began=moment(row.get("scheduled_at")) or moment(row.get("occurred_at")) or moment(row.get("created_at")),
            changed=(moment(row.get("updated_at")),),
            url=word(row.get("permalink"), 500),
            maintenance=said == "scheduled",
            body=row.get("message"),
            names=affected,
        )
    )
