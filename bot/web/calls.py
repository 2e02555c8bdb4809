"""Calls of chat platforms: what people do there, for chats that are told over HTTP and keep no line of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp.web import Request, Response

from bot.ports import Letter, Word
from bot.web.api import answer
from bot.web.mail import Mail
from bot.web.routes import Route

Call = Callable[[str, Letter], Awaitable[Word]]
"""Hands a call to the chat of that name; raises as `bot.ports.Called` does."""


class Calls:
    """`/chats`. The chat itself proves who calls, and answers in the platform's own words."""

    def __init__(self, call: Call, mail: Mail) -> None:
        self._call = call
        self._mail = mail

    def routes(self) -> list[Route]:
        """The routes of this room."""
        says = "A call of Slack or Discord, for a chat with `signing_secret` or `public_key`; it is signed by the platform."
        return [Route(method="POST", path="/chats/{chat}", handler=self.take, says=says, needs="proof")]

    async def take(self, request: Request) -> Response:
        """Answer at once; platforms wait three seconds."""
        async with self._mail.letter(request) as letter:
            word = await self._call(request.match_info["chat"], letter)
        return Response(status=word.status) if word.body is None else answer(word.body, word.status)
