"""The door that every report comes through, and the numbers that come of it: a fold of the log, to be had anew from it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from bot.core.admission import Admission
from bot.core.hours import HOUR, Hour, spread_out
from bot.core.model import Report
from bot.core.reading import Read, Reader
from bot.core.reports import RawCount, RawReport, Sheet
from bot.core.tally import Tally
from bot.intake.log import Batch, Log
from bot.ports import Clock, Receipt, Retry, Stream

_MOUTHFUL = 500_000  # bytes of a body that are read at once; more would keep the loop for too long

_TAKEN, _REPEATED = Receipt(accepted=1), Receipt(repeated=1)


class Archive(Protocol):
    """Where the counts of past weeks are kept, hour by hour."""

    async def keep(self, hours: Sequence[Hour]) -> None:
        """Write hours, in place of what was kept for them."""
        ...

    async def hours(self, service: str, first: int, last: int) -> Sequence[Hour]:
        """The hours of a service from number first to last, both included, in order."""
        ...

    async def fed(self) -> Mapping[str, float]:
        """Until when (Unix seconds) ready-made counts were kept for a service, for those that had any."""
        ...


class Intake:
    """The door that every report comes through.

    `heard` is called after numbers moved: the tally's `drain` says whose. Without an archive the past is forgotten.
    """

    def __init__(
        self,
        stream: Stream,
        tally: Tally,
        admission: Admission,
        clock: Clock,
        *,
        archive: Archive | None = None,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = tally
        self.log = Log(stream, clock, kept=self._count, lost=self._release)
        self._archive = archive
        self._admission, self._clock, self._heard = admission, clock, heard
        self._reports, self._counts = Reader(RawReport), Reader(RawCount)

    @property
    def trouble(self) -> str:
        """Why reports cannot be made durable now; empty while they can."""
        return self.log.trouble

    async def take(self, body: bytes, shape: str, door: str) -> Receipt:
        """Take the body of `POST /api/v1/reports`: `shape` is `one` or `many` for JSON, `lines` for NDJSON.

        Returns once what it accepted is durable.

        Raises:
            ValueError: nothing of the body can be read; the words are for the sender.
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        if len(body) <= _MOUTHFUL:
            return await self._take(self._reports.body(body, shape), door)
        self.log.refuse_overload()
        sheets: list[Sheet] = []
        rejected: list[tuple[int, str]] = []
        for read in self._reports.parts(body, shape):
            sheets.append(self._admission.reports(read, self._now(), door))
            rejected += read.rejected
            await self._clock.sleep(0)  # others wait for the loop meanwhile
        return _receipt(sheets, await self._keep(sheets), rejected)

    async def admit(
        self,
        reports: Sequence[Mapping[str, Any] | Report | RawReport],
        door: str,
        *,
        weight: float = 1.0,
        mute: bool = False,
    ) -> Receipt:
        """Take reports that are values already, one by one; returns once the accepted ones are durable.

        `weight` is what these voices weigh when an alarm is to be believed; `mute` ones are treated as all are, and not
        counted.

        Raises:
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        return await self._take(self._reports.values(reports), door, weight, mute=mute)

    def heard_at(self, identity: str, service: str) -> datetime | None:
        """When a report of a person was last taken for a service, by the name that a door knows them under."""
        spoke = (self.tally.voices.last(mark) for mark in self._admission.marks(service, identity))
        last = max((at for at in spoke if at is not None), default=None)
        return None if last is None else datetime.fromtimestamp(last, UTC)

    async def take_each(self, bodies: Sequence[bytes], door: str) -> Sequence[Receipt | ValueError]:
        """`take` for many bodies of an object each, at the price of one; an error stands in the place of its body.

        Raises:
            Retry: the disk cannot take it now; nothing of all these counts.
        """
        read, unread = self._reports.each(bodies)
        [new] = await self._keep([self._admitted(read, door)])
        results: list[Receipt | ValueError] = [_TAKEN] * len(bodies)
        if len(new) == len(bodies):
            return results
        rejected, held = dict(read.rejected), set(new)
        for row, place in enumerate(place for place in read.places if place not in rejected):
            if row not in held:
                results[place] = _REPEATED
        for place, words in rejected.items():
            results[place] = Receipt(rejected=((0, words),))
        for place, error in unread.items():
            results[place] = error
        return results

    async def count(self, body: bytes, shape: str) -> Receipt:
        """Take the body of `POST /api/v1/counts`; returns and raises as `take` does."""
        return await self._place(self._counts.body(body, shape))

    async def admit_counts(self, counts: Sequence[Mapping[str, Any] | RawCount]) -> Receipt:
        """Take ready-made counts that are values already."""
        return await self._place(self._counts.values(counts))

    async def recover(self) -> None:
        """Know again what was heard and counted before the last stop; for the start."""
        if self._archive:
            for service, at in (await self._archive.fed()).items():
                self.tally.feed(service, at)
        await self._fold(self.tally, voices=True)

    async def recount(self) -> int:
        """Count the recent past again from the log; answers how many hours differed, and mends them."""
        async with self.log.still:
            fresh = self.tally.blank()
            await self._fold(fresh, voices=False)
            differing = self.tally.adopt(fresh, self.tally.horizon(self._now()))
        await self.keep()
        return differing

    async def keep(self) -> None:
        """Archive the hours that changed, and let go of what is old; call it now and then.

        Raises:
            Retry: the disk cannot take it now; the hours stay due.
        """
        now = self._now()
        self.tally.forget(now)
        if self._archive and (hours := self.tally.unkept()):
            try:
                await self._archive.keep(hours)
            except BaseException:
                self.tally.keep_again(hours)
                raise
        await self.log.trim(now)

    async def past(self, service: str, first: int, last: int) -> list[float | None]:
        """Totals of buckets first to last, both included, from the archive where the tally has let go."""
        width = self.tally.width
        known = int(self.tally.horizon(self._now()) // width)
        hours: Sequence[Hour] = ()
        if self._archive and first < known:
            hours = await self._archive.hours(service, int(first * width // HOUR), int(known * width // HOUR))
        old = spread_out(hours, width)
        fed = any(hour.fed for hour in hours)
        return [
            self.tally.total(service, bucket) if bucket >= known else old.get(bucket, None if fed else 0.0)
            for bucket in range(first, last + 1)
        ]

    async def aclose(self) -> None:
        """Finish pending writes; the stream stays open for whoever opened it."""
        await self.log.settle()
        with suppress(Retry):
            await self.keep()

    async def _take(self, read: Read[RawReport], door: str, weight: float = 1.0, *, mute: bool = False) -> Receipt:
        sheet = self._admitted(read, door, weight)
        if mute:
            sheet = msgspec.structs.replace(sheet, mute=True)
        return _receipt([sheet], await self._keep([sheet]), read.rejected)

    def _admitted(self, read: Read[RawReport], door: str, weight: float = 1.0) -> Sheet:
        self.log.refuse_overload()
        sheet = self._admission.reports(read, self._now(), door)
        return sheet if weight == 1.0 else msgspec.structs.replace(sheet, weight=weight)

    async def _keep(self, sheets: Sequence[Sheet]) -> list[Sequence[int]]:
        """Hold and write, all or nothing; answers which places of each are new."""
        new = [self.tally.hold(sheet) for sheet in sheets]
        fresh = [
            sheet if len(places) == len(sheet) else sheet.only(places)
            for sheet, places in zip(sheets, new, strict=True)
        ]
        await self.log.write(fresh, [], join=any(map(operator.is_not, fresh, sheets)))
        return new

    async def _place(self, read: Read[RawCount]) -> Receipt:
        self.log.refuse_overload()
        windows = self._admission.windows(read, self._now())
        await self.log.write([], windows)
        return Receipt(accepted=len(windows), rejected=tuple(sorted(read.rejected)))

    def _count(self, batch: Batch) -> None:
        for sheet in batch.sheets:
            self.tally.count(sheet)
        self.tally.place(batch.windows)
        self._heard()

    def _release(self, batch: Batch) -> None:
        for sheet in batch.sheets:
            self.tally.release(sheet)

    async def _fold(self, tally: Tally, *, voices: bool) -> None:
        """Count every frame of the log that still matters into a tally."""
        horizon = tally.horizon(self._now())
        async for _, frame in self.log.frames():
            for sheet in frame.sheets:
                if voices:
                    tally.voices.mark(sheet)
                tally.count(sheet.since(horizon))
            tally.place(window for window in frame.windows if window.until > horizon)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _receipt(sheets: Sequence[Sheet], new: Sequence[Sequence[int]], rejected: Sequence[tuple[int, str]]) -> Receipt:
    accepted = sum(map(len, new))
    return Receipt(accepted=accepted, repeated=sum(map(len, sheets)) - accepted, rejected=tuple(sorted(rejected)))
