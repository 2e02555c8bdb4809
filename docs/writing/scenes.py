"""The story of 4 November 2022 once more, stopped where there is something to look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import structs

from bot.app import House
from bot.commands.past import Life, StoryClock
from bot.commands.replay import bare_settings
from bot.commands.story import dressed, look_at_pages, read_scenario, teach, told
from bot.core import chart, delivery
from bot.core.model import Answer, Form, Head, Health, Incident, Line, Notice, Person, Request, Signal
from bot.core.scenario import usual

_PAGE = "https://status.example.org"
_ANNA = Person(chat="slack", id="U1", name="Anna")
_BEN = Person(chat="community", id="42", name="Ben")
_MENTION = "@on-call"
_STRANGER = "log-in fails, see https://evil.example/fix @everyone <!channel> *now*"


@dataclass(kw_only=True)
class Scene:
    """One message, with what it stands for and when it is looked at; `chart` is an SVG where a picture goes with it."""

    name: str
    at: datetime
    what: Head | Line | Answer | Form
    chart: str = ""


@dataclass
class Scenes:
    """All of them, in the groups in which they are shown."""

    heads: list[Scene] = field(default_factory=list)
    lines: list[Scene] = field(default_factory=list)
    answers: list[Scene] = field(default_factory=list)
    forms: list[Scene] = field(default_factory=list)


async def played(scenario: Path) -> Scenes:
    """Play the day, with two people in the chats, and keep what they see."""
    story = read_scenario(scenario)
    settings = dressed(bare_settings(story.services), story)
    settings = replace(settings, web=replace(settings.web, public_url=_PAGE))
    clock = StoryClock(story.midnight - timedelta(days=1))
    house = House(settings, clock, None)
    try:
        past = usual(story)
        teach(house, story, past, lambda _share: None)
        await house.wake()
        stage = _Stage(house, clock, story.midnight)
        life = Life(house, clock, before=stage.before, closed=stage.look)
        await life.through(a for a in told(story, past).arrivals() if a.at <= stage.at("10:40"))
        await life.until(stage.at("10:40"))
        return stage.scenes
    finally:
        await house.aclose()


class _Stage:
    """What people do and look at, by the minute."""

    def __init__(self, house: House, clock: StoryClock, midnight: datetime) -> None:
        self.scenes = Scenes()
        self._house = house
        self._clock = clock
        self._midnight = midnight
        self._heard: dict[str, int] = {}
        self._due: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("03:10", lambda: self._head("Opened")),
            ("03:30", self._look_around),
            ("07:01", lambda: self._head("Worse")),
            ("07:10", lambda: self._head("At its worst, nobody has it yet")),
            ("07:12", self._act),
            ("07:14", lambda: self._head("Acknowledged and muted")),
            ("07:20", self._declare),
            ("07:35", self._vendor_speaks),
            ("07:36", self._questions),
            ("10:01", lambda: self._head("Calm, not yet trusted")),
            ("10:16", lambda: self._head("Over")),
            ("10:20", self._afterwards),
        ]

    def at(self, clock: str) -> datetime:
        """A time of the day."""
        hours, minutes = clock.split(":")
        return self._midnight + timedelta(hours=int(hours), minutes=int(minutes))

    async def look(self, began: datetime) -> None:
        """Look at the vendors' pages, unless one spoke of trouble lately, and at the threads."""
        if not self.at("07:30") <= began < self.at("09:00"):
            await look_at_pages(self._house, self._clock.at)
        await self._listen()

    async def before(self, at: datetime) -> None:
        """Do all that is due before a moment."""
        while self._due and self.at(self._due[0][0]) <= at:
            when, act = self._due.pop(0)
            self._clock.at = max(self._clock.at, self.at(when))
            await act()

    # Messages of an incident

    def _incident(self, service: str = "twitter") -> Incident:
        found = self._house.engine.cases[service].incident
        if found is None:
            raise LookupError(f"the story has no incident of {service} at {self._clock.at}")
        return found

    async def _head(self, name: str, service: str = "twitter") -> None:
        incident = self._incident(service)
        head = await self._house.board.head(incident.id)
        picture = await self._house.board.picture_of(incident.id)
        if head is not None:
            drawn = chart.svg(picture) if picture else ""
            self.scenes.heads.append(Scene(name=name, at=self._clock.at, what=head, chart=drawn))

    async def _listen(self) -> None:
        """Take in the lines that are new in the threads."""
        for service, case in self._house.engine.cases.items():
            incident, policy = case.incident, self._house.services[service].policy
            if incident is None:
                continue
            for entry in await self._house.store.entries(incident.id, self._heard.get(incident.id, 0)):
                line = delivery.line([entry], incident, policy)
                line = structs.replace(line, mention=_MENTION if line.calls and line.level == "critical" else "")
                name = f"{policy.name}, {entry.at:%H:%M}: {entry.kind.value}"
                self.scenes.lines.append(Scene(name=name, at=entry.at, what=line))
                self._heard[incident.id] = entry.seq

    # What people do

    async def _say(self, words: str, who: Person = _ANNA, incident: str = "") -> Answer:
        return await self._house.desk.answer(Request(verb="", who=who, text=words, incident=incident))

    async def _ask(self, words: str, who: Person = _ANNA, incident: str = "") -> None:
        answer = await self._say(words, who, incident)
        self.scenes.answers.append(Scene(name=f"/incident {words}", at=self._clock.at, what=answer))

    def _form(self, **request: str) -> None:
        form = self._house.desk.form(Request(who=_ANNA, **request))
        if form is not None:
            self.scenes.forms.append(Scene(name=f"/incident {request['verb']}", at=self._clock.at, what=form))

    async def _look_around(self) -> None:
        await self._ask("status")
        await self._ask("report twitter", _BEN)
        await self._ask("why twitter")

    async def _act(self) -> None:
        incident = self._incident().id
        self._form(verb="mute", incident=incident)
        self._form(verb="resolve", incident=incident)
        self._form(verb="report")
        self._form(verb="declare")
        await self._say("ack", incident=incident)
        await self._say(f"note {_STRANGER}", _BEN, incident)
        await self._ask("mute 2h the team knows", incident=incident)

    async def _declare(self) -> None:
        await self._say("declare github major pushes hang", _BEN)
        await self._head("Declared by a person", "github")

    async def _vendor_speaks(self) -> None:
        now = self._clock.at
        notice = Notice(
            key="1",
            title="Degraded performance for Git operations",
            phase="investigating",
            impact=Health.MAJOR_OUTAGE,
            started_at=now,
            updated_at=now,
            words="We are looking into reports of slow pushes.",
        )
        await self._house.engine.hear("github", "page", Signal(at=now, health=Health.MAJOR_OUTAGE, notices=(notice,)))
        await self._head("The vendor's page agrees", "github")

    async def _questions(self) -> None:
        await self._ask("list")
        await self._ask("show github")
        await self._ask("ack nothing-20221104-0000")
        await self._ask("help")

    async def _afterwards(self) -> None:
        await self._say("real", incident=self._incident().id)
        await self._head("Judged afterwards")
        await self._listen()


def groups(scenes: Scenes) -> Sequence[tuple[str, str, Sequence[Scene]]]:
    """The groups with the names of their files and their titles."""
    return (
        ("heads", "The head of an incident", scenes.heads),
        ("thread", "The lines of a thread", scenes.lines),
        ("answers", "Answers only the asker sees", scenes.answers),
        ("forms", "Forms", scenes.forms),
    )
