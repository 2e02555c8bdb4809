"""Acting on an incident: each act goes through the engine, and leaves a line with who, where and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.core.model import Acted, Answer, Incident, Request, Service, Text, When
from bot.core.terms import until
from bot.desk.finding import Finder
from bot.desk.reads import Reads
from bot.desk.rooms import Rooms, Verb, no, yes

LONGEST_MUTE = timedelta(days=7)
_DID = {
    "ack": "Acknowledged",
    "unack": "No longer acknowledged",
    "take": "Yours now",
    "note": "Noted",
    "unmute": "Unmuted, people are called again",
    "resolve": "Resolved",
    "reopen": "Open again",
    "real": "Thank you, kept as real",
    "false-alarm": "Thank you, kept as a false alarm",
}


class Writes:
    """The verbs that change an incident."""

    def __init__(self, house: Rooms, finder: Finder, reads: Reads) -> None:
        self._house = house
        self._finder = finder
        self._reads = reads

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        plain: dict[str, Verb] = dict.fromkeys(_DID, self._plain)
        return plain | {"note": self._note, "mute": self._mute, "declare": self._declare, "merge": self._merge}

    async def act(self, request: Request, incident: Incident, **more: Any) -> tuple[str, Incident]:
        """Have it done under the person's name; answers why not (empty when done), and the incident as it is then."""
        if incident.members:
            return await self._each(request, incident, **more)
        given: dict[str, Any] = {"text": request.text.strip(), "incident": incident.id}
        refusal, after = await self._house.act(incident.service, self._acted(request, **given | more))
        return refusal, after or incident

    async def _each(self, request: Request, group: Incident, **more: Any) -> tuple[str, Incident]:
        """The same for every incident of a group that is open; refused where none of them could take it."""
        living = (self._house.board.living(member.service) for member in group.members)
        names = {member.incident for member in group.members}
        async with self._house.at_once(self._house.clock.now()):
            refusals = [(await self.act(request, one, **more))[0] for one in living if one and one.id in names]
        return "" if "" in refusals else next(iter(refusals), f"Nothing of {group.id} is open."), group

    def _acted(self, request: Request, **more: Any) -> Acted:
        given: dict[str, Any] = {"verb": request.verb, "who": request.who.name, "where": request.who.chat}
        return Acted(at=self._house.clock.now(), **given | more)

    async def _plain(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            return self._finder.no_incident(request)
        refusal, after = await self.act(request, incident)
        return no((refusal,)) if refusal else yes((f"{_DID[request.verb]}: {after.name}, {after.id}.",))

    async def _note(self, request: Request) -> Answer:
        if not request.text.strip():
            return no(("A note needs words: note <what you saw>.",))
        return await self._plain(request)

    async def _mute(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            return self._finder.no_incident(request)
        now = self._house.clock.now()
        end, reason = until(f"{request.span} {request.text}", now)
        if end is not None and not now < end <= now + LONGEST_MUTE:
            return no(("A mute lasts at most 7 days: mute 2h, mute until 14:00, or mute until recovery.",))
        refusal, after = await self.act(request, incident, until=end, text=reason)
        if refusal:
            return no((refusal,))
        return yes((f"Muted: {after.name}, {after.id}, ", *muted_until(end), ". It still closes aloud."))

    async def _declare(self, request: Request) -> Answer:
        service = self._house.services.get(await self._finder.service(request) or "")
        if service is None:
            return self._finder.no_service(request)
        level, words = leveled(request, service)
        refusal, after = await self._house.act(service.id, self._acted(request, level=level, text=words))
        head = self._reads.head(after) if after else None
        if refusal:
            hint = " Add what you know with note, or join with I see it too."
            return Answer(lines=((f"{refusal}{hint}",),), ok=False, head=head)
        return Answer(lines=((f"Declared: {service.name}{f', {after.id}' if after else ''}.",),), head=head)

    async def _merge(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            return self._finder.no_incident(request)
        into, reason = merged_into(request, self._finder)
        if into is None or into.id == incident.id:
            return no((f"Merge it into which other open incident? merge {incident.id} into <id>.",))
        words = f"into {into.id}{f', {reason}' if reason else ''}"
        refusal, _ = await self.act(request, incident, text=words)
        if refusal:
            return no((refusal,))
        await self.act(request, into, verb="note", text=f"{incident.id} ({incident.name}) is part of this.")
        return yes((f"Merged: {incident.name}, {incident.id}, is now part of {into.name}, {into.id}.",))


def muted_until(end: datetime | None) -> Text:
    """`until 14:05` or `until it recovers`."""
    return ("until ", When(end, "date")) if end else ("until it recovers",)


def leveled(request: Request, service: Service) -> tuple[str, str]:
    """The level of a declaration, said apart or as its first word, and the words after it."""
    first, _, rest = request.text.strip().partition(" ")
    if request.level:
        return request.level, request.text.strip()
    name = first.rstrip(":,").lower()
    return (name, rest.strip()) if name in service.policy.levels else ("", request.text.strip())


def merged_into(request: Request, finder: Finder) -> tuple[Incident | None, str]:
    """The living incident that a merge leads to, and the words after it."""
    words = request.text.split()
    words = words[1:] if words and words[0].lower() == "into" else words
    into = finder.pointed(request, words[0]) if words else None
    return into, " ".join(words[1:])
