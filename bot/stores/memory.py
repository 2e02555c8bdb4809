"""State of a house that nobody takes up later: what is saved stays the value that it was, and ends with the process.

A replay saves a hundred thousand times what it reads once. Writing rows for that took a tenth of its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.core.model import Case, Entry, Incident, State, Thread
from bot.ports import Conflict


class MemoryStore:
    """Implements the store without a file."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._incidents: dict[str, Incident] = {}
        self._entries: dict[str, dict[int, Entry]] = {}
        self._threads: dict[str, dict[str, Thread]] = {}
        self._blobs: dict[str, bytes] = {}

    async def load(self, service: str) -> Case:
        """The case with its version; a fresh one for a service never seen."""
        return self._cases.get(service) or Case(service=service)

    async def cases(self, prefix: str) -> Sequence[Case]:
        """The cases of every service whose name begins so."""
        return [case for service, case in sorted(self._cases.items()) if service.startswith(prefix)]

    async def save(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        """The case under compare-and-set, its entries, and a thread for each channel that has none.

        Threads and the incident of its own begin when it has opened. Answers the case with its new version.

        Raises:
            Conflict: somebody saved a newer version first.
        """
        before, incident = self._cases.get(case.service), case.incident
        if case.version != (before.version if before else 0):
            raise Conflict(f"{case.service}: version {case.version + 1} was saved by somebody else first")
        if incident is not None and incident.opened_at is not None:
            self._tell(incident, entries)
            self._incidents[incident.id] = incident
            threads = self._threads.setdefault(incident.id, {})
            for channel in channels:
                threads.setdefault(channel, Thread(incident=incident.id, channel=channel))
        self._cases[case.service] = after = replace(case, version=case.version + 1)
        return after

    async def behind(self, channel: str) -> Sequence[tuple[Thread, Incident]]:
        """Threads of a channel that have something yet to hear, show or close, unopened ones first; no dead ones."""
        rows = [row for row in self._copies(channel) if not row[0].dead and _behind(*row)]
        return sorted(rows, key=lambda row: (row[0].ref != "", _opened(row)))

    async def mark(self, thread: Thread) -> None:
        """Remember how far a thread is."""
        self._threads.setdefault(thread.incident, {})[thread.channel] = thread

    async def dead(self, channel: str = "") -> Sequence[tuple[Thread, Incident]]:
        """The dead letters: threads that a person must do something for, of one channel or of all, newest first."""
        rows = sorted((row for row in self._copies(channel) if row[0].dead), key=lambda row: row[0].channel)
        return sorted(rows, key=_opened, reverse=True)

    async def revive(self, channel: str = "", since: datetime | None = None) -> int:
        """Let dead threads be tried again; answers how many. `since` leaves past incidents that opened before alone."""
        rows = [
            thread
            for thread, incident in await self.dead(channel)
            if incident.state is not State.CLOSED or since is None or _opened((thread, incident)) >= since
        ]
        for thread in rows:
            await self.mark(replace(thread, dead=""))
        return len(rows)

    async def incident(self, incident: str) -> Incident | None:
        """One incident, alive or past."""
        return self._incidents.get(incident)

    async def incidents(self, *, service: str = "", limit: int = 100) -> Sequence[Incident]:
        """Incidents of services that opened, newest first; what ails the house itself is none of them."""
        found = [
            i for i in self._incidents.values() if (i.service == service if service else not i.service.startswith("."))
        ]
        return sorted(found, key=lambda i: (i.opened_at or i.since, i.id), reverse=True)[:limit]

    async def entries(self, incident: str, after: int = 0) -> Sequence[Entry]:
        """The timeline of an incident, in order."""
        return [entry for seq, entry in sorted(self._entries.get(incident, {}).items()) if seq > after]

    async def threads(self, incident: str) -> Sequence[Thread]:
        """The copies of an incident, by channel name."""
        return [thread for _, thread in sorted(self._threads.get(incident, {}).items())]

    async def put(self, key: str, value: bytes) -> None:
        """Keep a small named blob."""
        self._blobs[key] = value

    async def get(self, key: str) -> bytes | None:
        """The blob, if it was kept."""
        return self._blobs.get(key)

    async def aclose(self) -> None:
        """There is nothing to let go of."""

    def _tell(self, incident: Incident, entries: Sequence[Entry]) -> None:
        told = self._entries.setdefault(incident.id, {})
        if any(entry.seq in told for entry in entries):
            raise Conflict(f"{incident.service}: a line of this number stands in the timeline already")
        told.update((entry.seq, entry) for entry in entries)

    def _copies(self, channel: str) -> Iterator[tuple[Thread, Incident]]:
        """Every thread of a channel, or of all, with its incident."""
        for name, threads in self._threads.items():
            for thread in threads.values():
                if name in self._incidents and channel in ("", thread.channel):
                    yield thread, self._incidents[name]


def _behind(thread: Thread, incident: Incident) -> bool:
    unclosed = incident.state is State.CLOSED and not thread.closed
    return thread.heard < incident.seq or thread.shown < incident.rev or unclosed


def _opened(row: tuple[Thread, Incident]) -> datetime:
    return row[1].opened_at or row[1].since
