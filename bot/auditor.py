"""Audit: prove each minute that the house keeps its own promises, and only then tell the dead-man's switch so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog

from bot.ports import Clock, Http, Refused, Retry, Unreachable

log = structlog.get_logger(__name__)

Invariant = Callable[[], Awaitable[str]]
"""Answers what is wrong, or nothing; words that begin with `warning: ` let the house count as ready all the same."""

EVERY = 60.0
_PATIENCE = 15.0
_PING = 10.0


class Auditor:
    """Proves the invariants by name. `found` has the words of those that do not hold.

    `deadman` is the address of a dead-man's switch (Healthchecks and whatever speaks like it): asked as it stands while
    all is well, with `/fail` while not; no word from us is a word too. `lasting` hears of what two audits in a row found
    broken, with its words, and with none when it holds again.
    """

    def __init__(
        self,
        invariants: Mapping[str, Invariant],
        clock: Clock,
        http: Http,
        deadman: str = "",
        *,
        lasting: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        self.found: dict[str, str] = {}
        self.deadman = deadman
        self.audits = 0
        self.proved_at: float | None = None
        self._invariants = invariants
        self._clock = clock
        self._http = http
        self._lasting = lasting
        self._said: set[str] = set()

    async def run(self) -> None:
        """Audit every minute, for ever."""
        while True:
            await self.audit()
            await self._clock.sleep(EVERY)

    async def audit(self) -> Mapping[str, str]:
        """Try every invariant, side by side; answers what was found."""
        words = await asyncio.gather(*(self._tried(name, one) for name, one in self._invariants.items()))
        found = {name: word for name, word in zip(self._invariants, words, strict=True) if word}
        for name in found.keys() - self.found.keys():
            log.warning("an invariant does not hold", invariant=name, why=found[name])
        for name in self.found.keys() - found.keys():
            log.info("an invariant holds again", invariant=name)
        before, self.found = self.broken(), found
        self.audits += 1
        await self._ping(failing=bool(self.broken()))
        await self._say(before.keys())
        return found

    async def _say(self, before: Collection[str]) -> None:
        if self._lasting is None:
            return
        broken = self.broken()
        for name in broken.keys() & before:
            await self._lasting(name, broken[name])
        for name in self._said - broken.keys():
            await self._lasting(name, "")
        self._said = (self._said & broken.keys()) | (broken.keys() & before)

    def broken(self) -> Mapping[str, str]:
        """What was found that is more than a warning."""
        return {name: word for name, word in self.found.items() if not word.startswith("warning: ")}

    async def _tried(self, name: str, invariant: Invariant) -> str:
        """What is wrong; an invariant that cannot be tried does not hold."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await invariant()
        except TimeoutError:
            return f"gave no answer in {_PATIENCE:.0f} s"
        except (Retry, Refused) as why:
            return str(why)
        except Exception:
            log.exception("an invariant cannot be tried", invariant=name)
            return "cannot be tried; the log says why"

    async def _ping(self, *, failing: bool) -> None:
        if not failing:
            self.proved_at = self._clock.monotonic()
        if not self.deadman:
            return
        url = f"{self.deadman.rstrip('/')}/fail" if failing else self.deadman
        try:
            await self._http.get(url, allow_private=True, conditional=False, limit=10_000, timeout=_PING)
        except Unreachable as why:
            log.warning("the dead-man's switch cannot be reached", why=str(why))
