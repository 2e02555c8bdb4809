"""What people do in Discord, through the real gateway client against the double: commands, buttons, forms, bad links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from doubles.clock import ManualClock
from doubles.discord_double import CHANNEL, PERSON, ROLE, TOKEN, DiscordDouble, Interaction
from doubles.served import serving
from msgspec.structs import replace
from pydantic import ValidationError

from bot.chats.discord import DiscordConnection
from bot.chats.discord_chat import DiscordChat
from bot.chats.discord_commands import FOLDED, commands, differ
from bot.core.model import Answer, Button, Field, Form, Head, Person, Request, Said
from bot.core.speech import VERBS
from bot.ports import Place, Retry

PLACE = Place(name="community", chat="disco", address=CHANNEL)
ADA = Person(
    chat="disco",
    id=PERSON,
    name="Ada",
    made_at=datetime(
        2015, 1, 1, tzinfo=UTC
    ),  # what the number says (snowflake), and what the server says of the member
    joined_at=datetime(2020, 1, 1, tzinfo=UTC),
    place="123",
)
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


RESOLVE = Form(
    verb="resolve",
    title="Resolve: Twitter, a service with a very long name indeed",
    submit="Resolve",
    fields=(Field(name="text", label="What was it? Everybody in the thread will read this", value="rolled back"),),
    about=(("Closes twitter-1, by ", Said("@everyone"), "."), ("It may open again.",)),
    incident="twitter-1",
)
NOTE = Form(verb="note", title="Note", submit="Add", fields=(Field(name="text", label="What?", needed=True),))
REPORT = Form(
    verb="report",
    title="Report a problem",
    submit="Report",
    fields=(
        Field(name="target", label="What?", options=(("twitter", "Twitter"), ("github", "GitHub")), needed=True),
        Field(name="symptom", label="What do you see?", options=(("login", "Log-in"), ("slow", "Slow")), value="slow"),
        Field(name="text", label="In your own words", value="it is down"),
    ),
)


class SlowDesk:
    """Remembers what it was asked, and answers only when let."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.let = asyncio.Event()
        self.let.set()
        self.forms: dict[str, Form] = {}
        self.answering: Answer | Exception = Answer(lines=(("Twitter: ", Said("@everyone **down**")),))

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        await self.let.wait()
        if isinstance(self.answering, Exception):
            raise self.answering
        return self.answering

    def form(self, request: Request) -> Form | None:
        return self.forms.get(request.verb)

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


def connected(double: DiscordDouble, clock: ManualClock, *, token: str = TOKEN, **more: object) -> DiscordChat:
    given = {"token": token, "guild": ["123"], "api_url": double.url, "gateway_url": double.gateway_url}
    config = DiscordConnection.model_validate({"kind": "discord", **given, **more})
    chat = config.connect("disco", clock)
    assert isinstance(chat, DiscordChat)
    return chat


