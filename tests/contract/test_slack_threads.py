"""One thread per incident in Slack, whatever happens to the wire: the real library against the double."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import aiohttp
import pytest
from doubles.slack import EVERY_SCOPE, Channel, Fault, SlackDouble
from doubles.slack_rig import PLACE, PNG, Leap, connected, head, line
from msgspec.structs import replace

from bot.chats.slack import SlackConnection
from bot.core.model import Said
from bot.fields import Secret
from bot.ports import Chat, Gone, Refused, Retry


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


@pytest.fixture
def clock() -> Leap:
    return Leap()


@pytest.fixture
async def chat(slack: SlackDouble, clock: Leap) -> AsyncIterator[Chat]:
    async with connected(slack, clock) as chat:
        yield chat


def images(message: dict) -> list[str]:
    return [block["slack_file"]["id"] for block in message["blocks"] if block["type"] == "image"]


async def test_an_incident_lives_in_one_thread_from_open_to_close(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), PNG, None)
    for rev in range(2, 52):
        await chat.edit(PLACE, ref, head(rev), None)
    for seq in range(1, 6):
        await chat.reply(PLACE, ref, f"k-{seq}", line(seq), None)
    await chat.close(PLACE, ref, head(60, tone="over", state="closed", push="Over - Twitter"), None)
    await chat.close(PLACE, ref, head(60, tone="over", state="closed", push="Over - Twitter"), None)

    [root] = slack.roots()
    assert ref == f"C1:{root['ts']}"
    assert root["text"] == "Over - Twitter"
    assert len(root["edits"]) == 52
    assert [reply["text"] for reply in slack.thread(root["ts"])] == [f"🟠 entry {seq}" for seq in range(1, 6)]
    assert root["metadata"] == {"event_type": "tocsin_delivery", "event_payload": {"key": "k1"}}


async def test_posts_never_unfurl_nor_link_names(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    await chat.reply(PLACE, ref, "k2", line(), None)
    for call in slack.called("chat.postMessage"):
        assert (call.args["unfurl_links"], call.args["unfurl_media"], call.args["parse"]) == (False, False, "none")
        assert "link_names" not in call.args


async def test_the_head_keeps_its_picture_through_edits_without_one(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), PNG, None)
    [first] = images(slack.roots()[0])
    await chat.edit(PLACE, ref, head(2), None)
    assert images(slack.roots()[0]) == [first]
    await chat.edit(PLACE, ref, head(3), PNG)
    assert images(slack.roots()[0]) == [first], "the same picture is not sent twice"
    await chat.edit(PLACE, ref, head(4), PNG + b"new")
    assert images(slack.roots()[0]) != [first]
    assert slack.files[first]["data"] == PNG


async def test_the_picture_survives_a_restart(slack: SlackDouble, clock: Leap) -> None:
    async with connected(slack, clock) as before:
        ref = await before.open(PLACE, "k1", head(), PNG, None)
    shown = images(slack.roots()[0])
    async with connected(slack, clock) as after:
        await after.edit(PLACE, ref, head(2), None)
        await after.edit(PLACE, ref, head(3), None)
    assert images(slack.roots()[0]) == shown
    assert len(slack.called("conversations.history")) == 1, "Slack is read once, not with every edit"


async def test_a_file_that_is_not_ready_is_waited_for(slack: SlackDouble, chat: Chat) -> None:
    slack.file_lag = 2
    await chat.open(PLACE, "k1", head(), PNG, None)
    [root] = slack.roots()
    assert images(root)


async def test_a_file_that_never_gets_ready_costs_only_the_picture(slack: SlackDouble, chat: Chat) -> None:
    slack.file_lag = 99
    ref = await chat.open(PLACE, "k1", head(), PNG, None)
    [root] = slack.roots()
    assert not images(root)
    slack.file_lag = 0
    await chat.edit(PLACE, ref, head(2), PNG + b"new")
    assert images(slack.roots()[0])


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_chart_that_cannot_be_uploaded_does_not_hold_up_the_words(
    slack: SlackDouble, chat: Chat, method: str
) -> None:
    slack.fault(method, Fault("status", status=503))
    await chat.open(PLACE, "k1", head(), PNG, None)
    [root] = slack.roots()
    assert not images(root)


LOST = [
    Fault("reset", after=True),
    Fault("status", after=True, status=500),
    Fault("status", after=True, status=503),
    Fault("html", after=True),
    Fault("error", after=True, error="internal_error"),
    Fault("error", after=True, error="request_timeout"),
    Fault("reset"),
    Fault("status", status=502),
    Fault("error", error="fatal_error"),
]


@pytest.mark.parametrize(
    "fault", LOST, ids=lambda f: f"{f.kind}-{f.status}-{f.error}-{'after' if f.after else 'before'}"
)
async def test_an_answer_that_is_lost_never_makes_a_second_message(
    slack: SlackDouble, chat: Chat, clock: Leap, fault: Fault
) -> None:
    since = clock.now()
    slack.fault("chat.postMessage", fault)
    with pytest.raises(Retry) as lost:
        await chat.open(PLACE, "k1", head(), None, None)
    assert lost.value.unsure
    ref = await chat.open(PLACE, "k1", head(), None, since)

    slack.fault("chat.postMessage", fault)
    with pytest.raises(Retry):
        await chat.reply(PLACE, ref, "k2", line(1), None)
    await chat.reply(PLACE, ref, "k2", line(1), since)
    await chat.reply(PLACE, ref, "k3", line(2), None)

    [root] = slack.roots()
    assert [reply["text"] for reply in slack.thread(root["ts"])] == ["🟠 entry 1", "🟠 entry 2"]


async def test_the_library_does_not_repeat_a_post_by_itself(slack: SlackDouble, chat: Chat) -> None:
    slack.fault("chat.postMessage", Fault("reset", after=True))
    with pytest.raises(Retry):
        await chat.open(PLACE, "k1", head(), None, None)
    assert len(slack.called("chat.postMessage")) == 1


async def test_after_a_restart_an_earlier_try_is_adopted(slack: SlackDouble, clock: Leap) -> None:
    since = clock.now()
    async with connected(slack, clock) as before:
        first = await before.open(PLACE, "k1", head(), None, None)
        await before.reply(PLACE, first, "k2", line(), None)
    async with connected(slack, clock) as after:
        assert await after.open(PLACE, "k1", head(), None, since) == first
        await after.reply(PLACE, first, "k2", line(), since)
    assert len(slack.channels["C1"].messages) == 2


async def test_absence_is_believed_only_after_a_second_look_some_seconds_later(
    slack: SlackDouble, chat: Chat, clock: Leap
) -> None:
    await chat.open(PLACE, "k1", head(), None, clock.now())
    assert len(slack.called("conversations.history")) == 2
    assert clock.slept >= 2


async def test_an_earlier_try_is_found_behind_many_other_messages(slack: SlackDouble, chat: Chat, clock: Leap) -> None:
    since = clock.now()
    ref = await chat.open(PLACE, "k1", head(), None, None)
    slack.channels["C1"].messages += [{"ts": slack._ts(), "text": "chatter", "user": "U2"} for _ in range(350)]
    assert await chat.open(PLACE, "k1", head(), None, since) == ref


async def test_a_message_of_another_app_with_our_key_is_not_taken_for_ours(
    slack: SlackDouble, chat: Chat, clock: Leap
) -> None:
    since = clock.now()
    forged = {"event_type": "tocsin_delivery", "event_payload": {"key": "k1"}}
    slack.channels["C1"].messages.append({"ts": slack._ts(), "text": "me!", "bot_id": "B2", "metadata": forged})
    ref = await chat.open(PLACE, "k1", head(), None, since)
    assert ref == f"C1:{slack.roots()[-1]['ts']}"
    assert len(slack.roots()) == 2


async def test_without_the_right_to_read_a_repeat_is_said_to_be_one(clock: Leap) -> None:
    async with SlackDouble(scopes=EVERY_SCOPE - {"channels:history"}) as slack, connected(slack, clock) as chat:
        ref = await chat.open(PLACE, "k1", head(), None, None)
        await chat.reply(PLACE, ref, "k2", line(), clock.now())
        [reply] = slack.thread(ref.partition(":")[2])
    assert reply["text"].endswith("(may be a repeat)")


@pytest.mark.parametrize(
    ("header", "after"), [("1", 1), ("30", 30), ("3600", 3600), (None, None), ("abc", None), ("-5", None)]
)
async def test_slack_is_given_the_time_it_asks_for(
    slack: SlackDouble, chat: Chat, header: str | None, after: int | None
) -> None:
    slack.fault("chat.postMessage", Fault("ratelimit", retry_after=header))
    with pytest.raises(Retry) as limited:
        await chat.open(PLACE, "k1", head(), None, None)
    assert limited.value.after == (None if after is None else timedelta(seconds=after))
    assert not limited.value.unsure
    assert not slack.roots()


async def test_a_server_that_is_not_there_was_certainly_not_told(clock: Leap) -> None:
    async with SlackDouble() as slack:
        gone = slack.url
    connection = SlackConnection(kind="slack", bot_token=Secret("xoxb"), api_url=gone)
    chat = connection.connect("slack", clock)
    with pytest.raises(Retry) as away:
        await chat.open(PLACE, "k1", head(), None, None)
    assert not away.value.unsure
    await chat.aclose()


async def test_a_public_channel_is_joined_on_the_way(slack: SlackDouble, chat: Chat, clock: Leap) -> None:
    slack.channels["C1"].member = False
    await chat.open(PLACE, "k1", head(), None, clock.now())
    assert len(slack.roots()) == 1
    assert len(slack.called("conversations.join")) == 1


def revoked(slack: SlackDouble) -> None:
    slack.fault("chat.postMessage", Fault("error", error="token_revoked"))


def missing(slack: SlackDouble) -> None:
    slack.scopes = slack.scopes - {"chat:write"}


def archived(slack: SlackDouble) -> None:
    slack.channels["C1"].archived = True


def restricted(slack: SlackDouble) -> None:
    slack.channels["C1"].restricted = True


def unknown(slack: SlackDouble) -> None:
    slack.channels.clear()


def outside(slack: SlackDouble) -> None:
    slack.channels["C1"] = Channel("C1", member=False)
    slack.scopes = slack.scopes - {"channels:join"}


def novel(slack: SlackDouble) -> None:
    slack.fault("chat.postMessage", Fault("error", error="never_heard_of"))


@pytest.mark.parametrize(
    ("broken", "fix"),
    [
        (revoked, "reinstall the app"),
        (missing, "chat:write"),
        (archived, "un-archive it"),
        (restricted, "ask an admin"),
        (unknown, "/invite @tocsin"),
        (outside, "/invite @tocsin"),
        (novel, "never_heard_of"),
    ],
)
async def test_what_a_person_must_mend_is_refused_with_the_fix_in_words(
    slack: SlackDouble, chat: Chat, broken: Callable[[SlackDouble], None], fix: str
) -> None:
    broken(slack)
    with pytest.raises(Refused) as refused:
        await chat.open(PLACE, "k1", head(), None, None)
    assert fix in str(refused.value)
    assert "ops" in str(refused.value)
    assert "xoxb" not in str(refused.value)
    assert len(slack.called("chat.postMessage")) <= 2


async def edited(chat: Chat, ref: str) -> None:
    await chat.edit(PLACE, ref, head(2), None)


async def replied(chat: Chat, ref: str) -> None:
    await chat.reply(PLACE, ref, "k2", line(), None)


@pytest.mark.parametrize("act", [edited, replied])
async def test_a_head_that_was_deleted_is_gone(
    slack: SlackDouble, chat: Chat, act: Callable[[Chat, str], Awaitable[None]]
) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    slack.delete(ref.partition(":")[2])
    with pytest.raises(Gone):
        await act(chat, ref)
    assert slack.roots() == [], "a reply that fell into the channel was taken back"


async def test_only_a_loud_line_is_shown_to_all_and_only_its_own_mention_calls(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k0", head(), None, None)
    await chat.reply(PLACE, ref, "k1", line(1, "calm", level="critical"), None)
    called = replace(line(2, "loud", loud=True, level="critical"), mention="<!subteam^S1>")
    await chat.reply(PLACE, ref, "k2", called, None)
    await chat.reply(PLACE, ref, "k3", line(3, "loud ", Said("<!channel>"), loud=True, level="major"), None)
    quiet, loud, other = slack.thread(ref.partition(":")[2])
    assert [m["broadcast"] for m in (quiet, loud, other)] == [False, True, True]
    assert "<!subteam^S1>" not in quiet["text"]
    assert loud["text"] == "🟠 <!subteam^S1> loud"
    assert "<!" not in other["text"]


async def test_broadcasting_can_be_switched_off(slack: SlackDouble, clock: Leap) -> None:
    async with connected(slack, clock, broadcast=False) as chat:
        ref = await chat.open(PLACE, "k0", head(), None, None)
        await chat.reply(PLACE, ref, "k1", line(2, loud=True), None)
    assert not slack.thread(ref.partition(":")[2])[0]["broadcast"]


async def test_a_head_that_slack_finds_malformed_is_refused_not_repeated(slack: SlackDouble, chat: Chat) -> None:
    slack.fault("chat.postMessage", Fault("error", error="invalid_blocks"))
    with pytest.raises(Refused, match="report this as a fault"):
        await chat.open(PLACE, "k1", head(), None, None)


@pytest.mark.parametrize("after", [True, False])
async def test_an_answer_that_never_comes_is_not_waited_for_for_ever(
    slack: SlackDouble, chat: Chat, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    monkeypatch.setattr("bot.chats.slack_web._TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    slack.fault("chat.postMessage", Fault("hang", after=after))
    with pytest.raises(Retry) as lost:
        await chat.open(PLACE, "k1", head(), None, None)
    assert lost.value.unsure


# Pins


async def test_the_head_is_pinned_while_it_lives_and_again_when_it_reopens(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    ts = ref.partition(":")[2]
    assert slack.channels["C1"].pins == [ts]
    await chat.edit(PLACE, ref, head(2), None)
    assert len(slack.called("pins.add")) == 1
    await chat.close(PLACE, ref, head(3, state="closed"), None)
    assert slack.channels["C1"].pins == []
    await chat.edit(PLACE, ref, head(4), None)
    assert slack.channels["C1"].pins == [ts]


async def test_a_head_is_unpinned_after_a_restart_too(slack: SlackDouble, clock: Leap) -> None:
    async with connected(slack, clock) as before:
        ref = await before.open(PLACE, "k1", head(), None, None)
    async with connected(slack, clock) as after:
        await after.close(PLACE, ref, head(2, state="closed"), None)
    assert slack.channels["C1"].pins == []


async def test_pins_can_be_switched_off(slack: SlackDouble, clock: Leap) -> None:
    async with connected(slack, clock, pin=False) as chat:
        ref = await chat.open(PLACE, "k1", head(), None, None)
        await chat.close(PLACE, ref, head(2, state="closed"), None)
    assert not slack.called("pins.add")
    assert not slack.called("pins.remove")


@pytest.mark.parametrize(
    "fault", [Fault("error", error="too_many_pins"), Fault("error", error="missing_scope"), Fault("ratelimit")]
)
async def test_a_pin_that_fails_never_holds_up_the_words(slack: SlackDouble, chat: Chat, fault: Fault) -> None:
    slack.fault("pins.add", fault)
    ref = await chat.open(PLACE, "k1", head(), None, None)
    await chat.reply(PLACE, ref, "k2", line(2), None)
    assert len(slack.roots()) == 1


async def test_the_opening_is_not_shown_to_the_channel_twice(slack: SlackDouble, chat: Chat) -> None:
    ref = await chat.open(PLACE, "k1", head(), None, None)
    await chat.reply(PLACE, ref, "k2", line(1, loud=True), None)
    await chat.reply(PLACE, ref, "k3", line(2, loud=True), None)
    assert [m["broadcast"] for m in slack.thread(ref.partition(":")[2])] == [False, True]
