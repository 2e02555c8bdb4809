"""Hooks: what other programs tell us by themselves. The watch it is for checks who sends; nobody needs a token here."""

from __future__ import annotations

from aiohttp import web
from aiohttp.web import Request, Response

from bot.web.api import answer
from bot.web.house import House
from bot.web.mail import Mail
from bot.web.routes import Route, refuse

_PATH = "/hooks/{service}/{watch}"


class Hooks:
    """`/hooks`. Everything it answers is JSON; an error says what is wrong and what to do."""

    def __init__(self, house: House, mail: Mail) -> None:
        self._hearing = house.hearing
        self._mail = mail

    def routes(self) -> list[Route]:
        """The routes of this room."""
        says = "A delivery of another program, to a watch that is a hook; how it is signed depends on its kind."
        return [
            Route(method="POST", path=_PATH, handler=self.take, says=says, needs="proof", result="Taken", status=202),
            Route(method="OPTIONS", path=_PATH, handler=self.allow, says="The CloudEvents handshake.", needs="proof"),
        ]

    async def take(self, request: Request) -> Response:
        """Take a delivery in: 202 once it is durable, 200 when it had been taken in before."""
        async with self._mail.letter(request) as letter:
            fresh = await self._hearing.take(**request.match_info, letter=letter)
        return answer({"taken": fresh}, 202 if fresh else 200)

    async def allow(self, request: Request) -> Response:
        """The handshake of CloudEvents (HTTP WebHooks for Event Delivery, 4): any origin may try, the proof decides."""
        origin = request.headers.get("WebHook-Request-Origin", "")
        if not origin.isprintable() or not 0 < len(origin) <= 253:
            raise refuse(web.HTTPBadRequest, "send WebHook-Request-Origin with the name of the sender")
        return Response(headers={"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin})
