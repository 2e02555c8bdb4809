"""Pictures by address: the chart of a service as SVG or PNG, and a badge for a README."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.web import Request, Response

from bot.core.heading import tone
from bot.core.ink import escape
from bot.web.house import House
from bot.web.routes import Route, refuse

_KEPT = 10.0
_MOST = 500
_SIZES = {"wide": (1200, 480), "narrow": (360, 260)}
_COLOUR = {"calm": "#1b7537", "minor": "#96590a", "major": "#c62828", "critical": "#7f1022"}
_LETTER = 6.6  # pixels of an average letter at 11 px; `textLength` makes up for the rest
_SVG = "image/svg+xml"


class Drawings:
    """Draws once for everybody who asks within ten seconds."""

    def __init__(self, house: House, known: Callable[[str], str]) -> None:
        self._house = house
        self._known = known
        self._kept: dict[tuple[str, ...], tuple[float, bytes]] = {}
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        """The routes of this room."""
        query = (("theme", "light or dark"), ("size", "wide or narrow"))
        chart = "The last 24 h of a service against its usual, as {}."
        return [
            Route(
                method="GET",
                path="/chart/{service}.svg",
                handler=self.svg,
                says=chart.format("SVG"),
                gives=_SVG,
                query=query,
            ),
            Route(
                method="GET",
                path="/chart/{service}.png",
                handler=self.png,
                says=chart.format("PNG"),
                gives="image/png",
                query=query,
            ),
            Route(
                method="GET",
                path="/chart/incident/{incident}.svg",
                handler=self.past,
                says="The day around an incident, as SVG.",
                gives=_SVG,
                query=query,
            ),
            Route(
                method="GET",
                path="/badge/{service}.svg",
                handler=self.badge,
                says="The state of a service as a badge.",
                gives=_SVG,
            ),
        ]

    async def svg(self, request: Request) -> Response:
        """The chart itself."""
        asked = self._asked(request)
        return _picture(await self._once(("svg", *asked), lambda: self._drawn(*asked)), _SVG)

    async def past(self, request: Request) -> Response:
        """The chart of an incident, for as long as it is remembered."""
        incident, (theme, size) = request.match_info["incident"], _looks(request)

        async def drawn() -> bytes:
            picture = await self._house.board.picture_of(incident)
            if picture is None:
                raise refuse(web.HTTPNotFound, f"no incident {incident[:60]!r}; GET /api/v1/incidents lists them")
            width, height = _SIZES[size]
            return self._house.chart(picture, width=width, height=height, theme=theme).encode()

        return _picture(await self._once(("incident", incident, theme, size), drawn), _SVG)

    async def png(self, request: Request) -> Response:
        """The chart for places that show no SVG."""
        asked = self._asked(request)

        async def painted() -> bytes:
            return await self._house.png((await self._drawn(*asked)).decode())

        return _picture(await self._once(("png", *asked), painted), "image/png")

    async def badge(self, request: Request) -> Response:
        """Name and state, as small as they go."""
        told = self._house.board.service(self._known(request.match_info["service"])) or {}
        level = str(told.get("level") or "")
        words = level or "as usual"
        drawn = badge(str(told.get("name", "")), words, _COLOUR[tone(level, self._house.policy)])
        return _picture(drawn.encode(), _SVG)

    def _asked(self, request: Request) -> tuple[str, str, str]:
        return self._known(request.match_info["service"]), *_looks(request)

    async def _drawn(self, service: str, theme: str, size: str) -> bytes:
        picture = self._house.board.picture(service)
        if picture is None:
            raise refuse(web.HTTPNotFound, f"nothing counts reports of {service!r} yet, so there is no chart of it")
        width, height = _SIZES[size]
        return self._house.chart(picture, width=width, height=height, theme=theme).encode()

    async def _once(self, key: tuple[str, ...], draw: Callable[[], Awaitable[bytes]]) -> bytes:
        async with self._turn:
            now = self._house.clock.now().timestamp()
            drawn, body = self._kept.pop(key, (0.0, b""))
            if not 0 <= now - drawn < _KEPT:
                drawn, body = now, await draw()
            self._kept[key] = (drawn, body)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
            return body


def _looks(request: Request) -> tuple[str, str]:
    theme, size = request.query.get("theme", "light"), request.query.get("size", "wide")
    if theme not in ("light", "dark") or size not in _SIZES:
        raise refuse(web.HTTPBadRequest, "theme is light or dark, and size is wide or narrow")
    return theme, size


def badge(name: str, words: str, colour: str) -> str:
    """Two fields side by side, 20 px high, white on dark enough to read."""
    left, right = (round(len(part) * _LETTER) + 12 for part in (name, words))
    field = '<rect x="{}" width="{}" height="20" fill="{}"/>'
    text = '<text x="{}" y="14" textLength="{}" lengthAdjust="spacingAndGlyphs">{}</text>'
    title = f"{name}: {words}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{field.format(0, left, '#3d444c')}{field.format(left, right, colour)}"
        '<g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">'
        f"{text.format(6, left - 12, escape(name))}{text.format(left + 6, right - 12, escape(words))}</g></svg>"
    )


def _picture(body: bytes, kind: str) -> Response:
    return Response(body=body, content_type=kind, headers={"Cache-Control": "public, max-age=30"})
