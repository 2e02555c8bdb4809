"""Looking: what is wrong, since when and why. Nothing here changes anything; only what is shared is seen by others."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from bot.core import phrases
from bot.core.holidays import NO_HOLIDAY
from bot.core.model import Answer, Bold, Button, Head, Incident, Reading, Request, Said, Text, When
from bot.core.showing import ladder, shown
from bot.core.speech import VERBS
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms, Verb, no
from bot.detectors.verdict import Verdict
from bot.ports import Retry

_LINES = 15
_BLIND = 5
_MENU = (
    Button(verb="status", label="What is wrong now?", style="primary"),
    Button(verb="list", label="Open incidents"),
    Button(verb="report", label="Report a problem"),
    Button(verb="declare", label="Declare an incident"),
    Button(verb="help", label="Help"),
)


class Reads:
    """Answers from memory, and from the store where history is asked for."""

    def __init__(self, house: Rooms, finder: Finder) -> None:
        self._house = house
        self._finder = finder

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {
            "status": self._status,
            "list": self._list,
            "show": self._show,
            "chart": self._chart,
            "share": self._share,
            "why": self._why,
            "help": self._help,
        }

    def head(self, incident: Incident) -> Head:
        """The head message of an incident as it stands."""
        house = self._house
        policy = ladder(incident, {name: service.policy for name, service in house.services.items()})
        troubled = house.board.troubled(incident.service) if incident.alive else ()
        return shown(incident, policy, link=house.link(incident.id), troubled=troubled)

    async def _status(self, request: Request) -> Answer:
        if request.target:
            return await self._of_service(request)
        rows = self._house.board.status()["services"]
        wrong = [row for row in rows if row["level"] or row["confidence"]]
        lines: list[Text] = [self._status_line(row["id"]) for row in wrong]
        calm = len(rows) - len(wrong)
        lines.append((f"{calm} {'service looks' if calm == 1 else 'services look'} normal.",))
        lines += [
            (Bold(f"{s.name}: "), f"no reading from {t.name}: ", Said(t.note))
            for s in self._house.services.values()
            for t in self._house.board.troubled(s.id)
        ][:_BLIND]
        return Answer(lines=tuple(lines))

    def _status_line(self, service: str) -> Text:
        verdict, incident = self._house.verdicts.get(service), self._house.board.living(service)
        name = self._house.services[service].name
        count = phrases.counted(verdict.numbers) if verdict else "no reports counted yet"
        if incident is None:
            level, doubt = (verdict.level, verdict.doubt) if verdict else ("", "")
            state = "nothing heard" if self._house.board.silent(service) else "normal"
            return (Bold(f"{name}: {level or state}"), f". {count}{f', {doubt}' if doubt else ''}.")
        since: Text = (" since ", When(incident.started_at, "date"), f", {incident.id}")
        return (Bold(f"{name}: {incident.level}"), *since, f". {count}.")

    async def _of_service(self, request: Request) -> Answer:
        service = await self._finder.service(request)
        if service is None:
            return self._finder.no_service(request)
        incident = self._house.board.living(service)
        lines: list[Text] = [self._status_line(service)]
        lines += [(f"{t.name}: no reading: ", Said(t.note)) for t in self._house.board.troubled(service)]
        return Answer(lines=tuple(lines), head=self.head(incident) if incident else None)

    async def _list(self, request: Request) -> Answer:  # noqa: ARG002  # every verb takes the request
        alive = self._house.board.open()
        if not alive:
            return Answer(lines=(("No open incidents.",),))
        return Answer(lines=tuple(self._listed(i) for i in alive))

    def _listed(self, incident: Incident) -> Text:
        acked: Text = (", acknowledged by ", Said(incident.acked_by)) if incident.acked_by else ()
        link = self._house.link(incident.id)
        where = f" {link}" if link else ""
        began: Text = (" since ", When(incident.started_at, "date"))
        part = f", part of {incident.part_of}" if incident.part_of else ""
        known = f", {incident.state}, {incident.id}{part}"
        return (Bold(f"{incident.name}: {incident.level}"), *began, known, *acked, where)

    async def _show(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            return self._finder.no_incident(request)
        entries = await self._house.store.entries(incident.id)
        lines: list[Text] = [(When(e.at), " ", *e.text) for e in entries[-_LINES:]]
        if earlier := len(entries[:-_LINES]):
            lines.insert(0, (f"{earlier} earlier lines stand in the thread.",))
        page = self._house.link(incident.id)
        if page and not incident.alive:
            lines.append((f"Post-mortem draft: {page}/postmortem.md",))
        known = incident.service in self._house.services or bool(incident.members)
        return Answer(lines=tuple(lines), head=self.head(incident) if known else None)

    async def _chart(self, request: Request) -> Answer:
        service = await self._finder.service(request)
        if service is None:
            return self._finder.no_service(request)
        try:
            png = await self._house.draw(service) if self._house.draw else None
        except Retry as why:
            return no((f"The chart could not be drawn just now: {why}.",))
        line = self._status_line(service)
        if png is None:
            return Answer(lines=(line, ("There is no chart of it yet.",)))
        name = self._house.services[service].name
        alt = f"Problem reports of {name} over the last 24 hours against the usual"
        here = Button(verb="share", label="Post here", about=service)
        return Answer(lines=(line,), png=png, alt=alt, buttons=(here,))

    async def _share(self, request: Request) -> Answer:
        answer = await self._chart(request)
        if not answer.png:
            return answer
        asked: Text = ("Asked for by ", Said(request.who.name), ".")
        return replace(answer, lines=(*answer.lines, asked), buttons=(), aloud=True)

    async def _why(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            service = self._house.board.resolve(request.target) if request.target else None
            return self._why_calm(service) if service else self._finder.no_incident(request)
        if incident.members:
            return self._why_together(incident)
        lines: list[Text] = [(Bold(f"{incident.name} is {incident.state} at {incident.level}"), f", {incident.id}.")]
        lines += [_reason(reading) for reading in incident.readings]
        lines.append((f"Evidence: {incident.confidence}. Opened ", *_opened(incident)))
        return Answer(lines=tuple(lines))

    def _why_together(self, group: Incident) -> Answer:
        why = "They broke within minutes of each other, or need the same service. Ask why of each: why <service>."
        living = (self._house.board.living(member.service) for member in group.members)
        lines = [self._listed(one) for one in living if one]
        return Answer(lines=((Bold(f"{group.name} are told together. "), why), *lines))

    def _why_calm(self, service: str) -> Answer:
        verdict = self._house.verdicts.get(service)
        name = self._house.services[service].name
        if verdict is None:
            return Answer(lines=((f"{name}: no reports counted yet.",),))
        holiday = self._house.calendars.get(service, NO_HOLIDAY).on(self._house.clock.now())
        unsure = f"{holiday.effect}. " if holiday and verdict.numbers.usual is not None else ""
        return Answer(lines=((Bold(f"{name}: no incident. "), f"{_counted(verdict)}. {unsure}{verdict.rule}"),))

    async def _help(self, request: Request) -> Answer:
        about = {request.text: VERBS[request.text]} if request.text in VERBS else VERBS
        return Answer(lines=tuple((Bold(verb), f": {what}") for verb, what in about.items()), buttons=_MENU)


def _reason(reading: Reading) -> Text:
    """What a source says; its note may be a stranger's words, our own figures and rules are not."""
    numbers = reading.numbers
    ours = [f"{phrases.counted(numbers)}, evidence {numbers.score:.1f} nats", reading.note] if numbers else []
    said: Text = (Said(reading.note),) if reading.note and not ours else ()
    rule = ". ".join(part for part in (*ours, reading.rule) if part)
    return (Bold(f"{reading.source}: {reading.level or 'calm'}. "), *said, ". " if said and rule else "", rule)


def _counted(verdict: Verdict) -> str:
    return ", ".join(filter(None, (phrases.counted(verdict.numbers), verdict.doubt)))


def _opened(incident: Incident) -> Text:
    if incident.opened_at is None:
        return ("not yet.",)
    return (When(incident.opened_at, "date"), ", began ", *phrases.began(incident), ".")
