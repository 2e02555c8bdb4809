"""What people's counts say of every service: judged as a whole and in its parts, and where it is bad."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from bot.core.holidays import NO_HOLIDAY, NO_HOLIDAYS, Calendar, Holiday
from bot.core.jury import Jury
from bot.core.model import Evidence, Reading, Scope, Service
from bot.core.reports import Cell
from bot.core.silence import Silences
from bot.core.tally import Tally
from bot.detectors.gap import HUSHED
from bot.detectors.levels import Rule
from bot.detectors.mix import Mix
from bot.detectors.parts import Parts
from bot.detectors.surge import Surge
from bot.detectors.verdict import Start, Verdict, Verdicts
from bot.detectors.where import MINUTES, Look, where

_LOOK_BACK = timedelta(hours=26)
"""As far as counts are kept: after a longer absence what lies before is a gap anyway, and skipped as a whole."""
_MINUTE = timedelta(minutes=1)
_MIX_LAG = timedelta(minutes=30)


class Docket(Protocol):
    """What is known of the incidents that the counts make."""

    def calm(self, service: str) -> bool:
        """True where there is no incident that lives or is about to."""
        ...

    def told(self, service: str) -> Scope | None:
        """Where the incident of a service was last seen to be."""
        ...

    def begun(self, service: str) -> Start | None:
        """When what the counts tell of an open incident began; that stands while it goes on."""
        ...

    def witnessed(self, service: str, now: datetime) -> bool:
        """True when something other than what people count speaks for trouble."""
        ...


class _Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the detectors know, as it is kept: buckets up to `until` are in it."""

    until: datetime
    surge: bytes
    mix: bytes
    parts: bytes = b""


