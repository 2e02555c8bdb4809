"""What the log holds of one person: shown to them, taken back, or forgotten."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Mapping

from msgspec.structs import replace

from bot.core.admission import Admission
from bot.core.reports import Frame, Kept, Sheet
from bot.core.tally import Tally
from bot.intake.log import Log
from bot.ports import Clock

_Marks = Mapping[str, Collection[bytes]]
_Change = Callable[[int, _Marks, float], Awaitable[int]]


class Forgetting:
    """Finds a person's reports in the log by the marks that stand for them; two days' reports at most.

    `heard` is called after numbers moved.
    """

    def __init__(
        self, log: Log, tally: Tally, admission: Admission, clock: Clock, *, heard: Callable[[], None] = lambda: None
    ) -> None:
        self._log, self._tally, self._admission = log, tally, admission
        self._clock, self._heard = clock, heard

    async def export(self, identity: str) -> list[Kept]:
        """What the log still holds of a person, by the name that a door knows them under."""
        marks = self._marks(identity)
        return [
            report
            async for _, frame in self._log.frames()
            for report in frame.reports
            if report.reporter in marks.get(report.service, ())
        ]

    async def forget(self, identity: str) -> int:
        """Take a person out of what the log still holds, words and mark; answers how many reports were theirs.

        What was counted stays counted: a number names nobody.
        """
        marks, found = self._marks(identity), 0
        async with self._log.still:
            async for seq, frame in self._log.frames():
                theirs = sum(report.reporter in marks.get(report.service, ()) for report in frame.reports)
                if theirs:
                    found += theirs
                    sheets = [Sheet.of(_unnamed(sheet, marks)) for sheet in frame.sheets]
                    await self._log.rewrite(seq, Frame(frame.at, sheets, frame.windows))
        return found

    async def undo(self, identity: str, service: str) -> int:
        """Take back what a person reported of a service while that counts as their one voice."""
        window = self._tally.voices.window(service)
        since = math.nextafter(self._now() - window, math.inf)
        return await self._change(identity, (service,), since, self._taken)

    async def mute(self, identity: str) -> int:
        """Count no more what a person said, and let them find it as it was: they are one voice as before."""
        return await self._change(identity, *self._everything(), self._muted)

    async def withdraw(self, identity: str) -> int:
        """Take back everything of a person that is still counted, as if it had not been said."""
        return await self._change(identity, *self._everything(), self._taken)

    def _everything(self) -> tuple[Collection[str], float]:
        """Every service, and since when reports are counted."""
        return self._tally.services(), self._tally.horizon(self._now())

    async def _change(self, identity: str, services: Collection[str], since: float, change: _Change) -> int:
        """The log is changed first, so that a count from it gives the same numbers. Answers how many reports it were."""
        marks = {service: self._admission.marks(service, identity) for service in services}
        found = [
            seq
            async for seq, frame in self._log.frames(self._log.before(since))
            if any(_theirs(sheet, marks) for sheet in frame.sheets)
        ]
        taken = 0
        for seq in found:
            async with self._log.still:
                taken += await change(seq, marks, since)
        if taken:
            self._heard()
        return taken

    async def _taken(self, seq: int, marks: _Marks, since: float) -> int:
        """Take their reports out of one frame, and out of what is counted and known to have spoken."""
        frame = await self._log.frame(seq)
        taken = [sheet.only(_theirs(sheet, marks)).since(since) for sheet in frame.sheets]
        gone = sum(map(len, taken))
        if gone:
            kept = [sheet.only(_others(sheet, marks, since)) for sheet in frame.sheets]
            await self._log.rewrite(seq, Frame(frame.at, kept, frame.windows))
        for sheet in taken:
            self._tally.release(sheet)
            self._uncount(sheet)
        return gone

    async def _muted(self, seq: int, marks: _Marks, since: float) -> int:
        """Take their reports of one frame out of what is counted, and keep them apart in it."""
        frame = await self._log.frame(seq)
        loud = [sheet for sheet in frame.sheets if not sheet.mute]
        hushed = [sheet.only(_theirs(sheet, marks)).since(since) for sheet in loud]
        gone = sum(map(len, hushed))
        if gone:
            kept = [sheet.only(_others(sheet, marks, since)) for sheet in loud]
            apart = [replace(sheet, mute=True) for sheet in hushed if sheet]
            mute = [sheet for sheet in frame.sheets if sheet.mute]
            await self._log.rewrite(seq, Frame(frame.at, [*kept, *apart, *mute], frame.windows))
        for sheet in hushed:
            self._uncount(sheet)
        return gone

    def _uncount(self, sheet: Sheet) -> None:
        self._tally.count(sheet.since(self._tally.horizon(self._now())), back=True)

    def _marks(self, identity: str) -> _Marks:
        """What stands for a person, by service."""
        return {service: self._admission.marks(service, identity) for service in self._tally.services()}

    def _now(self) -> float:
        return self._clock.now().timestamp()


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
        replace(report, reporter=b"", text="") if report.reporter in marks.get(report.service, ()) else report
        for report in sheet
    ]
