"""People: a command, a button or a form becomes an event and an answer, whichever chat or page it came from.

Reads answer from what is in memory; writes leave a line in the thread. What a person typed never raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from msgspec.structs import replace

from bot.core import wording
from bot.core.heading import head
from bot.core.model import Acted, Answer, Bold, Button, Incident, Numbers, Request, Said, Service, Source, Text, When
from bot.core.places import COUNTRIES, PLATFORMS, SYMPTOMS, label
from bot.core.places import platform as platform_of
from bot.core.places import region as region_of
from bot.core.places import symptom as symptom_of
from bot.core.speech import VERBS, meant, understood
from bot.detectors.surge import Verdict
from bot.ports import Clock, Intake, Retry, Store

_MOST = 25
_PATIENCE = 10.0
_MENU = (
    Button(verb="status", label="What is wrong now?", style="primary"),
    Button(verb="list", label="Open incidents"),
    Button(verb="report", label="Report a problem"),
    Button(verb="help", label="Help"),
)


class Rooms(Protocol):
    """What the desk reads of the board."""

    def status(self) -> dict[str, Any]:
        """Every service, worst first."""
        ...

    def living(self, service: str) -> Incident | None:
        """The open incident of a service."""
        ...

    def open(self) -> list[Incident]:
        """All open incidents, worst first."""
        ...

    def troubled(self, service: str) -> Sequence[Source]:
        """Watches that give no reading."""
        ...

    def resolve(self, words: str) -> str | None:
        """The service a person means."""
        ...

    def nearest(self, words: str) -> str:
        """The service spelt most alike."""
        ...


class Desk:
    """Answers people."""

    def __init__(
        self,
        *,
        services: Mapping[str, Service],
        verdicts: Mapping[str, Verdict],
        board: Rooms,
        store: Store,
        intake: Intake,
        clock: Clock,
        act: Callable[[str, Acted], Awaitable[tuple[str, Incident | None]]],
        link: Callable[[str], str],
    ) -> None:
        self._services = services
        self._verdicts = verdicts
        self._board = board
        self._store = store
        self._intake = intake
        self._clock = clock
        self._act = act
        self._link = link
        self._verbs: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            "status": self._status,
            "list": self._list,
            "show": self._show,
            "why": self._why,
            "ack": self._hand,
            "resolve": self._hand,
            "note": self._note,
            "mute": self._mute,
            "false-alarm": self._hand,
            "report": self._report,
            "help": self._help,
        }

    async def answer(self, request: Request) -> Answer:
        """Do what was asked, or say what to do instead."""
        asked = understood(request, self._board.resolve)
        verb = self._verbs.get(asked.verb)
        if verb is None:
            near = meant(asked.verb)
            hint = f" Did you mean {near}?" if near else " Try help."
            return _no(("I do not know ", Said(asked.verb), f".{hint}"))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await verb(asked)
        except TimeoutError:
            return _no(("The store is busy: it may still happen. Look at the thread, and ask again in a minute.",))
        except Retry as why:
            return _no((f"That could not be kept just now: {why}. Try again in a minute.",))

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        """Up to 25 completions, those that begin alike first."""
        wanted = typed.casefold()
        options = self._options(what)
        hits = [o for o in options if wanted in o[0].casefold() or wanted in o[1].casefold()]
        hits.sort(key=lambda o: not (o[0].casefold().startswith(wanted) or o[1].casefold().startswith(wanted)))
        return hits[:_MOST]

    def _options(self, what: str) -> list[tuple[str, str]]:
        if what == "service":
            return [(s.id, s.name) for s in self._services.values()]
        if what == "incident":
            return [(i.id, f"{i.name}: {i.level}") for i in self._board.open()]
        codes = {"symptom": SYMPTOMS, "platform": PLATFORMS, "region": COUNTRIES}.get(what, ())
        return [(code, label(code)) for code in codes]

    # Reads

    async def _status(self, request: Request) -> Answer:
        if request.target:
            return await self._of_service(request)
        rows = self._board.status()["services"]
        wrong = [row for row in rows if row["level"]]
        lines: list[Text] = [self._status_line(row["id"]) for row in wrong]
        calm = len(rows) - len(wrong)
        lines.append((f"{calm} {'service looks' if calm == 1 else 'services look'} normal.",))
        lines += [
            (Bold(f"{s.name}: "), f"no reading from {t.name}: ", Said(t.note))
            for s in self._services.values()
            for t in self._board.troubled(s.id)
        ][:5]
        return Answer(lines=tuple(lines))

    def _status_line(self, service: str) -> Text:
        verdict, incident = self._verdicts.get(service), self._board.living(service)
        name = self._services[service].name
        count = wording.counted(verdict.numbers) if verdict else "no reports counted yet"
        if incident is None:
            level = verdict.level if verdict else ""
            return (Bold(f"{name}: {level or 'normal'}"), f". {count}.")
        since: Text = (" since ", When(incident.started_at, "date"), f", {incident.id}")
        return (Bold(f"{name}: {incident.level}"), *since, f". {count}.")

    async def _of_service(self, request: Request) -> Answer:
        service = self._board.resolve(request.target)
        if service is None:
            return self._unknown(request.target)
        incident = self._board.living(service)
        lines: list[Text] = [self._status_line(service)]
        lines += [(f"{t.name}: no reading: ", Said(t.note)) for t in self._board.troubled(service)]
        if incident is None:
            return Answer(lines=tuple(lines))
        return Answer(lines=tuple(lines), head=self._head(incident))

    def _head(self, incident: Incident) -> Any:
        policy = self._services[incident.service].policy
        return head(incident, policy, link=self._link(incident.id), troubled=self._board.troubled(incident.service))

    async def _list(self, request: Request) -> Answer:  # noqa: ARG002  # every verb takes the request
        alive = self._board.open()
        if not alive:
            return Answer(lines=(("No open incidents.",),))
        return Answer(lines=tuple(self._listed(i) for i in alive))

    def _listed(self, incident: Incident) -> Text:
        acked: Text = (", acknowledged by ", Said(incident.acked_by)) if incident.acked_by else ()
        link = self._link(incident.id)
        where = f" {link}" if link else ""
        began: Text = (" since ", When(incident.started_at, "date"))
        return (Bold(f"{incident.name}: {incident.level}"), *began, f", {incident.state}, {incident.id}", *acked, where)

    async def _show(self, request: Request) -> Answer:
        incident = await self._incident(request)
        if incident is None:
            return self._no_incident(request)
        entries = await self._store.entries(incident.id)
        lines = tuple((When(e.at), " ", *e.text) for e in entries[-15:])
        return Answer(lines=lines, head=self._head(incident))

    async def _why(self, request: Request) -> Answer:
        incident = await self._incident(request)
        if incident is None:
            service = self._board.resolve(request.target) if request.target else None
            return self._why_calm(service) if service else self._no_incident(request)
        lines: list[Text] = [(Bold(f"{incident.name} is {incident.state} at {incident.level}"), f", {incident.id}.")]
        lines += [_reason(reading.source, reading.level, self._explained(reading)) for reading in incident.readings]
        lines.append((f"Evidence: {incident.confidence}. Opened ", *_opened(incident)))
        return Answer(lines=tuple(lines))

    def _explained(self, reading: Any) -> str:
        counted = (
            f"{wording.counted(reading.numbers)}, evidence {reading.numbers.score:.1f} nats" if reading.numbers else ""
        )
        return ". ".join(part for part in (counted, reading.note if not counted else "", reading.rule) if part)

    def _why_calm(self, service: str) -> Answer:
        verdict = self._verdicts.get(service)
        name = self._services[service].name
        if verdict is None:
            return Answer(lines=((f"{name}: no reports counted yet.",),))
        return Answer(lines=((Bold(f"{name}: no incident. "), f"{wording.counted(verdict.numbers)}. {verdict.rule}"),))

    async def _help(self, request: Request) -> Answer:  # noqa: ARG002  # every verb takes the request
        lines: list[Text] = [(Bold(verb), f": {what}") for verb, what in VERBS.items()]
        return Answer(lines=tuple(lines), buttons=_MENU)

    # Writes

    async def _note(self, request: Request) -> Answer:
        if not request.text.strip():
            return _no(("A note needs words: note <what you saw>.",))
        return await self._hand(request)

    async def _mute(self, request: Request) -> Answer:
        return await self._hand(request, until=timedelta(hours=1))

    async def _hand(self, request: Request, until: timedelta | None = None) -> Answer:
        incident = await self._incident(request)
        if incident is None:
            return self._no_incident(request)
        now = self._clock.now()
        acted = Acted(
            at=now,
            verb=request.verb,
            who=request.who.name,
            where=request.who.chat,
            text=request.text.strip(),
            until=now + until if until else None,
        )
        if self._latest(incident):
            return _no((f"{incident.id} is past; {self._latest(incident)} is the latest of {incident.name}.",))
        no, after = await self._act(incident.service, acted)
        return _no((no,)) if no else self._done(request.verb, after or incident)

    def _latest(self, incident: Incident) -> str:
        """The id of a newer living incident of the same service, when the one meant is an old one."""
        living = self._board.living(incident.service)
        return living.id if living and living.id != incident.id else ""

    def _done(self, verb: str, incident: Incident) -> Answer:
        did = {"ack": "Acknowledged", "resolve": "Resolved", "note": "Noted", "mute": "Muted for an hour"}
        return Answer(lines=((f"{did.get(verb, 'Done')}: {incident.name}, {incident.id}.",),))

    async def _report(self, request: Request) -> Answer:
        service = await self._reported(request)
        if service is None:
            return self._unknown(request.target) if request.target else _no(("Report what? report <service>.",))
        receipt = await self._intake.admit((self._told(request, service),), request.who.chat)
        if receipt.rejected:
            return _no((receipt.rejected[0][1],))
        thanks = "Thank you, counted. " if receipt.accepted else "Counted already: one person is one voice. "
        return Answer(lines=((thanks, self._others(service)),))

    async def _reported(self, request: Request) -> str | None:
        if request.target:
            return self._board.resolve(request.target)
        incident = await self._incident(request)
        return incident.service if incident else None

    def _told(self, request: Request, service: str) -> dict[str, Any]:
        """The report as intake takes it; what the words give away of symptom, platform and place is used."""
        words = request.text.strip()
        told = {
            "service": service,
            "reporter": f"{request.who.chat}:{request.who.id}",
            "symptom": request.symptom or symptom_of(words),
            "platform": request.platform or platform_of(words),
            "region": request.region or region_of(words),
            "text": words,
        }
        return {name: value for name, value in told.items() if value}

    def _others(self, service: str) -> str:
        verdict = self._verdicts.get(service)
        name = self._services[service].name
        if verdict is None:
            return f"You are the first to report {name}."
        others: Numbers = replace(verdict.numbers, times=None)
        return f"{name}: {wording.counted(others)} so far."

    # Finding what is meant

    async def _incident(self, request: Request) -> Incident | None:
        """The incident meant: by id, by the thread or button, by its service, or the only one there is."""
        named = request.target or request.incident
        if named:
            found = await self._store.incident(named)
            service = found.service if found else self._board.resolve(named)
            living = self._board.living(service) if service else None
            return living if living and (found is None or living.id == found.id) else found
        alive = self._board.open()
        return alive[0] if len(alive) == 1 else None

    def _unknown(self, words: str) -> Answer:
        near = self._board.nearest(words)
        hint = f" Did you mean {near}?" if near else " Status lists the services I watch."
        return _no(("I watch no service called ", Said(words), f".{hint}"))

    def _no_incident(self, request: Request) -> Answer:
        alive = self._board.open()
        if request.target or not alive:
            return _no(("There is no open incident", *((" of ", Said(request.target)) if request.target else ()), "."))
        names: Text = tuple(f" {i.id}" for i in alive[:10])
        return _no((f"Which one? {request.verb} <id>, or use it in the incident's thread. Open:", *names))


def _no(line: Text) -> Answer:
    return Answer(lines=(line,), ok=False)


def _reason(source: str, level: str, words: str) -> Text:
    return (Bold(f"{source}: {level or 'calm'}. "), Said(words) if words else "")


def _opened(incident: Incident) -> Text:
    if incident.opened_at is None:
        return ("not yet.",)
    return (When(incident.opened_at, "date"), ", began about ", When(incident.started_at), ".")
