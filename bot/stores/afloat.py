"""A store that goes on in memory while the disk takes nothing, and saves the very same rows once it does again.

What was decided keeps its id and the numbers of its lines; only the disk learns of it later. A crash while something is
held loses that part: the price of being heard during the trouble and not after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from msgspec.structs import replace

from bot.core.delivery import plan
from bot.core.model import Case, Entry, Incident, Thread
from bot.ports import Conflict, Retry, Store

log = structlog.get_logger(__name__)

_NEVER = ""


@dataclass
class _Held:
    """What one incident (or, under no name, a case before it) has yet to be saved: the last case, and every line."""

    case: Case
    entries: list[Entry] = field(default_factory=list)
    channels: dict[str, None] = field(default_factory=dict)


class Afloat:
    """Implements the store on top of another. `trouble` says why things are held, and is empty while none are."""

    def __init__(self, store: Store) -> None:
        self.trouble = ""
        self._store = store
        self._held: dict[str, dict[str, _Held]] = {}
        self._threads: dict[tuple[str, str], Thread] = {}
        self._blobs: dict[str, bytes] = {}
        self._turn = asyncio.Lock()

    def unsaved(self, incident: str) -> bool:
        """True while an incident, or a part of it, is in memory alone."""
        return self._of(incident) is not None

    async def surface(self) -> bool:
        """Try to save what is held; answers whether nothing is held any longer. Call it every few seconds."""
        async with self._turn:
            try:
                await self._save_held()
            except Retry as why:
                self._sink(why)
        return not self.trouble

    # What is written

    async def save(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        """As the store does; held in memory where the disk takes nothing.

        Raises:
            Conflict: somebody saved a newer version first.
        """
        while True:
            if not self.trouble:
                try:
                    return await self._store.save(case, entries, channels)
                except Retry as why:
                    self._sink(why)
            async with self._turn:
                if self.trouble:  # else all was saved while we waited for our turn
                    return await self._hold(case, entries, channels)

    async def mark(self, thread: Thread) -> None:
        """Remember how far a thread is."""
        if not self.trouble:
            try:
                await self._store.mark(thread)
            except Retry as why:
                self._sink(why)
            else:
                return
        self._threads[thread.incident, thread.channel] = thread

    async def revive(self, channel: str = "", since: datetime | None = None) -> int:
        """Let dead threads be tried again; answers how many."""
        if not self.trouble:
            try:
                return await self._store.revive(channel, since)
            except Retry as why:
                self._sink(why)
        found = [(t, i) for t, i in await self.dead(channel) if i.alive or not since or _opened(i) >= since]
        for thread, _ in found:
            self._threads[thread.incident, thread.channel] = replace(thread, dead="")
        return len(found)

    async def put(self, key: str, value: bytes) -> None:
        """Keep a small named blob."""
        if not self.trouble:
            try:
                await self._store.put(key, value)
            except Retry as why:
                self._sink(why)
            else:
                return
        self._blobs[key] = value

    # What is read

    async def load(self, service: str) -> Case:
        """The case with its version; a fresh one for a service never seen."""
        held = self._held.get(service)
        return list(held.values())[-1].case if held else await self._store.load(service)

    async def cases(self, prefix: str) -> Sequence[Case]:
        """The cases of every service whose name begins so."""
        found = {case.service: case for case in await self._store.cases(prefix)}
        found |= {name: list(held.values())[-1].case for name, held in self._held.items() if name.startswith(prefix)}
        return [found[name] for name in sorted(found)]

    async def behind(self, channel: str) -> Sequence[tuple[Thread, Incident]]:
        """Threads of a channel that have something yet to hear, show or close, unopened ones first; no dead ones."""
        rows = await self._store.behind(channel)
        if not (self._held or self._threads):
            return rows
        found = {thread.incident: (thread, incident) for thread, incident in rows}
        for (name, where), thread in self._threads.items():
            if where == channel and (incident := await self.incident(name)):
                found[name] = thread, incident
        waiting = [(t, i) for t, i in found.values() if plan(t, i) is not None]
        return sorted(waiting, key=lambda row: (bool(row[0].ref), _opened(row[1])))

    async def dead(self, channel: str = "") -> Sequence[tuple[Thread, Incident]]:
        """The dead letters: threads that a person must do something for, of one channel or of all, newest first."""
        rows = [r for r in await self._store.dead(channel) if (r[0].incident, r[0].channel) not in self._threads]
        mine = [thread for thread in self._threads.values() if thread.dead and channel in ("", thread.channel)]
        rows += [(t, incident) for t in mine if (incident := await self.incident(t.incident))]
        return sorted(rows, key=lambda row: _opened(row[1]), reverse=True)

    async def incident(self, incident: str) -> Incident | None:
        """One incident, alive or past."""
        held = self._of(incident)
        return held.case.incident if held else await self._store.incident(incident)

    async def incidents(self, *, service: str = "", limit: int = 100) -> Sequence[Incident]:
        """Incidents of services that opened, newest first."""
        rows = await self._store.incidents(service=service, limit=limit)
        mine = [i for i in self._incidents() if i.service == service or (not service and not i.service.startswith("."))]
        if not mine:
            return rows
        found = {i.id: i for i in (*rows, *mine)}
        return sorted(found.values(), key=lambda i: (_opened(i), i.id), reverse=True)[:limit]

    async def entries(self, incident: str, after: int = 0) -> Sequence[Entry]:
        """The timeline of an incident, in order."""
        held = self._of(incident)
        rows = await self._store.entries(incident, after)
        return [*rows, *(entry for entry in held.entries if entry.seq > after)] if held else rows

    async def threads(self, incident: str) -> Sequence[Thread]:
        """The copies of an incident, by channel name."""
        found = {thread.channel: thread for thread in await self._store.threads(incident)}
        found |= {where: thread for (name, where), thread in self._threads.items() if name == incident}
        return [found[where] for where in sorted(found)]

    async def get(self, key: str) -> bytes | None:
        """The blob, if it was kept."""
        return self._blobs[key] if key in self._blobs else await self._store.get(key)

    async def aclose(self) -> None:
        """Save what is held, if that can be done, and let go."""
        await self.surface()
        await self._store.aclose()

    # What is held

    async def _hold(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        if (await self.load(case.service)).version != case.version:
            raise Conflict(f"{case.service}: version {case.version + 1} was saved by somebody else first")
        after = replace(case, version=case.version + 1)
        incident = case.incident if case.incident and case.incident.opened_at else None
        name = incident.id if incident else _NEVER
        if incident:
            await self._refuse_twice(incident, entries)
            await self._bring_up(name, channels)
        several = self._held.setdefault(case.service, {})
        held = several[name] = several.pop(name, _Held(after))  # the latest is last
        held.case = after
        held.entries += entries
        held.channels |= dict.fromkeys(channels)
        return after

    async def _refuse_twice(self, incident: Incident, entries: Sequence[Entry]) -> None:
        known = {entry.seq for entry in await self.entries(incident.id, min((e.seq for e in entries), default=1) - 1)}
        if any(entry.seq in known for entry in entries):
            raise Conflict(f"{incident.service}: a line of this number stands in the timeline already")

    async def _bring_up(self, incident: str, channels: Iterable[str]) -> None:
        """Hold the threads of an incident too: what they have yet to hear is known here alone."""
        for thread in await self.threads(incident):
            self._threads.setdefault((incident, thread.channel), thread)
        for channel in channels:
            self._threads.setdefault((incident, channel), Thread(incident=incident, channel=channel))

    async def _save_held(self) -> None:
        """Incident by incident in one write each, then how far their threads are."""
        for service, several in list(self._held.items()):
            version = (await self._store.load(service)).version
            for name, held in list(several.items()):
                case = replace(held.case, version=version, incident=_renewed(held.case.incident))
                version = (await self._store.save(case, held.entries, list(held.channels))).version
                del several[name]
            del self._held[service]
        for place, thread in list(self._threads.items()):
            await self._store.mark(thread)
            if self._threads[place] is thread:
                del self._threads[place]
        for key, value in list(self._blobs.items()):
            await self._store.put(key, value)
            if self._blobs[key] is value:
                del self._blobs[key]
        if self.trouble and not (self._threads or self._blobs):
            log.info("everything is saved again")
            self.trouble = ""

    def _sink(self, why: Retry) -> None:
        if not self.trouble:
            log.error("nothing can be saved, going on from memory", why=str(why))
        self.trouble = str(why)

    def _of(self, incident: str) -> _Held | None:
        return next((several[incident] for several in self._held.values() if incident in several), None)

    def _incidents(self) -> list[Incident]:
        found = (held.case.incident for several in self._held.values() for held in several.values())
        return [incident for incident in found if incident and incident.opened_at]


def _renewed(incident: Incident | None) -> Incident | None:
    """One revision on, so that every head is edited once more and loses its note."""
    return incident and replace(incident, rev=incident.rev + 1)


def _opened(incident: Incident) -> datetime:
    return incident.opened_at or incident.since
