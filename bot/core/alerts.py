"""What is remembered of alerts that others send us, and what they come to together.

A sender tells of one alert at a time and rarely tells twice that it is over; so each alert is kept under its key until
the sender takes it back or it has not been heard of for long enough. Pure: memory and news in, memory out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from bot.core.model import Health, Signal

_MOST = 1_000
_EARLIEST = timedelta(days=30)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as its sender tells of it. `health` operational means that it is over.

    `id` names the very message, where the sender gives such names; `started` is when the trouble began and `at` when
    this was said, both by the sender's clock, None where it does not say.
    """

    key: str
    health: Health
    title: str = ""
    url: str = ""
    id: str = ""
    started: datetime | None = None
    at: datetime | None = None

    @property
    def firing(self) -> bool:
        """True until it is over."""
        return self.health is not Health.OPERATIONAL


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in memory, and when we last heard of it."""

    alert: Alert
    heard_at: datetime


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """The latest news of every alert of one watch, least recently heard first.

    Those that are over are held too, so that news which comes late about them changes nothing.
    """

    held: dict[str, Held] = msgspec.field(default_factory=dict)

    @property
    def firing(self) -> list[Alert]:
        """The alerts that are not over."""
        return [held.alert for held in self.held.values() if held.alert.firing]


def learn(memory: Alerts, news: Iterable[Alert], now: datetime) -> Alerts:
    """Take in news; what was said before the latest word about the same alert is no news."""
    held = dict(memory.held)
    for alert in news:
        before = held.get(alert.key)
        if before is not None and _stale(before.alert, alert):
            continue
        held.pop(alert.key, None)
        held[alert.key] = Held(alert=_dated(alert, before.alert if before else None, now), heard_at=now)
    return Alerts(held=_bounded(held))


def forget(memory: Alerts, now: datetime, after: timedelta) -> Alerts:
    """Let go of alerts that were last heard of so long ago; a sender that repeats itself keeps its alerts alive."""
    held = {key: one for key, one in memory.held.items() if now - one.heard_at < after}
    return memory if len(held) == len(memory.held) else Alerts(held=held)


def together(memory: Alerts, now: datetime) -> Signal:
    """What all alerts of a watch come to: the worst that fires, since the first of them began."""
    firing = memory.firing
    if not firing:
        return Signal(at=now, health=Health.OPERATIONAL, note="no alert is firing")
    worst = max(firing, key=lambda alert: alert.health)
    more = f" (and {len(firing) - 1} more)" if len(firing) > 1 else ""
    return Signal(
        at=now,
        health=worst.health,
        note=f"{worst.title or worst.key}{more}",
        url=worst.url,
        since=min((a.started for a in firing if a.started and a.health > Health.MAINTENANCE), default=None),
    )


def _stale(before: Alert, now: Alert) -> bool:
    return before.at is not None and now.at is not None and now.at < before.at


def _dated(alert: Alert, before: Alert | None, now: datetime) -> Alert:
    """The alert with its beginning: the sender's word for it, else when it first fired here. Never in the future."""
    known = before.started if before is not None and before.firing else None
    started = min(alert.started or known or alert.at or now, now)
    said = min(alert.at, now) if alert.at else None
    return msgspec.structs.replace(alert, started=max(started, now - _EARLIEST), at=said)


def _bounded(held: dict[str, Held]) -> dict[str, Held]:
    """At most a thousand: those that are over go first, then the longest unheard of."""
    surplus = len(held) - _MOST
    if surplus <= 0:
        return held
    over = [key for key, one in held.items() if not one.alert.firing]
    firing = [key for key, one in held.items() if one.alert.firing]
    gone = set((over + firing)[:surplus])
    return {key: one for key, one in held.items() if key not in gone}
