"""What a page says about a service or an incident, in words; templates only set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from bot.core import phrases
from bot.core.heading import tone
from bot.core.model import Entry, Head, Policy
from bot.fields import duration
from bot.web.texts import when

_RANK = {"calm": 0, "over": 1, "minor": 2, "major": 3, "critical": 4}

_USUAL, _UNKNOWN = "As usual", "No trouble seen"  # where no level holds: held against a usual, or against none yet
_UNSURE = {"unconfirmed": "Unconfirmed reports", "silent": "No reports at all"}  # by confidence, where no level holds


class Row(Struct, frozen=True, kw_only=True):
    """One service in the list. `counted` is its numbers in words, `note` what its watches cannot see."""

    id: str
    name: str
    tone: str
    state: str
    counted: str
    note: str
    incident: str
    weight: float


class Case(Struct, frozen=True, kw_only=True):
    """One incident as the page shows it: the head, and the thread so far."""

    head: Head
    name: str
    lines: Sequence[Entry]
    minute: int

    @property
    def alive(self) -> bool:
        """True until it is closed."""
        return self.head.state != "closed"


class Past(Struct, frozen=True, kw_only=True):
    """One incident that is over, in a line."""

    id: str
    name: str
    level: str
    began: datetime | None
    lasted: str


def row(told: Mapping[str, Any], more: Mapping[str, Any], policy: Policy) -> Row:
    """A service as `GET /api/v1/status` tells it, with `more` from `GET /api/v1/services/{id}`."""
    level, now = told.get("level") or "", more.get("now") or {}
    shade = tone(level, policy)
    return Row(
        id=told["id"],
        name=told["name"],
        tone=shade,
        state=_state(told, level, now),
        counted=counted(now),
        note=_blind(more.get("watches") or ()),
        incident=told.get("incident") or "",
        weight=_RANK[shade] * 1e6 + min(float(now.get("times") or 0), 1e5),
    )


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """The order of the list: level, then how far from usual, then the name."""
    return sorted(rows, key=lambda row: (-row.weight if row.tone != "calm" else 0, row.name.casefold()))


def summary(rows: Sequence[Row]) -> str:
    """The first sentence of the page."""
    if not rows:
        return "No services are watched yet"
    bad = [row for row in rows if row.tone != "calm"]
    if not bad:
        subject = "Everything" if len(rows) > 1 else rows[0].name
        return f"{subject} is as usual" if all(row.state == _USUAL for row in rows) else _UNKNOWN
    return f"Trouble at {phrases.listed([row.name for row in worst_first(bad)][:4])}" + (
        f" and {len(bad) - 4} more" if len(bad) > 4 else ""
    )


def counted(now: Mapping[str, Any]) -> str:
    """`312 in 15 min, usually 6`; empty when nothing counts reports of this service."""
    if now.get("count") is None:
        return ""
    span = window(now.get("within"))
    within = f" in {phrases.lasted(span)}" if span else ""
    usual = now.get("usual")
    return f"{now['count']:,}{within}, " + ("no usual known yet" if usual is None else f"usually {phrases.few(usual)}")


def window(within: object) -> timedelta | None:
    """The width of a count: seconds, or words such as `15m`."""
    if isinstance(within, timedelta):
        return within
    if isinstance(within, int | float):
        return timedelta(seconds=within)
    return duration(within) if within else None


def past(told: Mapping[str, Any], name: str) -> Past:
    """One row of `GET /api/v1/incidents`, over."""
    began, ended = when(told.get("started_at")), when(told.get("eased_at")) or when(told.get("closed_at"))
    lasted = phrases.lasted(max(ended - began, timedelta(0))) if began and ended else ""
    return Past(id=told["id"], name=name, level=told.get("level") or "", began=began, lasted=lasted)


def _state(told: Mapping[str, Any], level: str, now: Mapping[str, Any]) -> str:
    if not level:
        calm = _UNKNOWN if now.get("usual") is None else _USUAL
        return _UNSURE.get(told.get("confidence") or "", calm)
    if not told.get("incident"):
        return f"{level.capitalize()}, watching"
    sure = told.get("confidence")
    return f"{level.capitalize()}, {sure}" if sure else level.capitalize()


def _blind(watches: Sequence[Mapping[str, Any]]) -> str:
    """Our own blindness is told as ours, never as the service's trouble."""
    blind = [watch["name"] for watch in watches if watch.get("ok") is False]
    return f"no reading from {phrases.listed(blind)}" if blind else ""
