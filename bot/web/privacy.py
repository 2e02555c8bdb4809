"""What is held of one person, and a word to let go of it."""

from __future__ import annotations

import msgspec
from aiohttp import web
from aiohttp.web import Request, Response

from bot.core.reports import Kept
from bot.web.api import answer
from bot.web.bodies import FORM, JSON, read
from bot.web.house import House
from bot.web.routes import Handler, Route, refuse


class Reporter(msgspec.Struct, forbid_unknown_fields=True):
    """Whom it is about: the very `reporter` that their reports were sent with."""

    reporter: str


class Privacy:
    """Only a keyed hash of a reporter is kept, so only who knows the name can ask for it."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            _route("export", self.export, "What is still held of a reporter.", "Export"),
            _route("forget", self.forget, "Take a reporter out of what is still held.", "Forgotten"),
        ]

    async def export(self, request: Request) -> Response:
        """Their reports of the last two days."""
        found = await self._house.forgetting.export(await _asked(request))
        return answer({"reports": [_shown(report) for report in found]})

    async def forget(self, request: Request) -> Response:
        """Answers how many reports were theirs."""
        return answer({"forgotten": await self._house.forgetting.forget(await _asked(request))})


def _route(verb: str, handler: Handler, says: str, result: str) -> Route:
    return Route(
        method="POST",
        path=f"/api/v1/reporters/{verb}",
        handler=handler,
        says=says,
        needs="admin",
        takes=(JSON,),
        body="Reporter",
        result=result,
    )


def _shown(report: Kept) -> dict[str, object]:
    """A report as it is held; `at` in Unix seconds. The hash of who sent it is of no use to anybody."""
    kept = {
        field: getattr(report, field) for field in ("at", "service", "region", "platform", "symptom", "text", "door")
    }
    return {field: value for field, value in kept.items() if value != ""}


async def _asked(request: Request) -> str:
    try:
        return msgspec.json.decode(await read(request, FORM), type=Reporter).reporter
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise refuse(web.HTTPBadRequest, f'{exc}; this takes {{"reporter"}}, a string') from exc
