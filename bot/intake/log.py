"""The log of frames: the truth that every number is a fold of.

What arrives while a write is under way goes out together as the next frame, so a burst shares its flushes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import msgspec
import structlog

from bot.core.hours import HOUR
from bot.core.reports import Frame, Sheet, Window
from bot.ports import Clock, Retry, Stream

_KEEP_FRAMES = timedelta(hours=48)
_BACKLOG = 200_000  # records that may wait for a blocked disk; then nobody else may join them

_log = structlog.get_logger()
_encode = msgspec.msgpack.Encoder().encode
_frame = msgspec.msgpack.Decoder(Frame).decode


class Log:
    """Writes frames, and reads them again.

    `kept` is called with a batch once it is durable, `lost` with one that was not written. `trouble` says why nothing
    can be made durable now, and is empty while it can. Whoever holds `still` sees no frame added meanwhile.
    """

    def __init__(
        self, stream: Stream, clock: Clock, *, kept: Callable[[Batch], None], lost: Callable[[Batch], None]
    ) -> None:
        self.trouble = ""
        self.still = asyncio.Lock()
        self._stream, self._clock = stream, clock
        self._kept, self._lost = kept, lost
        self._waiting, self._flying = Batch(), Batch()
        self._flushing: asyncio.Task[None] | None = None
        self._ends: dict[int, int] = {}

    def refuse_overload(self) -> None:
        """Take no more than a disk that answers again can write soon.

        Raises:
            Retry: too much waits already.
        """
        if self._waiting.size >= _BACKLOG:
            raise Retry("reports are waiting for the disk, which has not answered for a while; try again later")

    async def write(self, sheets: Sequence[Sheet], windows: Sequence[Window], *, join: bool = False) -> None:
        """Wait until these are durable and counted; with `join`, also until all that was held before them is.

        Raises:
            Retry: the disk cannot take it now; nothing of these is kept.
        """
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

    async def frames(self, after: int = 0) -> AsyncIterator[tuple[int, Frame]]:
        """Every frame behind a number, with its own number, in order."""
        async for seq, body in self._stream.read(after):
            frame = _frame(body)
            hour = int(frame.at // HOUR)
            self._ends[hour] = max(seq, self._ends.get(hour, 0))
            yield seq, frame

    async def frame(self, seq: int) -> Frame:
        """One frame by its number."""
        return await anext(frame async for _, frame in self.frames(seq - 1))

    async def rewrite(self, seq: int, frame: Frame) -> None:
        """Put another frame in the place of one."""
        await self._stream.rewrite(seq, _encode(frame))

    def before(self, since: float) -> int:
        """The last frame that was surely written before a moment, in Unix seconds; 0 where there is none."""
        return max((seq for hour, seq in self._ends.items() if (hour + 1) * HOUR <= since), default=0)

    async def trim(self, now: float) -> None:
        """Forget frames whose hour ended two days ago."""
        oldest = int((now - _KEEP_FRAMES.total_seconds()) // HOUR)
        past = [hour for hour in self._ends if hour < oldest]
        if past:
            await self._stream.trim(max(self._ends[hour] for hour in past) + 1)
            for hour in past:
                del self._ends[hour]

    async def settle(self) -> None:
        """Finish pending writes; the stream stays open for whoever opened it."""
        if self._flushing:
            await self._flushing

    async def _flush(self) -> None:
        while self._waiting.size:
            async with self.still:
                self._flying, self._waiting = self._waiting, Batch()
                await self._append(self._flying)
                self._flying = Batch()

    async def _append(self, batch: Batch) -> None:
        now = self._clock.now().timestamp()
        try:
            seq = await self._stream.append(_encode(Frame(now, batch.sheets, batch.windows)))
        except Exception as exc:  # noqa: BLE001 - whatever it is, whoever waits must hear it
            self._lost(batch)
            self._say(str(exc))
            batch.fail(exc)
            return
        self._say("")
        self._ends[int(now // HOUR)] = seq
        self._kept(batch)
        batch.done()

    def _say(self, trouble: str) -> None:
        """Log once when the disk begins to refuse, and once when it takes reports again."""
        if trouble and not self.trouble:
            _log.error("reports cannot be kept, senders are asked to try again", why=trouble)
        elif self.trouble and not trouble:
            _log.info("reports are kept again")
        self.trouble = trouble


class Batch:
    """Records that share a frame, and whoever waits for it to be durable."""

    def __init__(self) -> None:
        self.sheets: list[Sheet] = []
        self.windows: list[Window] = []
        self.size = 0
        self._waiters: list[asyncio.Future[None]] = []

    def add(self, sheets: Sequence[Sheet], windows: Sequence[Window]) -> int:
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
