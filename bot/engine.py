"""Ask, judge, keep: counts and signals become readings, readings become steps, steps are saved.

`beat` is the whole of judging, and the same for live and replay: close the buckets that are over, then judge what
moved. Live it is called every second by `run`; a replay calls it with the times of its own clock.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.core.acts import objection
from bot.core.grouping import begins, placed
from bot.core.holidays import NO_HOLIDAYS, Calendar
from bot.core.incident import step
from bot.core.model import (
    Acted,
    Case,
    Entry,
    Event,
    Evidence,
    Incident,
    Judged,
    Reading,
    Scope,
    Service,
    Signal,
    State,
)
from bot.core.planned import covered
from bot.core.showing import bare
from bot.core.tally import Tally
from bot.crowd import Crowd
from bot.detectors.levels import Rule
from bot.detectors.verdict import Start
from bot.ports import Clock, Conflict, Retry, Store, Watch
from bot.witnesses import Witnesses

log = structlog.get_logger(__name__)

_MEMORY = "memory"
_KEEP_EVERY = 10
_LIVED, _LIVED_EVERY = "lived", 30
_AWAY = timedelta(minutes=2)
"""Out of sight for less than this is no absence worth a word."""


class Company(Protocol):
    """Where incidents that broke together are told as one."""

    def place(self, incident: Incident) -> tuple[str, Sequence[str]]:
        """The group that an incident which just opened belongs to, and the services that join it in a new one."""
        ...

    async def include(
        self, group: str, mates: Sequence[str], at: datetime, act: Callable[[str, Acted], Awaitable[object]]
    ) -> None:
        """Have those that stood alone so far join it, and bring it up to what its members are now."""
        ...

    async def retry(self, at: datetime) -> None:
        """Do again what could not be kept."""
        ...


class Engine:
    """One service, one turn: load, decide with pure functions, save with the version, or do it again.

    Where the store is not `lasting`, nobody comes after us: what the detectors know is not kept for them.
    """

    def __init__(
        self,
        *,
        store: Store,
        tally: Tally,
        services: Mapping[str, Service],
        rules: Mapping[str, Sequence[Rule]],
        watches: Mapping[str, Mapping[str, Watch]],
        tick: timedelta,
        changed: Callable[[str], None],
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
        lasting: bool = True,
    ) -> None:
        self.services = services
        self.watches = watches
        self.cases: dict[str, Case] = {}
        self.crowd = Crowd(tally, services, rules, tick, self, calendars=calendars)
        self.witnesses = Witnesses(watches)
        self.tick = tick
        self.trouble = ""
        self.beaten_at: datetime | None = None
        self.newborn = False
        """True where nobody lived here before us."""
        self.rules = rules
        self.company: Company | None = None
        self._store = store
        self._tally = tally
        self._changed = changed
        self._lasting = lasting
        self._away: dict[str, datetime] = {}
        self._due = False
        self._turns = {service: asyncio.Lock() for service in services}

    # Waking and resting

    async def wake(self, now: datetime) -> None:
        """Take up where the last life left off; the buckets nobody listened to are gaps, not silence."""
        for service in self.services:
            self.cases[service] = await self._store.load(service)
        for case in await self._store.cases(""):
            if case.service not in self.services and not case.service.startswith("."):
                await self.retire(case.service, now)
        lived = await self._store.get(_LIVED)
        since = datetime.fromisoformat(lived.decode()) if lived is not None else now
        if away := now - since > _AWAY:
            self._away = {name: since for name, case in self.cases.items() if case.incident and case.incident.alive}
        kept = await self._store.get(_MEMORY)
        self.newborn = kept is None
        self.crowd.wake(kept, now, away=away)
        if kept is None:
            await self.rest()  # so that after a crash the counts are judged again from the very first

    async def rest(self) -> None:
        """Keep what the detectors know."""
        memory = self.crowd.memory() if self._lasting else None
        if memory is not None:
            await self._breathe()
            await self._store.put(_MEMORY, memory)

    async def refit(self, now: datetime) -> None:
        """The services, rules or watches were changed in place: know the new ones, and let go of the others."""
        for service in self.services:
            self._turns.setdefault(service, asyncio.Lock())
            if service not in self.cases:
                self.cases[service] = await self._store.load(service)
            await self.spread(service)
        for gone in self.cases.keys() - self.services.keys():
            del self.cases[gone]
        self.witnesses.refit()
        self.crowd.refit(now)

    async def spread(self, service: str) -> None:
        """Give what is open to channels that hear of its service only now."""
        async with self._turns[service]:
            case = self.cases[service]
            if case.incident is None or not case.incident.alive:
                return
            self.cases[service] = await self._save(case, ())
        self._changed(service)

    async def retire(self, service: str, now: datetime) -> None:
        """A service is configured no more: an incident that lives is closed with that reason."""
        case = await self._store.load(service)
        if case.incident is None or not case.incident.alive:
            return
        act = Acted(at=now, verb="unwatch", who="The configuration")
        after, entries = step(case, act, bare(case.incident))
        await self._store.save(after, entries, ())
        self._changed(service)
        if self.company and case.incident.part_of:
            await self.company.include(case.incident.part_of, (), now, self._turn)

    async def _breathe(self) -> None:
        """Note that we live, for whoever comes after a sudden end."""
        if self.beaten_at is not None:
            await self._store.put(_LIVED, self.beaten_at.isoformat().encode())

    async def run(self, clock: Clock) -> None:
        """Beat every second, for ever; a store that cannot save now is tried again at the next beat."""
        for beats in itertools.count(1):
            await clock.sleep(1.0 - clock.now().microsecond / 1e6)
            try:
                await self.beat(clock.now())
                if beats % _LIVED_EVERY == 0:
                    await self._breathe()
                self._well()
            except Retry as why:
                self._ill(str(why))

    def _ill(self, why: str) -> None:
        if not self.trouble:
            log.error("cannot keep what was decided, trying again every second", why=why)
        self.trouble = why

    def _well(self) -> None:
        if self.trouble:
            log.info("keeping again")
        self.trouble = ""

    # Judging

    async def beat(self, now: datetime) -> None:
        """Close the buckets that are over and judge: every service after a close, else those whose counts moved."""
        moved = self._moved()
        self.crowd.revise(moved)
        closed = self.crowd.close_until(now)
        only = None if closed else moved.keys()
        if only is None or only:
            self.crowd.judge(now, only)
        if closed:
            self.crowd.note_silences(now)
            self._due = self._due or self._tally.bucket(now) % _KEEP_EVERY == 1
        for service in self.services if only is None else only:
            if not self._resting(service):
                await self.consider(service, now)
        for service in moved:
            self._changed(service)
        if self.company:
            await self.company.retry(now)
        self.beaten_at = now
        if self._due:
            self._due = False
            await self.rest()

    def _moved(self) -> dict[str, int]:
        """Services whose counts changed since the last beat, each with the earliest bucket that did."""
        return {service: first for service, first in self._tally.drain().items() if service in self.services}

    def calm(self, service: str) -> bool:
        """True where there is no incident that lives or is about to."""
        case = self.cases.get(service)
        return case is None or case.incident is None or case.incident.state is State.CLOSED

    def told(self, service: str) -> Scope | None:
        """Where the incident of a service was last seen to be."""
        incident = self.cases[service].incident
        return incident.scope if incident and incident.state is not State.CLOSED else None

    def begun(self, service: str) -> Start | None:
        """When what the counts tell of an open incident began; that stands while it goes on."""
        case = self.cases.get(service)
        incident = case.incident if case else None
        if incident is None or incident.state is not State.OPEN:
            return None
        told = (r for r in incident.readings if r.kind is Evidence.PEOPLE and r.level)
        return next((Start(r.since, r.between) for r in told if r.since and r.between), None)

    def witnessed(self, service: str, now: datetime) -> bool:
        """True when something other than what people count speaks for trouble: a watch, or a person who answers for it."""
        incident = self.cases[service].incident
        vouched = incident is not None and incident.alive and (incident.declared_by or incident.verdict == "real")
        return bool(vouched) or any(r.level and r.kind is not Evidence.PEOPLE for r in self._signals(service, now))

    async def hear(self, service: str, watch: str, signal: Signal) -> None:
        """Take in what a source said, and judge its service with it."""
        self.witnesses.hear(service, watch, signal)
        self.crowd.surge.lean(service, self.witnesses.nats(service))
        if self.crowd.verdicts.doubted(service):
            self.crowd.judge(signal.at, (service,))  # here may be the witness that was missing
        await self.consider(service, signal.at)

    def _resting(self, service: str) -> bool:
        """True where nothing speaks and there is no story: then there is nothing to consider, which must cost little."""
        incident = self.cases[service].incident
        return not (_storied(incident) or self.crowd.raised(service) or self.witnesses.speak(service, incident))

    async def consider(self, service: str, now: datetime) -> None:
        """Give a service its turn with the present evidence; calm ones without a story cost nothing."""
        readings = self._readings(service, now)
        if not any(r.level for r in readings) and not _storied(self.cases[service].incident):
            return
        known = self.services[service]
        planned = covered(known.windows, now)
        away = self._away.get(service)
        event = Judged(
            at=now,
            readings=readings,
            planned=planned,
            causes=self._causes(known),
            away_since=away,
            deaf=self.crowd.silences.deaf(service, now),
        )
        await self._turn(service, event)
        if self.witnesses.caught_up(service, self.cases[service].incident):
            self._away.pop(service, None)

    def _causes(self, service: Service) -> tuple[str, ...]:
        """Names of the services it depends on that have an open incident."""
        cases = ((name, self.cases.get(name)) for name in service.depends_on)
        return tuple(self.services[name].name for name, c in cases if c and c.incident and c.incident.alive)

    def _readings(self, service: str, now: datetime) -> tuple[Reading, ...]:
        crowd = self.crowd.reading(service, now)
        return (*((crowd,) if crowd else ()), *self._signals(service, now))

    def _signals(self, service: str, now: datetime) -> tuple[Reading, ...]:
        return self.witnesses.readings(service, now, self.services[service].policy, self.cases[service].incident)

    # Keeping

    async def act(self, service: str, acted: Acted) -> tuple[str, Incident | None]:
        """Do what a person asked; answers why not (empty when done) and the incident as it is then."""
        policy = self.services[service].policy
        async with self._turns[service]:
            no = objection(self.cases[service], acted, policy)
        if not no:
            await self._turn(service, acted)
        return no, self.cases[service].incident

    async def _turn(self, service: str, event: Event) -> None:
        mates: Sequence[str] = ()
        async with self._turns[service]:
            while True:
                case = self.cases[service]
                after, entries = step(case, event, self.services[service].policy)
                if after == case:
                    return
                after, entries, mates = self._placed(after, entries)
                try:
                    self.cases[service] = await self._save(after, entries)
                except Conflict:
                    self.cases[service] = newer = await self._store.load(service)
                    if newer.version == case.version:
                        raise  # nobody was first: the same again would end the same
                    continue
                break
        self._changed(service)
        group = after.incident.part_of if after.incident else ""
        if self.company and group and entries and not (isinstance(event, Acted) and event.verb == "join"):
            await self.company.include(group, mates, event.at, self._turn)

    def _placed(self, case: Case, entries: tuple[Entry, ...]) -> tuple[Case, tuple[Entry, ...], Sequence[str]]:
        """The case as part of the group that it belongs to, if it just opened, and who joins that group with it."""
        if self.company is None or case.incident is None or not begins(entries):
            return case, entries, ()
        group, mates = self.company.place(case.incident)
        return *placed(case, entries, group), mates

    async def _save(self, case: Case, entries: Sequence[Entry]) -> Case:
        incident = case.incident
        alone = incident is not None and incident.opened_at is not None and not incident.part_of
        channels = self.services[case.service].channels(incident) if incident and alone else ()
        return await self._store.save(case, entries, channels)


def _storied(incident: Incident | None) -> bool:
    """True while an incident goes on without anybody speaking for it."""
    return incident is not None and (incident.state is not State.CLOSED or bool(incident.quelled))
