"""Heroku's status page: three systems in colours, with open incidents and planned work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, lower, planned
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_COLOURS = {
    "green": Health.OPERATIONAL,
    "blue": Health.MAINTENANCE,
    "yellow": Health.DEGRADED,
    "orange": Health.PARTIAL_OUTAGE,
    "red": Health.MAJOR_OUTAGE,
}


class Heroku(Page):
    """Heroku's status page. `components` are its systems: `Apps`, `Data`, `Tools`."""

    kind: Literal["heroku"]
    """The word that says what this watch is."""
    url: WebAddress = "https://status.heroku.com"
    """The address of the page, as a browser shows it."""

    def addresses(self) -> Sequence[str]:
        """The present."""
        return (f"{self.url}/api/v4/current-status",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What it says; the anchor is that every system has a colour."""
        whole = mapping(decoded(bodies[0]))
        systems = rows(whole.get("status"), 50)
        if not systems or not all(word(row.get("system")) and word(row.get("status")) for row in systems):
            raise Unread("wrong_shape", "this is JSON, and not Heroku's status")
        parts = [Part(health=_health(row.get("status")), names=lower((row.get("system"),))) for row in systems]
        return Found(
            told=[
                *(_told(row, now) for row in rows(whole.get("incidents"), 60)),
                *(_told(row, now, maintenance=True) for row in rows(whole.get("scheduled"), 60)),
            ],
            overall=max(_health(row.get("status")) for row in systems),
            parts=parts,
        )


PLUGIN = Heroku


def _health(colour: object) -> Health:
    return _COLOURS.get(word(colour).lower(), Health.DEGRADED)


def _told(row: Mapping[str, Any], now: datetime, *, maintenance: bool = False) -> Told:
    updates = rows(row.get("updates"), 50)
    latest = max(updates, key=lambda update: later(moment(update.get("created_at"))), default={})
    over = row.get("resolved") is True or word(row.get("state")).lower() in ("resolved", "completed")
    said = "resolved" if over else latest.get("update_type") or row.get("state")
    began = moment(row.get("scheduled_for")) or moment(row.get("created_at"))
    systems = rows(row.get("systems"), 20)
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("title"),
            phase=_phase(said, began, now) if maintenance and not over else said,
            began=began,
            changed=(moment(row.get("updated_at")), moment(latest.get("created_at"))),
            url=word(row.get("full_url"), 500),
            maintenance=maintenance,
            body=latest.get("contents"),
            names=[system.get("name") for system in systems],
        )
    )


def _phase(said: object, began: datetime | None, now: datetime) -> object:
    """Planned work goes by the clock: its state stays at scheduled while it is under way."""
    return "scheduled" if began is not None and began > now else "in_progress" if planned(said) else said
