"""What could not be told, and a word to try again."""

from __future__ import annotations

import msgspec
from aiohttp import web
from aiohttp.web import Request, Response

from bot.web.api import answer
from bot.web.bodies import FORM, JSON, read
from bot.web.house import House
from bot.web.routes import Route, refuse


class Channel(msgspec.Struct, forbid_unknown_fields=True):
    """Which channel; all of them when it is empty."""

    channel: str = ""


class Letters:
    """The dead letters: threads that a channel refused for good."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            Route(
                method="GET",
                path="/api/v1/dead-letters",
                handler=self.letters,
                says="What could not be told where, and why.",
                needs="admin",
                result="Letters",
            ),
            Route(
                method="POST",
                path="/api/v1/retry",
                handler=self.retry,
                says="Try the dead letters of a channel again, or of all.",
                needs="admin",
                takes=(JSON,),
                body="Channel",
                result="Retried",
            ),
        ]

    async def letters(self, _: Request) -> Response:
        """Newest first."""
        return answer({"letters": await self._house.letters()})

    async def retry(self, request: Request) -> Response:
        """Answers how many are tried again."""
        body = await read(request, FORM)
        try:
            asked = msgspec.json.decode(body, type=Channel) if body else Channel()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise refuse(web.HTTPBadRequest, f'{exc}; this takes {{"channel"}}, a string') from exc
        return answer({"retried": await self._house.retry(asked.channel)})
