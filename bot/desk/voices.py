"""Voices: it does not work for me, I see it too, it works for me. One person is one voice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.core import phrases
from bot.core.model import Acted, Answer, Numbers, Person, Request
from bot.core.places import platform as platform_of
from bot.core.places import region as region_of
from bot.core.places import symptom as symptom_of
from bot.core.speech import UNDO
from bot.core.trust import place, weight
from bot.desk.ears import Ears
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms, Verb, no, yes

_THANKS = "Thank you, counted. "


class Voices:
    """The verbs that anybody may use."""

    def __init__(self, house: Rooms, finder: Finder, ears: Ears) -> None:
        self._house = house
        self._finder = finder
        self._ears = ears

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {"report": self._report, "works": self._works}

    async def _report(self, request: Request) -> Answer:
        service = await self._finder.service(request)
        if service is None:
            return self._finder.no_service(request)
        before = self._numbers(service)
        if request.text.strip().lower() == UNDO:
            return await self._undo(request.who, service)
        deaf = self._ears.deaf_to(request.who)
        weighs = weight(request.who, self._house.clock.now(), self._house.trust())
        told = (_told(request, service),)
        receipt = await self._house.intake.admit(told, place(request.who), weight=weighs, mute=deaf)
        if receipt.rejected:
            return no((receipt.rejected[0][1],))
        await self._say(request.who, service, "fails")
        if receipt.accepted:
            return yes((_THANKS, self._others(service, before)))
        ago = self._since(request.who, service)
        among = not deaf and before is not None and ago < before.within
        return yes((_again(ago), self._others(service, before, among=among)))

    async def _undo(self, who: Person, service: str) -> Answer:
        """Take back what a person said of a service while that still counts for them."""
        name = self._house.services[service].name
        taken = await self._house.forgetting.undo(_identity(who), service)
        if not taken:
            return no((f"There is nothing to take back: no report of yours on {name} counts now.",))
        return yes((f"Taken back: your report of {name} is not counted any more.",))

    def _numbers(self, service: str) -> Numbers | None:
        verdict = self._house.verdicts.get(service)
        return verdict.numbers if verdict else None

    def _since(self, who: Person, service: str) -> timedelta:
        """How long ago a person's voice was taken."""
        now = self._house.clock.now()
        return now - (self._house.intake.heard_at(_identity(who), service) or now)

    def _others(self, service: str, numbers: Numbers | None, *, among: bool = False) -> str:
        """What the others say; `among`: the count before this report held the person's own voice already."""
        name = self._house.services[service].name
        others = max(numbers.count - among, 0) if numbers else 0
        within = phrases.lasted(numbers.within) if numbers else ""
        usual = f", usually {phrases.few(numbers.usual)}" if numbers and numbers.usual is not None else ""
        if not others:
            return f"Nobody else reported {name}{f' in the last {within}' if within else ''}{usual}."
        people = f"{others:,} {'other' if others == 1 else 'others'}"
        return f"{name}: {people} in the last {within}{usual}."

    async def _works(self, request: Request) -> Answer:
        service = await self._finder.service(request)
        if service is None:
            return self._finder.no_service(request)
        name = self._house.services[service].name
        if self._house.board.living(service) is None:
            return yes(("Good to hear. ", f"{name} has no open incident."))
        after = await self._say(request.who, service, "works")
        fine = (len(after.fine) if after else 0) + self._ears.deaf_to(request.who)
        return yes(("Thank you, kept. ", f"{name} works for {fine:,} who said so."))

    async def _say(self, who: Person, service: str, verb: str) -> Any:
        """Keep or take back a person's word that it works; a keyed mark stands for the person."""
        living = self._house.board.living(service)
        marks = [mark[:12] for mark in self._house.marks(_identity(who))]
        known = next((mark for mark in marks if living and mark in living.fine), "")
        if living is None or bool(known) is (verb == "works") or self._ears.deaf_to(who):
            return living
        act = Acted(at=self._house.clock.now(), verb=verb, who=known or marks[0], incident=living.id)
        return (await self._house.act(service, act))[1]


def _again(ago: timedelta) -> str:
    when = f", {phrases.lasted(ago)} ago" if ago >= timedelta(minutes=1) else ""
    return f"Counted already{when}: one person is one voice. "


def _identity(who: Person) -> str:
    return f"{who.chat}:{who.id}"


def _told(request: Request, service: str) -> dict[str, Any]:
    """The report as intake takes it; what the words give away of symptom, platform and place is used."""
    words = request.text.strip()
    told = {
        "service": service,
        "reporter": _identity(request.who),
        "symptom": request.symptom or symptom_of(words),
        "platform": request.platform or platform_of(words),
        "region": request.region or region_of(words),
        "text": words,
    }
    return {name: value for name, value in told.items() if value}
