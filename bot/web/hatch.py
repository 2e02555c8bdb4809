"""The hatch: a short way in for plain reports, which come by the thousand in a bad minute.

Every connection begins here. As long as nothing comes over it but whole, plain `POST /api/v1/reports` from somebody who
may send them, the hatch answers, and what arrives in one turn of the loop is taken together. At the first byte of
anything else it hands the connection over to aiohttp for good, with all that came and was not answered; so whatever is
odd, slow, or refused meets the whole of HTTP and every rule of the house, and nothing is judged twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus

import msgspec
import structlog
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE
from multidict import CIMultiDict

from bot.ports import Receipt, Refused, Retry
from bot.web.bodies import JSON, LINES, shape
from bot.web.doors import Doors
from bot.web.house import House
from bot.web.line import MOST, Line, Plain
from bot.web.routes import OUR_FAULT, not_now, told

PATH = "/api/v1/reports"
_START = b"POST /api/v1/reports HTTP/1.1"
_FIELD = re.compile(rb"([A-Za-z-]{1,20}): ?([!-~](?:[ -~]{0,500}[!-~])?)")
_PLAIN = frozenset(
    ("host", "content-type", "content-length", "user-agent", "accept", "accept-encoding", "connection", "authorization")
)
_MOST_KNOWN = 1_000
_log = structlog.get_logger()


class Hatch:
    """Knows the heads it has seen, takes what the lines bring, and answers as the application would."""

    def __init__(self, house: House, doors: Doors, headers: dict[str, str]) -> None:
        self._intake, self._metrics, self._clock, self._doors = house.intake, house.metrics, house.clock, doors
        self._fixed = {"Content-Type": JSON, "Server": SERVER_SOFTWARE, **headers}
        self._known: dict[tuple[str, bytes], Plain | None] = {}
        self._together: list[tuple[Line, bytes]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: set[Line] = set()

    def front(self, long: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """What a socket listens with: lines that begin at the hatch; `long` makes what they may become."""
        return lambda: Line(self, long)

    def opened(self, line: Line) -> None:
        """A line that begins here."""
        self._lines.add(line)

    def closed(self, line: Line) -> None:
        """A line that ended, or was handed over."""
        self._lines.discard(line)

    async def aclose(self) -> None:
        """Answer what was taken, and end every line."""
        for line in tuple(self._lines):
            line.end()
        self._turn()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def look(self, peer: str, head: bytes) -> Plain | None:
        """What a head announces, or None when it must go the long way. Heads repeat, so each is read once."""
        key = (peer, head)
        if key not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._read(peer, head)
        return self._known[key]

    def take(self, line: Line, body: bytes, *, lines: bool) -> None:
        """Take a body; the line hears the answer. Single objects wait for the others of this turn."""
        if lines or body[:1] != b"{":
            self._begin(self._take(line, body, "lines" if lines else shape(body)))
            return
        if not self._together:
            asyncio.get_running_loop().call_soon(self._turn)
        self._together.append((line, body))

    def _turn(self) -> None:
        together, self._together = self._together, []
        if together:
            self._begin(self._take_each([line for line, _ in together], [body for _, body in together]))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, line: Line, body: bytes, kind: str) -> None:
        began = self._clock.monotonic()
        result: Receipt | Exception
        try:
            result = await self._intake.take(body, kind, "api")
        except Exception as exc:  # noqa: BLE001 - whatever it is, the sender hears of it
            result = exc
        self._answer([line], [result], began)

    async def _take_each(self, lines: Sequence[Line], bodies: Sequence[bytes]) -> None:
        began = self._clock.monotonic()
        results: Sequence[Receipt | Exception]
        try:
            results = await self._intake.take_each(bodies, "api")
        except Exception as exc:  # noqa: BLE001 - as above
            results = [exc] * len(lines)
        self._answer(lines, results, began)

    def _answer(self, lines: Sequence[Line], results: Sequence[Receipt | Exception], began: float) -> None:
        seconds = self._clock.monotonic() - began
        self._metrics.received([result for result in results if isinstance(result, Receipt)])
        letters: dict[Receipt | Exception, tuple[int, bytes]] = {}
        for line, result in zip(lines, results, strict=True):
            if result not in letters:
                letters[result] = self._letter(result)
            status, letter = letters[result]
            self._metrics.answered("POST", PATH, status, seconds)
            line.answer(letter)

    def _letter(self, result: Receipt | Exception) -> tuple[int, bytes]:
        """The answer's status, and its bytes."""
        more: dict[str, str] = {}
        match result:
            case Receipt():
                status, said = told(result)
            case ValueError():
                status, said = 400, {"error": str(result)}
            case Retry() | Refused():
                why, more = not_now(result)
                status, said = 503, {"error": why}
            case _:
                _log.error("request failed", method="POST", path=PATH, exc_info=result)
                status, said = 500, {"error": OUR_FAULT}
        body = msgspec.json.encode(said)
        fields = {**self._fixed, **more, "Content-Length": str(len(body)), "Date": rfc822_formatted_time()}
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {fields[name]}" for name in fields)]
        return status, "\r\n".join([*head, "", ""]).encode() + body

    def _read(self, peer: str, head: bytes) -> Plain | None:
        headers = _headers(head)
        if headers is None or not self._doors.knows(peer, headers, "report"):
            return None
        kind, length = headers.get("Content-Type", ""), headers.get("Content-Length", "")
        if kind not in (JSON, *LINES) or not re.fullmatch("[0-9]{1,6}", length) or not 0 < int(length) < MOST:
            return None
        return Plain(kind in LINES, int(length))


def _headers(head: bytes) -> CIMultiDict[str] | None:
    """The fields of a head that could not be plainer; None for any other. Stricter than RFC 9112 in everything."""
    start, *fields = head.split(b"\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for field in fields:
        match = _FIELD.fullmatch(field)
        if match is None or match[1].lower().decode() not in _PLAIN or match[1].decode() in headers:
            return None
        headers[match[1].decode()] = match[2].decode()
    stays = headers.get("Connection", "keep-alive").lower() == "keep-alive"
    return headers if start == _START and stays and "Host" in headers else None