class Crowd:
    """The detectors, fed from the tally bucket by bucket.

    `services`, `rules` and `calendars` may be changed in place; then `refit`.
    """

    def __init__(
        self,
        tally: Tally,
        services: Mapping[str, Service],
        rules: Mapping[str, Sequence[Rule]],
        tick: timedelta,
        docket: Docket,
        *,
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
    ) -> None:
        self.tick = tick
        self.surge, self.parts, self.mix = Surge(rules, tick, calendars), Parts(rules, tick, calendars), Mix()
        self.verdicts = Verdicts()
        self.jury = Jury(tally, rules)
        self.silences = Silences(tally)
        self.until: datetime | None = None
        self._away_until: datetime | None = None
        self._tally, self._services, self._rules, self._docket = tally, services, rules, docket
        self._calendars = calendars
        self._scopes: dict[str, tuple[int, Scope]] = {}

    # Memory

    def wake(self, kept: bytes | None, now: datetime, *, away: bool = False) -> None:
        """Know again what was kept, if anything; `away`: nobody listened until now, so nobody's feed was silent."""
        self._away_until = now if away else None
        if kept is not None:
            memory = msgspec.msgpack.decode(kept, type=_Memory)
            self.surge = Surge.restore(memory.surge, self._rules, self.tick, self._calendars)
            self.parts = Parts.restore(memory.parts, self._rules, self.tick, self._calendars)
            self.mix = Mix.restore(memory.mix)
            self.until = memory.until
        self.until = self.until or self._start(now)
        self.judge(now, None)
        self.note_silences(now)

    def memory(self) -> bytes | None:
        """What the detectors know, for `wake`; None before they were woken."""
        if self.until is None:
            return None
        memory = _Memory(
            until=self.until,
            surge=self.surge.snapshot(),
            mix=self.mix.snapshot(),
            parts=self.parts.snapshot(),
        )
        return msgspec.msgpack.encode(memory)

    def refit(self, now: datetime) -> None:
        """Know the new services and rules, and let go of the others."""
        for gone in self._scopes.keys() - self._services.keys():
            del self._scopes[gone]
        self.surge = self.surge.resize(self._rules, self._calendars)
        self.parts = self.parts.resize(self._rules, self._calendars)
        self.judge(now, None)

    # Buckets

    def revise(self, moved: Mapping[str, int]) -> None:
        """Counts that came late, or took the place of others, are judged as if they had been there."""
        if self.until is None:
            return
        running = self._tally.bucket(self.until)
        oldest = running - self.surge.depth
        for service, first in moved.items():
            for bucket in range(max(first, oldest), running):
                self.surge.revise(service, self._tally.start(bucket), self._tally.people(service, bucket))

    def close_until(self, now: datetime) -> bool:
        """Close the buckets that are over; True when there were any."""
        until = self.until = max(self.until or self._start(now), self._start(now - _LOOK_BACK))
        closed = 0
        while until + self.tick <= now:
            bucket = self._tally.bucket(until)
            counts = self._tally.everybody(self._services, bucket)
            self.surge.close(until, counts)
            self.parts.close(until, self._cells(bucket, counts), self.surge.over())
            self._learn_mix(bucket)
            until = self.until = until + self.tick
            closed += 1
        if self._away_until:
            self.surge.excuse()
            self._away_until = None if until >= self._away_until else self._away_until
        return closed > 0

    def _learn_mix(self, bucket: int) -> None:
        """The usual shares learn from half an hour ago, and only from services that have no incident."""
        old = bucket - int(_MIX_LAG / self.tick)
        for service in self._services:
            if self._tally.placed(service) and self._docket.calm(service):
                cells = self._tally.cells(service, old, old)
                if cells:
                    self.mix.learn(service, cells)

    def _cells(self, bucket: int, counts: Mapping[str, float | None]) -> dict[str, Mapping[Cell, float] | None]:
        """The cells of every service for which there are any; None for those of which there is a gap."""
        placed = (name for name, count in counts.items() if count and self._tally.placed(name))
        gaps = dict.fromkeys(name for name, count in counts.items() if count is None)
        return {name: self._tally.cells(name, bucket, bucket) for name in placed} | gaps

    def note_silences(self, now: datetime) -> None:
        """Take note of whose feeds have fallen silent; after a bucket was closed."""
        hushed = self._services if self.surge.still(HUSHED) else self.surge.silences(HUSHED)
        self.silences.note(self.surge.silences() if hushed else {}, hushed, now)

    def _start(self, now: datetime) -> datetime:
        return self._tally.start(self._tally.bucket(now))

    # Verdicts

    def judge(self, now: datetime, only: Collection[str] | None) -> None:
        """Judge all services, or those in `only`, with what the running bucket brought so far."""
        bucket = self._tally.bucket(now)
        names = self._services if only is None else only
        running = self._tally.heard(names, bucket)
        judgement = self.surge.look(now, running, only, self._docket.begun)
        (self.verdicts.renew if only is None else self.verdicts.amend)(judgement)
        for service, verdict in judgement.raised.items():
            self.verdicts.put(self._borne_out(service, verdict, now))

    def _borne_out(self, service: str, verdict: Verdict, now: datetime) -> Verdict:
        """The verdict as far as it may call people: voices of fresh accounts need another witness."""
        if not verdict.level or not self.jury.doubts(service, now) or self._docket.witnessed(service, now):
            return verdict
        level, why = self.jury.judge(service, verdict.level, verdict.numbers, now)
        if level == verdict.level:
            return verdict
        rule = next((r.sentence() for r in self._rules[service] if r.level == level), "")
        return msgspec.structs.replace(verdict, level=level, rule=rule, doubt=why)

    def raised(self, service: str) -> bool:
        """True where a service as a whole, or a part of it, is out of the usual."""
        return self.verdicts.raised(service) or self.parts.raised(service) is not None

    def reading(self, service: str, now: datetime) -> Reading | None:
        """What people say of a service; None before anything was judged."""
        verdict = self.verdicts.get(service)
        if verdict is None:
            return None
        verdict, calendar = self._worst(service, verdict, now)
        return Reading(
            at=now,
            kind=Evidence.PEOPLE,
            source="reports",
            level=verdict.level,
            since=verdict.since,
            between=verdict.between,
            numbers=verdict.numbers,
            scope=self._scope(service, now) if verdict.level else None,
            note=_note(verdict, calendar.on(now) if verdict.level else None),
            rule=verdict.rule,
        )

    def _worst(self, service: str, verdict: Verdict, now: datetime) -> tuple[Verdict, Calendar]:
        """The verdict on a service, or on the part of it that is worse than the whole, and the holidays kept there."""
        rank = self._services[service].policy.rank
        whole = verdict, self._calendars.get(service, NO_HOLIDAY)
        found = self.parts.raised(service)
        if found is None or rank(found[1].level) <= rank(verdict.level):
            return whole
        part, worse = found
        borne = self._borne_out(service, worse, now)
        if rank(borne.level) <= rank(verdict.level):
            return whole
        numbers = msgspec.structs.replace(borne.numbers, of=part.words)
        worst = msgspec.structs.replace(borne, numbers=numbers, rule=f"{borne.rule}, from {part.words}")
        return worst, self.parts.calendar(part)

    def _scope(self, service: str, now: datetime) -> Scope:
        """Where it is bad, as the last minutes show it; looked at anew once a bucket."""
        if not self._tally.placed(service):
            return Scope()
        last = self._tally.bucket(now)
        looked = self._scopes.get(service)
        if looked is None or looked[0] != last:
            looked = self._scopes[service] = last, where(self._look(service, now), self._docket.told(service))
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


def _note(verdict: Verdict, holiday: Holiday | None) -> str:
    """What is to be said of a verdict beside its numbers; empty when there is nothing."""
    unsure = holiday.effect if holiday and verdict.numbers.usual is not None else ""
    return ". ".join(filter(None, (verdict.doubt, unsure)))
