"""The forms people send: a report in two taps, a verb on an incident, and the token."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.web import Request, Response

from bot.core.model import Request as Ask
from bot.web.bodies import form
from bot.web.doors import CALLER, SESSION, Doors
from bot.web.house import House
from bot.web.pages import Pages, person
from bot.web.routes import Route, refuse

VERBS = ("ack", "unack", "take", "note", "mute", "unmute", "resolve", "reopen", "real", "false-alarm")
_FORM = ("application/x-www-form-urlencoded",)
_LONGEST = 280
_PHONES = (("iPhone", "ios"), ("iPad", "ios"), ("Android", "android"))


class Forms:
    """Every form carries a seal that only our own page could show to this visitor."""

    def __init__(self, house: House, doors: Doors, pages: Pages) -> None:
        self._house = house
        self._doors = doors
        self._pages = pages

    def routes(self) -> list[Route]:
        """The routes of this room. Anybody may report, at a bounded pace per address: that is what it is for."""
        incident = "/incident/{incident}"
        return [
            _route("GET", "/report/{service}", self.ask, "The form to report a problem.", "open"),
            _route("POST", "/report/{service}", self.report, "Report a problem, as the form does.", "open"),
            _route("POST", f"{incident}/report", self.join, "I see it too: a report of the same service.", "open"),
            _route("POST", f"{incident}/works", self.join, "It works for me.", "open"),
            _route("GET", f"{incident}/resolve", self.confirm, "Asks before resolving.", "admin"),
            *(_route("POST", f"{incident}/{verb}", self.act, f"The button {verb}.", "admin") for verb in VERBS),
            _route("GET", "/sign-in", self.door, "Asks for the token.", "open"),
            _route("POST", "/sign-in", self.sign_in, "Starts a session with a token.", "open"),
            _route("POST", "/sign-out", self.sign_out, "Ends the session.", "open"),
        ]

    async def ask(self, request: Request) -> Response:
        """The form: big buttons for what people see, the rest filled in as far as can be known."""
        service = self._known(request)
        return self._asking(request, service)

    async def report(self, request: Request) -> Response:
        """Take a report from the form; a visitor is one voice, by the cookie alone."""
        service = self._known(request)
        fields = await form(request)
        self._doors.sealed(request, fields.get("seal", ""))
        self._doors.spare(request)
        asked = Ask(
            verb="report",
            who=person(request[CALLER]),
            target=service,
            symptom=fields.get("symptom", "")[:40],
            region=fields.get("region", "")[:40],
            platform=fields.get("platform", "")[:40],
            text=fields.get("text", "")[:_LONGEST],
        )
        return await self._thank(request, asked, "/")

    async def join(self, request: Request) -> Response:
        """One tap: I see it too, or it works for me."""
        self._doors.sealed(request, (await form(request)).get("seal", ""))
        case = await self._pages.case(request)
        self._doors.spare(request)
        incident = case.head.incident
        verb = request.path.rpartition("/")[2]
        asked = Ask(verb=verb, who=person(request[CALLER]), target=case.head.service, incident=incident)
        return await self._thank(request, asked, f"/incident/{incident}")

    async def confirm(self, request: Request) -> Response:
        """Are you sure, and what was it."""
        return self._pages.draw(request, "resolve.html", case=await self._pages.case(request))

    async def act(self, request: Request) -> Response:
        """Do it and go back to the thread, where it now stands; or say why not."""
        fields = await form(request)
        self._doors.sealed(request, fields.get("seal", ""))
        case = await self._pages.case(request)
        verb, incident = request.path.rpartition("/")[2], case.head.incident
        text = fields.get("text", "")[:2_000]
        answer = await self._house.desk.answer(
            Ask(verb=verb, who=person(request[CALLER]), incident=incident, text=text)
        )
        back = f"/incident/{incident}"
        if answer.ok:
            raise web.HTTPSeeOther(back)
        return self._pages.draw(request, "answer.html", 409, title="Nothing was changed", lines=answer.lines, back=back)

    async def door(self, request: Request) -> Response:
        """The form that asks for a token."""
        why = "Paste a token from web.tokens of config.yaml. The session ends after 12 hours."
        return self._pages.draw(request, "sign_in.html", title="Sign in", why=why)

    async def sign_in(self, request: Request) -> Response:
        """Start a session and go back to where it was asked for."""
        fields = await form(request)
        self._doors.sealed(request, fields.get("seal", ""))
        session = self._doors.sign_in(request, fields.get("token", ""))
        if session is None:
            raise refuse(web.HTTPUnauthorized, "No such token; look under web.tokens in config.yaml.")
        response = Response(status=303, headers={"Location": _own(fields.get("back", ""))})
        self._doors.remember(request, response, SESSION, session)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self._doors.sealed(request, (await form(request)).get("seal", ""))
        self._doors.sign_out(request)
        response = Response(status=303, headers={"Location": "/"})
        response.del_cookie(SESSION)
        return response

    async def _thank(self, request: Request, asked: Ask, back: str) -> Response:
        answer = await self._house.desk.answer(asked)
        lines = answer.lines if request[CALLER].may("read") or not answer.ok else [line[:1] for line in answer.lines]
        title = "Thank you" if answer.ok else "That was not counted"
        status = 200 if answer.ok else 400
        return self._pages.draw(request, "answer.html", status, title=title, lines=lines, back=back)

    def _asking(self, request: Request, service: str) -> Response:
        board, desk = self._house.board, self._house.desk
        name = (board.service(service) or {}).get("name", service)
        agent = request.headers.get("User-Agent", "")
        chosen: dict[str, Any] = {
            "platform": next((code for word, code in _PHONES if word in agent), "web"),
            "region": request.query.get("region", "")[:40],
        }
        return self._pages.draw(
            request,
            "report.html",
            service=service,
            name=name,
            chosen=chosen,
            symptom=desk.suggest("symptom", ""),
            platform=desk.suggest("platform", ""),
            region=desk.suggest("region", ""),
        )

    def _known(self, request: Request) -> str:
        words = request.match_info["service"]
        found = self._house.board.resolve(words)
        if found is None:
            near = self._house.board.nearest(words)
            hint = f"Did you mean {near}?" if near else "The front page lists them."
            raise refuse(web.HTTPNotFound, f"No service {words[:60]!r}. {hint}")
        return found


def _own(path: str) -> str:
    """A path of ours to go back to; anything else is the front page, so that no link can send people elsewhere."""
    inside = path.startswith(("/incident/", "/report/")) and "\\" not in path and path.isprintable()
    return path if inside else "/"


def _route(method: str, path: str, handler: Any, says: str, needs: str) -> Route:
    takes = _FORM if method == "POST" else ()
    return Route(
        method=method, path=path, handler=handler, says=says, needs=needs, face="page", takes=takes, gives="text/html"
    )
