"""Answers what is going on: services, incidents, and what changes."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from bot.board.known import Known
from bot.board.pictures import Past, Pictures
from bot.core.heading import SILENT
from bot.core.model import Entry, Head, Health, Incident, Picture, Service, Source
from bot.core.postmortem import draft
from bot.core.printing import between_json, incident_json, moment, numbers_json, thread_json
from bot.core.showing import ladder, shown
from bot.core.tally import Tally
from bot.detectors.graded import trouble
from bot.ports import Clock, Hook, Store, Watch


class Board:
    """Answers what is going on."""

    def __init__(
        self, known: Known, tally: Tally, store: Store, clock: Clock, *, link: Callable[[str], str], past: Past
    ) -> None:
        self._known = known
        self._store = store
        self._clock = clock
        self._link = link
        self._pictures = Pictures(known, tally, clock, past)
        self._listeners: set[asyncio.Queue[str]] = set()
        self._names: dict[str, str] = {}
        self.rename()

    def rename(self) -> None:
        """Learn what people call the services; again when the configuration has changed."""
        self._names = {
            _folded(word): s.id for s in self._known.services.values() for word in (*s.aliases, s.name, s.id)
        }

    # Services

    def status(self) -> dict[str, Any]:
        """The body of `GET /api/v1/status`: worst first, then by name."""
        rows = [self._row(service) for service in self._known.services.values()]
        rows.sort(key=lambda row: (-self._rank(row["id"], row["level"] or ""), row["name"].lower()))
        return {"at": moment(self._clock.now()), "services": rows}

    def service(self, service: str) -> dict[str, Any] | None:
        """The body of `GET /api/v1/services/{id}`."""
        found = self._known.services.get(service)
        if found is None:
            return None
        verdict = self._known.crowd.verdicts.get(service)
        row = self._row(found)
        del row["confidence"]
        return {**row, "now": numbers_json(verdict.numbers if verdict else None), "watches": self._watches(service)}

    def _row(self, service: Service) -> dict[str, Any]:
        incident = self.living(service.id)
        verdict = self._known.crowd.verdicts.get(service.id)
        level = incident.level if incident else verdict.level if verdict else ""
        doubted = "unconfirmed" if verdict and verdict.doubt else None
        unheard = "silent" if self.silent(service.id) else doubted
        return {
            "id": service.id,
            "name": service.name,
            "level": level or None,
            "confidence": incident.confidence.value if incident else unheard,
            "incident": incident.id if incident else None,
        }

    def _rank(self, service: str, level: str) -> int:
        return self._known.services[service].policy.rank(level)

    def _watches(self, service: str) -> list[dict[str, Any]]:
        return [self._watch(service, name, source) for name, source in self._known.watches.get(service, {}).items()]

    def _watch(self, service: str, name: str, source: Watch) -> dict[str, Any]:
        watched = self._known.witnesses.watched.get((service, name))
        health = watched.health if watched else None
        error = trouble(watched, self._clock.now()) if watched else ""
        waits = watched is None and isinstance(source, Hook)  # silence is no fault of a hook, and no health either
        return {
            "name": name,
            "kind": getattr(source, "kind", ""),
            "ok": waits or (watched is not None and watched.heard_at is not None and not watched.error),
            "level": health.word if isinstance(health, Health) else None,
            "note": watched.note if watched else "waits to be told" if waits else "not asked yet",
            "error": (error or watched.error or None) if watched else None,
            "checked_at": moment(self._known.witnesses.asked.get((service, name))),
            "heard_at": moment(watched.heard_at) if watched else None,
        }

    def ages(self) -> Iterator[tuple[tuple[str, str], float]]:
        """Seconds since the last good answer of each watch that ever gave one, by service and watch."""
        now = self._clock.now()
        for label, watched in self._known.witnesses.watched.items():
            if watched.heard_at:
                yield label, max((now - watched.heard_at).total_seconds(), 0.0)

    def troubled(self, service: str) -> Sequence[Source]:
        """What gives no reading of a service now, its reports included, for the table of sources."""
        silence = self._known.crowd.silences.found.get(service)
        rows = [Source(name="reports", word=SILENT, tone="calm", note=silence.words())] if silence else []
        for name in self._known.watches.get(service, {}):
            watched = self._known.witnesses.watched.get((service, name))
            why = trouble(watched, self._clock.now()) if watched else ""
            if why:
                rows.append(Source(name=name, word="no reading", tone="calm", note=why))
        return rows

    def silent(self, service: str) -> bool:
        """True while reports are missing that chance cannot explain: then nothing is known to be calm."""
        return service in self._known.crowd.silences.found

    def living(self, service: str) -> Incident | None:
        """The incident of a service that is open or easing."""
        case = self._known.cases.get(service)
        return case.incident if case and case.incident and case.incident.alive else None

    def open(self) -> list[Incident]:
        """All living incidents, worst first, then the longest."""
        alive = [i for s in self._known.services if (i := self.living(s))]
        return sorted(alive, key=lambda i: (-self._rank(i.service, i.level), i.started_at))

    # Incidents

    async def incidents(self, *, state: str = "", service: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Incidents newest first, in the shape of `replay --json`, with their state and threads."""
        found = await self._store.incidents(service=service, limit=limit)
        wanted = [i for i in found if not state or i.alive is (state == "open")]
        return [await self._whole(i) for i in wanted]

    async def incident(self, incident: str) -> dict[str, Any] | None:
        """One incident in that shape."""
        found = await self._store.incident(incident)
        return await self._whole(found) if found else None

    async def _whole(self, incident: Incident) -> dict[str, Any]:
        entries = await self._store.entries(incident.id)
        threads = await self._store.threads(incident.id)
        printed = incident_json(incident, entries)
        return {
            **printed,
            "state": incident.state.value,
            "started_between": between_json(incident.started_between),
            "verdict": incident.verdict or None,
            "threads": [thread_json(t) for t in threads],
        }

    async def head(self, incident: str) -> Head | None:
        """The head message of an incident as chats show it."""
        found = await self._store.incident(incident)
        if found is None or (found.service not in self._known.services and not found.members):
            return None
        policy = ladder(found, {name: service.policy for name, service in self._known.services.items()})
        return shown(found, policy, link=self._link(found.id), troubled=self.troubled(found.service))

    async def timeline(self, incident: str) -> Sequence[Entry]:
        """The lines of an incident as its threads tell them."""
        return await self._store.entries(incident)

    async def draft(self, incident: str, chart: str) -> str | None:
        """The draft of an incident's post-mortem in Markdown."""
        found = await self._store.incident(incident)
        if found is None:
            return None
        entries = await self._store.entries(incident)
        return draft(found, entries, chart=chart, link=self._link(found.id))

    # Pictures

    def began(self, at: datetime) -> None:
        """Know when anybody first listened here: of the time before, silence says nothing."""
        self._pictures.since = at

    def picture(self, service: str) -> Picture | None:
        """The last day of a service against its usual."""
        return self._pictures.day(service)

    async def picture_of(self, incident: str) -> Picture | None:
        """The day around an incident, however long ago it was (reads the store)."""
        found = await self._store.incident(incident)
        return await self._pictures.around(found) if found else None

    # Words and changes

    def resolve(self, words: str) -> str | None:
        """The id of the service a person means: id, name or alias, whatever the case and spacing."""
        return self._names.get(_folded(words))

    def nearest(self, words: str) -> str:
        """The id of the service spelt most alike, or the empty string."""
        close = difflib.get_close_matches(_folded(words), self._names, 1, 0.6)
        return self._names[close[0]] if close else ""

    def changed(self, service: str) -> None:
        """Tell every live page; one that cannot keep up misses news, not the next state."""
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait(service)

    async def changes(self) -> AsyncIterator[str]:
        """Ids of services as they change, from now on."""
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=256)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)


def _folded(words: str) -> str:
    return "".join(c for c in words.casefold() if c.isalnum())
