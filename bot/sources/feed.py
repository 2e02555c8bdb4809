"""A plain RSS or Atom feed of incidents, and the feed that every Statuspage has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from bot.core.model import Health
from bot.sources.chronicle import is_chronicle
from bot.sources.chronicle import told as chronicled
from bot.sources.feeds import Feed, Item, feed
from bot.sources.notices import Raw, Told, checked, link
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.wire import Interval, plain

_RESOLVED = r"(?i)\b(resolved|completed|operating normally|restored|mitigated|fixed|behoben|gelöst|résolue?|resuelto|resolvido|risolto)\b|解決|復旧|已解决"
_MAINTENANCE = r"(?i)\b(maintenance|geplante?\w* (wartung|arbeiten)\w*|wartungs\w*|mantenimiento|manutenção|manutenzione|planned work)\b|メンテナンス|维护"
_UNDER_WAY = re.compile(r"(?i)\b(in progress|under way|underway|has (begun|started)|läuft|en cours|en curso)\b")
_SEVERITIES = {
    "available": Health.OPERATIONAL,
    "operational": Health.OPERATIONAL,
    "maintenance": Health.MAINTENANCE,
    "degraded": Health.DEGRADED,
    "partial outage": Health.PARTIAL_OUTAGE,
    "unavailable": Health.MAJOR_OUTAGE,
    "major outage": Health.MAJOR_OUTAGE,
}
_PHASES = frozenset({"investigating", "identified", "monitoring", "resolved"})
_CLAUSES = re.compile(r"[.!?;:\n]\s+|\s[-\N{EN DASH}\N{EM DASH}]\s|;")


def pattern(value: str) -> str:
    """A regular expression that works.

    Raises:
        ValueError: with what is wrong in it.
    """
    try:
        re.compile(value)
    except re.error as exc:
        raise ValueError(f"this is not a regular expression: {exc}") from exc
    return value


Pattern = Annotated[str, AfterValidator(pattern), WithJsonSchema({"type": "string", "format": "regex"})]


class FeedPage(PlacedPage):
    """A feed of incidents, in RSS or Atom, such as a Statuspage's `history.atom`.

    Feeds carry no levels: an incident that is open counts as degraded, unless the feed's categories say worse. An item
    is over when its title, or the last thing it says, speaks of the end.
    """

    kind: Literal["feed"]
    """The word that says what this watch is."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""
    title: str = ""
    """Words that must be in the feed's own title, so that another feed at the same address is noticed."""
    empty_is_healthy: bool = False
    """Whether a feed without any item is good news; most keep their past, and an empty one is broken."""
    resolved: Pattern = Field(default=_RESOLVED)
    """What the last words of an item hold when it is over; a regular expression."""
    maintenance: Pattern = Field(default=_MAINTENANCE)
    """What the title of planned work holds; a regular expression."""
    key: Literal["guid", "link", "title"] = "guid"
    """What stays the same over all items of one incident: its newest item speaks for it."""

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the feed says; the anchors are its root, its title and that it holds something."""
        read = feed(bodies[0])
        if self.title.casefold() not in read.title.casefold():
            raise Unread("wrong_shape", f"this feed is called '{plain(read.title, 80)}', without '{self.title}'")
        if not read.items and not self.empty_is_healthy:
            raise Unread("wrong_shape", "the feed is empty; set empty_is_healthy if that is good news there")
        return Found(told=[self._told(item, read, now) for item in reversed(read.items)], url=link(self.url, read.link))

    def _told(self, item: Item, read: Feed, now: datetime) -> Told:
        if is_chronicle(item):
            return chronicled(item, now)
        planned = re.search(self.maintenance, item.title) is not None
        return checked(
            Raw(
                now=now,
                id=self._key(item),
                title=item.title,
                phase=self._phase(item, planned=planned),
                impact=max((_SEVERITIES[c] for c in _categories(item) if c in _SEVERITIES), default=Health.DEGRADED),
                began=item.published,
                changed=(item.updated, item.published),
                url=link(link(self.url, read.link) or self.url, item.link),
                maintenance=planned,
                body=item.body,
            )
        )

    def _key(self, item: Item) -> str:
        """What the incident is known by; the link or the title where the item has no id."""
        named = {"guid": item.id, "link": item.link, "title": item.title}[self.key]
        return (named or item.id or item.link or item.title)[:100]

    def _phase(self, item: Item, *, planned: bool) -> str:
        """The phase by the categories where they tell, else by the words; coming work is announced, not begun."""
        said = _PHASES.intersection(_categories(item))
        severe = any(_SEVERITIES.get(c, Health.OPERATIONAL) > Health.MAINTENANCE for c in _categories(item))
        if said or severe:
            return next((p for p in sorted(said) if p != "resolved" or not severe), "investigating")
        if any(re.search(self.resolved, clause) for clause in _last_words(item)):
            return "completed" if planned else "resolved"
        if planned:
            return "in_progress" if _UNDER_WAY.search(f"{item.title}\n{plain(item.body)}") else "scheduled"
        return "investigating"


PLUGIN = FeedPage


def _categories(item: Item) -> tuple[str, ...]:
    return tuple(category.strip().casefold() for category in item.categories)


def _last_words(item: Item) -> tuple[str, str]:
    """The last clause of the title and of the text: what comes before was said earlier, or of something else."""
    last = [[c for c in _CLAUSES.split(words) if c.strip()] for words in (item.title[:500], plain(item.body))]
    title, body = (clauses[-1] if clauses else "" for clauses in last)
    return title, body
