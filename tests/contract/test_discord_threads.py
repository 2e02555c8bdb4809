"""The four verbs against Discord's double, through the real discord.py: one thread, no duplicates, nothing lost."""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from doubles.clock import ManualClock
from doubles.discord_double import CHANNEL, ROLE, TOKEN, DiscordDouble
from doubles.discord_server import PERMISSIONS as EVERY_PERMISSION
from msgspec.structs import replace

from bot.chats.discord import DiscordConnection
from bot.chats.discord_chat import PERMISSIONS, DiscordChat
from bot.core.model import Bold, Button, Fact, Head, Line, Said, Source, When
from bot.fields import Secret
from bot.ports import Gone, Place, Refused, Retry

SILENT = 1 << 12
MOMENT = datetime(2022, 11, 4, 7, 5, tzinfo=UTC)
PLACE = Place(name="community", chat="disco", address=CHANNEL, mention={"critical": f"<@&{ROLE}>"})
HEAD = Head(
    incident="twitter-20221104-0307",
    service="twitter",
    rev=1,
    tone="major",
    state="open",
    level="major",
    push="Major - Twitter: far more problem reports than usual (312 in 15 min, usually 6)",
    title="Twitter: far more problem reports than usual",
    sentence=("People report ", Bold("log-in"), ", mostly in Germany. ", Said("it is down")),
    facts=(Fact(label="Began", value=(When(MOMENT, "date"), " (", When(MOMENT, "ago"), ")")),),
    sources=(
        Source(name="reports", word="major", tone="major", since=MOMENT, note="312 in 15 min"),
        Source(name="page", word="operational", tone="calm"),
    ),
    foot=("twitter-20221104-0307 · as of ", When(MOMENT)),
    buttons=(Button(verb="ack", label="Acknowledge", style="primary"), Button(verb="why", label="Why?")),
    alt="Problem reports over the last 24 hours",
    link="https://status.example.org/incident/twitter-20221104-0307",
)


