"""Deliveries of other programs: read within limits of memory, and handed on as they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web
from aiohttp.web import Request

from bot.ports import Forbidden, Letter, Missing
from bot.web.bodies import read
from bot.web.house import House
from bot.web.routes import refuse

LIMIT = 1_000_000


class Mail:
    """Bodies under way: at most 64 MB of them, 16 MB from one address."""

    def __init__(self, house: House) -> None:
        self._clock = house.clock
        self._access = house.access
        self._room = Room(whole=64 * LIMIT, each=16 * LIMIT)

    @asynccontextmanager
    async def letter(self, request: Request) -> AsyncIterator[Letter]:
        """A delivery, whole; the memory that it takes is free again at the end.

        Raises:
            web.HTTPError: 400, 408, 413, 415 or 429; and what is raised inside in its place: 404 for `Missing`, 401
                for `Forbidden`, 400 for `ValueError`.
        """
        with self._room.seat(self._address(request)) as arrived:
            body = await read(request, LIMIT, arrived)
            letter = Letter(
                at=self._clock.now(), body=body, headers=_headers(request), query=_once(request.query.items())
            )
            try:
                yield letter
            except Missing as exc:
                raise refuse(web.HTTPNotFound, str(exc)) from exc
            except Forbidden as exc:
                raise refuse(web.HTTPUnauthorized, str(exc)) from exc
            except ValueError as exc:
                raise refuse(web.HTTPBadRequest, str(exc)) from exc

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
