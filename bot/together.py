"""Group: incidents that broke together are told as one; each stays a case of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from bot.core import together
from bot.core.grouping import Rule, belongs, cause
from bot.core.model import Acted, Case, Entry, Incident, Service
from bot.core.showing import ladder
from bot.ports import Conflict, Store

log = structlog.get_logger(__name__)

Act = Callable[[str, Acted], Awaitable[object]]


class Together:
    """The living groups, by name, and whoever belongs to them.

    `services` and `cases` are those of the engine; `says` is what is known of a service besides, in words such as `, which
    has an open incident`; `changed` is called after something was saved. Without a rule nothing is grouped anew.
    """

    def __init__(
        self,
        store: Store,
        services: Mapping[str, Service],
        cases: Mapping[str, Case],
        *,
        says: Callable[[str], str],
        changed: Callable[[str], None],
    ) -> None:
        self.rule: Rule | None = None
        self.alive: dict[str, Incident] = {}
        self._store = store
        self._services = services
        self._cases = cases
        self._says = says
        self._changed = changed
        self._turn = asyncio.Lock()
        self._due: set[str] = set()
        self._waits = 0

    async def wake(self, now: datetime) -> None:
        """Know the groups that live, and take up what their members did since they last heard of it."""
        for case in await self._store.cases(together.service("together-")):
            if case.incident and case.incident.alive:
                self.alive[case.incident.id] = case.incident
        orphans = (i.part_of for i in self._living() if i.part_of)
        for group in dict.fromkeys((*self.alive, *orphans)):
            await self.gather(group, now)

    def place(self, incident: Incident) -> tuple[str, Sequence[str]]:
        """The group that an incident which just opened belongs to, and the services that join it in a new one."""
        if incident.part_of in self.alive:
            return incident.part_of, ()
        if self.rule is None:
            return "", ()
        others = [one for one in self._living() if one.id != incident.id]
        return belongs(incident, others, self._needs(), self.rule)

    async def include(self, group: str, mates: Sequence[str], at: datetime, act: Act) -> None:
        """Have those that stood alone so far join a group, and bring it up to what its members are now."""
        for mate in mates:
            await act(mate, Acted(at=at, verb="join", who="Tocsin", text=group))
        await self.gather(group, at)

    async def gather(self, group: str, at: datetime) -> None:
        """Bring a group up to what its members are now; whoever saved first is heard, and it is done again."""
        self._due.add(group)
        if self._waits:
            return
        async with self._turn:
            while True:
                try:
                    await self._gathered(group, at)
                except Conflict:
                    continue
                break
        self._due.discard(group)
        self._changed("")

    @asynccontextmanager
    async def at_once(self, at: datetime) -> AsyncIterator[None]:
        """What is done to several members in here is told in one line."""
        self._waits += 1
        try:
            yield
        finally:
            self._waits -= 1
            await self.retry(at)

    async def retry(self, at: datetime) -> None:
        """Do again what could not be kept."""
        for group in sorted(self._due):
            await self.gather(group, at)

    async def _gathered(self, group: str, at: datetime) -> None:
        case = await self._store.load(together.service(group))
        if case.incident is not None and not case.incident.alive:
            return
        members = await self._members(case, group)
        if not members:
            return
        marks = together.unheard(case, members)
        news = {one.id: await self._news(one, marks[one.id]) for one in members}
        policy = ladder(members[0], {name: service.policy for name, service in self._services.items()})
        known = cause([one.service for one in members if one.alive], self._needs())
        named = self._services[known].name if known in self._services else ""
        turn = together.Turn(
            group=group, members=members, news=news, at=at, cause=named, says=self._says(known) if named else ""
        )
        after, entries = together.gathered(case, turn, policy)
        if after == case or after.incident is None:
            return
        await self._store.save(after, entries, self._channels(members))
        self._remember(after.incident, new=case.incident is None)

    def _remember(self, incident: Incident, *, new: bool) -> None:
        if new:
            log.info("told together", group=incident.id, services=[m.service for m in incident.members])
        self.alive[incident.id] = incident
        if not incident.alive:
            del self.alive[incident.id]

    async def _members(self, case: Case, group: str) -> list[Incident]:
        """Everything that is or was part of it, as it is now."""
        known = {m.incident: m.service for m in (case.incident.members if case.incident else ())}
        now = {c.incident.id: c.incident for c in self._cases.values() if c.incident and c.incident.part_of == group}
        past = [await self._store.incident(name) for name in known if name not in now]
        return [*now.values(), *(one for one in past if one)]

    async def _news(self, one: Incident, after: int) -> Sequence[Entry]:
        return await self._store.entries(one.id, after) if one.seq > after else ()

    def _channels(self, members: Sequence[Incident]) -> list[str]:
        told = [self._services[one.service].channels(one) for one in members if one.service in self._services]
        return list(dict.fromkeys(channel for channels in told for channel in channels))

    def _living(self) -> list[Incident]:
        return [case.incident for case in self._cases.values() if case.incident and case.incident.alive]

    def _needs(self) -> dict[str, Sequence[str]]:
        return {name: service.depends_on for name, service in self._services.items()}
