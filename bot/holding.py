"""Hold: what a channel must not hear in its quiet hours waits, and comes as one summary at their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import structlog
from msgspec.structs import replace

from bot.core import ailment, held
from bot.core.delivery import Step
from bot.core.model import Incident, Line, Policy, Thread
from bot.core.quiet import Quiet, covering
from bot.core.showing import ladder
from bot.ports import Clock, Place, Store

log = structlog.get_logger(__name__)

Waiting = tuple[Thread, Incident, Step]


Calls = Callable[[str, Incident, str, Policy], Sequence[str]]
"""The mentions of those in a chat who wished to be called for an incident at a level."""


class Holding:
    """Stands between a channel and what it has yet to hear. `changed` is called after a summary was saved."""

    def __init__(
        self,
        place: Place,
        store: Store,
        clock: Clock,
        policies: Mapping[str, Policy],
        *,
        changed: Callable[[], None],
        calls: Calls = lambda *_: (),
    ) -> None:
        self._place = place
        self._store = store
        self._clock = clock
        self._policies = policies
        self._changed = changed
        self._calls = calls

    async def sift(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Those that may be told now. After quiet hours the summary is saved before anything of it is told."""
        if not self._place.quiet:
            return list(waiting)
        quiet = self._quiet()
        if quiet is None:
            return await self._caught_up(waiting)
        return [(thread, incident, step) for thread, incident, step in self._allowed(waiting, quiet) if step]

    def addressed(self, line: Line, incident: Incident) -> Line:
        """The line as it may be said now, also to those who wished to be called for it."""
        policy, quiet = ladder(incident, self._policies), self._quiet()
        line = held.hushed(line, incident, policy, quiet) if quiet else line
        if not line.calls:
            return line
        wished = self._calls(self._place.chat, incident, line.level, policy)
        return replace(line, mention=" ".join(filter(None, (line.mention, *wished))))

    def _quiet(self) -> Quiet | None:
        return covering(self._place.quiet, self._clock.now())

    def _allowed(self, waiting: Sequence[Waiting], quiet: Quiet) -> Iterator[tuple[Thread, Incident, Step | None]]:
        """What the house says of itself waits for no morning."""
        for thread, incident, step in waiting:
            policy = ladder(incident, self._policies)
            ours = ailment.ours(incident) or held.ours(incident)
            yield thread, incident, step if ours else held.allowed(step, thread, incident, policy, quiet)

    async def _caught_up(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """The rest, once what came and went in quiet hours is in a summary; one that is still open speaks for itself."""
        now = self._clock.now()
        nights: dict[datetime, list[Waiting]] = {}
        for thread, incident, step in waiting:
            if end := held.missed(thread, incident, self._place.quiet, now):
                nights.setdefault(end, []).append((thread, incident, step))
        told: set[str] = set()
        for end, several in nights.items():
            if len(several) > 1 or not several[0][1].alive:
                told |= await self._sum(end, several, now)
        return [one for one in waiting if one[1].id not in told]

    async def _sum(self, end: datetime, several: Sequence[Waiting], now: datetime) -> set[str]:
        """Save the summary of a night, unless that was done already; answers which incidents are not to be told now."""
        summary = await self._store.incident(held.name(self._place.name, end))
        if summary is None:
            await self._save(end, several, now)
            return {incident.id for _, incident, _ in several}  # the summary goes first
        over = {member.incident for member in summary.members if member.ended}
        gone = [(thread, incident) for thread, incident, _ in several if incident.id in over and not incident.alive]
        for thread, incident in gone:
            await self._store.mark(replace(thread, heard=incident.seq, shown=incident.rev, closed=True))
        return {incident.id for _, incident in gone}

    async def _save(self, end: datetime, several: Sequence[Waiting], now: datetime) -> None:
        case = await self._store.load(held.service(self._place.name))
        measured = [(incident, ladder(incident, self._policies)) for _, incident, _ in several]
        after = held.summed(case, self._place.name, measured, end, now)
        await self._store.save(after, (), (self._place.name,))
        log.info("quiet hours are over", channel=self._place.name, held=len(several))
        self._changed()
