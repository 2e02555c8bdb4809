"""Hooks: what other programs tell us by themselves. The watch it is for checks who sends; nobody needs a token here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web
from aiohttp.web import Request, Response

from bot.ports import Forbidden, Letter, Missing
from bot.web.api import answer
from bot.web.bodies import read
from bot.web.house import House
from bot.web.routes import Route, refuse

LIMIT = 1_000_000
_PATH = "/hooks/{service}/{watch}"


class Hooks:
    """`/hooks`. Everything it answers is JSON; an error says what is wrong and what to do."""

    def __init__(self, house: House) -> None:
        self._hearing = house.hearing
        self._clock = house.clock
        self._access = house.access
        self._room = Room(whole=64 * LIMIT, each=16 * LIMIT)

    def routes(self) -> list[Route]:
        """The routes of this room."""
        says = "A delivery of another program, to a watch that is a hook; how it is signed depends on its kind."
        return [
            Route(method="POST", path=_PATH, handler=self.take, says=says, needs="proof", result="Taken", status=202),
            Route(method="OPTIONS", path=_PATH, handler=self.allow, says="The CloudEvents handshake.", needs="proof"),
        ]

    async def take(self, request: Request) -> Response:
        """Take a delivery in: 202 once it is durable, 200 when it had been taken in before."""
        with self._room.seat(self._address(request)) as arrived:
            body = await read(request, LIMIT, arrived)
            letter = Letter(
                at=self._clock.now(), body=body, headers=_headers(request), query=_once(request.query.items())
            )
            try:
                fresh = await self._hearing.take(**request.match_info, letter=letter)
            except Missing as exc:
                raise refuse(web.HTTPNotFound, f"{exc}; hooks stand under services.<service>.watch") from exc
            except Forbidden as exc:
                raise refuse(web.HTTPUnauthorized, str(exc)) from exc
            except ValueError as exc:
                raise refuse(web.HTTPBadRequest, str(exc)) from exc
        return answer({"taken": fresh}, 202 if fresh else 200)

    async def allow(self, request: Request) -> Response:
        """The handshake of CloudEvents (HTTP WebHooks for Event Delivery, 4): any origin may try, the proof decides."""
        origin = request.headers.get("WebHook-Request-Origin", "")
        if not origin.isprintable() or not 0 < len(origin) <= 253:
            raise refuse(web.HTTPBadRequest, "send WebHook-Request-Origin with the name of the sender")
        return Response(headers={"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin})

    def _address(self, request: Request) -> str:
        return self._access.client(request.remote or "", ",".join(request.headers.getall("X-Forwarded-For", [])))


class Room:
    """Memory for bodies under way: so many bytes in all, and so many from one address, counted as they arrive."""

    def __init__(self, *, whole: int, each: int) -> None:
        self._whole = whole
        self._each = each
        self._held: Counter[str] = Counter()

    @contextmanager
    def seat(self, address: str) -> Iterator[Callable[[int], None]]:
        """Room for one body; what it is given tells of bytes that arrived, and is given back at the end."""
        mine = 0

        def arrived(size: int) -> None:
            nonlocal mine
            mine += size
            self._held[address] += size
            if self._held[address] > self._each or self._held.total() > self._whole:
                why = "too many deliveries at once; wait 1 s and send it again"
                raise refuse(web.HTTPTooManyRequests, why, **{"Retry-After": "1"})

        try:
            yield arrived
        finally:
            self._held[address] -= mine
            if not self._held[address]:
                del self._held[address]


def _headers(request: Request) -> Mapping[str, str]:
    return _once((name.lower(), value) for name, value in request.headers.items())


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The names that were sent exactly once, with what they hold."""
    found: dict[str, str | None] = {}
    for name, value in pairs:
        found[name] = None if name in found else value
    return {name: value for name, value in found.items() if value is not None}
