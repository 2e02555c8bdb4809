"""For machines that watch us: alive, ready, measures, and the description of all this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp.web import Request, Response

from bot.web.api import answer
from bot.web.house import House
from bot.web.routes import Route


class Health:
    """Short answers that never wait for anything."""

    def __init__(self, house: House, described: Callable[[], dict[str, Any]]) -> None:
        self._house = house
        self._described = described

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            Route(method="GET", path="/healthz", handler=self.alive, says="The loop is alive.", needs="open"),
            Route(
                method="GET",
                path="/readyz",
                handler=self.ready,
                says="Named conditions; 503 while one is not ok.",
                needs="open",
                result="Ready",
            ),
            Route(
                method="GET", path="/metrics", handler=self.metrics, says="Measures for Prometheus.", gives="text/plain"
            ),
            Route(method="GET", path="/openapi.json", handler=self.openapi, says="This description.", needs="open"),
        ]

    async def alive(self, _: Request) -> Response:
        """Whoever gets this answer knows it."""
        return answer({"ok": True})

    async def ready(self, _: Request) -> Response:
        """Each condition by name, with `ok` or what is wrong; what begins with `warning: ` needs a look, not a restart."""
        conditions = dict(self._house.ready())
        fine = all(word == "ok" or word.startswith("warning: ") for word in conditions.values())
        return answer({"ready": fine, "conditions": conditions}, 200 if fine else 503)

    async def metrics(self, request: Request) -> Response:
        """Text or OpenMetrics, as asked."""
        body, content_type = self._house.metrics.page(request.headers.get("Accept", ""))
        return Response(body=body, headers={"Content-Type": content_type})

    async def openapi(self, _: Request) -> Response:
        """OpenAPI 3.1, made from the table of routes."""
        return answer(self._described())