@pytest.fixture(params=["gateway", "http"])
async def chat(
    request: pytest.FixtureRequest, double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> AsyncIterator[DiscordChat]:
    """The same desk, over the gateway or as Discord calls us."""
    bring = on_gateway if request.param == "gateway" else on_calls
    async with bring(double, clock, desk) as chat:
        yield chat


@asynccontextmanager
async def on_calls(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk, **more: object
) -> AsyncIterator[DiscordChat]:
    """A chat that Discord calls, behind the real site."""
    chat = connected(double, clock, public_key=double.public_key, **more)
    running = asyncio.create_task(chat.run(desk, [PLACE]))
    async with serving(call=lambda _name, letter: chat.called(letter), clock=clock) as served:
        await until(lambda: chat._calls)
        await double.point_at(f"{served.url}/chats/disco")
        await until(lambda: double.offered)
        await asyncio.sleep(0.01)
        yield chat
        await stopped(running)
        await chat.aclose()


@asynccontextmanager
async def on_gateway(double: DiscordDouble, clock: ManualClock, desk: SlowDesk) -> AsyncIterator[DiscordChat]:
    """A chat with its gateway up."""
    chat = connected(double, clock)
    running = asyncio.create_task(chat.run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    yield chat
    await stopped(running)
    await chat.aclose()


@pytest.fixture
async def gateway(double: DiscordDouble, clock: ManualClock, desk: SlowDesk) -> AsyncIterator[DiscordChat]:
    """A chat with its gateway up, for what is about the gateway itself."""
    async with on_gateway(double, clock, desk) as chat:
        yield chat


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


async def test_a_form_comes_first_says_what_it_will_do_and_then_does_it(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.forms["resolve"] = RESOLVE
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    deed = await double.press("resolve:twitter-1", ref.partition(":")[2])
    await within(deed.responded.wait())
    assert deed.kind == 9
    assert desk.asked == []
    assert deed.data["components"][0]["content"] == "Closes twitter-1, by @\u200beveryone.\nIt may open again."
    sent = await double.fill(deed, text="the vendor rolled back")
    await within(sent.edited.wait())
    done = Request(verb="resolve", who=ADA, incident="twitter-1", text="the vendor rolled back", channel="community")
    assert desk.asked == [done]


async def test_what_stood_in_a_form_is_sent_when_it_is_left_as_it_is(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.forms["report"] = REPORT
    deed = await double.command("report", service="twitter")
    await within(deed.responded.wait())
    sent = await double.fill(deed, target="github")
    await within(sent.edited.wait())
    said = {"target": "github", "symptom": "slow", "text": "it is down"}
    assert desk.asked == [Request(verb="report", who=ADA, channel="community", **said)]


async def test_with_more_services_than_a_drop_down_holds_a_form_asks_for_words(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    many = tuple((f"s{n}", f"Service {n}") for n in range(26))
    desk.forms["report"] = replace(REPORT, fields=(Field(name="target", label="What?", options=many, needed=True),))
    deed = await double.command("report", service="x")
    await within(deed.responded.wait())
    sent = await double.fill(deed, target="Service 25")
    await within(sent.edited.wait())
    assert desk.asked[0].target == "Service 25"


async def test_a_form_in_a_thread_knows_its_incident_after_a_restart(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    before = connected(double, clock)
    ref = await before.open(PLACE, "k/open", HEAD, None, None)
    await before.aclose()
    seen: list[str] = []
    desk.form = lambda request: seen.append(request.incident) or NOTE  # type: ignore[method-assign]
    after = connected(double, clock)
    running = asyncio.create_task(after.run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    deed = await double.command("incident", "note", channel=ref.partition(":")[2])
    await within(deed.responded.wait())
    assert seen == ["twitter-1"]
    await stopped(running)
    await after.aclose()


@pytest.mark.parametrize(
    ("verb", "options", "expected"),
    [
        ("mute", {"for": "2h", "text": "deploying"}, {"span": "2h", "text": "deploying"}),
        ("merge", {"into": "cloud-1"}, {"text": "into cloud-1"}),
        ("declare", {"service": "x", "level": "major", "text": "no"}, {"target": "x", "level": "major", "text": "no"}),
        (
            "maintenance",
            {"do": "add", "service": "x", "for": "2h", "from": "22:00", "text": "move"},
            {"target": "x", "span": "2h", "text": "add from 22:00 move"},
        ),
        ("maintenance", {"do": "end", "number": "3"}, {"text": "end 3"}),
        ("config", {"do": "show", "service": "x"}, {"target": "x", "text": "show"}),
        ("test", {"channel": "ops"}, {"text": "ops"}),
        ("replay", {"incident": "i-1", "channel": "ops"}, {"target": "i-1", "text": "ops"}),
        ("false-alarm", {"incident": "i-1"}, {"target": "i-1"}),
        ("subscribe", {"service": "x", "level": "major"}, {"target": "x", "level": "major"}),
        ("subscribe", {"service": "x", "do": "off"}, {"target": "x", "text": "off"}),
    ],
)
async def test_options_become_the_words_that_people_type_elsewhere(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk, verb: str, options: dict, expected: dict
) -> None:
    deed = await double.command("incident", verb, chosen=options)
    await within(deed.edited.wait())
    assert desk.asked == [Request(verb=verb, who=ADA, channel="community", **expected)]


@pytest.mark.parametrize(("option", "asked"), [("for", "span"), ("into", "incident"), ("level", "level")])
async def test_an_option_is_completed_by_what_the_desk_calls_it(
    double: DiscordDouble, chat: DiscordChat, option: str, asked: str
) -> None:
    deed = await double.command("incident", "mute", focus=option, **{option: ""})
    await within(deed.responded.wait())
    assert deed.data["choices"][0]["value"] == f"{asked}-0"


async def test_add_to_timeline_takes_the_words_with_who_wrote_them(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    thread = (await chat.open(PLACE, "k/open", HEAD, None, None)).partition(":")[2]
    for author in ("556", PERSON):
        deed = await double.pick("Add to timeline", "it is the login", channel=thread, author=author)
        await within(deed.edited.wait())
    assert [(r.verb, r.incident, r.text) for r in desk.asked] == [
        ("note", "twitter-1", "ben wrote: it is the login"),
        ("note", "twitter-1", "it is the login"),
    ]


async def test_report_a_problem_from_a_message_asks_which_service(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    desk.forms["report"] = REPORT
    deed = await double.pick("Report a problem", "it is down")
    await within(deed.responded.wait())
    assert deed.kind == 9


async def test_an_answer_can_show_a_chart(double: DiscordDouble, chat: DiscordChat, desk: SlowDesk) -> None:
    desk.answering = Answer(lines=(("Twitter: normal",),), png=b"png", alt="Reports over a day")
    deed = await double.command("incident", "chart", service="twitter")
    await within(deed.edited.wait())
    assert deed.files == {"chart.png": b"png"}
    assert deed.original["embeds"][0]["image"]["url"] == "attachment://chart.png"


async def test_a_chart_is_posted_for_everybody_by_a_button(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    desk.answering = Answer(
        lines=(("Twitter: normal",),), png=b"png", buttons=(Button(verb="share", label="Post here", about="twitter"),)
    )
    asked = await double.command("incident", "chart", service="twitter")
    await within(asked.edited.wait())
    custom = asked.original["components"][0]["components"][0]["custom_id"]
    assert custom == "share::twitter"
    desk.answering = Answer(lines=(("Twitter: normal",),), png=b"png", aloud=True)
    pressed = await double.press(custom, ref.partition(":")[2])
    await until(lambda: pressed.followups)
    assert (desk.asked[-1].verb, desk.asked[-1].target) == ("share", "twitter")
    assert not pressed.followups[0].get("flags", 0) & 64, "everybody sees it"
    assert pressed.followups[0]["embeds"][0]["image"]["url"] == "attachment://chart.png"
    assert pressed.original["content"] == "Shown to everybody here:"


@pytest.mark.parametrize(
    ("held", "right"), [((), "report"), ((ROLE,), "act"), (("999",), "report")], ids=["none", "role", "another"]
)
async def test_a_persons_right_comes_from_the_roles_of_the_server(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk, held: tuple[str, ...], right: str
) -> None:
    running = asyncio.create_task(connected(double, clock, roles={"act": [ROLE]}).run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    deed = await double.command("incident", "ack", roles=held)
    await within(deed.edited.wait())
    assert desk.asked[0].right == right
    await stopped(running)


async def test_a_right_may_be_given_to_one_person(double: DiscordDouble, clock: ManualClock, desk: SlowDesk) -> None:
    running = asyncio.create_task(connected(double, clock, roles={"admin": int(PERSON)}).run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    deed = await double.command("incident", "ack")
    await within(deed.edited.wait())
    assert desk.asked[0].right == "admin"
    await stopped(running)


async def test_several_servers_get_the_commands_and_are_heard_by_one_connection(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    double.guilds = ["123", "124"]
    running = asyncio.create_task(connected(double, clock, guild=["123", "124"]).run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    await until(lambda: len(double.offered) == 2)
    assert not differ(double.offered["123"], double.offered["124"])
    for guild in double.guilds:
        deed = await double.command("incident", "list", guild=guild)
        await within(deed.edited.wait())
    assert [request.verb for request in desk.asked] == ["list", "list"]
    await stopped(running)


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


async def test_a_verb_without_a_command_of_its_own_is_a_choice_of_another(
    double: DiscordDouble, chat: DiscordChat, desk: SlowDesk
) -> None:
    deed = await double.command("incident", "chart", service="x", do="share")
    await within(deed.edited.wait())
    assert (desk.asked[-1].verb, desk.asked[-1].target, desk.asked[-1].text) == ("share", "x", "")


async def test_commands_are_offered_once_and_again_only_when_they_change(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, desk: SlowDesk
) -> None:
    root, *others = double.commands
    assert [o["name"] for o in root["options"]] == [verb for verb in VERBS if verb not in FOLDED]
    assert len(root["options"]) <= 25
    assert [(c["name"], c["type"]) for c in others] == [
        ("status", 1),
        ("report", 1),
        ("Add to timeline", 3),
        ("Report a problem", 3),
    ]
    ready = len(double.calls["commands.get"])
    other = asyncio.create_task(connected(double, clock).run(desk, [PLACE]))
    await until(lambda: len(double.calls["commands.get"]) > ready)
    await stopped(other)
    assert len(double.calls["commands.put"]) == 1
    assert differ(commands(short=False), double.commands)
    assert not differ(commands(short=True), double.commands)


async def test_people_are_heard_while_discord_has_us_wait_with_the_commands(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    double.fault("commands.get", "hang", times=0)
    async with on_gateway(double, clock, desk):
        deed = await double.command("incident", "list")
        await within(deed.edited.wait())
    assert not double.offered


async def test_the_gateway_is_asked_for_servers_and_nothing_that_needs_leave(
    double: DiscordDouble, gateway: DiscordChat
) -> None:
    assert double.gateway.intents == 1, "servers, their channels and roles: no members, no presences, no contents"


async def test_a_server_that_forbids_commands_still_has_a_gateway(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    double.fault("commands.put", "403:50001", times=0)
    running = asyncio.create_task(connected(double, clock).run(desk, [PLACE]))
    await within(double.gateway.ready.wait())
    await stopped(running)


@pytest.mark.parametrize("trouble", ["drop", "reconnect", "close"])
async def test_a_dropped_gateway_resumes_and_hears_what_was_said_meanwhile(
    double: DiscordDouble, gateway: DiscordChat, desk: SlowDesk, trouble: str
) -> None:
    await double.gateway.trouble(trouble)
    deed = await double.command("incident", "list")
    await within(deed.edited.wait())
    assert double.gateway.tally["identify"] == 1
    assert double.gateway.tally["resume"] == 1
    assert [r.verb for r in desk.asked] == ["list"]


async def test_a_lost_session_is_replaced_by_a_new_one(
    double: DiscordDouble, gateway: DiscordChat, clock: ManualClock, desk: SlowDesk
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
    double: DiscordDouble, gateway: DiscordChat, clock: ManualClock
) -> None:
    await double.gateway.trouble("refuse", 4000)
    await double.gateway.trouble("close", 4000)
    await until(lambda: double.gateway.tally["links"] > 3)
    await asyncio.sleep(0.1)
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


async def test_a_bad_token_is_tried_again_ever_more_rarely(
    double: DiscordDouble, clock: ManualClock, desk: SlowDesk
) -> None:
    running = asyncio.create_task(connected(double, clock, token="wrong").run(desk, [PLACE]))
    for tries, pause in enumerate((30, 60, 120, 240, 300, 300), start=1):
        await until(lambda tries=tries: len(double.calls["me"]) == tries)
        await asyncio.sleep(0.05)
        await clock.advance(pause - 1)
        assert len(double.calls["me"]) == tries
        await clock.advance(1)
    await stopped(running)


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
