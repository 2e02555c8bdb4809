"""Status.io: components that each stand in several containers, which are regions or data centres."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from bot.core.model import Health, Signal
from bot.ports import Http
from bot.sources.fitting import Learnt, fitted
from bot.sources.notices import Raw, Told, checked, later, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, plain, rows, word

_CODES = {
    100: Health.OPERATIONAL,
    200: Health.MAINTENANCE,
    300: Health.DEGRADED,
    400: Health.PARTIAL_OUTAGE,
    500: Health.MAJOR_OUTAGE,
    600: Health.MAJOR_OUTAGE,
}
_STATES = {100: "investigating", 200: "identified", 300: "monitoring", 400: "resolved"}


class StatusIo(PlacedPage):
    """A vendor's status page made with Status.io. Its containers are the regions to choose from."""

    kind: Literal["statusio"]
    """The word that says what this watch is."""
    page: str = Field(pattern=r"^[0-9a-f]{24}$")
    """The page's id: 24 letters and digits, in the source of the page as `statuspage_id`."""
    _learnt: Learnt = PrivateAttr(default_factory=Learnt)

    async def look(self, http: Http, now: datetime) -> Signal:
        """Read the page once, from its own host or from Status.io."""
        hosts = (self.url, "https://api.status.io")
        ways = {host: partial(self._asked, http, (f"{host}/1.0/status/{self.page}",), now) for host in hosts}
        return await fitted(ways, self._learnt)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the document says; its anchor is the overall code."""
        result = mapping(mapping(decoded(bodies[0])).get("result"))
        overall = mapping(result.get("status_overall"))
        code = overall.get("status_code")
        if not isinstance(code, int) or isinstance(code, bool):
            raise Unread("wrong_shape", "this is JSON, and not the state of a page of Status.io")
        work = mapping(result.get("maintenance"))
        return Found(
            told=[
                *(_told(row, now, "") for row in rows(result.get("incidents"), 60)),
                *(_told(row, now, "in_progress") for row in rows(work.get("active"), 60)),
                *(_told(row, now, "scheduled") for row in rows(work.get("upcoming"), 60)),
            ],
            overall=_health(code),
            parts=[part for row in rows(result.get("status")) for part in _parts(row)],
            note=plain(overall.get("status"), 200),
            hesitant=True,
        )


PLUGIN = StatusIo


def _health(code: object) -> Health:
    return _CODES.get(code, Health.DEGRADED) if isinstance(code, int) else Health.DEGRADED


def _parts(row: Mapping[str, Any]) -> Iterator[Part]:
    """A component in each of its containers."""
    names = lower((row.get("id"), row.get("name")))
    containers = rows(row.get("containers"), 500)
    for container in containers or [row]:
        places = lower((container.get("id"), container.get("name"))) if containers else frozenset[str]()
        yield Part(health=_health(container.get("status_code")), names=names, places=places)


def _told(row: Mapping[str, Any], now: datetime, planned: str) -> Told:
    messages = rows(row.get("messages"), 50)
    latest = max(messages, key=lambda message: later(moment(message.get("datetime"))), default={})
    touched, where = rows(row.get("components_affected"), 500), rows(row.get("containers_affected"), 500)
    state = latest.get("state")
    said = _STATES.get(state, "") if isinstance(state, int) else ""
    return checked(
        Raw(
            now=now,
            id=row.get("_id") or row.get("id"),
            title=row.get("name"),
            phase=planned or said,
            impact=_health(latest.get("status", row.get("status_code"))),
            began=moment(row.get("datetime_planned_start")) or moment(row.get("datetime_open")),
            changed=(moment(latest.get("datetime")),),
            maintenance=bool(planned),
            body=latest.get("details"),
            names=[part.get(key) for part in touched for key in ("_id", "id", "name")],
            places=[part.get(key) for part in where for key in ("_id", "id", "name")],
            text=[word(part.get("name")) for part in touched],
        )
    )
