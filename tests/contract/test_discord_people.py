"""What people do in Discord, through the real gateway client against the double: commands, buttons, forms, bad links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from doubles.clock import ManualClock
from doubles.discord_double import CHANNEL, PERSON, TOKEN, DiscordDouble, Interaction
from pydantic import ValidationError

from bot.chats.discord import DiscordChat, DiscordConnection
from bot.chats.discord_commands import commands, differ
from bot.chats.discord_gateway import Identifies
from bot.core.model import Answer, Button, Head, Person, Request, Said
from bot.fields import Secret
from bot.ports import Place, Retry

PLACE = Place(name="community", chat="disco", address=CHANNEL)
ADA = Person(chat="disco", id=PERSON, name="Ada")
HEAD = Head(
    incident="twitter-1",
    service="twitter",
    rev=1,
    tone="major",
    state="open",
    level="major",
    push="Major - Twitter",
    title="Twitter: trouble",
    sentence=("One kind of evidence so far.",),
    buttons=(Button(verb="ack", label="Acknowledge"), Button(verb="resolve", label="Resolve", style="danger")),
)


class SlowDesk:
    """Remembers what it was asked, and answers only when let."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.let = asyncio.Event()
        self.let.set()
        self.answering: Answer | Exception = Answer(lines=(("Twitter: ", Said("@everyone **down**")),))

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        await self.let.wait()
        if isinstance(self.answering, Exception):
            raise self.answering
        return self.answering

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        return [(f"{what}-{n}", f"{typed} {n} " + "x" * 200) for n in range(40)]


@pytest.fixture
async def double() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble() as double:
        yield double


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def desk() -> SlowDesk:
    return SlowDesk()


def connected(double: DiscordDouble, clock: ManualClock, *, token: str = TOKEN) -> DiscordChat:
    config = DiscordConnection(
        kind="discord", token=Secret(token), guild=["123"], api_url=double.url, gateway_url=double.gateway_url
    )
    chat = config.connect("disco", clock)
    assert isinstance(chat, DiscordChat)
    return chat


