"""Ask: one loop per watch, evenly spread, faster while an incident lives, patient while a source is broken."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

import structlog

from bot.core.model import Evidence, Signal
from bot.detectors.graded import backoff, jitter, reached, turn
from bot.listening.sight import Sight
from bot.ports import Clock, Http, Source

log = structlog.get_logger(__name__)

_FAST = timedelta(seconds=30)
_SOON = timedelta(seconds=5)
_LEAST = 10.0
_BEGINNING, _STOOD_STILL = timedelta(seconds=5), 10.0
_ALLOWED = 60.0  # seconds that asking itself, and a busy machine, may take


class Asking:
    """Asks every watch in its own loop and hands what it says to the engine.

    When `sight` says that the fault is ours, probes that reach nothing give no reading; they look again every 5 s, and
    go on at that pace until what they find after it has settled.
    """

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        hear: Callable[[str, str, Signal], Awaitable[None]],
        lively: Callable[[str], bool],
        sight: Sight | None = None,
    ) -> None:
        self.sight = sight or Sight(http, clock)
        self._http = http
        self._clock = clock
        self._hear = hear
        self._lively = lively
        self._unsettled: dict[str, int] = {}
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
            self.sight.forget(label)

    def late(self) -> list[str]:
        """Watches that should have been asked more than two of their intervals ago."""
        now = self._clock.monotonic()
        return [label for label, due in self._due.items() if now > due]

    def _expect(self, label: str, pause: timedelta | float, every: timedelta = timedelta(0)) -> None:
        seconds = pause.total_seconds() if isinstance(pause, timedelta) else pause
        self._due[label] = self._clock.monotonic() + seconds + max(2 * every.total_seconds(), _ALLOWED)

    async def _ask_on(self, service: str, name: str, source: Source) -> None:
        label, round_number, failures = f"{service}/{name}", 0, 0
        await self._clock.sleep(turn(label, _BEGINNING))
        while True:
            signal = await source.ask(self._http, self._clock.now())
            ours = source.evidence is Evidence.PROBE and not reached(signal)  # a broken line is no reason to look away
            failures = failures + 1 if signal.broken and not ours else 0
            self._note(label, signal)
            await self._hear(service, name, await self._trusted(label, source, signal))
            round_number += 1
            pause = max(backoff(failures, self._pace(service, label, source)), signal.wait or timedelta(0))
            seconds = jitter(pause, label, round_number)
            self._expect(label, seconds, source.every)
            await self._rest(label, seconds)

    def _pace(self, service: str, label: str, source: Source) -> timedelta:
        """How soon to ask again: as the watch says, sooner while an incident lives, and soonest where sight was lost."""
        if label in self._unsettled:
            return min(source.every, _SOON)
        return min(source.every, getattr(source, "fastest", _FAST)) if self._lively(service) else source.every

    def soon(self, service: str, name: str) -> None:
        """Ask a watch now and not when its turn comes; however often this is called, never twice within 10 s."""
        self._nudges[f"{service}/{name}"].set()

    async def _rest(self, label: str, seconds: float) -> None:
        due = self._clock.monotonic() + seconds
        await self._clock.sleep(min(seconds, _LEAST))
        nudge = self._nudges[label]
        if seconds > _LEAST:
            await _either(self._clock.sleep(seconds - _LEAST), nudge.wait())
        nudge.clear()
        if self._clock.monotonic() - due > _STOOD_STILL:  # we were stopped, and every watch is due at once
            await self._clock.sleep(turn(label, _FAST))

    def _note(self, label: str, signal: Signal) -> None:
        """Say once when a source breaks and once when it works again."""
        broken = signal.broken
        if broken and label not in self._broken:
            self._broken.add(label)
            log.warning("source gives no reading", watch=label, error=signal.error, note=signal.note)
        elif not broken and label in self._broken:
            self._broken.discard(label)
            log.info("source gives readings again", watch=label)

    async def _trusted(self, label: str, source: Source, signal: Signal) -> Signal:
        """The signal, or none while we are blind; a probe then has as many looks to settle as it takes to believe it."""
        sees = await self.sight.sees(label, source, signal)
        if source.evidence is not Evidence.PROBE:
            return signal
        if not sees:
            self._unsettled[label] = max(getattr(source, "fail_after", 1), getattr(source, "clear_after", 1))
            return Signal(at=signal.at, error="blind", note="our own connection looks broken", url=signal.url)
        left = self._unsettled.pop(label, 1) - 1
        if left and not reached(signal):
            self._unsettled[label] = left
        return signal


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    """Wait for whatever comes first, and give up the rest."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
