"""What the desk may ask of the rest of the house."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.core.holidays import Calendar
from bot.core.model import Acted, Answer, Incident, Request, Route, Service, Source, Text
from bot.core.planned import Window
from bot.core.trust import Trust
from bot.detectors.levels import Rule
from bot.detectors.verdict import Verdict
from bot.ports import Chat, Clock, Forgetting, Intake, Place, Store

Verb = Callable[[Request], Awaitable[Answer]]


class Board(Protocol):
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

    def silent(self, service: str) -> bool:
        """True while its reports are missing in a way that chance cannot explain."""
        ...

    def resolve(self, words: str) -> str | None:
        """The service a person means."""
        ...

    def nearest(self, words: str) -> str:
        """The service spelt most alike."""
        ...


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the settings came from, when they were read, and why a later reading failed (empty: it did not)."""

    path: str
    read_at: datetime
    trouble: str = ""


async def unmoved(_service: str) -> None:
    """Nothing has to be spread."""


@dataclass(kw_only=True)
class Rooms:
    """The rooms, and the functions that lead to those the desk must not know.

    `act` does a person's act, `plan` puts windows of planned work over a service, `changed` wakes whoever tells of it.
    `route` gives a service its routes and `spread` has those heard of what is open; `channels` are the configured ones, and
    `calling` the chats in which people can be called. `groups` are the living groups of several incidents; what is done to members `at_once` is told in one line. `chats` and
    `draw` come once the doors are open: a place of each channel with its chat, and the chart of a service.
    `marks` answers what stands for a person whose name is not kept, the present mark first, `unmarked` when that changes.
    """

    services: Mapping[str, Service]
    verdicts: Mapping[str, Verdict]
    board: Board
    store: Store
    intake: Intake
    forgetting: Forgetting
    clock: Clock
    act: Callable[[str, Acted], Awaitable[tuple[str, Incident | None]]]
    link: Callable[[str], str]
    plan: Callable[[str, Sequence[Window]], None] = lambda _service, _windows: None
    changed: Callable[[str], None] = lambda _service: None
    rules: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    origin: Callable[[], Origin | None] = lambda: None
    marks: Callable[[str], Sequence[str]] = lambda identity: (identity,)
    unmarked: Callable[[], datetime | None] = lambda: None
    trust: Callable[[], Trust] = Trust
    chats: Mapping[str, tuple[Chat, Place]] = field(default_factory=dict)
    draw: Callable[[str], Awaitable[bytes | None]] | None = None
    route: Callable[[str, Sequence[Route]], None] = lambda _service, _routes: None
    spread: Callable[[str], Awaitable[None]] = unmoved
    channels: Callable[[], Collection[str]] = tuple
    calling: Callable[[], Collection[str]] = tuple
    groups: Callable[[], Sequence[Incident]] = tuple
    at_once: Callable[[datetime], AbstractAsyncContextManager[None]] = lambda _at: nullcontext()


def no(line: Text) -> Answer:
    """Nothing was changed, and why."""
    return Answer(lines=(line,), ok=False)


def yes(*lines: Text) -> Answer:
    """It was done."""
    return Answer(lines=lines)
