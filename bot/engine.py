"""Ask, judge, keep: counts and signals become readings, readings become steps, steps are saved.

`beat` is the whole of judging, and the same for live and replay: close the buckets that are over, then judge what
moved. Live it is called every second by `run`; a replay calls it with the times of its own clock.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import structlog

from bot.core.acts import objection
from bot.core.grouping import begins, placed
from bot.core.incident import step
from bot.core.jury import Jury
from bot.core.model import (
    Acted,
    Case,
    Entry,
    Event,
    Evidence,
    Health,
    Incident,
    Judged,
    Reading,
    Scope,
    Service,
    Signal,
    State,
)
from bot.core.planned import covered
from bot.core.reports import Cell
from bot.core.showing import bare
from bot.core.silence import Silences
from bot.core.tally import Tally
from bot.detectors.gap import HUSHED
from bot.detectors.graded import Watched, hear, reading
from bot.detectors.levels import Rule
from bot.detectors.mix import Mix
from bot.detectors.parts import Parts
from bot.detectors.surge import Surge
from bot.detectors.verdict import Verdict, Verdicts
from bot.detectors.where import MINUTES, Look, where
from bot.ports import Clock, Conflict, Retry, Store, Watch

log = structlog.get_logger(__name__)

_MEMORY = "memory"
_KEEP_EVERY = 10
_LIVED, _LIVED_EVERY = "lived", 30
_LOOK_BACK = timedelta(hours=26)
"""As far as counts are kept: after a longer absence what lies before is a gap anyway, and skipped as a whole."""
_AWAY = timedelta(minutes=2)
"""Out of sight for less than this is no absence worth a word."""
_MINUTE = timedelta(minutes=1)
_MIX_LAG = timedelta(minutes=30)
_NATS = {Evidence.VENDOR: 4.0, Evidence.PROBE: 3.0, Evidence.ALERT: 2.0}
"""What a source that says it is bad adds to the evidence of the counts."""
_AGREED = 6.0
"""The same for a probe that fails from two places at once or more."""


class _Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the detectors know, as it is kept: buckets up to `until` are in it."""

    until: datetime
    surge: bytes
    mix: bytes
    parts: bytes = b""


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
    """One service, one turn: load, decide with pure functions, save with the version, or do it again."""

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
    ) -> None:
        self.services = services
        self.watches = watches
        self.cases: dict[str, Case] = {}
        self.verdicts = Verdicts()
        self.watched: dict[tuple[str, str], Watched] = {}
        self.asked: dict[tuple[str, str], datetime] = {}
        self.surge = Surge(rules, tick)
        self.parts = Parts(rules, tick)
        self.mix = Mix()
        self.tick = tick
        self.trouble = ""
        self.beaten_at: datetime | None = None
        self.rules = rules
        self.jury = Jury(tally, rules)
        self.company: Company | None = None
        self._store = store
        self._tally = tally
        self._changed = changed
        self._until: datetime | None = None
        self._away: dict[str, datetime] = {}
        self._due = False
        self._scopes: dict[str, tuple[int, Scope]] = {}
        self.silences = Silences(tally)
        self._turns = {service: asyncio.Lock() for service in services}

    # Waking and resting

    async def wake(self, now: datetime) -> None:
        """Take up where the last life left off; the buckets nobody listened to are gaps, not silence."""
        for service in self.services:
            self.cases[service] = await self._store.load(service)
        for case in await self._store.cases(""):
            if case.service not in self.services and not case.service.startswith("."):
                await self.retire(case.service, now)
        kept = await self._store.get(_MEMORY)
        if kept is not None:
            memory = msgspec.msgpack.decode(kept, type=_Memory)
            self.surge = Surge.restore(memory.surge, self.rules, self.tick)
            self.parts = Parts.restore(memory.parts, self.rules, self.tick)
            self.mix = Mix.restore(memory.mix)
            self._until = memory.until
        self._until = self._until or self._start(now)
        lived = await self._store.get(_LIVED)
        if lived is not None and now - (since := datetime.fromisoformat(lived.decode())) > _AWAY:
            self._away = {name: since for name, case in self.cases.items() if case.incident and case.incident.alive}
        self._judge_counts(now, None)
        self.silences.note(self.surge.silences(), self.surge.silences(HUSHED), now)

    async def rest(self) -> None:
        """Keep what the detectors know."""
        if self._until is None:
            return
        await self._breathe()
        memory = _Memory(
            until=self._until,
            surge=self.surge.snapshot(),
            mix=self.mix.snapshot(),
            parts=self.parts.snapshot(),
        )
        await self._store.put(_MEMORY, msgspec.msgpack.encode(memory))

    async def refit(self, now: datetime) -> None:
        """The services, rules or watches were changed in place: know the new ones, and let go of the others."""
        for service in self.services:
            self._turns.setdefault(service, asyncio.Lock())
            if service not in self.cases:
                self.cases[service] = await self._store.load(service)
            await self.spread(service)
        for gone in self.cases.keys() - self.services.keys():
            del self.cases[gone]
            self._scopes.pop(gone, None)
        for place in [p for p in self.watched if p[1] not in self.watches.get(p[0], {})]:
            del self.watched[place]
        self.surge, self.parts = self.surge.resize(self.rules), self.parts.resize(self.rules)
        self._judge_counts(now, None)

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
        self._revise(moved)
        closed = self._close_until(now)
        only = None if closed else moved.keys()
        if only is None or only:
            self._judge_counts(now, only)
        if closed:
            self.silences.note(self.surge.silences(), self.surge.silences(HUSHED), now)
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

    def _revise(self, moved: Mapping[str, int]) -> None:
        """Counts that came late, or took the place of others, are judged as if they had been there."""
        if self._until is None:
            return
        running = self._tally.bucket(self._until)
        for service, first in moved.items():
            for bucket in range(max(first, running - self.surge.depth), running):
                self.surge.revise(service, self._tally.start(bucket), self._tally.people(service, bucket))

    def _close_until(self, now: datetime) -> bool:
        until = self._until = max(self._until or self._start(now), self._start(now - _LOOK_BACK))
        closed = 0
        while until + self.tick <= now:
            bucket = self._tally.bucket(until)
            counts = {service: self._tally.people(service, bucket) for service in self.services}
            self.surge.close(until, counts)
            self.parts.close(until, {name: self._cells(name, bucket, n) for name, n in counts.items()})
            self._learn_mix(bucket)
            until = self._until = until + self.tick
            closed += 1
            if bucket % _KEEP_EVERY == 0 and until + self.tick > now:
                self._due = True
        return closed > 0

    def _learn_mix(self, bucket: int) -> None:
        """The usual shares learn from half an hour ago, and only from services that have no incident."""
        old = bucket - int(_MIX_LAG / self.tick)
        for service in self.services:
            if self._tally.placed(service) and self._calm(service):
                cells = self._tally.cells(service, old, old)
                if cells:
                    self.mix.learn(service, cells)

    def _cells(self, service: str, bucket: int, count: float | None) -> Mapping[Cell, float] | None:
        if count and self._tally.placed(service):
            return self._tally.cells(service, bucket, bucket)
        return None if count is None else {}

    def _calm(self, service: str) -> bool:
        case = self.cases.get(service)
        return case is None or case.incident is None or case.incident.state is State.CLOSED

    def _judge_counts(self, now: datetime, only: Collection[str] | None) -> None:
        bucket = self._tally.bucket(now)
        names = self.services if only is None else only
        running = {service: self._tally.people(service, bucket) or 0.0 for service in names}
        judgement = self.surge.look(now, running, only)
        (self.verdicts.renew if only is None else self.verdicts.amend)(judgement)
        for service, verdict in judgement.raised.items():
            self.verdicts.put(self._borne_out(service, verdict, now))

    def _borne_out(self, service: str, verdict: Verdict, now: datetime) -> Verdict:
        """The verdict as far as it may call people: voices of fresh accounts need another witness."""
        if not verdict.level or not self.jury.doubts(service, now) or self._witnessed(service, now):
            return verdict
        level, why = self.jury.judge(service, verdict.level, verdict.numbers, now)
        if level == verdict.level:
            return verdict
        rule = next((r.sentence() for r in self.rules[service] if r.level == level), "")
        return msgspec.structs.replace(verdict, level=level, rule=rule, doubt=why)

    def _witnessed(self, service: str, now: datetime) -> bool:
        """True when something other than what people count speaks for trouble: a watch, or a person who answers for it."""
        incident = self.cases[service].incident
        vouched = incident is not None and incident.alive and (incident.declared_by or incident.verdict == "real")
        return bool(vouched) or any(r.level and r.kind is not Evidence.PEOPLE for r in self._signals(service, now))

    async def hear(self, service: str, watch: str, signal: Signal) -> None:
        """Take in what a source said, and judge its service with it."""
        source = self.watches[service][watch]
        self.asked[service, watch] = signal.at
        before = self.watched.get((service, watch), Watched())
        raise_after, clear_after = getattr(source, "fail_after", 1), getattr(source, "clear_after", 1)
        self.watched[service, watch] = hear(before, signal, raise_after=raise_after, clear_after=clear_after)
        self.surge.lean(service, self._said(service))
        if self.verdicts.doubted(service):
            self._judge_counts(signal.at, (service,))  # here may be the witness that was missing
        await self.consider(service, signal.at)

    def _said(self, service: str) -> float:
        """The evidence in nats that the watches of a service add to what people report: once for each kind."""
        kinds: dict[Evidence, float] = {}
        for name, source in self.watches[service].items():
            watched = self.watched.get((service, name))
            if watched and (watched.health or 0) >= Health.DEGRADED:
                agreed = getattr(source, "vantages", ()) and getattr(source, "quorum", 1) > 1
                nats = _AGREED if agreed else _NATS.get(source.evidence, 0.0)
                kinds[source.evidence] = max(kinds.get(source.evidence, 0.0), nats)
        return sum(kinds.values())

    def _resting(self, service: str) -> bool:
        """True where nothing speaks and there is no story: then there is nothing to consider, which must cost little."""
        if self._storied(service) or self.verdicts.raised(service) or self.parts.raised(service):
            return False
        incident = self.cases[service].incident
        told = [reading.source for reading in incident.readings] if incident else []
        return not any(self._speaks(service, watch, told) for watch in self.watches.get(service, ()))

    def _speaks(self, service: str, watch: str, told: Sequence[str]) -> bool:
        """True unless a watch says that all is well; one that has no reading may have `told` of trouble before."""
        watched = self.watched.get((service, watch))
        if watched is None or watched.health is None:
            return watch in told
        return watched.health >= Health.DEGRADED

    def _storied(self, service: str) -> bool:
        """True while there is an incident that goes on without anybody speaking for it."""
        incident = self.cases[service].incident
        return incident is not None and (incident.state is not State.CLOSED or bool(incident.quelled))

    async def consider(self, service: str, now: datetime) -> None:
        """Give a service its turn with the present evidence; calm ones without a story cost nothing."""
        readings = self._readings(service, now)
        if not any(r.level for r in readings) and not self._storied(service):
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
            deaf=self.silences.deaf(service, now),
        )
        await self._turn(service, event)
        if self._caught_up(service):
            self._away.pop(service, None)

    def _caught_up(self, service: str) -> bool:
        """True when every watch that speaks in the incident was heard since the start: until then its end may be news."""
        incident = self.cases[service].incident
        spoke = {r.source for r in incident.readings} & self.watches.get(service, {}).keys() if incident else ()
        return all((service, name) in self.watched for name in spoke)

    def _causes(self, service: Service) -> tuple[str, ...]:
        """Names of the services it depends on that have an open incident."""
        cases = ((name, self.cases.get(name)) for name in service.depends_on)
        return tuple(self.services[name].name for name, c in cases if c and c.incident and c.incident.alive)

    def _readings(self, service: str, now: datetime) -> tuple[Reading, ...]:
        crowd = self._crowd(service, now)
        return (*((crowd,) if crowd else ()), *self._signals(service, now))

    def _crowd(self, service: str, now: datetime) -> Reading | None:
        verdict = self.verdicts.get(service)
        if verdict is None:
            return None
        verdict = self._worst(service, verdict, now)
        return Reading(
            at=now,
            kind=Evidence.PEOPLE,
            source="reports",
            level=verdict.level,
            since=verdict.since,
            numbers=verdict.numbers,
            scope=self._scope(service, now) if verdict.level else None,
            note=verdict.doubt,
            rule=verdict.rule,
        )

    def _worst(self, service: str, verdict: Verdict, now: datetime) -> Verdict:
        """The verdict on a service, or on the part of it that is worse than the whole."""
        rank = self.services[service].policy.rank
        found = self.parts.raised(service)
        if found is None or rank(found[1].level) <= rank(verdict.level):
            return verdict
        part, worse = found
        borne = self._borne_out(service, worse, now)
        if rank(borne.level) <= rank(verdict.level):
            return verdict
        return msgspec.structs.replace(borne, rule=f"{borne.rule}, from {part.words}")

    def _scope(self, service: str, now: datetime) -> Scope:
        """Where it is bad, as the last minutes show it; looked at anew once a bucket."""
        if not self._tally.placed(service):
            return Scope()
        last = self._tally.bucket(now)
        looked = self._scopes.get(service)
        if looked is None or looked[0] != last:
            incident = self.cases[service].incident
            told = incident.scope if incident and incident.state is not State.CLOSED else None
            looked = self._scopes[service] = last, where(self._look(service, now), told)
        return looked[1]

    def _look(self, service: str, now: datetime) -> Look:
        """The last minutes by cell, and what was due in them."""
        last, known = self._tally.bucket(now), self.verdicts[service].numbers.usual is not None
        widths = sorted({max(round(minutes * _MINUTE / self.tick), 1) for minutes in MINUTES})
        edges = zip((-1, *widths[:-1]), widths, strict=True)
        doubt, spread = self.surge.stray(service)
        return Look(
            slices=[self._tally.cells(service, last - wide, last - before - 1) for before, wide in edges],
            due=self.surge.due([service], widths, now)[0].tolist() if known else (),
            regions=self.parts.regions(service, widths, now) if known else {},
            usual=self.mix.usual(service),
            doubt=doubt,
            spread=spread,
        )

    def _signals(self, service: str, now: datetime) -> tuple[Reading, ...]:
        """Readings of the watches; one not asked since the start keeps what it said in the living incident."""
        policy = self.services[service].policy
        incident = self.cases[service].incident
        before = {r.source: r for r in incident.readings} if incident else {}
        found = []
        for name, source in self.watches.get(service, {}).items():
            watched = self.watched.get((service, name))
            heard = reading(watched, now, source=name, kind=source.evidence, levels=policy.levels) if watched else None
            if heard or name in before:
                found.append(heard or before[name])
        return tuple(found)

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
                    self.cases[service] = await self._store.load(service)
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

    # Buckets

    def _start(self, now: datetime) -> datetime:
        return self._tally.start(self._tally.bucket(now))