def png() -> bytes:
    """The smallest real picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def head(**changes: object) -> Head:
    return Head(**{name: getattr(HEAD, name) for name in HEAD.__struct_fields__} | changes)  # type: ignore[arg-type]


def line(seq: int, *words: str, loud: bool = False, level: str = "major") -> Line:
    return Line(seq=seq, text=words or (f"line {seq}",), tone="major", level=level, loud=loud)


@pytest.fixture
async def double() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble() as double:
        yield double


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def chat(double: DiscordDouble, clock: ManualClock) -> AsyncIterator[DiscordChat]:
    chat = connected(double, clock)
    yield chat
    await chat.aclose()


def connected(double: DiscordDouble, clock: ManualClock, *, token: str = TOKEN, patience: float = 5.0) -> DiscordChat:
    config = DiscordConnection(
        kind="discord", token=Secret(token), guild=["123"], api_url=double.url, gateway_url=double.gateway_url
    )
    config.connect("disco", clock)
    return DiscordChat(config, "disco", clock, patience=patience)


async def test_an_incident_lives_in_one_thread_from_open_to_close(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    for rev in range(2, 52):
        await chat.edit(PLACE, ref, head(rev=rev, push=f"Major - {rev}"), None)
    for seq in range(1, 6):
        await chat.reply(PLACE, ref, f"k/{seq}", line(seq), None)
    await chat.close(PLACE, ref, head(tone="over", push="Over - Twitter: over after 4 h"), png())

    [message] = double.said()
    assert ref == f"{CHANNEL}:{message['id']}"
    assert message["content"].startswith("Over - Twitter")
    assert len(double.edits[message["id"]]) == 51
    assert [m["embeds"][0]["description"] for m in double.said(message["id"])] == [f"line {n}" for n in range(1, 6)]
    [thread] = double.threads.values()
    assert thread["id"] == message["id"]
    assert thread["name"] == HEAD.incident
    assert thread["thread_metadata"]["archived"]
    assert thread["thread_metadata"]["locked"]
    assert double.pings == []
    assert double.unguarded == []


async def test_a_close_may_be_repeated(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.close(PLACE, ref, HEAD, None)
    await chat.close(PLACE, ref, HEAD, None)
    assert len(double.calls["channel.patch"]) == 1


async def test_a_chart_is_replaced_by_a_newer_one_and_stays_when_there_is_none(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    assert "image" not in double.said()[0]["embeds"][0]
    await chat.edit(PLACE, ref, HEAD, png())
    first = double.said()[0]
    await chat.edit(PLACE, ref, HEAD, png())
    second = double.said()[0]
    await chat.edit(PLACE, ref, HEAD, None)
    restarted = connected(double, clock)
    await restarted.edit(PLACE, ref, HEAD, None)
    await restarted.aclose()
    third = double.said()[0]

    assert [len(m["attachments"]) for m in (first, second, third)] == [1, 1, 1]
    assert first["attachments"][0]["id"] != second["attachments"][0]["id"] == third["attachments"][0]["id"]
    assert third["embeds"][0]["image"]["url"] == third["attachments"][0]["url"]
    assert third["attachments"][0]["description"] == HEAD.alt
    assert double.files[third["attachments"][0]["url"]] == png()


@pytest.mark.parametrize("fault", ["reset", "accept-reset", "html", "accept-html", "accept-503", "503"])
async def test_an_unclear_answer_to_an_opening_makes_one_message_and_one_thread(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, fault: str
) -> None:
    double.fault("message.post", fault)
    with pytest.raises(Retry) as trouble:
        await chat.open(PLACE, "k/open", HEAD, None, None)
    assert trouble.value.unsure
    ref = await chat.open(PLACE, "k/open", HEAD, None, clock.now())
    assert [f"{CHANNEL}:{m['id']}" for m in double.said()] == [ref]
    assert len(double.threads) == 1


@pytest.mark.parametrize("fault", ["accept-reset", "reset", "accept-503"])
async def test_an_unclear_answer_to_the_making_of_a_thread_makes_one_thread(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, fault: str
) -> None:
    double.fault("thread.create", fault)
    with pytest.raises(Retry):
        await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.open(PLACE, "k/open", HEAD, None, clock.now())
    assert len(double.said()) == 1
    assert len(double.threads) == 1


@pytest.mark.parametrize("fault", ["reset", "accept-reset", "accept-html"])
async def test_an_unclear_answer_to_a_reply_says_it_once(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, fault: str, prove
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    double.fault("message.post", fault)
    with pytest.raises(Retry):
        await chat.reply(PLACE, ref, "k/1", line(1), None)
    await chat.reply(PLACE, ref, "k/1", line(1), clock.now())
    await chat.reply(PLACE, ref, "k/2", line(2), None)
    assert [m["embeds"][0]["description"] for m in double.said(ref.partition(":")[2])] == ["line 1", "line 2"]
    prove("R2", 1, [], "unclear answers of Discord to a post, which is there once all the same")


async def test_after_the_nonce_is_forgotten_a_restart_finds_the_head_and_the_line_in_the_history(
    double: DiscordDouble, clock: ManualClock
) -> None:
    double.nonce_window = 0.0
    before = connected(double, clock)
    began = clock.now()
    ref = await before.open(PLACE, "k/open", HEAD, None, None)
    await before.open(PLACE, "other/open", head(incident="github-1", buttons=()), None, None)
    await before.reply(PLACE, ref, "k/1", line(1), None)
    await before.aclose()

    clock.jump(600)
    after = connected(double, clock)
    assert await after.open(PLACE, "k/open", HEAD, None, began) == ref
    await after.open(PLACE, "other/open", head(incident="github-1", buttons=()), None, began)
    await after.reply(PLACE, ref, "k/1", line(1), began)
    await after.reply(PLACE, ref, "k/2", line(2), began)
    await after.aclose()

    assert len(double.said()) == 2
    assert len(double.threads) == 2
    assert [m["embeds"][0]["footer"]["text"] for m in double.said(ref.partition(":")[2])] == ["#1", "#2"]


async def test_a_500_is_tried_again_until_it_is_done(double: DiscordDouble, chat: DiscordChat) -> None:
    double.fault("message.post", "500")
    await chat.open(PLACE, "k/open", HEAD, None, None)
    assert len(double.said()) == 1


async def test_a_short_retry_after_is_waited_out(double: DiscordDouble, chat: DiscordChat) -> None:
    double.fault("message.post", "429", retry_after=0.3)
    await chat.open(PLACE, "k/open", HEAD, None, None)
    first, second = (call["at"] for call in double.calls["message.post"])
    assert second - first >= 0.3


@pytest.mark.parametrize(("fault", "asked"), [("429", 90.0), ("429-cloudflare", 600.0)])
async def test_a_long_retry_after_is_handed_on(
    double: DiscordDouble, chat: DiscordChat, fault: str, asked: float
) -> None:
    double.fault("message.post", fault, retry_after=asked)
    with pytest.raises(Retry) as trouble:
        await chat.open(PLACE, "k/open", HEAD, None, None)
    assert trouble.value.after == timedelta(seconds=asked)
    assert not trouble.value.unsure


async def test_a_hanging_call_is_given_up_and_may_have_worked(double: DiscordDouble, clock: ManualClock) -> None:
    impatient = connected(double, clock, patience=0.4)
    double.fault("message.post", "accept-hang")
    with pytest.raises(Retry) as trouble:
        await impatient.open(PLACE, "k/open", HEAD, None, None)
    assert trouble.value.unsure
    await impatient.open(PLACE, "k/open", HEAD, None, clock.now())
    await impatient.aclose()
    assert len(double.said()) == 1


async def test_nobody_listening_is_a_retry_that_certainly_did_nothing(clock: ManualClock) -> None:
    double = DiscordDouble()
    await double.start(0)
    chat = connected(double, clock)
    await double.stop()
    with pytest.raises(Retry, match="unreachable") as trouble:
        await chat.open(PLACE, "k/open", HEAD, None, None)
    assert not trouble.value.unsure
    await chat.aclose()


@pytest.mark.parametrize(
    ("route", "fault", "words"),
    [
        ("message.post", "403:50013", "Create Public Threads"),
        ("message.post", "403:50001", "View Channel"),
        ("thread.create", "400:160006", "archive some"),
        ("thread.create", "403:50013", "Create Public Threads"),
        ("message.post", "401:0", "token"),
        ("message.post", "413:40005", "larger"),
        ("channel.get", "404:10003", "check the id"),
        ("message.post", "400:50035", "scripted 400:50035"),
    ],
)
async def test_a_refusal_says_what_a_person_must_do(
    double: DiscordDouble, chat: DiscordChat, route: str, fault: str, words: str
) -> None:
    double.fault(route, fault, times=0)
    with pytest.raises(Refused, match=words) as refusal:
        await chat.open(PLACE, "k/open", HEAD, None, None)
    assert not isinstance(refusal.value, Gone)
    assert TOKEN not in str(refusal.value)


async def test_a_bad_token_is_refused_and_never_printed(double: DiscordDouble, clock: ManualClock) -> None:
    chat = connected(double, clock, token="wrong.token")
    for _ in range(2):
        with pytest.raises(Refused, match="make a new one") as refusal:
            await chat.open(PLACE, "k/open", HEAD, None, None)
        assert "wrong.token" not in str(refusal.value)
    await chat.aclose()


@pytest.mark.parametrize(("address", "words"), [("999", "check the id"), ("#ops", "a number"), ("77", "nor a forum")])
async def test_a_wrong_channel_is_refused(clock: ManualClock, address: str, words: str) -> None:
    async with DiscordDouble(channels={CHANNEL: "community", "77": "category"}) as double:
        chat = connected(double, clock)
        with pytest.raises(Refused, match=words):
            await chat.open(Place(name="x", chat="disco", address=address), "k/open", HEAD, None, None)
        await chat.aclose()


async def test_a_deleted_head_is_gone_and_may_be_posted_afresh_at_once(
    double: DiscordDouble, chat: DiscordChat
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    double.delete_message(ref.partition(":")[2])
    with pytest.raises(Gone):
        await chat.edit(PLACE, ref, HEAD, None)
    fresh = await chat.open(PLACE, "k/open", HEAD, None, None)
    assert fresh != ref
    assert [m["id"] for m in double.said()] == [fresh.partition(":")[2]]


async def test_a_head_that_another_bot_wrote_is_as_good_as_gone(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    double.messages[ref.partition(":")[2]]["author"]["id"] = "99"
    with pytest.raises(Gone, match="another bot wrote it"):
        await chat.edit(PLACE, ref, HEAD, None)


async def test_a_deleted_thread_is_made_again_for_a_line_and_needs_no_closing(
    double: DiscordDouble, chat: DiscordChat
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    thread = ref.partition(":")[2]
    double.delete_thread(thread)
    await chat.reply(PLACE, ref, "k/1", line(1), None)
    assert [m["embeds"][0]["footer"]["text"] for m in double.said(thread)] == ["#1"]
    assert double.threads[thread]["name"] == "k"
    double.delete_thread(thread)
    await chat.close(PLACE, ref, head(push="Over"), None)
    assert double.said()[0]["content"] == "Over"


async def test_a_line_whose_head_and_thread_were_deleted_has_nowhere_to_go(
    double: DiscordDouble, chat: DiscordChat
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    double.delete_thread(ref.partition(":")[2])
    double.delete_message(ref.partition(":")[2])
    with pytest.raises(Gone):
        await chat.reply(PLACE, ref, "k/1", line(1), None)


async def test_a_reopened_incident_speaks_in_its_locked_thread_again(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.close(PLACE, ref, HEAD, None)
    await chat.reply(PLACE, ref, "k/1", line(1), None)
    await chat.edit(PLACE, ref, head(push="Major again"), None)
    [thread] = double.threads.values()
    assert not thread["thread_metadata"]["archived"]
    assert not thread["thread_metadata"]["locked"]
    assert len(double.said(thread["id"])) == 1


async def test_only_a_line_with_a_mention_pings_and_nobody_else(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.reply(PLACE, ref, "k/1", line(1, loud=True), None)
    await chat.reply(PLACE, ref, "k/2", line(2, level="critical"), None)
    assert double.pings == []
    hostile = (Bold("Worse"), ": ", Said("@everyone <@&111> <@555>"))
    loud = Line(seq=3, text=hostile, tone="critical", level="critical", loud=True, mention=f"<@&{ROLE}>")
    await chat.reply(PLACE, ref, "k/3", loud, None)
    assert double.pings == [f"@&{ROLE}"]
    assert double.said(ref.partition(":")[2])[-1]["content"] == f"<@&{ROLE}>", (
        "no half of a sentence with a stranger in it"
    )


async def test_a_burst_stays_within_discords_own_limit_of_five_posts_in_five_seconds(clock: ManualClock) -> None:
    async with DiscordDouble(rate=(5, 1.0)) as double:
        chat = connected(double, clock)
        ref = await chat.open(PLACE, "k/open", HEAD, None, None)
        for seq in range(1, 9):
            await chat.reply(PLACE, ref, f"k/{seq}", line(seq), None)
        await chat.aclose()
        assert [m["embeds"][0]["footer"]["text"] for m in double.said(ref.partition(":")[2])] == [
            f"#{n}" for n in range(1, 9)
        ]


@pytest.mark.parametrize(
    ("mention", "pinged"),
    [
        (f"<@&{ROLE}>", [f"@&{ROLE}"]),
        ("<@&1> <@&2> <@3>", ["@&1", "@&2", "@!3"]),
        ("@here", ["@here"]),
        ("ops, please look", []),
    ],
)
async def test_a_mention_pings_as_the_config_says(
    double: DiscordDouble, chat: DiscordChat, mention: str, pinged: list[str]
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.reply(PLACE, ref, "k/1", replace(line(1, loud=True), mention=mention), None)
    assert double.pings == pinged


# Pins


async def test_the_head_is_pinned_while_it_lives(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    message = ref.partition(":")[2]
    assert double.pins == [message]
    await chat.edit(PLACE, ref, head(rev=2), None)
    assert len(double.calls["pin"]) == 1
    await chat.close(PLACE, ref, head(rev=3, state="closed", buttons=()), None)
    assert double.pins == []
    await chat.edit(PLACE, ref, head(rev=4), None)
    assert double.pins == [message]


async def test_without_the_permission_to_pin_the_words_still_come(double: DiscordDouble, chat: DiscordChat) -> None:
    double.may.discard("pin_messages")
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.close(PLACE, ref, head(rev=2, state="closed"), None)
    assert double.threads[ref.partition(":")[2]]["thread_metadata"]["locked"]


async def everything(double: DiscordDouble, chat: DiscordChat, clock: ManualClock) -> list[str]:
    """A whole life with each thing that needs a permission; answers what of it cannot be seen afterwards."""
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    thread = ref.partition(":")[2]
    lost = [] if double.pins == [thread] else ["pinned"]
    await chat.reply(PLACE, ref, "k/1", line(1), None)
    await clock.advance(600)  # the nonce is forgotten by now
    double.nonce_window = 0.0
    await chat.reply(PLACE, ref, "k/1", line(1), clock.now() - timedelta(seconds=1_200))
    lines = [m["embeds"][0]["footer"]["text"] for m in double.said(thread) if m["embeds"]]
    lost += [] if lines == ["#1"] else ["one line, found again"]
    await chat.edit(PLACE, ref, head(rev=2), png())
    [root] = double.said()
    lost += [] if root["attachments"] else ["picture"]
    lost += [] if root["embeds"] else ["card"]
    await chat.close(PLACE, ref, head(rev=3, state="closed"), None)
    return lost


async def test_with_just_the_permissions_that_are_asked_for_everything_works(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock
) -> None:
    named = {name for name, given in PERMISSIONS if given} - {"read_messages"}
    double.may = named | {"view_channel"}
    assert await everything(double, chat, clock) == []


@pytest.mark.parametrize("permission", sorted(EVERY_PERMISSION))
async def test_without_one_of_them_something_is_missing(
    double: DiscordDouble, chat: DiscordChat, clock: ManualClock, permission: str
) -> None:
    double.may.discard(permission)
    try:
        lost = await everything(double, chat, clock)
    except Refused as why:
        lost = [str(why)]
    assert lost


async def test_the_name_of_a_thread_says_whose_it_is_and_never_changes(
    double: DiscordDouble, chat: DiscordChat
) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.edit(PLACE, ref, head(rev=2, level="critical", push="Critical"), None)
    await chat.close(PLACE, ref, head(rev=3, state="closed", push="Over"), None)
    assert [thread["name"] for thread in double.threads.values()] == [HEAD.incident]
    assert double.renamed == []


async def test_lines_that_are_not_for_the_whole_channel_make_no_sound(double: DiscordDouble, chat: DiscordChat) -> None:
    ref = await chat.open(PLACE, "k/open", HEAD, None, None)
    await chat.reply(PLACE, ref, "k/1", line(1), None)
    await chat.reply(PLACE, ref, "k/2", line(2, loud=True), None)
    silent = [bool(message["flags"] & SILENT) for message in double.said(ref.partition(":")[2])]
    assert silent == [True, False]


async def test_pins_can_be_switched_off(double: DiscordDouble, clock: ManualClock) -> None:
    config = DiscordConnection(
        kind="discord",
        token=Secret(TOKEN),
        guild=["123"],
        api_url=double.url,
        gateway_url=double.gateway_url,
        pin=False,
    )
    chat = config.connect("disco", clock)
    await chat.open(PLACE, "k/open", HEAD, None, None)
    assert not double.calls["pin"]
    await chat.aclose()


# Forums


FORUM = Place(name="posts", chat="disco", address="77")


@pytest.fixture
async def forum() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble(channels={CHANNEL: "community", "77": "forum"}) as double:
        yield double


@pytest.fixture
async def poster(forum: DiscordDouble, clock: ManualClock) -> AsyncIterator[DiscordChat]:
    chat = connected(forum, clock)
    yield chat
    await chat.aclose()


async def test_in_a_forum_an_incident_is_a_post_that_lives_the_same_life(
    forum: DiscordDouble, poster: DiscordChat
) -> None:
    ref = await poster.open(FORUM, "k/open", HEAD, png(), None)
    [number] = forum.threads
    assert ref == f"{number}:{number}"
    assert forum.threads[number]["name"] == HEAD.incident
    await poster.reply(FORUM, ref, "k/1", line(1), None)
    await poster.edit(FORUM, ref, head(rev=2, title="Twitter: worse"), None)
    await poster.close(FORUM, ref, head(rev=3, state="closed", title="Twitter: over"), None)
    first, reply = forum.said(number)
    assert first["embeds"][0]["title"] == "Twitter: over"
    assert first["attachments"]
    assert reply["embeds"][0]["description"] == "line 1"
    assert forum.threads[number]["thread_metadata"]["archived"]
    assert forum.pins == []


async def test_a_post_that_is_over_can_still_be_changed(forum: DiscordDouble, poster: DiscordChat) -> None:
    ref = await poster.open(FORUM, "k/open", HEAD, None, None)
    await poster.close(FORUM, ref, head(rev=2, state="closed"), None)
    await poster.edit(FORUM, ref, head(rev=3, state="closed", title="It was real"), None)
    await poster.close(FORUM, ref, head(rev=4, state="closed", title="It was real"), None)
    [number] = forum.threads
    assert forum.said(number)[0]["embeds"][0]["title"] == "It was real"
    assert forum.threads[number]["thread_metadata"]["locked"]


@pytest.mark.parametrize("later", [1, 600])
async def test_a_post_whose_answer_was_lost_is_found_by_its_name(
    forum: DiscordDouble, poster: DiscordChat, clock: ManualClock, later: int
) -> None:
    forum.fault("forum.post", "accept-reset")
    began = clock.now()
    with pytest.raises(Retry) as lost:
        await poster.open(FORUM, "k/open", HEAD, None, None)
    assert lost.value.unsure
    await clock.advance(later)
    ref = await poster.open(FORUM, "k/open", HEAD, None, began)
    assert list(forum.threads) == [ref.partition(":")[2]]


async def test_a_post_that_was_never_made_is_made_by_the_second_try(
    forum: DiscordDouble, poster: DiscordChat, clock: ManualClock
) -> None:
    forum.fault("forum.post", "reset")
    began = clock.now()
    with pytest.raises(Retry):
        await poster.open(FORUM, "k/open", HEAD, None, None)
    await poster.open(FORUM, "k/open", HEAD, None, began)
    assert len(forum.threads) == 1


async def test_the_incident_of_a_forum_post_is_known_after_a_restart(
    forum: DiscordDouble, poster: DiscordChat, clock: ManualClock
) -> None:
    ref = await poster.open(FORUM, "k/open", HEAD, None, None)
    after = connected(forum, clock)
    assert await after.incident(77, int(ref.partition(":")[2])) == HEAD.incident
    await after.aclose()
