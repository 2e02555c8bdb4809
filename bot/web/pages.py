"""The pages people read: everything now, one incident, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from aiohttp.web import Request, Response

from bot.core.model import Person
from bot.core.model import Request as Ask
from bot.web.doors import CALLER, VISITOR, Caller, Doors
from bot.web.fragments import Fragments
from bot.web.house import House
from bot.web.live import Live
from bot.web.routes import Route, refuse
from bot.web.views import Case, summary

_NO_INCIDENT = "no such incident; the front page lists the last ones"
_TITLES = {
    400: "That could not be read",
    401: "Sign in first",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That cannot be done here",
    413: "That is too much at once",
    429: "Too many at once",
    503: "Not now",
}


class Pages:
    """Draws whole pages. Everything on them works without a script; a script only keeps them fresh."""

    def __init__(self, house: House, doors: Doors, fragments: Fragments, live: Live) -> None:
        self._house = house
        self._doors = doors
        self._fragments = fragments
        self._live = live

    def routes(self) -> list[Route]:
        """The routes of this room."""
        return [
            self._route("/", self.home, "Everything now: open incidents, and all services, worst first."),
            self._route("/incident/{incident}", self.incident, "One incident and its thread."),
            Route(
                method="GET",
                path="/incident/{incident}/postmortem.md",
                handler=self.draft_of,
                says="The draft of an incident's post-mortem, as Markdown.",
                face="page",
                gives="text/markdown",
                query=(("chart", "`beside`: the chart is linked as a file beside the draft"),),
            ),
            self._route("/incident/{incident}/why", self.why, "Why it was opened, and why it is not closed."),
        ]

    async def home(self, request: Request) -> Response:
        """The live page."""
        mark = self._live.mark
        rows = self._fragments.rows()
        cases = [await self._fragments.case(row.incident) for row in rows if row.incident]
        return self.draw(
            request,
            "home.html",
            words=summary(rows),
            notices=self._house.notices(),
            rows=[(row, self._fragments.spark(row.id)) for row in rows],
            cases=[case for case in cases if case],
            past=await self._fragments.over(),
            now=self._house.clock.now(),
            mark=mark,
        )

    async def incident(self, request: Request) -> Response:
        """An incident, alive or past."""
        mark = self._live.mark
        case = await self.case(request)
        return self.draw(request, "incident.html", case=case, now=self._house.clock.now(), mark=mark)

    async def why(self, request: Request) -> Response:
        """The desk's answer to the button Why?."""
        case = await self.case(request)
        asked = Ask(verb="why", who=person(request[CALLER]), target=case.head.service, incident=case.head.incident)
        answer = await self._house.desk.answer(asked)
        title = f"Why? {case.name}"
        return self.draw(
            request, "answer.html", title=title, lines=answer.lines, back=f"/incident/{case.head.incident}"
        )

    async def draft_of(self, request: Request) -> Response:
        """What was recorded of an incident, as a file to go on writing in."""
        incident = request.match_info["incident"]
        beside = request.query.get("chart") == "beside"
        chart = f"{incident}.svg" if beside else f"{self._house.public_url.rstrip('/')}/chart/incident/{incident}.svg"
        draft = await self._house.board.draft(incident, chart)
        if draft is None:
            raise refuse(web.HTTPNotFound, _NO_INCIDENT)
        name = {"Content-Disposition": f'attachment; filename="{incident}.md"'}
        return Response(text=draft, content_type="text/markdown", charset="utf-8", headers=name)

    async def case(self, request: Request) -> Case:
        """The incident that the address names."""
        case = await self._fragments.case(request.match_info["incident"])
        if case is None:
            raise refuse(web.HTTPNotFound, _NO_INCIDENT)
        return case

    def draw(self, request: Request, template: str, status: int = 200, **what: Any) -> Response:
        """A whole page for this visitor, with the cookie that holds its forms together."""
        caller = request.get(CALLER) or Caller(scopes=frozenset())
        drawn = self._fragments.draw(
            template,
            **what,
            seal=self._doors.seal(caller),
            acting=caller.may("admin"),
            reading=caller.may("read"),
            tokens=bool(self._house.access.tokens),
            signed_in=caller.name,
            here=request.path,
        )
        response = Response(text=drawn, content_type="text/html", charset="utf-8", status=status)
        if caller.visitor and request.cookies.get(VISITOR) != caller.visitor:
            self._doors.remember(request, response, VISITOR, caller.visitor)
        return response

    def trouble(self, request: Request, status: int, why: str, headers: Mapping[str, str]) -> Response:
        """A page instead of an error; 401 asks for the token right there."""
        template = "sign_in.html" if status == 401 else "error.html"
        page = self.draw(request, template, status, title=_TITLES.get(status, "Something went wrong"), why=why)
        page.headers.update(headers)
        return page

    def _route(self, path: str, handler: Any, says: str) -> Route:
        return Route(method="GET", path=path, handler=handler, says=says, face="page", gives="text/html")


def person(caller: Caller) -> Person:
    """Who a page's visitor is to the rest of the house: a token's holder, this machine, or only a random id."""
    if caller.name:
        return Person(chat="page", id=caller.name, name=caller.name)
    name = "somebody at this machine" if caller.may("admin") else "a visitor"
    return Person(chat="page", id=caller.visitor, name=name)
