"""Sources that grade themselves: from what a page or a probe says, signal by signal, to a level that holds.

A health settles upwards when the last `raise_after` signals were all at least as bad, and downwards when the last
`clear_after` were all at most as bad. A signal without health settles nothing: what was known stays known, and after
a while the watch itself is in trouble, which is for the operator and not an incident.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from bot.core.model import Evidence, Health, Notice, Reading, Signal

NETWORK = frozenset({"dns", "timeout", "tls", "connect", "http_407", "http_511"})
"""The errors that may as well be our own connection's fault; the last two are the words of a proxy and of a portal."""
SITES = 3
"""So many unrelated sites are the least that tell whose fault it is."""

_TROUBLE_AFTER = timedelta(minutes=10)
_TROUBLE_FAILURES = 5
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(minutes=15)
_BLIND_SHARE = 0.6
_SPREAD = 0.1


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of one watch. `health` None: it never gave a reading.

    `recent` are the last healths, newest last, as many as settling needs; `since` is when the present bad run began;
    `ours` are the keys of notices seen open by us, whose end is therefore news. `failures` counts signals without a
    reading in a row, the first of them at `failing_since`.
    """

    health: Health | None = None
    recent: tuple[Health, ...] = ()
    since: datetime | None = None
    heard_at: datetime | None = None
    note: str = ""
    url: str = ""
    quiet: bool = False
    notices: tuple[Notice, ...] = ()
    ours: tuple[str, ...] = ()
    failures: int = 0
    failing_since: datetime | None = None
    error: str = ""


def hear(memory: Watched, signal: Signal, *, raise_after: int = 1, clear_after: int = 1) -> Watched:
    """Take in one signal; the result is the memory for the next."""
    if signal.broken:
        return msgspec.structs.replace(
            memory,
            failures=memory.failures + 1,
            failing_since=memory.failing_since or signal.at,
            error=signal.note or signal.error,
        )
    if signal.health is None:
        return Watched(heard_at=signal.at, note=signal.note, url=signal.url)
    recent = (*memory.recent, signal.health)[-max(raise_after, clear_after) :]
    settled = _settle(memory.health, recent, raise_after, clear_after)
    return Watched(
        health=settled,
        recent=recent,
        since=_since(memory, signal, settled),
        heard_at=signal.at,
        note=signal.note if _bad(signal.health) or not _bad(settled) else memory.note,
        url=signal.url or memory.url,
        quiet=signal.quiet,
        notices=tuple(n for n in signal.notices if _news(n, memory.ours)),
        ours=tuple(n.key for n in signal.notices if n.open or n.key in memory.ours),
    )


def reading(memory: Watched, now: datetime, *, source: str, kind: Evidence, levels: Sequence[str]) -> Reading | None:
    """What the watch speaks for on this ladder of levels (mildest first); None until it has given a reading."""
    if memory.health is None:
        return None
    return Reading(
        at=now,
        kind=kind,
        source=source,
        level="" if memory.quiet else level(memory.health, levels),
        since=memory.since,
        note=memory.note,
        url=memory.url,
        health=memory.health,
        notices=memory.notices,
    )


def level(health: Health | None, levels: Sequence[str]) -> str:
    """The name on the ladder: degraded is the mildest, a major outage the worst, a partial one the middle, rounded up."""
    if health is None or not _bad(health) or not levels:
        return ""
    top = len(levels) - 1
    return levels[{Health.DEGRADED: 0, Health.PARTIAL_OUTAGE: math.ceil(top / 2), Health.MAJOR_OUTAGE: top}[health]]


def trouble(memory: Watched, now: datetime) -> str:
    """Why the watch itself needs a look, in words; empty while it works or has failed only for a moment."""
    if memory.failing_since is None:
        return ""
    failing = now - memory.failing_since
    if memory.failures < _TROUBLE_FAILURES and (memory.failures < 2 or failing < _TROUBLE_AFTER):
        return ""
    minutes = max(int(failing / timedelta(minutes=1)), 0)
    last = f"the last at {memory.heard_at:%H:%M} UTC" if memory.heard_at else "none since the start"
    return f"no reading for {minutes} min, {last}, {memory.failures} tries: {memory.error}"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How asking a host went; `ok` is false only when it could not be reached at all."""

    host: str
    ok: bool
    at: datetime


def reached(signal: Signal) -> bool:
    """True unless the network itself failed, for `Outcome.ok`: an error page is an answer too."""
    return signal.error not in NETWORK


def blind(outcomes: Iterable[Outcome], now: datetime, within: timedelta = timedelta(minutes=1)) -> bool:
    """True when most unrelated sites cannot be reached at once: then the fault is ours, and no probe is believed.

    A site is all hosts of one registered name, judged by its latest outcome: one vendor's outage is not our blindness.
    It takes at least three sites, and three in five of them out of reach.
    """
    latest: dict[str, Outcome] = {}
    for outcome in sorted(outcomes, key=lambda o: (o.at, o.ok)):
        if timedelta(0) <= now - outcome.at <= within:
            latest[site(outcome.host)] = outcome
    failed = sum(not outcome.ok for outcome in latest.values())
    return len(latest) >= SITES and failed >= _BLIND_SHARE * len(latest)


def site(host: str) -> str:
    """The registered name, near enough: two labels, three under a short second level such as `co.uk`; addresses whole."""
    labels = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".").split(".")
    if labels[-1].isdigit() or "[" in host:
        return host
    short_second = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if short_second else -2 :])


def jitter(interval: timedelta, key: str, n: int) -> float:
    """Seconds until round `n` of a loop: the interval, spread by up to a tenth, always the same for the same key."""
    chance = zlib.crc32(f"{key}:{n}".encode()) / 0xFFFFFFFF
    return interval.total_seconds() * (1 - _SPREAD + 2 * _SPREAD * chance)


def turn(key: str, within: timedelta) -> float:
    """Seconds to wait where many would begin at once: evenly spread over a time, always the same for the same key."""
    return within.total_seconds() * zlib.crc32(key.encode()) / 0xFFFFFFFF


def backoff(failures: int, every: timedelta = _FIRST_PAUSE) -> timedelta:
    """How long to leave a failing source alone: twice as long each time, up to a quarter of an hour, never less than `every`."""
    if failures <= 0:
        return every
    start = max(every, _FIRST_PAUSE)
    return max(every, min(start * (1 << min(failures - 1, 10)), _LONGEST_PAUSE))


def _settle(before: Health | None, recent: Sequence[Health], raise_after: int, clear_after: int) -> Health | None:
    if before is None and not _bad(recent[-1]):
        return recent[-1]
    settled = before
    if len(recent) >= raise_after:
        settled = max(before or Health.OPERATIONAL, min(recent[-raise_after:]))
    if settled is not None and len(recent) >= clear_after:
        settled = min(settled, max(recent[-clear_after:]))
    return settled


def _since(memory: Watched, signal: Signal, settled: Health | None) -> datetime | None:
    """When the bad run began; a single good signal ends it only while nothing bad has settled."""
    if _bad(signal.health):
        return memory.since or min(signal.since or signal.at, signal.at)
    return memory.since if _bad(settled) else None


def _bad(health: Health | None) -> bool:
    return health is not None and health > Health.MAINTENANCE


def _news(notice: Notice, ours: Sequence[str]) -> bool:
    """Open, coming and forgotten ones are; closed ones only when we saw them open, else they are the page's history."""
    return notice.open or notice.stale or notice.phase == "scheduled" or notice.key in ours
