"""Builds the site: every room's routes in one table, one guard before all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.ports import Refused, Retry
from bot.web.api import Api, answer
from bot.web.bodies import REPORTS
from bot.web.calls import Calls
from bot.web.doors import CALLER, Doors
from bot.web.drawings import Drawings
from bot.web.feeds import Feeds
from bot.web.forms import Forms
from bot.web.fragments import Fragments
from bot.web.hatch import Hatch
from bot.web.health import Health
from bot.web.hooks import Hooks
from bot.web.house import House
from bot.web.letters import Letters
from bot.web.live import Live
from bot.web.looks import Looks
from bot.web.mail import Mail
from bot.web.openapi import describe
from bot.web.pages import Pages
from bot.web.privacy import Privacy
from bot.web.routes import OUR_FAULT, Route, not_now
from bot.web.static import Static

ROUTES = web.AppKey("routes", list[Route])
HATCH = web.AppKey("hatch", Hatch)
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # not `no-referrer`: browsers would then send `Origin: null` with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
}
_UNKEPT = {"Cache-Control": "no-store"}
_WORDS = {
    404: "there is nothing at this address; GET /openapi.json lists what there is",
    405: "this address does not take that method",
}
_JSON_FACED = ("/api/", "/hooks/", "/chats/")
_log = structlog.get_logger()


def site(house: House) -> web.Application:
    """The whole HTTP side as one application; serve it with `runner`."""
    return _Site(house).application()


def runner(app: web.Application) -> web.AppRunner:
    """A runner that leaves bodies packed, so that none unpacks before it was looked at, and keeps no access log."""
    return _Runner(app, auto_decompress=False, access_log=None, lingering_time=2.0, shutdown_timeout=5.0)


class _Runner(web.AppRunner):
    """Lets every connection begin at the hatch."""

    @property
    def server(self) -> web.Server | None:
        """What sockets listen with: a protocol factory, and nothing more is asked of it."""
        long = super().server
        return cast("web.Server", self.app[HATCH].front(long)) if long else None


class _Site:
    def __init__(self, house: House) -> None:
        static = Static()
        fragments = Fragments(house, static)
        self._house = house
        self._fragments = fragments
        self._doors = Doors(house)
        self._live = Live(house.board, house.clock, fragments.change)
        self._pages = Pages(house, self._doors, fragments, self._live)
        api = Api(house)
        health = Health(house, lambda: describe(self._routes, house.public_url))
        forms, feeds = Forms(house, self._doors, self._pages), Feeds(house, fragments)
        drawings, mail = Drawings(house, api.known), Mail(house)
        rooms = (
            api,
            Letters(house),
            Looks(house),
            Privacy(house),
            Hooks(house, mail),
            Calls(house.call, mail),
            feeds,
            drawings,
            self._pages,
            forms,
            self._live,
            health,
            static,
        )
        self._routes = [route for room in rooms for route in room.routes()]
        self._table: dict[web.AbstractRoute, Route] = {}

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=REPORTS)
        app[ROUTES] = self._routes
        app[HATCH] = hatch = Hatch(self._house, self._doors, {**_HEADERS, **_UNKEPT})
        for route in self._routes:
            self._add(app, route)
        app.cleanup_ctx.append(self._alive)
        app.on_shutdown.append(self._hush)
        app.on_shutdown.append(lambda _: hatch.aclose())
        app.on_response_prepare.append(_dress)
        self._house.metrics.gauge("tocsin_live_pages", "Browsers that listen to changes.", lambda: self._live.listening)
        return app

    def _add(self, app: web.Application, route: Route) -> None:
        self._table[app.router.add_route(route.method, route.path, route.handler)] = route
        if route.method == "GET" and route.path != "/events":
            self._table[app.router.add_route("HEAD", route.path, route.handler)] = route

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may come in, and turn every failure into words; strangers never see a traceback."""
        route = self._table.get(request.match_info.route)
        began = self._house.clock.monotonic()
        try:
            response = await self._served(request, route, handler)
        except web.HTTPException as exc:
            response = self._told(request, route, exc)
        except (Retry, Refused) as exc:
            response = self._trouble(request, route, 503, *not_now(exc))
        except Exception:  # noqa: BLE001 - a stranger gets words, whatever broke; the log gets the traceback
            _log.exception("request failed", method=request.method, path=request.path)
            response = self._trouble(request, route, 500, OUR_FAULT, {})
        method, path = (
            (route.method, route.path) if route else ("any", "none")
        )  # nothing of a stranger's becomes a series
        self._house.metrics.answered(method, path, response.status, self._house.clock.monotonic() - began)
        return response

    async def _served(self, request: web.Request, route: Route | None, handler: Handler) -> web.StreamResponse:
        if route is not None and route.needs == "proof":
            return await handler(request)
        request[CALLER] = caller = self._doors.caller(request, page=route is None or route.face == "page")
        if route is not None:
            self._doors.admit(request, caller, route)
        return await handler(request)

    def _told(self, request: web.Request, route: Route | None, exc: web.HTTPException) -> web.StreamResponse:
        if exc.status < 400:
            return web.Response(status=exc.status, headers={"Location": exc.headers["Location"]})
        kept = {name: exc.headers[name] for name in ("Retry-After", "WWW-Authenticate", "Allow") if name in exc.headers}
        why = exc.text or ""
        if why.startswith(f"{exc.status}: "):  # aiohttp's own words say only the name of the status
            why = _WORDS.get(exc.status, exc.reason)
        return self._trouble(request, route, exc.status, why, kept)

    def _trouble(
        self, request: web.Request, route: Route | None, status: int, why: str, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        if (route.face if route else _face(request.path)) == "page":
            return self._pages.trouble(request, status, why, headers)
        response = answer({"error": why}, status)
        response.headers.update(headers)
        return response

    async def _alive(self, _: web.Application) -> AsyncIterator[None]:
        await self._fragments.begin()
        task = asyncio.create_task(self._live.run(), name="live pages")
        task.add_done_callback(_mourn)
        yield
        task.cancel()
        await asyncio.wait([task])

    async def _hush(self, _: web.Application) -> None:
        self._live.hush()


async def _dress(_: web.Request, response: web.StreamResponse) -> None:
    """What every answer wears; whoever allowed keeping it has said so already."""
    response.headers.update(_HEADERS)
    for name, value in _UNKEPT.items():
        response.headers.setdefault(name, value)


def _face(path: str) -> str:
    return "json" if path.startswith(_JSON_FACED) else "page"


def _mourn(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("live pages stopped; pages still load, but no longer by themselves", exc_info=error)
