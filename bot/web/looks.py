"""What other places see of our probes."""

from __future__ import annotations

from aiohttp import web
from aiohttp.web import Request, Response

from bot.ports import Forbidden
from bot.web.api import answer
from bot.web.bodies import JSON, read
from bot.web.doors import CALLER
from bot.web.house import House
from bot.web.routes import Route, refuse, told

_LIMIT = 1_000_000


class Looks:
    """Where `tocsin probe` reports to. A place is known by the name of its token."""

    def __init__(self, house: House) -> None:
        self._vantages = house.vantages

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            Route(
                method="POST",
                path="/api/v1/looks",
                handler=self.take,
                says="What another place sees of our probes; a look that comes twice counts once.",
                needs="report",
                takes=(JSON,),
                body="Looks",
                result="Receipt",
                status=202,
            )
        ]

    async def take(self, request: Request) -> Response:
        """Take looks; bad ones are named by their index, and the others count."""
        if request.content_type != JSON:
            raise refuse(web.HTTPUnsupportedMediaType, f"set Content-Type to {JSON}")
        body, caller = await read(request, _LIMIT), request[CALLER]
        try:
            receipt = self._vantages.take(body, "" if caller.may("admin") else caller.name)
        except Forbidden as exc:
            raise refuse(web.HTTPForbidden, str(exc)) from exc
        except ValueError as exc:
            raise refuse(web.HTTPBadRequest, str(exc)) from exc
        status, said = told(receipt)
        return answer(said, status)
