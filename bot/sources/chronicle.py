"""The feed of a Statuspage (`history.atom`): each entry tells its incident from the newest update to the oldest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sources.feeds import Item
from bot.sources.notices import OVER, Raw, Told, checked, phase
from bot.sources.times import moment
from bot.sources.wire import plain

# <small>May <var data-var='date'>28</var>, <var data-var='time'>21:24</var> UTC</small><br><strong>Resolved</strong> - words
_UPDATE = re.compile(
    r"<small>\s*(?P<month>[A-Z][a-z]{2})\w*\s*<var[^>]{0,40}>\s*(?P<day>\d{1,2})\s*</var>\s*,\s*"
    r"<var[^>]{0,40}>\s*(?P<hour>\d{1,2}):(?P<minute>\d\d)\s*</var>\s*(?P<zone>[A-Z]{1,5})?\s*</small>\s*<br\s*/?>\s*"
    r"<strong>\s*(?P<label>[^<]{1,40}?)\s*</strong>(?:\s*-\s*)?"
)
_PLANNED = re.compile(r"<strong>\s*THIS IS A SCHEDULED EVENT")
_LONGEST = 100_000
_SLACK = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class _Update:
    """One update: its label as it came, the minute it was said, and its words."""

    label: str
    at: datetime
    body: str

    @property
    def says(self) -> str:
        """The phase it puts the incident in; a mere update puts it in none."""
        return "" if self.label.casefold() == "update" else phase(self.label)

    @property
    def rank(self) -> tuple[datetime, bool]:
        """What is newest; in the same minute the end counts most, for a vendor may still say something after it."""
        return self.at, self.says in OVER


def is_chronicle(item: Item) -> bool:
    """True for an entry that is written the way Statuspage writes them."""
    return _UPDATE.search(item.body[:_LONGEST]) is not None


def told(item: Item, now: datetime) -> Told:
    """The incident that an entry is about.

    `published` is no time of an update: it moves with each of them, and is the planned start of coming work.
    """
    updates = _updates(item, now)
    speaking = sorted((u for u in updates if u.says), key=lambda u: u.rank, reverse=True)
    latest = max(updates, key=lambda u: u.rank)
    ended = bool(speaking) and speaking[0].says in OVER
    planned = any(u.says in ("scheduled", "in_progress", "verifying", "completed") for u in updates)
    coming = _PLANNED.search(item.body[:_LONGEST]) is not None
    return checked(
        Raw(
            now=now,
            id=item.link.rpartition("/")[2] or item.id,
            title=item.title,
            phase=speaking[0].says if speaking else "investigating",
            began=item.published if coming else updates[-1].at,
            changed=(latest.at,),
            ended=speaking[0].at if ended else None,
            url=item.link,
            maintenance=planned or coming,
            body=latest.body,
        )
    )


def _updates(item: Item, now: datetime) -> list[_Update]:
    """The updates as they stand; each one's words go up to the next."""
    body = item.body[:_LONGEST]
    found = list(_UPDATE.finditer(body))
    ends = [*(match.start() for match in found[1:]), len(body)]
    newest = max(filter(None, (item.updated, item.published)), default=now)
    return [
        _Update(label=m["label"], at=_time(m, newest), body=plain(body[m.end() : end]))
        for m, end in zip(found, ends, strict=True)
    ]


def _time(match: re.Match[str], newest: datetime) -> datetime:
    """The minute of an update. The year is not written: it is the entry's own, or the one before."""
    day, clock, zone = (
        f"{match['day']} {match['month']}",
        f"{match['hour']}:{match['minute']}:00",
        match["zone"] or "UTC",
    )
    for year in (newest.year, newest.year - 1):
        at = moment(f"{day} {year} {clock} {zone}")
        if at and at <= newest + _SLACK:
            return at
    return newest
