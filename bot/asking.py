"""Ask: one loop per watch, evenly spread, faster while an incident lives, patient while a source is broken."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.core.model import Evidence, Signal
from bot.detectors.graded import Outcome, backoff, blind, jitter, reached
from bot.ports import Clock, Http, Source

log = structlog.get_logger(__name__)

_FAST = timedelta(seconds=30)
_LEAST = 10.0
_ALLOWED = 60.0  # seconds that asking itself, and a busy machine, may take
_BLIND_WITHIN = timedelta(minutes=2)


class Asking:
    """Asks every watch in its own loop and hands what it says to the engine.

    When most unrelated hosts fail at the network level at once, the fault is ours: probes then give no reading.
    """

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        hear: Callable[[str, str, Signal], Awaitable[None]],
        lively: Callable[[str], bool],
    ) -> None:
        self.blind = False
        self._http = http
        self._clock = clock
        self._hear = hear
        self._lively = lively
        self._outcomes: dict[str, Outcome] = {}
        self._broken: set[str] = set()
        self._due: dict[str, float] = {}
        self._nudges: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def watch(self, service: str, name: str, source: Source) -> None:
        """Ask one watch for ever."""
        label = f"{service}/{name}"
        self._expect(label, source.every)
        try:
            await self._ask_on(service, name, source)
        finally:
            del self._due[label]

    def late(self) -> list[str]:
        """Watches that should have been asked more than two of their intervals ago."""
        now = self._clock.monotonic()
        return [label for label, due in self._due.items() if now > due]

    def _expect(self, label: str, pause: timedelta | float, every: timedelta = timedelta(0)) -> None:
        seconds = pause.total_seconds() if isinstance(pause, timedelta) else pause
        self._due[label] = self._clock.monotonic() + seconds + max(2 * every.total_seconds(), _ALLOWED)

    async def _ask_on(self, service: str, name: str, source: Source) -> None:
        label, round_number, failures = f"{service}/{name}", 0, 0
        await self._clock.sleep(jitter(timedelta(seconds=5), label, -1) % 5)
        while True:
            signal = await source.ask(self._http, self._clock.now())
            failures = failures + 1 if signal.broken else 0
            self._note(label, source, signal)
            await self._hear(service, name, self._trusted(source, signal))
            round_number += 1
            every = min(source.every, getattr(source, "fastest", _FAST)) if self._lively(service) else source.every
            pause = max(backoff(failures, every), signal.wait or timedelta(0))
            seconds = jitter(pause, label, round_number)
            self._expect(label, seconds, source.every)
            await self._rest(label, seconds)

    def soon(self, service: str, name: str) -> None:
        """Ask a watch now and not when its turn comes; however often this is called, never twice within 10 s."""
        self._nudges[f"{service}/{name}"].set()

    async def _rest(self, label: str, seconds: float) -> None:
        await self._clock.sleep(min(seconds, _LEAST))
        nudge = self._nudges[label]
        if seconds > _LEAST:
            await _either(self._clock.sleep(seconds - _LEAST), nudge.wait())
        nudge.clear()

    def _note(self, label: str, source: Source, signal: Signal) -> None:
        """Remember how it went; say once when a source breaks and once when it works again."""
        host = urlsplit(getattr(source, "url", "")).hostname or label
        self._outcomes[label] = Outcome(host=host, ok=reached(signal), at=signal.at)
        broken = signal.broken
        if broken and label not in self._broken:
            self._broken.add(label)
            log.warning("source gives no reading", watch=label, error=signal.error, note=signal.note)
        elif not broken and label in self._broken:
            self._broken.discard(label)
            log.info("source gives readings again", watch=label)

    def _trusted(self, source: Source, signal: Signal) -> Signal:
        was, self.blind = self.blind, blind(self._outcomes.values(), signal.at, _BLIND_WITHIN)
        if self.blind and not was:
            log.error("we look blind: most unrelated hosts fail at once; probes are not believed until that is over")
        if was and not self.blind:
            log.info("we see again")
        if self.blind and source.evidence is Evidence.PROBE and not reached(signal):
            return Signal(at=signal.at, error="blind", note="our own connection looks broken", url=signal.url)
        return signal


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for whatever comes first, and give up the rest."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
