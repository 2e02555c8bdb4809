"""Planned work, added and ended while the bot runs: in it nothing opens, and what is open still closes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from bot.core.model import Acted, Answer, Bold, Request, Said, Text, When
from bot.core.phrases import lasted
from bot.core.planned import Window
from bot.core.speech import fronted
from bot.core.terms import begin, span
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms, Verb, no, yes

_KEY = "maintenance"
_LONGEST = timedelta(days=30)
_HOW = "maintenance add <service> 2h [from 22:00] [why], maintenance list, or maintenance end <number>. Times are UTC."


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One window as it was added; `number` is what people end it by."""

    number: int
    service: str
    start: datetime
    lasts: timedelta
    who: str
    why: str = ""

    @property
    def end(self) -> datetime:
        """When it is over."""
        return self.start + self.lasts


class Planning:
    """The verb maintenance. What was added is kept in the store, beside the windows of the config."""

    def __init__(self, house: Rooms, finder: Finder) -> None:
        self._house = house
        self._finder = finder
        self._all: tuple[Planned, ...] = ()
        self._configured: dict[str, tuple[Window, ...]] = {}
        self._turn = asyncio.Lock()

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {"maintenance": self._maintenance}

    async def wake(self) -> None:
        """Know again what was added before the last stop."""
        kept = await self._house.store.get(_KEY)
        self._all = msgspec.json.decode(kept, type=tuple[Planned, ...]) if kept else ()
        self.refit()

    def refit(self) -> None:
        """Take the windows of the config as they are now, and put what was added beside them."""
        self._configured = {name: service.windows for name, service in self._house.services.items()}
        self._spread()

    async def _maintenance(self, request: Request) -> Answer:
        do, _, rest = request.text.strip().partition(" ")
        match do.lower():
            case "add":
                return await self._add(request, rest)
            case "end" | "stop" | "remove":
                return await self._end(request, rest.strip())
            case "" | "list":
                return self._listed()
        return no((f"I know {_HOW}",))

    async def _add(self, request: Request, words: str) -> Answer:
        service, rest = fronted(words, self._house.board.resolve)
        service = self._house.board.resolve(request.target) or service if request.target else service
        if not service:
            return no((f"Which service? {_HOW}",))
        now = self._house.clock.now()
        start, lasts, why = _when(f"{request.span} {rest}", now)
        if lasts is None:
            return no((f"For how long? {_HOW}",))
        if not timedelta(0) < lasts <= _LONGEST or start + lasts <= now:
            return no(("Planned work lasts at most 30 days, and ends after now.",))
        async with self._turn:
            number = max((p.number for p in self._all), default=0) + 1
            who = request.who.name
            added = Planned(number=number, service=service, start=start, lasts=lasts, who=who, why=why)
            await self._keep((*self._all, added))
        await self._tell(request, added)
        return yes(("Planned: ", *self._told(added)), ("Nothing opens meanwhile; what is open still closes.",))

    async def _end(self, request: Request, words: str) -> Answer:
        async with self._turn:
            running, service = self._running(), self._house.board.resolve(words or request.target)
            ending = [p for p in running if str(p.number) == words.lstrip("#")]
            ending = ending or [p for p in running if p.service == service]
            if not ending:
                return no((f"There is no such planned work. {_HOW}",))
            await self._keep(tuple(p for p in self._all if p not in ending))
        return yes(*(("Ended: ", *self._told(p)) for p in ending))

    def _listed(self) -> Answer:
        now = self._house.clock.now()
        lines: list[Text] = [self._told(p) for p in self._running()]
        lines += [
            (Bold(f"{service.name}"), f": {_scheduled(window)}, in the config.")
            for service in self._house.services.values()
            for window in self._configured[service.id]
            if window.start is None or window.start + window.lasts > now
        ]
        return Answer(lines=tuple(lines) or (("No planned work.",),))

    def _running(self) -> list[Planned]:
        now = self._house.clock.now()
        return [p for p in self._all if p.end > now and p.service in self._house.services]

    def _told(self, planned: Planned) -> Text:
        name = self._house.services[planned.service].name
        why: Text = (": ", Said(planned.why)) if planned.why else ()
        times: Text = (", ", When(planned.start, "date"), " to ", When(planned.end, "date"))
        return (Bold(f"#{planned.number} {name}"), *times, f" ({lasted(planned.lasts)}), by ", Said(planned.who), *why)

    async def _keep(self, planned: tuple[Planned, ...]) -> None:
        """Keep what is not over, and let it rule."""
        now = self._house.clock.now()
        fresh = tuple(p for p in planned if p.end > now)
        await self._house.store.put(_KEY, msgspec.json.encode(fresh))
        self._all = fresh
        self._spread()

    def _spread(self) -> None:
        for service, configured in self._configured.items():
            added = [Window(start=p.start, lasts=p.lasts) for p in self._all if p.service == service]
            self._house.plan(service, (*configured, *added))

    async def _tell(self, request: Request, planned: Planned) -> None:
        """Leave a line in the thread of an incident that is open."""
        living = self._house.board.living(planned.service)
        if living is None:
            return
        words = f"planned work for {lasted(planned.lasts)}{f': {planned.why}' if planned.why else ''}"
        acted = Acted(
            at=self._house.clock.now(),
            verb="note",
            who=request.who.name,
            where=request.who.chat,
            text=words,
            incident=living.id,
        )
        await self._house.act(planned.service, acted)


def _when(words: str, now: datetime) -> tuple[datetime, timedelta | None, str]:
    """Start (now, if not said), length and reason, whichever of the first two comes first."""
    start, rest = begin(words, now)
    lasts, rest = span(rest)
    if start is None:
        start, rest = begin(rest, now)
    return start or now, lasts, rest


def _scheduled(window: Window) -> str:
    when = f"{window.start:%Y-%m-%d %H:%M} UTC" if window.start else f"whenever {window.cron} ({window.zone})"
    return f"{when}, for {lasted(window.lasts)}"
