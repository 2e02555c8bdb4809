"""The page of faults tells the truth: both real adapters, driven into every cell of it against the doubles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from doubles.clock import ManualClock
from doubles.discord_double import CHANNEL, TOKEN, DiscordDouble
from doubles.slack import Fault, SlackDouble
from doubles.slack_rig import NOTE, PLACE, PNG, DeskDouble, Leap, connected, head, line, listening, until

from bot.chats.discord import DiscordConnection
from bot.commands import faults
from bot.commands.faults import ACTIONS, OUTCOMES, page
from bot.core.model import Answer
from bot.ports import Chat, Gone, Place, Refused, Retry

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
SLACK = {fault.error: fault for fault in faults.slack()}
DISCORD = {fault.error: fault for fault in faults.discord()}


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "make docs"


@pytest.mark.parametrize("fault", [*SLACK.values(), *DISCORD.values()], ids=lambda fault: fault.error)
def test_every_cell_is_filled_and_what_stops_says_what_to_do(fault: faults.Fault) -> None:
    assert list(fault.outcomes) == list(ACTIONS)
    assert set(fault.outcomes.values()) <= set(OUTCOMES)
    assert "ops" in fault.words or "token" in fault.words
    stops = "stops" in fault.outcomes.values() and fault.error != "any other"
    assert not stops or any(word in fault.words for word in (":", ";")), "words that only complain"


async def tried(work: Awaitable[object]) -> str:
    """What became of a post, an edit or a line, in the words of the page; done is the empty string."""
    try:
        await work
    except Gone:
        return "afresh"
    except Refused:
        return "stops"
    except Retry as why:
        return "looks" if why.unsure else "again"
    return ""


# Slack


def spoil(slack: SlackDouble, method: str, error: str, times: int = 9) -> None:
    name = {"HTTP 429": "", "HTTP 5xx, or no answer": "", "any other": "an_error_that_is_new"}.get(error, error)
    kind = {"HTTP 429": Fault("ratelimit"), "HTTP 5xx, or no answer": Fault("status", status=503)}
    slack.fault(method, *[kind.get(error, Fault("error", error=name))] * times)


async def slack_chart(slack: SlackDouble, chat: Chat, error: str) -> str:
    """Spoil the upload; or the message, where it is the picture in it that may be at fault."""
    if SLACK[error].outcomes["chart"] == "bare":
        spoil(slack, "chat.postMessage", error, times=3)
    else:
        spoil(slack, "files.getUploadURLExternal", error, times=1)
    outcome = await tried(chat.open(PLACE, "chart", head(), PNG, None))
    shown = [block for root in slack.roots() for block in root["blocks"] if block["type"] == "image"]
    assert not outcome
    assert not shown
    return SLACK[error].outcomes["chart"]


@pytest.mark.parametrize("error", SLACK)
async def test_slack_does_what_the_page_says(error: str, prove: Callable[..., None]) -> None:
    expected, got = SLACK[error].outcomes, {}
    async with SlackDouble() as slack, connected(slack, Leap()) as chat:
        got["chart"] = await slack_chart(slack, chat, error)
        ref = await chat.open(PLACE, "root", head(), None, None)
        for action, method, work in (
            ("post", "chat.postMessage", lambda: chat.open(PLACE, "k1", head(), None, None)),
            ("edit", "chat.update", lambda: chat.edit(PLACE, ref, head(2), None)),
            ("reply", "chat.postMessage", lambda: chat.reply(PLACE, ref, "k2", line(), None)),
        ):
            joined = len(slack.called("conversations.join"))
            spoil(slack, method, error, times=1)
            outcome = await tried(work())
            got[action] = outcome or ("joins" if len(slack.called("conversations.join")) > joined else "")
        spoil(slack, "pins.add", error, times=1)
        pinned = await chat.open(PLACE, "k3", head(), None, None)
        got["pin"] = "without" if pinned.partition(":")[2] not in slack.channels["C1"].pins else ""
    wrong = [
        f"{error}: {action} {what}, not {expected[action]}" for action, what in got.items() if what != expected[action]
    ]
    prove("R10", len(got), wrong, "cells of the table of faults, each driven on the real adapters")


@pytest.mark.parametrize("error", SLACK)
async def test_people_in_slack_are_told_or_the_log_is(error: str, capsys: pytest.CaptureFixture[str]) -> None:
    desk = DeskDouble()
    desk.forms["note"] = NOTE
    async with SlackDouble() as slack, listening(slack, desk):
        spoil(slack, "views.open", error, times=1)
        pressed = await slack.press("note", "INC-42")
        await until(lambda: pressed.answers)
        assert SLACK[error].outcomes["form"] == "said"
        assert "The form could not be shown. Slack" in pressed.answers[0]["text"]
        spoil(slack, "chat.postEphemeral", error, times=1)
        await slack.mention("why")
        await until(lambda: slack.called("chat.postEphemeral"))
        await until(lambda: "slack_answer_lost" in capsys.readouterr().out)
        assert SLACK[error].outcomes["answer"] == "unheard"
        assert not slack.ephemerals
        assert len(desk.asked) == 1, "what was asked for is done"


# Discord

WHERE = Place(name="community", chat="disco", address=CHANNEL)


class Desk:
    """Answers everything with one word; a note wants its form first."""

    def __init__(self) -> None:
        self.asked = 0

    async def answer(self, request: object) -> Answer:
        self.asked += 1
        return Answer(lines=(("Noted.",),))

    def form(self, request) -> object:
        return NOTE if request.verb == "note" else None


def kind(error: str) -> str:
    """The fault as the double scripts it."""
    named = {"HTTP 401": "401:0", "HTTP 429": "429", "HTTP 5xx, or no answer": "503", "any other": "400:99999"}
    return named.get(error) or f"{faults.discord_trouble.ERRORS[int(error)]}:{error}"


def joined(double: DiscordDouble, clock: ManualClock) -> Chat:
    given = {"token": TOKEN, "guild": "123", "api_url": double.url, "gateway_url": double.gateway_url}
    return DiscordConnection.model_validate({"kind": "discord", **given}).connect("disco", clock)


def once(double: DiscordDouble, route: str, error: str) -> Callable[[], bool]:
    """Spoil one call of a route; answers a question whether a thread was woken since."""
    before = len(double.calls["channel.get"])
    double.fault(route, kind(error), retry_after=3_600)
    return lambda: len(double.calls["channel.get"]) > before


@pytest.mark.parametrize("error", DISCORD)
async def test_discord_does_what_the_page_says(error: str, prove: Callable[..., None]) -> None:
    expected, got = DISCORD[error].outcomes, {}
    async with DiscordDouble() as double:
        chat = joined(double, ManualClock(datetime.now(UTC)))
        ref = await chat.open(WHERE, "root", head(), None, None)
        for action, route, work in (
            ("post", "message.post", lambda: chat.open(WHERE, "k1", head(), None, None)),
            ("edit", "message.patch", lambda: chat.edit(WHERE, ref, head(2), None)),
            ("reply", "message.post", lambda: chat.reply(WHERE, ref, "k2", line(), None)),
        ):
            woken = once(double, route, error)
            outcome = await tried(work())
            got[action] = outcome or ("opens" if woken() else "afresh")  # under another nonce
        woken = once(double, "message.patch", error)
        outcome = await tried(chat.edit(WHERE, ref, head(3), PNG))
        got["chart"] = outcome or ("opens" if woken() else "bare")
        bare = not double.messages[ref.partition(":")[2]]["attachments"]
        assert (got["chart"] == "opens") is not bare
        once(double, "pin", error)
        pinned = await chat.open(WHERE, "k3", head(), None, None)
        got["pin"] = "without" if pinned.partition(":")[2] not in double.pins else ""
        await chat.aclose()
    wrong = [
        f"{error}: {action} {what}, not {expected[action]}" for action, what in got.items() if what != expected[action]
    ]
    prove("R10", len(got), wrong, "cells of the table of faults, each driven on the real adapters")


@pytest.mark.parametrize("error", DISCORD)
async def test_people_in_discord_are_answered_or_the_log_says_so(
    error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk()
    async with DiscordDouble() as double:
        chat = joined(double, ManualClock(datetime.now(UTC)))
        running = asyncio.create_task(chat.run(desk, [WHERE]))
        await asyncio.wait_for(double.gateway.ready.wait(), 60)
        for action, route, verb in (("form", "interaction", "note"), ("answer", "original.patch", "list")):
            double.fault(route, kind(error))
            deed = await double.command("incident", verb)
            if DISCORD[error].outcomes[action] == "again":
                await until(lambda deed=deed, action=action: deed.kind == 9 if action == "form" else deed.original)
                continue
            await until(lambda: "a person was not answered" in capsys.readouterr().out)
            assert DISCORD[error].outcomes[action] == "unheard"
        assert desk.asked == 1, "what was asked for is done"
        running.cancel()
        await asyncio.wait([running])
        await chat.aclose()


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    structlog.reset_defaults()
