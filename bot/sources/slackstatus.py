"""Slack's own status page, API version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later, planned
from bot.sources.pages import Found, Page, Unread
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_TYPES = {"notice": Health.DEGRADED, "incident": Health.PARTIAL_OUTAGE, "outage": Health.MAJOR_OUTAGE}


class SlackStatus(Page):
    """Slack's status page. While Slack is down, so is whoever tells you of it there: keep a second channel."""

    kind: Literal["slack_status"]
    """The word that says what this watch is."""
    url: WebAddress = "https://slack-status.com"
    """The address of the page, as a browser shows it."""

    def addresses(self) -> Sequence[str]:
        """The present, and the past for how things ended."""
        return f"{self.url}/api/v2.0.0/current", f"{self.url}/api/v2.0.0/history"

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both say; the anchor is the state beside the list of what is open, and the list counts more."""
        whole = mapping(decoded(bodies[0]))
        state, listed = whole.get("status"), whole.get("active_incidents")
        if not isinstance(state, str) or not isinstance(listed, list):
            raise Unread("wrong_shape", "this is JSON, and not Slack's status")
        told = [_told(row, now) for row in [*_past(bodies[1]), *rows(listed, 100)]]
        overall = Health.OPERATIONAL if state == "ok" or listed else Health.DEGRADED
        return Found(told=told, overall=overall, hesitant=True)


PLUGIN = SlackStatus


def _past(body: bytes) -> list[Mapping[str, Any]]:
    try:
        return rows(decoded(body), 60)
    except ValueError:
        return []


def _told(row: Mapping[str, Any], now: datetime) -> Told:
    notes = rows(row.get("notes"), 50)
    latest = max(notes, key=lambda note: later(moment(note.get("date_created"))), default={})
    services = row.get("services")
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=row.get("title"),
            phase=row.get("status"),
            impact=_TYPES.get(word(row.get("type")), Health.DEGRADED),
            began=moment(row.get("date_created")),
            changed=(moment(row.get("date_updated")), moment(latest.get("date_created"))),
            url=word(row.get("url"), 500),
            maintenance=planned(row.get("status")),
            body=latest.get("body"),
            names=services[:50] if isinstance(services, list) else (),
        )
    )
