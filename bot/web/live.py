"""Live pages: one stream of changes for every browser that listens (server-sent events, WHATWG HTML 9.2)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import structlog
from aiohttp import web
from aiohttp.web import Request, StreamResponse

from bot.ports import Board, Clock, Retry
from bot.web.fragments import Change
from bot.web.routes import Route, refuse

_GATHER = 0.25
_BEAT = 15.0
_REMEMBERED = 256
_QUEUE = 64
_MOST_EARS = 500
_PATIENCE = 30.0
_log = structlog.get_logger()

Ear = asyncio.Queue[bytes | None]


class Live:
    """Gathers what moved for a quarter of a second, draws it once, and sends it to all who listen.

    Every event has an id. Who comes back with a remembered id gets what was missed; who has an older one, or reads too
    slowly, is told that the page is stale and loads it anew.
    """

    def __init__(self, board: Board, clock: Clock, draw: Callable[[str], Awaitable[Change]]) -> None:
        self._board = board
        self._clock = clock
        self._draw = draw
        self._epoch = f"{int(clock.now().timestamp() * 1000):x}"
        self._count = 0
        self._past: deque[tuple[int, bytes]] = deque(maxlen=_REMEMBERED)
        self._ears: set[Ear] = set()
        self._moved: set[str] = set()
        self._wake = asyncio.Event()

    @property
    def mark(self) -> str:
        """The id of the last event; a page drawn now wants what comes after it."""
        return f"{self._epoch}-{self._count}"

    @property
    def listening(self) -> int:
        """How many browsers listen."""
        return len(self._ears)

    def routes(self) -> list[Route]:
        """The one route of this room."""
        says = "Changes of the pages as server-sent events."
        query = (("after", "the id of the last event seen, for a first connection"),)
        return [
            Route(method="GET", path="/events", handler=self.events, says=says, gives="text/event-stream", query=query)
        ]

    async def run(self) -> None:
        """Listen to the board, draw and beat, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._tell())
            tasks.create_task(self._beat())

    def hush(self) -> None:
        """Send everybody home, so that the server can close."""
        for ear in list(self._ears):
            self._dismiss(ear)

    async def events(self, request: Request) -> StreamResponse:
        """Stay connected and pass changes on."""
        if len(self._ears) >= _MOST_EARS:
            raise refuse(
                web.HTTPServiceUnavailable, "too many pages are listening; reload later", **{"Retry-After": "30"}
            )
        response = StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        ear = self._open(request.headers.get("Last-Event-ID") or request.query.get("after", ""))
        try:
            async for frame in _frames(ear):
                async with asyncio.timeout(_PATIENCE):
                    await response.write(frame)
        except (ConnectionError, TimeoutError):
            return response  # the browser went away, or stopped reading
        finally:
            self._ears.discard(ear)
        return response

    async def _listen(self) -> None:
        async for service in self._board.changes():
            self._moved.add(service)
            self._wake.set()

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            await self._clock.sleep(_GATHER)
            self._wake.clear()
            moved, self._moved = self._moved, set()
            for service in sorted(moved):
                await self._tell_of(service)

    async def _tell_of(self, service: str) -> None:
        try:
            change = await self._draw(service)
        except Retry as exc:
            _log.warning("page not refreshed", service=service, why=str(exc))
            return
        if not change.swap:
            return
        self._count += 1
        frame = b"id: %s\nevent: change\ndata: %s\n\n" % (self.mark.encode(), msgspec.json.encode(change))
        self._past.append((self._count, frame))
        self._send(frame)

    async def _beat(self) -> None:
        """Keep proxies from hanging up, and notice who has left."""
        while True:
            await self._clock.sleep(_BEAT)
            self._send(b": beat\n\n")

    def _send(self, frame: bytes) -> None:
        for ear in list(self._ears):
            if ear.full():
                self._dismiss(ear)
            else:
                ear.put_nowait(frame)

    def _open(self, after: str) -> Ear:
        """A queue for a new listener, holding what was missed since `after`."""
        ear: Ear = asyncio.Queue(_QUEUE)
        epoch, _, count = after.partition("-")
        seen = int(count) if epoch == self._epoch and count.isascii() and count.isdigit() and len(count) < 18 else -1
        missed = [frame for number, frame in self._past if number > seen] if seen >= 0 else []
        if after and (seen < 0 or len(missed) != self._count - seen or len(missed) >= _QUEUE):
            missed = [b"id: %s\nevent: stale\ndata: {}\n\n" % self.mark.encode()]
        for frame in (b"retry: 3000\n\n", *missed):
            ear.put_nowait(frame)
        self._ears.add(ear)
        return ear

    def _dismiss(self, ear: Ear) -> None:
        """Empty a queue and end it; its browser comes back by itself and catches up."""
        self._ears.discard(ear)
        while not ear.empty():
            ear.get_nowait()
        ear.put_nowait(None)


async def _frames(ear: Ear) -> AsyncIterator[bytes]:
    while (frame := await ear.get()) is not None:
        yield frame
