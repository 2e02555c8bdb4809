"""The same truth for other programs: Statuspage's shape, Atom and a calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp.web import Request, Response

from bot.core.heading import tone
from bot.web.api import answer
from bot.web.calendar import calendar
from bot.web.fragments import Fragments
from bot.web.house import House
from bot.web.routes import Route
from bot.web.texts import inert, stamp

_IMPACT = {"calm": "none", "minor": "minor", "major": "major", "critical": "critical"}
_COMPONENT = {
    "calm": "operational",
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
}
_PHASE = {"open": "investigating", "easing": "monitoring", "closed": "resolved"}
_DESCRIPTION = {
    "none": "All Systems Operational",
    "minor": "Minor Service Outage",
    "major": "Partial System Outage",
    "critical": "Major Service Outage",
}
_ORDER = tuple(_DESCRIPTION)


class Feeds:
    """Addresses that other programs already know how to read."""

    def __init__(self, house: House, fragments: Fragments) -> None:
        self._house = house
        self._draw = fragments.draw
        self._link = house.public_url.rstrip("/")

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            Route(
                method="GET",
                path="/api/v2/summary.json",
                handler=self.summary,
                says="Services and open incidents, in the shape of a Statuspage.",
            ),
            Route(
                method="GET",
                path="/api/v2/incidents.json",
                handler=self.incidents,
                says="The last 50 incidents, in the shape of a Statuspage.",
            ),
            Route(
                method="GET",
                path="/feed.atom",
                handler=self.atom,
                says="Incidents as an Atom feed (RFC 4287).",
                gives="application/atom+xml",
            ),
            Route(
                method="GET",
                path="/calendar.ics",
                handler=self.calendar,
                says="Incidents as a calendar (RFC 5545).",
                gives="text/calendar",
            ),
        ]

    async def summary(self, _: Request) -> Response:
        """Statuspage API v2, `summary.json`."""
        told = self._house.board.status()["services"]
        components = [self._component(one, index) for index, one in enumerate(told)]
        worst = max((self._impact(one.get("level")) for one in told), key=_ORDER.index, default="none")
        alive = await self._house.board.incidents(state="open", limit=50)
        return answer(
            {
                "page": self._page(),
                "components": components,
                "incidents": [self._incident(one) for one in alive],
                "scheduled_maintenances": [],
                "status": {"indicator": worst, "description": _DESCRIPTION[worst]},
            }
        )

    async def incidents(self, _: Request) -> Response:
        """Statuspage API v2, `incidents.json`."""
        found = await self._house.board.incidents(limit=50)
        return answer({"page": self._page(), "incidents": [self._incident(one) for one in found]})

    async def atom(self, _: Request) -> Response:
        """One entry per incident, moved up by each line of its timeline."""
        found = await self._house.board.incidents(limit=50)
        entries = [self._entry(one) for one in found]
        updated = max((entry["updated"] for entry in entries), default=stamp(self._house.clock.now()))
        host = urlsplit(self._link).hostname or "tocsin"
        drawn = self._draw("feed.atom", entries=entries, updated=updated, host=host)
        return Response(text=drawn, content_type="application/atom+xml", charset="utf-8")

    async def calendar(self, _: Request) -> Response:
        """One event per incident, from its true start to its end."""
        found = await self._house.board.incidents(limit=200)
        drawn = calendar(found, self._names(), self._link, self._house.clock.now())
        return Response(body=drawn.encode(), content_type="text/calendar", charset="utf-8")

    def _page(self) -> dict[str, str]:
        now = stamp(self._house.clock.now())
        return {"id": "tocsin", "name": "Tocsin", "url": self._link, "time_zone": "Etc/UTC", "updated_at": now}

    def _component(self, told: Mapping[str, Any], index: int) -> dict[str, Any]:
        status = _COMPONENT[tone(told.get("level") or "", self._house.policy)]
        return {"id": told["id"], "name": told["name"], "status": status, "position": index + 1, "group": False}

    def _incident(self, told: Mapping[str, Any]) -> dict[str, Any]:
        phase = _PHASE.get(told.get("state") or "", "resolved" if told.get("closed_at") else "investigating")
        updates = [_update(told, entry) for entry in reversed(told["entries"])]
        return {
            "id": told["id"],
            "name": self._title(told),
            "status": phase,
            "impact": self._impact(told.get("level")),
            "created_at": told.get("opened_at") or told["started_at"],
            "started_at": told["started_at"],
            "updated_at": updates[0]["created_at"] if updates else told["started_at"],
            "resolved_at": told.get("closed_at"),
            "shortlink": f"{self._link}/incident/{told['id']}",
            "incident_updates": updates,
        }

    def _entry(self, told: Mapping[str, Any]) -> dict[str, Any]:
        lines: Sequence[Mapping[str, Any]] = told["entries"]
        updated = lines[-1]["at"] if lines else told["started_at"]
        return {
            "id": told["id"],
            "title": self._title(told),
            "published": _text(told["started_at"]),
            "updated": _text(updated),
            "lines": [f"{_text(line['at'])} {inert(line['text'])}" for line in lines],
        }

    def _title(self, told: Mapping[str, Any]) -> str:
        name = self._names().get(told["service"], told["service"])
        over = "over" if told.get("closed_at") else told.get("level") or "open"
        return f"{name}: {over}"

    def _names(self) -> dict[str, str]:
        return {one["id"]: one["name"] for one in self._house.board.status()["services"]}

    def _impact(self, level: str | None) -> str:
        return _IMPACT[tone(level or "", self._house.policy)]


def _update(told: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    status = {"closed": "resolved", "eased": "monitoring"}.get(entry["kind"], "investigating")
    at = entry["at"]
    return {
        "incident_id": told["id"],
        "status": status,
        "body": inert(entry["text"]),
        "created_at": at,
        "display_at": at,
    }


def _text(at: object) -> str:
    return stamp(at) if isinstance(at, datetime) else str(at)
