"""The pieces of the live pages: drawn once for everybody, and named so that they can be swapped one by one."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from bot.core.model import Head
from bot.core.phrases import plain
from bot.web.house import House
from bot.web.static import Static
from bot.web.texts import html, inert, moment, stamp
from bot.web.views import Case, Past, Row, past, row, summary, worst_first


class Swap(Struct, frozen=True, kw_only=True):
    """Put `html` where the element `id` is, or into the container `into` where there is none yet."""

    id: str
    html: str
    into: str = ""


class Change(Struct, frozen=True, kw_only=True):
    """What moved on the pages. `order` lists element ids per container; `say` is for those who listen to the page."""

    at: str
    title: str
    swap: list[Swap]
    order: dict[str, list[str]]
    say: str = ""


class Fragments:
    """Draws pages' pieces, and remembers what was sent of each so that only what differs is sent."""

    def __init__(self, house: House, static: Static) -> None:
        self._house = house
        self._sent: dict[str, str] = {}
        self._cases: dict[str, str] = {}
        self._heard: dict[str, int] = {}
        self._jinja = Environment(
            loader=PackageLoader("bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals |= {"static": static.url, "link": house.public_url.rstrip("/")}
        self._jinja.filters |= {"text": html, "moment": moment, "stamp": stamp, "inert": inert, "plain": plain}

    async def begin(self) -> None:
        """Note which incidents are alive and what they have told, so that their end and their next line are news."""
        self._cases = {one["id"]: one.get("incident") or "" for one in self._house.board.status()["services"]}
        for incident in filter(None, self._cases.values()):
            lines = await self._house.board.timeline(incident)
            self._heard[incident] = lines[-1].seq if lines else 0

    def draw(self, template: str, **what: Any) -> str:
        """A template with what it needs."""
        return self._jinja.get_template(template).render(**what)

    def rows(self) -> list[Row]:
        """All services, worst first."""
        board, policy = self._house.board, self._house.policy
        told = board.status()["services"]
        return worst_first([row(one, board.service(one["id"]) or {}, policy) for one in told])

    def spark(self, service: str) -> Markup:
        """The last day of a service as a small line, drawn by our own hand and safe as it is."""
        picture = self._house.board.picture(service)
        return Markup(self._house.spark(picture)) if picture else Markup()  # noqa: S704 - the chart escapes its words

    async def case(self, incident: str) -> Case | None:
        """An incident with its thread."""
        head = await self._house.board.head(incident)
        if head is None:
            return None
        lines = await self._house.board.timeline(incident)
        minute = int(self._house.clock.now().timestamp()) // 60
        return Case(head=head, name=self.name(head), lines=lines, minute=minute)

    async def over(self) -> list[Past]:
        """The last incidents that are over."""
        names = {one["id"]: one["name"] for one in self._house.board.status()["services"]}
        told = await self._house.board.incidents(state="closed", limit=10)
        return [past(one, names.get(one["service"], one["service"])) for one in told]

    def name(self, head: Head) -> str:
        """The service's name as the board has it; its id once it is no longer configured."""
        told = self._house.board.service(head.service)
        return str((told or {}).get("name") or head.service)

    async def change(self, service: str) -> Change:
        """What moved since the last time, for one service that did."""
        rows = self.rows()
        own = next((one for one in rows if one.id == service), None)
        pieces = [Swap(id="summary", html=self.draw("_summary.html", words=summary(rows)))]
        if own is not None:
            drawn = self.draw("_row.html", row=own, spark=self.spark(service))
            pieces.append(Swap(id=f"row-{service}", html=drawn, into="services"))
        before, now = self._cases.get(service, ""), own.incident if own else ""
        self._cases[service] = now
        said = [await self._case_moved(one, now, pieces) for one in dict.fromkeys((before, now)) if one]
        if before and before != now:
            pieces.append(Swap(id="past", html=self.draw("_past.html", past=await self.over())))
        change = Change(
            at=stamp(self._house.clock.now()),
            title=summary(rows),
            swap=[piece for piece in pieces if self._differs(piece)],
            order={
                "services": [f"row-{one.id}" for one in rows],
                "open": [f"incident-{one.incident}" for one in rows if one.incident],
            },
            say=" ".join(filter(None, said)),
        )
        if before != now:
            self._sent.pop(f"incident-{before}", None)
            self._heard.pop(before, None)
        return change

    async def _case_moved(self, incident: str, alive: str, pieces: list[Swap]) -> str:
        """Add the incident as it is now; answers the newest line if nobody was told it yet."""
        case = await self.case(incident)
        if case is None:
            return ""
        drawn = self.draw("_case.html", case=case)
        pieces.append(Swap(id=f"incident-{incident}", html=drawn, into="open" if incident == alive else ""))
        newest = case.lines[-1].seq if case.lines else 0
        told = self._heard.get(incident, 0)
        self._heard[incident] = newest
        return f"{case.name}: {plain(case.lines[-1].text)}" if newest > told else ""

    def _differs(self, piece: Swap) -> bool:
        same = self._sent.get(piece.id) == piece.html
        self._sent[piece.id] = piece.html
        return not same
