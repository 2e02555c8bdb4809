"""What the house knows now, for pages and commands; memory first, the store only where history is asked for."""

from __future__ import annotations

import asyncio
import difflib
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np
from msgspec.structs import replace

from bot.core.heading import SILENT
from bot.core.model import Case, Entry, Head, Health, Incident, Picture, Service, Source, Span
from bot.core.postmortem import draft
from bot.core.printing import between_json, incident_json, moment, numbers_json, thread_json
from bot.core.showing import ladder, shown, span
from bot.core.silence import Silences
from bot.core.tally import Tally
from bot.detectors.graded import Watched, trouble
from bot.detectors.levels import Rule
from bot.detectors.ring import Floats
from bot.detectors.surge import Surge
from bot.detectors.verdict import Verdict
from bot.ports import Clock, Hook, Store, Watch

_BARS, _BAR = 96, 15
_SPAN = _BARS * _BAR
_AFTERMATH = timedelta(hours=1)


Past = Callable[[str, int, int], Awaitable[Sequence[float | None]]]
"""Totals of a service from one bucket to another, both included, from the archive where need be."""


class Counted(Protocol):
    """What the counts say."""

    surge: Surge
    silences: Silences

    @property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The newest verdict on every service."""
        ...


class Heard(Protocol):
    """What the watches say, by service and name."""

    watched: dict[tuple[str, str], Watched]
    asked: dict[tuple[str, str], datetime]


class Known(Protocol):
    """The engine as seen from here: plain values to read."""

    services: Mapping[str, Service]
    watches: Mapping[str, Mapping[str, Watch]]
    cases: dict[str, Case]
    rules: Mapping[str, Sequence[Rule]]
    tick: timedelta

    @property
    def crowd(self) -> Counted:
        """The counts."""
        ...

    @property
    def witnesses(self) -> Heard:
        """The watches."""
        ...


class Board:
    """Answers what is going on."""

    def __init__(
        self, known: Known, tally: Tally, store: Store, clock: Clock, *, link: Callable[[str], str], past: Past
    ) -> None:
        self._known = known
        self._tally = tally
        self._store = store
        self._clock = clock
        self._link = link
        self._past = past
        self._drawn: dict[str, tuple[object, Picture]] = {}
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

    def picture(self, service: str) -> Picture | None:
        """The last day of a service against its usual, in 96 bars of 15 ticks.

        The last bar ends now, so that it shows the same window that the levels are about.
        """
        found = self._known.services.get(service)
        if found is None:
            return None
        last = self._tally.bucket(self._clock.now())
        case = self._known.cases.get(service)
        incident = case.incident if case else None
        fresh = (last, self._tally.total(service, last), incident.rev if incident else 0)
        if service not in self._drawn or self._drawn[service][0] != fresh:
            totals = self._tally.totals(service, last - _SPAN + 1, last)
            self._drawn[service] = (fresh, self._picture(found, last, totals, incident))
        return self._drawn[service][1]

    async def picture_of(self, incident: str) -> Picture | None:
        """The day around an incident, however long ago it was (reads the store)."""
        found = await self._store.incident(incident)
        service = self._known.services.get(found.service) if found else None
        if found is None or service is None:
            return None
        over = found.eased_at or found.closed_at or self._clock.now()
        last = self._tally.bucket(min(over + _AFTERMATH, self._clock.now()))
        totals = await self._past(found.service, last - _SPAN + 1, last)
        return self._picture(service, last, totals, found)

    def _picture(
        self, service: Service, last: int, totals: Sequence[float | None], incident: Incident | None
    ) -> Picture:
        start = self._tally.start(last - _SPAN + 1)
        mean, low, high = self._known.crowd.surge.usual(service.id, start, _SPAN)
        rule, rule_name = self._rule(service, incident)
        return Picture(
            service=service.id,
            name=service.name,
            start=start,
            step=self._known.tick * _BAR,
            counts=_summed(totals, _BAR),
            usual=_summed(list(mean), _BAR),
            low=_edges(mean, low, -1.0),
            high=_edges(mean, high, 1.0),
            rule=rule,
            rule_name=rule_name,
            spans=_spans(service, incident),
        )

    def _rule(self, service: Service, incident: Incident | None) -> tuple[float | None, str]:
        """The count of the worst level reached, else of the mildest, where its window is as wide as a bar."""
        level = incident.peak_level if incident else ""
        bar = self._known.tick * _BAR
        fitting = [r for r in self._known.rules.get(service.id, ()) if r.reports is not None and r.within == bar]
        chosen = next((r for r in fitting if r.level == level), fitting[0] if fitting else None)
        return (float(chosen.reports or 0), chosen.level) if chosen else (None, "")

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


def _spans(service: Service, incident: Incident | None) -> tuple[Span, ...]:
    if incident is None or incident.opened_at is None:
        return ()
    peak = incident.peak.count if incident.peak else 0
    return (replace(span(incident, service.policy), peak=peak),)


def _summed(values: Sequence[float | None], size: int) -> tuple[float | None, ...]:
    """Sums of `size` buckets, of those that are known; None where none is."""
    groups = (values[n : n + size] for n in range(0, len(values), size))
    known = ([v for v in group if v is not None and not math.isnan(v)] for group in groups)
    return tuple(float(sum(group)) if group else None for group in known)


def _edges(mean: Floats, edge: Floats, side: float) -> tuple[float | None, ...]:
    """The edge of ordinary noise of whole bars: that of single buckets adds up in squares, not in sums."""
    middle, off = mean.reshape(_BARS, _BAR).sum(axis=1), (edge - mean).reshape(_BARS, _BAR)
    found = np.maximum(middle + side * np.sqrt((off**2).sum(axis=1)), 0.0)
    return tuple(None if math.isnan(value) else value for value in found.tolist())
