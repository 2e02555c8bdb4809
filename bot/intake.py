"""Reports in: admit, deduplicate, count, make durable.

A report is marked as heard before it is written, counted after it is durable, and only then answered. What arrives
while a write is under way goes out together as the next frame, so a burst shares its flushes. The log of frames is the
truth: the numbers are a fold of it, and can be counted again.
"""

from __future__ import annotations

import asyncio
import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import msgspec
import structlog

from bot.core.admission import Admission
from bot.core.hours import HOUR, Hour, spread_out
from bot.core.model import Report
from bot.core.reading import Read, Reader
from bot.core.reports import Frame, Kept, RawCount, RawReport, Sheet, Window
from bot.core.tally import Tally
from bot.ports import Clock, Receipt, Retry, Stream

_KEEP_FRAMES = timedelta(hours=48)
_BACKLOG = 200_000  # records that may wait for a blocked disk; then nobody else may join them

_MOUTHFUL = 500_000  # bytes of a body that are read at once; more would keep the loop for too long

_TAKEN, _REPEATED = Receipt(accepted=1), Receipt(repeated=1)

_log = structlog.get_logger()
_encode = msgspec.msgpack.Encoder().encode
_frame = msgspec.msgpack.Decoder(Frame).decode


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
    `trouble` says why reports cannot be made durable now, and is empty while they can.
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
        self.trouble = ""
        self._stream, self._archive = stream, archive
        self._admission, self._clock, self._heard = admission, clock, heard
        self._reports, self._counts = Reader(RawReport), Reader(RawCount)
        self._waiting, self._flying = _Batch(), _Batch()
        self._flushing: asyncio.Task[None] | None = None
        self._still = asyncio.Lock()
        self._ends: dict[int, int] = {}

    async def take(self, body: bytes, shape: str, door: str) -> Receipt:
        """Take the body of `POST /api/v1/reports`: `shape` is `one` or `many` for JSON, `lines` for NDJSON.

        Returns once what it accepted is durable.

        Raises:
            ValueError: nothing of the body can be read; the words are for the sender.
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        if len(body) <= _MOUTHFUL:
            return await self._take(self._reports.body(body, shape), door)
        self._refuse_overload()
        sheets: list[Sheet] = []
        rejected: list[tuple[int, str]] = []
        for read in self._reports.parts(body, shape):
            sheets.append(self._admission.reports(read, self._now(), door))
            rejected += read.rejected
            await self._clock.sleep(0)  # others wait for the loop meanwhile
        return _receipt(sheets, await self._keep(sheets), rejected)

    async def admit(
        self, reports: Sequence[Mapping[str, Any] | Report | RawReport], door: str, *, weight: float = 1.0
    ) -> Receipt:
        """Take reports that are values already, one by one; returns once the accepted ones are durable.

        `weight` is what these voices weigh when an alarm is to be believed.

        Raises:
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        return await self._take(self._reports.values(reports), door, weight)

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

    async def export(self, identity: str) -> list[Kept]:
        """What the log still holds of a person, by the name that a door knows them under; two days' reports at most."""
        marks = self._marks(identity)
        return [
            report
            async for _, body in self._stream.read(0)
            for report in _frame(body).reports
            if report.reporter in marks.get(report.service, ())
        ]

    async def forget(self, identity: str) -> int:
        """Take a person out of what the log still holds, words and mark; answers how many reports were theirs.

        What was counted stays counted: a number names nobody.
        """
        marks, found = self._marks(identity), 0
        async with self._still:
            async for seq, body in self._stream.read(0):
                frame = _frame(body)
                theirs = sum(report.reporter in marks.get(report.service, ()) for report in frame.reports)
                if theirs:
                    found += theirs
                    sheets = [Sheet.of(_unnamed(sheet, marks)) for sheet in frame.sheets]
                    await self._stream.rewrite(seq, _encode(Frame(frame.at, sheets, frame.windows)))
        return found

    async def undo(self, identity: str, service: str) -> int:
        """Take back what a person reported of a service while that counts as their one voice."""
        window = self.tally.voices.window(service)
        return await self._withdraw(identity, (service,), math.nextafter(self._now() - window, math.inf))

    async def withdraw(self, identity: str) -> int:
        """Take back everything of a person that is still counted, as if it had not been said."""
        return await self._withdraw(identity, self.tally.services(), self.tally.horizon(self._now()))

    async def _withdraw(self, identity: str, services: Collection[str], since: float) -> int:
        """The log is changed first, so that a count from it gives the same numbers. Answers how many reports it were."""
        marks = {service: self._admission.marks(service, identity) for service in services}
        after = max((seq for hour, seq in self._ends.items() if (hour + 1) * HOUR <= since), default=0)
        found = [
            seq
            async for seq, body in self._stream.read(after)
            if any(_theirs(sheet, marks) for sheet in _frame(body).sheets)
        ]
        taken = 0
        for seq in found:
            async with self._still:
                taken += await self._withdrawn(seq, marks, since)
        if taken:
            self._heard()
        return taken

    async def _withdrawn(self, seq: int, marks: _Marks, since: float) -> int:
        """Take their reports out of one frame, and out of what is counted and known to have spoken."""
        frame = _frame(await anext(body async for _, body in self._stream.read(seq - 1)))
        taken = [sheet.only(_theirs(sheet, marks)).since(since) for sheet in frame.sheets]
        gone = sum(map(len, taken))
        if gone:
            kept = [sheet.only(_others(sheet, marks, since)) for sheet in frame.sheets]
            await self._stream.rewrite(seq, _encode(Frame(frame.at, kept, frame.windows)))
        for sheet in taken:
            self.tally.release(sheet)
            self.tally.count(sheet.since(self.tally.horizon(self._now())), back=True)
        return gone

    def _marks(self, identity: str) -> _Marks:
        """What stands for a person, by service."""
        return {service: self._admission.marks(service, identity) for service in self.tally.services()}

    async def recount(self) -> int:
        """Count the recent past again from the log; answers how many hours differed, and mends them."""
        async with self._still:
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
        await self._trim(now)

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
        if self._flushing:
            await self._flushing
        with suppress(Retry):
            await self.keep()

    async def _take(self, read: Read[RawReport], door: str, weight: float = 1.0) -> Receipt:
        sheet = self._admitted(read, door, weight)
        return _receipt([sheet], await self._keep([sheet]), read.rejected)

    def _admitted(self, read: Read[RawReport], door: str, weight: float = 1.0) -> Sheet:
        self._refuse_overload()
        sheet = self._admission.reports(read, self._now(), door)
        return sheet if weight == 1.0 else msgspec.structs.replace(sheet, weight=weight)

    async def _keep(self, sheets: Sequence[Sheet]) -> list[Sequence[int]]:
        """Hold and write, all or nothing; answers which places of each are new."""
        new = [self.tally.hold(sheet) for sheet in sheets]
        fresh = [
            sheet if len(places) == len(sheet) else sheet.only(places)
            for sheet, places in zip(sheets, new, strict=True)
        ]
        await self._write(fresh, [], join=any(map(operator.is_not, fresh, sheets)))
        return new

    async def _place(self, read: Read[RawCount]) -> Receipt:
        self._refuse_overload()
        windows = self._admission.windows(read, self._now())
        await self._write([], windows)
        return Receipt(accepted=len(windows), rejected=tuple(sorted(read.rejected)))

    def _refuse_overload(self) -> None:
        if self._waiting.size >= _BACKLOG:
            raise Retry("reports are waiting for the disk, which has not answered for a while; try again later")

    async def _write(self, sheets: Sequence[Sheet], windows: list[Window], *, join: bool = False) -> None:
        """Wait until these are durable and counted; with `join`, also until all that was held before them is."""
        waiting, flying = self._waiting, self._flying
        more = waiting.add(sheets, windows)
        due = [waiting.join()] if more or (join and waiting.size) else []
        if join and flying.size:
            due.append(flying.join())
        if waiting.size and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.create_task(self._flush())
        if len(due) == 1:
            await due[0]
        elif due:
            await asyncio.gather(*due)

    async def _flush(self) -> None:
        while self._waiting.size:
            async with self._still:
                self._flying, self._waiting = self._waiting, _Batch()
                await self._append(self._flying)
                self._flying = _Batch()

    async def _append(self, batch: _Batch) -> None:
        now = self._now()
        try:
            seq = await self._stream.append(_encode(Frame(now, batch.sheets, batch.windows)))
        except Exception as exc:  # noqa: BLE001 - whatever it is, whoever waits must hear it
            for sheet in batch.sheets:
                self.tally.release(sheet)
            self._say(str(exc))
            batch.fail(exc)
            return
        self._say("")
        self._ends[int(now // HOUR)] = seq
        for sheet in batch.sheets:
            self.tally.count(sheet)
        self.tally.place(batch.windows)
        batch.done()
        self._heard()

    def _say(self, trouble: str) -> None:
        """Log once when the disk begins to refuse, and once when it takes reports again."""
        if trouble and not self.trouble:
            _log.error("reports cannot be kept, senders are asked to try again", why=trouble)
        elif self.trouble and not trouble:
            _log.info("reports are kept again")
        self.trouble = trouble

    async def _fold(self, tally: Tally, *, voices: bool) -> None:
        """Count every frame of the log that still matters into a tally."""
        now = self._now()
        horizon = tally.horizon(now)
        async for seq, body in self._stream.read(0):
            frame = _frame(body)
            self._ends[int(frame.at // HOUR)] = seq
            for sheet in frame.sheets:
                if voices:
                    tally.voices.mark(sheet)
                tally.count(sheet.since(horizon))
            tally.place(window for window in frame.windows if window.until > horizon)

    async def _trim(self, now: float) -> None:
        """Forget frames whose hour ended two days ago."""
        oldest = int((now - _KEEP_FRAMES.total_seconds()) // HOUR)
        past = [hour for hour in self._ends if hour < oldest]
        if past:
            await self._stream.trim(max(self._ends[hour] for hour in past) + 1)
            for hour in past:
                del self._ends[hour]

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _receipt(sheets: Sequence[Sheet], new: Sequence[Sequence[int]], rejected: Sequence[tuple[int, str]]) -> Receipt:
    accepted = sum(map(len, new))
    return Receipt(accepted=accepted, repeated=sum(map(len, sheets)) - accepted, rejected=tuple(sorted(rejected)))


_Marks = Mapping[str, Collection[bytes]]


def _theirs(sheet: Sheet, marks: _Marks) -> list[int]:
    """The places of one person's reports."""
    by_kind = [marks.get(kind.service, ()) for kind in sheet.kinds]
    return [place for place, which in enumerate(sheet.which) if sheet.reporters[place] in by_kind[which]]


def _others(sheet: Sheet, marks: _Marks, since: float) -> list[int]:
    """The places of everything but one person's reports since a moment, in Unix seconds."""
    theirs = set(_theirs(sheet, marks))
    return [place for place, report in enumerate(sheet) if place not in theirs or report.at < since]


def _unnamed(sheet: Sheet, marks: _Marks) -> list[Kept]:
    """The reports of a sheet, those of one person without who they are and what they wrote."""
    return [
        msgspec.structs.replace(report, reporter=b"", text="")
        if report.reporter in marks.get(report.service, ())
        else report
        for report in sheet
    ]


class _Batch:
    """Records that share a frame, and whoever waits for it to be durable."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.windows: list[Window] = []
        self.size = 0
        self._waiters: list[asyncio.Future[None]] = []

    def add(self, sheets: Sequence[Sheet], windows: list[Window]) -> int:
        """Take in more; answers how many records these are."""
        self.sheets += [sheet for sheet in sheets if sheet]
        self.windows += windows
        more = sum(map(len, sheets)) + len(windows)
        self.size += more
        return more

    def join(self) -> asyncio.Future[None]:
        """A future of one's own, so that whoever goes away takes nobody along."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def done(self) -> None:
        """It is durable and counted."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, exc: Exception) -> None:
        """It was not written."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(exc)
