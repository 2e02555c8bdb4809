"""The API: reports and counts in, the present and the past out, and what people do to an incident."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.web import Request, Response

from bot.core import phrases
from bot.core.model import Person
from bot.core.model import Request as Ask
from bot.ports import Receipt
from bot.web.bodies import FORM, JSON, LINES, letter, read
from bot.web.doors import CALLER
from bot.web.house import House
from bot.web.routes import Handler, Route, refuse, told

VERBS = ("ack", "note", "mute", "resolve", "real", "false-alarm")
_RECORDS = (JSON, LINES[0])


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """What may stand beside a verb: words for the thread, who says it, and for a mute how long (`30m`, `2h`)."""

    text: str = ""
    who: str = ""
    span: str = msgspec.field(default="", name="for")


class Api:
    """`/api/v1`. Everything it answers is JSON, errors too: `{"error": what is wrong and what to do}`."""

    def __init__(self, house: House) -> None:
        self._house = house

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [*self._writing(), *self._reading(), *self._acting()]

    async def reports(self, request: Request) -> Response:
        """Take reports; answered only once they are durable."""
        body, shape = await letter(request)
        receipt = await _taken(self._house.intake.take(body, shape, "api"))
        self._house.metrics.received([receipt])
        return _receipt(receipt)

    async def counts(self, request: Request) -> Response:
        """Take ready-made counts."""
        body, shape = await letter(request)
        return _receipt(await _taken(self._house.intake.count(body, shape)))

    async def status(self, _: Request) -> Response:
        """The present of all services."""
        return answer(self._house.board.status())

    async def service(self, request: Request) -> Response:
        """The present of one service."""
        return answer(self._house.board.service(self.known(request.match_info["service"])))

    async def incidents(self, request: Request) -> Response:
        """Incidents, open or past."""
        state = request.query.get("state", "")
        if state not in ("", "open", "closed"):
            raise refuse(web.HTTPBadRequest, f"no state {state[:40]!r}; use open or closed, or leave it out")
        service = request.query.get("service", "")
        service = self.known(service) if service else ""
        found = await self._house.board.incidents(state=state, service=service, limit=_limit(request))
        return answer({"incidents": found})

    async def incident(self, request: Request) -> Response:
        """One incident with its timeline and threads."""
        found = await self._house.board.incident(request.match_info["incident"])
        if found is None:
            raise _no_incident()
        return answer(found)

    async def act(self, request: Request) -> Response:
        """Do what a person wants done to an incident; 409 when the desk says that it cannot be."""
        incident, verb = request.match_info["incident"], request.path.rpartition("/")[2]
        act = await _act(request)
        if await self._house.board.incident(incident) is None:
            raise _no_incident()
        name = request[CALLER].name or "somebody at this machine"
        person = Person(chat="api", id=name, name=act.who or name)
        words = act.span if verb == "mute" else act.text
        done = await self._house.desk.answer(Ask(verb=verb, who=person, incident=incident, text=words))
        lines = [phrases.plain(line) for line in done.lines]
        if not done.ok:
            raise refuse(web.HTTPConflict, " ".join(lines))
        return answer({"ok": True, "lines": lines})

    def known(self, words: str) -> str:
        """The id of the service that is meant.

        Raises:
            web.HTTPNotFound: naming the service that is spelt most alike.
        """
        if found := self._house.board.resolve(words):
            return found
        near = self._house.board.nearest(words)
        hint = f"; did you mean {near!r}?" if near else "; GET /api/v1/status lists them"
        raise refuse(web.HTTPNotFound, f"no service {words[:60]!r}{hint}")

    def _writing(self) -> list[Route]:
        said = {
            "/api/v1/reports": (
                self.reports,
                "Report",
                "Report problems: one object, an array, or an object per line.",
            ),
            "/api/v1/counts": (
                self.counts,
                "Count",
                "Ready-made counts of reports; the same window again replaces it.",
            ),
        }
        return [
            Route(
                method="POST",
                path=path,
                handler=handler,
                says=says,
                needs="report",
                takes=_RECORDS,
                body=body,
                result="Receipt",
                status=202,
            )
            for path, (handler, body, says) in said.items()
        ]

    def _reading(self) -> list[Route]:
        query = (("state", "open or closed"), ("service", "id, name or alias"), ("limit", "1 to 500, usually 100"))
        one = "One service now, with its watches; id, name or alias."
        return [
            _read("/api/v1/status", self.status, "All services now.", "Status"),
            _read("/api/v1/services/{service}", self.service, one, "Service"),
            _read("/api/v1/incidents", self.incidents, "Incidents, newest first.", "Incidents", query),
            _read("/api/v1/incidents/{incident}", self.incident, "One incident.", "Incident"),
        ]

    def _acting(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=f"/api/v1/incidents/{{incident}}/{verb}",
                handler=self.act,
                says=f"A person's {verb.replace('-', ' ')}, told in the thread.",
                needs="admin",
                takes=(JSON,),
                body="Act",
                result="Answer",
            )
            for verb in VERBS
        ]


def answer(body: Any, status: int = 200) -> Response:
    """JSON, never kept by anybody on the way."""
    return Response(body=msgspec.json.encode(body), status=status, content_type=JSON)


def _read(path: str, handler: Handler, says: str, result: str, query: tuple[tuple[str, str], ...] = ()) -> Route:
    return Route(method="GET", path=path, handler=handler, says=says, result=result, query=query)


async def _taken(receipt: Awaitable[Receipt]) -> Receipt:
    try:
        return await receipt
    except ValueError as exc:
        raise refuse(web.HTTPBadRequest, str(exc)) from exc


def _receipt(receipt: Receipt) -> Response:
    status, body = told(receipt)
    return answer(body, status)


def _no_incident() -> web.HTTPError:
    return refuse(web.HTTPNotFound, "no such incident; GET /api/v1/incidents lists them")


def _limit(request: Request) -> int:
    limit = request.query.get("limit", "100")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= 500):
        raise refuse(web.HTTPBadRequest, "limit is a number from 1 to 500")
    return int(limit)


async def _act(request: Request) -> Act:
    """The body beside a verb; none at all is fine."""
    body = await read(request, FORM)
    if not body:
        return Act()
    if request.content_type != JSON:
        raise refuse(web.HTTPUnsupportedMediaType, f"set Content-Type to {JSON}, or send no body")
    try:
        return msgspec.json.decode(body, type=Act)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise refuse(web.HTTPBadRequest, f'{exc}; this takes {{"text", "who", "for"}}, each a string') from exc
