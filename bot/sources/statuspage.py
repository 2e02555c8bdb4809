"""Atlassian Statuspage, API version 2: what a vendor says of itself.

Two documents are read: the summary for the present, and the latest incidents for how each of them ended, since the
summary simply drops what is over. Being healthy must be proved: without the page's own indicator there is no reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.atlassian import COMPONENTS, IMPACTS, incident
from bot.sources.notices import Told, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.wire import decoded, mapping, plain, rows, word

_MOST_LISTED = 60


class Statuspage(PlacedPage):
    """A vendor's status page made with Atlassian Statuspage; most pages whose address ends in `/api/v2/summary.json`.

    The level is the worst of the page's own indicator and its open incidents. Maintenance never alerts, and neither
    does a page that is merely yellow without any incident. A page that keeps programs out of `/api/` can be watched by
    its `history.atom`, with the kind `feed`.
    """

    kind: Literal["statuspage"]
    """The word that says what this watch is."""

    def addresses(self) -> Sequence[str]:
        """The summary, and the latest incidents; without these the summary alone is still a reading."""
        page = self.url.removesuffix("/summary.json").removesuffix("/api/v2")
        return f"{page}/api/v2/summary.json", f"{page}/api/v2/incidents.json"

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both documents say together; the history may be empty or broken, the summary may not."""
        try:
            history = mapping(decoded(bodies[1]))
        except ValueError:
            history = {}
        return read_summary(mapping(decoded(bodies[0])), history, now)


PLUGIN = Statuspage


def read_summary(summary: Mapping[str, Any], history: Mapping[str, Any], now: datetime) -> Found:
    """What a summary and the latest incidents say together; the history may be empty.

    Raises:
        Unread: the page's own word for its state is missing.
    """
    status = mapping(summary.get("status"))
    indicator = status.get("indicator")
    if not isinstance(summary.get("page"), dict) or not isinstance(indicator, str):
        raise Unread("wrong_shape", "this is JSON, and not a Statuspage summary")
    parts = components(summary.get("components"))
    return Found(
        told=_all_told(summary, history, now),
        overall=max(IMPACTS.get(indicator, Health.DEGRADED), _maintained(parts)),
        parts=parts,
        note=plain(status.get("description"), 200),
        hesitant=True,
    )


def components(listed: object) -> list[Part]:
    """The components that are not groups, each also under the name of its group."""
    found = rows(listed)
    groups = {word(row.get("id")): word(row.get("name")) for row in found if row.get("group")}
    return [_part(row, groups.get(word(row.get("group_id")), "")) for row in found if not row.get("group")]


def _part(row: Mapping[str, Any], group: str) -> Part:
    name = word(row.get("name"))
    return Part(
        health=COMPONENTS.get(word(row.get("status")), Health.DEGRADED),
        names=lower((row.get("id"), name, f"{group} / {name}")),
        groups=lower((group,)),
    )


def _maintained(parts: Sequence[Part]) -> Health:
    """Maintenance does not raise the page's indicator, so it is looked for among the components."""
    working_on = any(part.health is Health.MAINTENANCE for part in parts)
    return Health.MAINTENANCE if working_on else Health.OPERATIONAL


def _all_told(summary: Mapping[str, Any], history: Mapping[str, Any], now: datetime) -> list[Told]:
    """Every incident and maintenance of both documents."""
    return [
        *(incident(row, now) for row in rows(history.get("incidents"), _MOST_LISTED)),
        *(incident(row, now) for row in rows(summary.get("incidents"), _MOST_LISTED)),
        *(incident(row, now, maintenance=True) for row in rows(summary.get("scheduled_maintenances"), _MOST_LISTED)),
    ]
