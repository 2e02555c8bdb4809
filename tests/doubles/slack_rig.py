"""What the Slack tests share: a head, clocks that hurry, a desk that remembers, and the chat against its double."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from doubles.served import serving
from doubles.slack import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackDouble

from bot.chats.slack import SlackConnection
from bot.core.model import Answer, Bold, Button, Fact, Field, Form, Head, Line, Request, Said, Source, When
from bot.fields import Secret
from bot.ports import Chat, Place

AT = datetime(2022, 11, 4, 7, 5, tzinfo=UTC)
PLACE = Place(name="ops", chat="slack", address="C1", mention={"critical": "<!subteam^S1>"})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


def head(rev: int = 1, **more: Any) -> Head:
    """A head with everything on it."""
    given: dict[str, Any] = {
        "incident": "INC-42",
        "service": "twitter",
        "rev": rev,
        "tone": "major",
        "state": "open",
        "level": "major",
        "push": "Major - Twitter: many more problem reports than usual",
        "title": "Twitter: many more problem reports than usual",
        "sentence": ("People in ", Bold("Germany"), " cannot log in since ", When(AT), "."),
        "facts": (Fact(label="Reports", value=(f"{300 + rev} in 15 min, usually 6",)),),
        "sources": (
            Source(name="People", word="major", tone="major", since=AT),
            Source(name="Official page", word="operational", tone="calm", note="All Systems Operational"),
        ),
        "foot": ("rule twitter.reports, first said by ", Said("somebody")),
        "buttons": (
            Button(verb="ack", label="Acknowledge", style="primary"),
            Button(verb="report", label="I see it too"),
            Button(verb="why", label="Why?"),
            Button(verb="resolve", label="Resolve", style="danger"),
        ),
        "alt": "Reports over a day, a spike at 07:00",
        "link": "https://status.example.org/incident/INC-42",
    }
    return Head(**given | more)


def line(seq: int = 1, *words: Any, loud: bool = False, level: str = "major") -> Line:
    """A reply; its words are `entry <seq>` unless given."""
    return Line(seq=seq, text=words or (f"entry {seq}",), tone="major", level=level, loud=loud)


class Leap:
    """A clock whose sleeps are over at once, though the time has passed. Starts at the real present."""

    def __init__(self) -> None:
        self.slept = 0.0
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.slept)

    def monotonic(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


class Hurry:
    """A clock that runs many times faster than the wall: for what waits on real sockets meanwhile."""

    def __init__(self, speed: float = 40.0) -> None:
        self.speed = speed

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


NOTE = Form(
    verb="note",
    title="Add a note: Twitter",
    submit="Add",
    fields=(Field(name="text", label="What should the thread know?", needed=True),),
    incident="INC-42",
)
RESOLVE = Form(
    verb="resolve",
    title="Resolve: Twitter",
    submit="Resolve",
    fields=(Field(name="text", label="What was it?", value="rolled back"),),
    about=(("Closes INC-42, by ", Said("<!channel>"), "."),),
    incident="INC-42",
)
REPORT = Form(
    verb="report",
    title="Report a problem",
    submit="Report",
    fields=(
        Field(name="target", label="What?", options=(("twitter", "Twitter"), ("github", "GitHub")), needed=True),
        Field(name="symptom", label="What do you see?", options=(("login", "Log-in fails"), ("errors", "Errors"))),
        Field(name="platform", label="Where?", options=(("web", "Web site"),), value="web"),
    ),
)


class DeskDouble:
    """Answers everything, remembers what was asked, and waits at `gate` when a test closes it; `forms` come first."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.reply = Answer(lines=(("Noted.",),))
        self.fails: Exception | None = None
        self.forms: dict[str, Form] = {}

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        await self.gate.wait()
        if self.fails:
            raise self.fails
        return self.reply

    def form(self, request: Request) -> Form | None:
        return self.forms.get(request.verb or request.text.partition(" ")[0])

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        options = {
            "service": (("twitter", "Twitter"), ("github", "GitHub")),
            "symptom": (("login", "Log-in fails"), ("errors", "Error messages")),
            "platform": (("web", "Web site"),),
        }
        return [(value, label) for value, label in options.get(what, ()) if typed in value]


@contextlib.asynccontextmanager
async def connected(slack: SlackDouble, clock: Any, **config: Any) -> AsyncIterator[Chat]:
    """A chat as the config makes it, on the double."""
    tokens = {"bot_token": Secret(BOT_TOKEN), "app_token": Secret(APP_TOKEN)}
    connection = SlackConnection(kind="slack", api_url=slack.url.rstrip("/"), **tokens | config)
    chat = connection.connect("slack", clock)
    try:
        yield chat
    finally:
        await chat.aclose()


@contextlib.asynccontextmanager
async def listening(slack: SlackDouble, desk: DeskDouble, **config: Any) -> AsyncIterator[Chat]:
    """A chat that hears what people do."""
    async with connected(slack, Hurry(), **config) as chat:
        run = asyncio.create_task(chat.run(desk, [PLACE]))
        try:
            await until(lambda: any(not ws.closed for ws in slack.sockets))
            yield chat
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


@contextlib.asynccontextmanager
async def called(slack: SlackDouble, desk: DeskDouble, **config: Any) -> AsyncIterator[Chat]:
    """A chat that Slack calls, behind the real site."""
    given = {"app_token": None, "signing_secret": Secret(SIGNING_SECRET)}
    async with (
        connected(slack, Hurry(), **given | config) as chat,
        serving(call=lambda _name, letter: chat.called(letter), clock=Hurry()) as served,
    ):
        run = asyncio.create_task(chat.run(desk, [PLACE]))
        try:
            await asyncio.sleep(0.01)
            await slack.point_at(f"{served.url}/chats/slack")
            yield chat
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for what happens on real sockets, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  what is waited for has no event to hang on
            await asyncio.sleep(0.005)
