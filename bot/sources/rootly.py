"""Rootly status pages: a state and a list of incidents, in words that Statuspage made common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.atlassian import IMPACTS, incident
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.wire import decoded, mapping, plain, rows


class Rootly(PlacedPage):
    """A vendor's status page made with Rootly. The level is the worst of its indicator and its open incidents."""

    kind: Literal["rootly"]
    """The word that says what this watch is."""

    def addresses(self) -> Sequence[str]:
        """The state, and the latest incidents; without these the state alone is still a reading."""
        return f"{self.url}/api/v1/status.json", f"{self.url}/api/v1/incidents.json?per_page=50"

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both documents say; the anchor is the indicator."""
        status = mapping(mapping(decoded(bodies[0])).get("status"))
        indicator = status.get("indicator")
        if not isinstance(indicator, str):
            raise Unread("wrong_shape", "this is JSON, and not the state of a page of Rootly")
        return Found(
            told=[incident(_row(row), now) for row in _incidents(bodies[1])],
            overall=IMPACTS.get(indicator, Health.DEGRADED),
            note=plain(status.get("description"), 200),
            hesitant=True,
        )


PLUGIN = Rootly


def _incidents(body: bytes) -> list[Mapping[str, Any]]:
    try:
        return rows(mapping(decoded(body)).get("incidents"), 60)
    except ValueError:
        return []


def _row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Titles and addresses go by two names."""
    return {**row, "name": row.get("name") or row.get("title"), "shortlink": row.get("shortlink") or row.get("url")}
