"""Sight: whether we see the world at all, or our own line, name servers, proxy or clock are what is broken.

Before a probe that could not reach its host is believed, other hosts are knocked at, now: what nobody can be reached from
is no outage of theirs. The hosts on our own premises (`allow_private`) are judged apart from those out in the world, for
the one may be cut off from us while the other is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog

from bot.core.model import Signal
from bot.detectors.graded import NETWORK, SITES, Outcome, blind, reached, site
from bot.ports import Clock, Http, Unreachable

log = structlog.get_logger(__name__)

_NEVER = datetime.min.replace(tzinfo=UTC)
_KNOCKS = 6
_PATIENCE = 5.0
_DARK = timedelta(seconds=3)  # for so long nobody needs to be knocked at again while all is dark
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a host can be knocked at; `inside` on our own premises. `url` where the web is spoken in the clear."""

    host: str
    port: int
    tls: bool
    inside: bool = False
    url: str = ""


async def _unsaid(_: bool) -> None:  # noqa: FBT001 - a listener's only argument
    """Nobody wants to know."""


class Sight:
    """`changed` hears of each turn from seeing to blind and back. `canaries` are pages of others that ought to answer.

    With canaries, they alone decide about the world: blind when none of them can be reached. Without, most of the
    unrelated hosts that are watched must be out of reach at once.
    """

    def __init__(
        self,
        http: Http,
        clock: Clock,
        *,
        canaries: Sequence[str] = (),
        changed: Callable[[bool], Awaitable[None]] = _unsaid,
    ) -> None:
        self.canaries = canaries
        self._http = http
        self._clock = clock
        self._changed = changed
        self._blind = {False: False, True: False}
        self._judged = {False: _NEVER, True: _NEVER}
        self._regained = {False: _NEVER, True: _NEVER}
        self._outcomes: dict[str, tuple[bool, Outcome]] = {}
        self._doors: dict[str, Door | None] = {}
        self._turn = asyncio.Lock()

    @property
    def blind(self) -> bool:
        """True while we cannot see the world, or our own premises."""
        return any(self._blind.values())

    def forget(self, label: str) -> None:
        """A watch is asked no more."""
        self._outcomes.pop(label, None)
        self._doors.pop(label, None)

    async def sees(self, label: str, source: object, signal: Signal) -> bool:
        """Take in how asking a watch went; False when it was not reached and the fault is ours.

        What was begun before we saw again is still ours, however it ends.
        """
        inside, ok = bool(getattr(source, "allow_private", False)), reached(signal)
        self._doors[label] = door(source)
        self._outcomes[label] = (inside, Outcome(host=_host(source) or label, ok=ok, at=signal.at))
        if ok and not self._blind[inside]:
            return True
        async with self._turn:
            if ok or not self._blind[inside] or signal.at - self._judged[inside] > _DARK:
                await self._look_around(inside, signal.at)
                await self._judge(inside, signal.at)
        return ok or (not self._blind[inside] and signal.at >= self._regained[inside])

    async def _look_around(self, inside: bool, since: datetime) -> None:  # noqa: FBT001 - private, and one of a pair
        """Knock where nobody has been since then; those that wait for their turn meanwhile share what is found."""
        canaries = {url: found for url in self.canaries if (found := _web_door(url, inside=False))}
        aims = self._others(inside, since) if inside or not canaries else canaries
        await asyncio.gather(*(self._knock(name, at) for name, at in aims.items() if self._last(name) < since))

    def _others(self, inside: bool, since: datetime) -> dict[str, Door]:  # noqa: FBT001 - as above
        """One door for each of a few sites that were not asked since then, the longest unasked first."""
        known = {site(outcome.host) for outcome in self._since(inside, since)}
        found: dict[str, tuple[str, Door]] = {}
        for name in sorted(self._doors, key=self._last):
            at = self._doors[name]
            if at and at.inside == inside and site(at.host) not in known:
                found.setdefault(site(at.host), (name, at))
        return dict(list(found.values())[: max(_KNOCKS - len(known), 0)])

    def _last(self, name: str) -> datetime:
        known = self._outcomes.get(name)
        return known[1].at if known else _NEVER

    def _since(self, inside: bool, since: datetime) -> list[Outcome]:  # noqa: FBT001 - as above
        return [o for there, o in self._outcomes.values() if there == inside and o.at >= since]

    async def _knock(self, name: str, at: Door) -> None:
        try:
            ok = await self._answers(at)
        except Unreachable as why:
            ok = why.kind not in NETWORK
        self._outcomes[name] = (at.inside, Outcome(host=at.host, ok=ok, at=self._clock.now()))

    async def _answers(self, at: Door) -> bool:
        """In the clear a proxy or a portal may answer for everybody, and only its words betray it."""
        if not at.url:
            await self._http.reach(at.host, at.port, tls=at.tls, allow_private=at.inside, timeout=_PATIENCE)
            return True
        reply = await self._http.get(
            at.url, method="HEAD", allow_private=at.inside, timeout=_PATIENCE, conditional=False, redirects=0
        )
        return f"http_{reply.status}" not in NETWORK

    async def _judge(self, inside: bool, since: datetime) -> None:  # noqa: FBT001 - as above
        was, lost = self.blind, self._blind[inside]
        self._blind[inside] = self._is_blind(inside, since)
        self._judged[inside] = self._clock.now()
        if lost and not self._blind[inside]:
            self._regained[inside] = self._clock.now()
        if self.blind and not was:
            log.error("we look blind: most unrelated hosts fail at once; probes are not believed until that is over")
        if was and not self.blind:
            log.info("we see again")
        if self.blind != was:
            await self._changed(self.blind)

    def _is_blind(self, inside: bool, since: datetime) -> bool:  # noqa: FBT001 - as above
        """By what was seen since then; where that is too little, by all of the last minute."""
        if self.canaries and not inside:
            known = [self._outcomes[url][1] for url in self.canaries if url in self._outcomes]
            return bool(known) and not any(outcome.ok for outcome in known)
        fresh = self._since(inside, since)
        enough = len({site(outcome.host) for outcome in fresh}) >= SITES
        return blind(fresh if enough else self._since(inside, _NEVER), self._clock.now())


def door(source: object) -> Door | None:
    """Where the host of a watch can be knocked at, if it has an address of the web or a port."""
    inside = bool(getattr(source, "allow_private", False))
    host, port = getattr(source, "host", ""), getattr(source, "port", None)
    if host and isinstance(port, int):
        return Door(host=host, port=port, tls=getattr(source, "kind", "") == "tls", inside=inside)
    return _web_door(str(getattr(source, "url", "")), inside=inside)


def _web_door(url: str, *, inside: bool) -> Door | None:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        return None
    tls, port = parts.scheme == "https", parts.port or _PORTS[parts.scheme]
    return Door(host=parts.hostname, port=port, tls=tls, inside=inside, url="" if tls else url)


def _host(source: object) -> str:
    return urlsplit(str(getattr(source, "url", ""))).hostname or ""
