"""Upptime: a page kept in a repository, whose summary lists every site with its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.core.model import Health
from bot.sources.notices import lower
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.wire import Interval, decoded, rows, word

_STATES = {"up": Health.OPERATIONAL, "degraded": Health.DEGRADED, "down": Health.MAJOR_OUTAGE}


class Upptime(Page):
    """An Upptime. `components` are sites, by name or slug; one that is down is a major outage."""

    kind: Literal["upptime"]
    """The word that says what this watch is."""
    every: Interval = timedelta(minutes=5)
    """How often to look; GitHub remembers its own answers for five minutes."""

    def addresses(self) -> Sequence[str]:
        """The summary, for the address of a repository at GitHub or of a folder that holds the same files."""
        parts = urlsplit(self.url)
        if parts.hostname == "github.com":
            return (f"https://raw.githubusercontent.com{parts.path}/HEAD/history/summary.json",)
        return (self.url if self.url.endswith(".json") else f"{self.url}/history/summary.json",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:  # noqa: ARG002 - the summary carries no times
        """What the summary says; the anchor is that every site has a slug and a state."""
        listed = decoded(bodies[0])
        sites = rows(listed)
        if not sites or not all(word(site.get("slug")) and word(site.get("status")) for site in sites):
            raise Unread("wrong_shape", "this is no summary of Upptime")
        parts = [_part(site) for site in sites]
        return Found(overall=max(part.health for part in parts if part.health is not None), parts=parts)


PLUGIN = Upptime


def _part(site: Mapping[str, Any]) -> Part:
    names = lower(site.get(key) for key in ("slug", "name", "url"))
    health = _STATES.get(word(site.get("status")).lower(), Health.DEGRADED)
    return Part(health=health, names=names, title=word(site.get("name")))