@pytest.fixture
async def chat(double: DiscordDouble, clock: ManualClock, desk: SlowDesk) -> AsyncIterator[DiscordChat]:
    """A chat with its gateway up."""
    chat = connected(double, clock)
    running = asyncio.create_task(chat.run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    yield chat
    await stopped(running)
    await chat.aclose()


async def stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def within(waiting: object, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        await waiting  # type: ignore[misc]


async def until(happened: Callable[[], object]) -> None:
    for _ in range(500):
        if happened():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never happened")


def words(deed: Interaction) -> str:
    return str(deed.original["embeds"][0]["description"])


async def test_a_command_is_acknowledged_within_a_second_however_slow_the_desk_is(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.let.clear()
    deed = await double.command("incident", "status", service="twitter")
    await within(deed.responded.wait())
    assert deed.took < 1.0
    assert (deed.kind, deed.data["flags"]) == (5, 64)
    assert not deed.edited.is_set()
    desk.let.set()
    await within(deed.edited.wait())
    assert words(deed) == "Twitter: @\u200beveryone \\*\\*down\\*\\*"
    assert desk.asked == [Request(verb="status", who=ADA, target="twitter", channel="community")]
    assert double.pings == []
    assert double.unguarded == []


async def test_every_option_reaches_the_desk(double: DiscordDouble, chat: DiscordChat, desk: SlowDesk) -> None:
    said = {"symptom": "login", "region": "DE", "platform": "web", "text": "no log-in"}
    await within((await double.command("report", service="twitter", **said)).edited.wait())
    assert desk.asked == [Request(verb="report", who=ADA, target="twitter", channel="community", **said)]


async def test_a_command_in_a_thread_is_about_its_incident_even_after_a_restart(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    before = connected(double, clock)
    ref = await before.open(PLACE, "k/open", HEAD, None, None)
    await before.aclose()
    after = connected(double, clock)
    running = asyncio.create_task(after.run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    deed = await double.command("incident", "ack", channel=ref.partition(":")[2])
    await within(deed.edited.wait())
    assert desk.asked == [Request(verb="ack", who=ADA, incident="twitter-1", channel="community")]
    await stopped(running)
    await after.aclose()


async def test_what_is_being_typed_is_completed_within_discords_limits(
    double: DiscordDouble, chat: DiscordChat
) -> None:
    deed = await double.command("incident", "report", focus="symptom", service="twitter", symptom="lo")
    await within(deed.responded.wait())
    choices = deed.data["choices"]
    assert len(choices) == 25
    assert choices[3]["value"] == "symptom-3"
    assert choices[3]["name"].startswith("lo 3 x")


async def test_a_button_works_after_a_restart_by_its_id_alone(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk, clock: ManualClock
) -> None:
    before = connected(double, clock)
    ref = await before.open(PLACE, "k/open", HEAD, None, None)
    await before.aclose()
    [row] = double.said()[0]["components"]
    assert [b["custom_id"] for b in row["components"]] == ["ack:twitter-1", "resolve:twitter-1"]
    deed = await double.press("ack:twitter-1", ref.partition(":")[2])
    await within(deed.edited.wait())
    assert deed.took < 1.0
    assert desk.asked == [Request(verb="ack", who=ADA, incident="twitter-1", channel="community")]


async def test_resolve_asks_how_it_ended_and_then_does_it(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    deed = await double.press("resolve:twitter-1", ref.partition(":")[2])
    await within(deed.responded.wait())
    assert deed.kind == 9
    assert desk.asked == []
    sent = await double.submit(deed.data["custom_id"], "the vendor rolled back")
    await within(sent.edited.wait())
    done = Request(verb="resolve", who=ADA, incident="twitter-1", text="the vendor rolled back", channel="community")
    assert desk.asked == [done]


async def test_a_note_without_words_asks_for_them_and_one_with_words_does_not(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    thread = ref.partition(":")[2]
    asked = await double.command("incident", "note", channel=thread)
    await within(asked.responded.wait())
    assert asked.kind == 9
    sent = await double.submit(asked.data["custom_id"], "looking at it", channel=thread)
    await within(sent.edited.wait())
    said = await double.command("incident", "note", channel=CHANNEL, text="seen", incident="twitter-1")
    await within(said.edited.wait())
    assert [(r.incident or r.target, r.text) for r in desk.asked] == [
        ("twitter-1", "looking at it"),
        ("twitter-1", "seen"),
    ]


async def test_an_answer_with_a_head_shows_it_with_its_buttons(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.answering = Answer(lines=(), head=HEAD)
    deed = await double.command("incident", "show", incident="twitter-1")
    await within(deed.edited.wait())
    assert deed.original["embeds"][-1]["title"] == HEAD.title
    assert deed.original["components"][0]["components"][0]["custom_id"] == "ack:twitter-1"


async def test_a_desk_that_fails_still_answers_the_person(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.answering = Retry("the disk is full")
    deed = await double.command("incident", "list")
    await within(deed.edited.wait())
    assert "nothing was done" in words(deed)
    assert "disk" not in words(deed)


async def test_commands_are_offered_once_and_again_only_when_they_change(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, desk: SlowDesk
) -> None:
    [root, *short] = double.commands
    assert [o["name"] for o in root["options"]] == [
        "status",
        "list",
        "show",
        "why",
        "ack",
        "resolve",
        "note",
        "report",
        "help",
    ]
    assert [c["name"] for c in short] == ["status", "report"]
    ready = len(double.calls["commands.get"])
    other = asyncio.create_task(connected(double, clock).run(desk, [PLACE]))
    await until(lambda: len(double.calls["commands.get"]) > ready)
    await stopped(other)
    assert len(double.calls["commands.put"]) == 1
    assert differ(commands(short=False), double.commands)
    assert not differ(commands(short=True), double.commands)


async def test_a_server_that_forbids_commands_still_has_a_gateway(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    double.fault("commands.put", "403:50001", times=0)
    running = asyncio.create_task(connected(double, clock).run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    await stopped(running)


@pytest.mark.parametrize("trouble", ["drop", "reconnect", "close"])
async def test_a_dropped_gateway_resumes_and_hears_what_was_said_meanwhile(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk, trouble: str
) -> None:
    await double.gateway.trouble(trouble)
    deed = await double.command("incident", "list")
    await within(deed.edited.wait())
    assert double.gateway.tally["identify"] == 1
    assert double.gateway.tally["resume"] == 1
    assert [r.verb for r in desk.asked] == ["list"]


async def test_a_lost_session_is_replaced_by_a_new_one(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, desk: SlowDesk
) -> None:
    await double.gateway.trouble("invalid")
    await until(lambda: double.gateway.tally["links"] == 2)
    await until(lambda: clock.sleeping)
    await clock.advance(5)
    await within(double.gateway.ready.wait())
    deed = await double.command("incident", "list")
    await within(deed.edited.wait())
    assert double.gateway.tally["identify"] == 2


async def test_a_link_that_falls_again_and_again_is_not_redialled_in_a_storm(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock
) -> None:
    await double.gateway.trouble("refuse", 4000)
    await double.gateway.trouble("close", 4000)
    await until(lambda: clock.sleeping)
    settled = double.gateway.tally["links"]
    assert settled < 20
    await asyncio.sleep(0.1)
    assert double.gateway.tally["links"] == settled


async def test_threads_are_told_while_the_gateway_is_away(clock: ManualClock, desk: SlowDesk) -> None:
    async with DiscordDouble() as double:
        double.gateway.refuse = 4000
        chat = connected(double, clock)
        running = asyncio.create_task(chat.run(desk, [PLACE]))
        ref = await chat.open(PLACE, "k/open", HEAD, None, None)
        await chat.edit(PLACE, ref, HEAD, None)
        await stopped(running)
        await chat.aclose()
        assert len(double.said()) == 1


async def test_a_bad_token_is_tried_again_only_every_five_minutes(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    running = asyncio.create_task(connected(double, clock, token="wrong").run(desk, [PLACE]))
    for tries in (1, 2, 3):
        await until(lambda: clock.sleeping)
        assert len(double.calls["me"]) == tries
        await clock.advance(299)
        assert len(double.calls["me"]) == tries
        await clock.advance(1)
    await stopped(running)


async def test_at_most_twenty_sessions_are_begun_in_an_hour(clock: ManualClock) -> None:
    identifies = Identifies(clock)
    for _ in range(20):
        identifies.take()
        await clock.advance(60)
    with pytest.raises(Retry) as trouble:
        identifies.take()
    assert trouble.value.after is not None
    await clock.advance(trouble.value.after.total_seconds())
    identifies.take()


@pytest.mark.parametrize(
    ("written", "read"), [("123", ["123"]), (123, ["123"]), (["1", 2], ["1", "2"])], ids=["text", "number", "list"]
)
def test_a_server_may_be_named_as_people_write_it(written: object, read: list[str]) -> None:
    config = DiscordConnection.model_validate({"kind": "discord", "token": "t", "guild": written})
    assert config.guild == read


@pytest.mark.parametrize("wrong", ["ops", "", [], True, None, 1.5])
def test_a_server_that_is_no_id_is_refused(wrong: object) -> None:
    with pytest.raises(ValidationError):
        DiscordConnection.model_validate({"kind": "discord", "token": "t", "guild": wrong})


def test_the_token_never_prints() -> None:
    config = DiscordConnection.model_validate({"kind": "discord", "token": "hush", "guild": "1"})
    assert "hush" not in f"{config!r} {config} {config.model_dump_json()}"
