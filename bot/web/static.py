"""The few files that pages need, kept in memory and named by what is in them."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

from aiohttp import web
from aiohttp.web import Request, Response

from bot.web.routes import Route, refuse

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


class Static:
    """Files by name; `url` carries a mark of the content, so that a browser keeps a file until it changes."""

    def __init__(self) -> None:
        folder = files("bot.web") / "static"
        self._bodies = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        self._marks = {name: sha256(body).hexdigest()[:16] for name, body in self._bodies.items()}

    def url(self, name: str) -> str:
        """Where a file is now."""
        return f"/static/{name}?v={self._marks[name]}"

    def routes(self) -> list[Route]:
        """The one route of this room."""
        says = "A style sheet, a script or a picture of the pages."
        return [
            Route(
                method="GET",
                path="/static/{name}",
                handler=self.file,
                says=says,
                needs="open",
                face="page",
                gives="*/*",
            )
        ]

    async def file(self, request: Request) -> Response:
        """One file, or 304 when the browser has it."""
        name = request.match_info["name"]
        body = self._bodies.get(name)
        if body is None:
            raise refuse(web.HTTPNotFound, "there is no such file")
        mark = f'"{self._marks[name]}"'
        current = request.query.get("v") == self._marks[name]
        headers = {"ETag": mark, "Cache-Control": _FOREVER if current else "no-cache"}
        if request.headers.get("If-None-Match") == mark:
            return Response(status=304, headers=headers)
        return Response(body=body, content_type=_KINDS[name.rpartition(".")[2]], charset="utf-8", headers=headers)
