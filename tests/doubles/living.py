"""A whole house in a test's hands: real engine, store, intake and desk, and a clock that moves when told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from doubles.chat import RememberingChat
from doubles.clock import ManualClock

from bot.config.read import read
from bot.core.model import Answer, Incident, Person, Request, Text
from bot.core.phrases import plain
from bot.house import House
from bot.ports import Place

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANNA = Person(chat="slack", id="T1:U1", name="Anna")
BEN = Person(chat="disco", id="42", name="Ben")
CONFIG = """\
channels:
  wall: {chat: page}
  ops: {chat: page}
levels:
  minor: {reports: 10}
  major: {reports: 50}
policy: {confirm_for: 0s, quiet_for: 5m, reopen_for: 1h}
services:
  twitter: {name: Twitter, aliases: [x]}
  cloud: {name: Google Cloud, aliases: [gcp]}
  calm: {name: Calm}
"""


class Living:
    """`folder` None keeps everything in memory; two houses on one folder, one after the other, are a restart."""

    def __init__(self, path: Path, folder: Path | None = None, now: datetime = NOON) -> None:
        file = path / "config.yaml"
        file.write_text(CONFIG)
        self.clock = ManualClock(now)
        self.house = House(read(file, {}), self.clock, folder)
        self.desk = self.house.desk
        self.chat = RememberingChat()
        self._people = 0

    async def __aenter__(self) -> Self:
        await self.house.wake()
        self.desk.reach(
            {name: (self.chat, Place(name=name, chat="page", address=name)) for name in ("wall", "ops")}, None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.house.aclose()

    async def beat(self, minutes: int = 1, reports: int = 0, service: str = "twitter") -> None:
        """So many minutes, with so many people's reports in each."""
        for _ in range(minutes):
            self._people += reports
            people = range(self._people - reports, self._people)
            await self.house.intake.admit([{"service": service, "reporter": f"p{n}"} for n in people], "test")
            await self.clock.advance(60)
            await self.house.engine.beat(self.clock.now())

    async def broken(self, service: str = "twitter") -> Incident:
        """An open incident of a service."""
        await self.beat(3, reports=12, service=service)
        found = self.house.board.living(service)
        assert found is not None
        return found

    def incident(self, service: str = "twitter") -> Incident:
        """The latest incident of a service."""
        found = self.house.engine.cases[service].incident
        assert found is not None
        return found

    async def say(self, words: str, who: Person = ANNA, **more: str) -> Answer:
        """Words after /incident."""
        return await self.desk.answer(Request(verb="", who=who, text=words, **more))

    async def press(self, verb: str, who: Person = ANNA, **more: str) -> Answer:
        """A button, or a form that was sent."""
        return await self.desk.answer(Request(verb=verb, who=who, **more))

    def form(self, words: str, **more: str):
        """The form that words after /incident lead to."""
        return self.desk.form(Request(verb="", who=ANNA, text=words, **more))

    async def timeline(self, service: str = "twitter") -> list[str]:
        """The lines of the latest incident."""
        return [plain(entry.text) for entry in await self.house.store.entries(self.incident(service).id)]


def said(answer: Answer) -> str:
    """An answer as plain words."""
    return "\n".join(plain(line) for line in answer.lines)


def words(lines: tuple[Text, ...]) -> str:
    """Texts as plain words."""
    return "\n".join(plain(line) for line in lines)
