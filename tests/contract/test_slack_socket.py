"""Events are heard again whatever became of the socket: the real Socket Mode client against the double."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from doubles.slack import APP_TOKEN, BOT_TOKEN, Fault, SlackDouble
from doubles.slack_rig import DeskDouble, Hurry, connected, listening, until

from bot.chats.slack_socket import Socket
from bot.chats.slack_web import Web
from bot.fields import Secret
from bot.ports import Refused


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


def living(slack: SlackDouble) -> int:
    return sum(not ws.closed for ws in slack.sockets)


async def heard(slack: SlackDouble, desk: DeskDouble, words: str) -> None:
    asked = await slack.slash("/incident", words)
    await until(lambda: asked.answers)
    assert desk.asked[-1].text == words


async def test_a_dropped_socket_is_replaced(slack: SlackDouble) -> None:
    async with listening(slack, desk := DeskDouble()):
        await heard(slack, desk, "list")
        await slack.drop()
        await until(lambda: len(slack.sockets) == 2)
        await heard(slack, desk, "why")


async def test_a_socket_that_slack_retires_is_replaced_before_it_is_closed(slack: SlackDouble) -> None:
    async with listening(slack, desk := DeskDouble()):
        [old] = slack.sockets
        await slack.drop("warning")
        await until(lambda: len(slack.sockets) == 2)
        assert not old.closed, "the successor is up first"
        await heard(slack, desk, "why")
        await until(lambda: old.closed)
        assert living(slack) == 1


async def test_a_refused_ticket_is_thrown_away_and_a_fresh_one_asked_for(slack: SlackDouble) -> None:
    slack.refused_tickets = 2
    async with listening(slack, desk := DeskDouble()):
        await heard(slack, desk, "list")
    assert len(slack.called("apps.connections.open")) == 3


async def test_a_ticket_refused_after_a_drop_does_not_make_it_deaf(slack: SlackDouble) -> None:
    async with listening(slack, desk := DeskDouble()):
        slack.refused_tickets = 1
        await slack.drop("refresh_requested")
        await until(lambda: len(slack.sockets) == 2)
        await heard(slack, desk, "why")


@pytest.mark.parametrize(
    "fault", [Fault("status", status=503), Fault("reset"), Fault("ratelimit", retry_after="20"), Fault("html")]
)
async def test_a_ticket_office_in_trouble_is_asked_again(slack: SlackDouble, fault: Fault) -> None:
    slack.fault("apps.connections.open", fault)
    async with listening(slack, desk := DeskDouble()):
        await heard(slack, desk, "list")
    first, second = slack.called("apps.connections.open")
    least = (20 if fault.kind == "ratelimit" else 5) / Hurry().speed
    assert second.at - first.at >= least / 2, "as they arrive, which on a busy machine is not as they were sent"


async def test_sockets_that_die_at_once_are_not_asked_for_more_often_than_every_five_seconds(
    slack: SlackDouble,
) -> None:
    web, clock, times = Web(BOT_TOKEN, slack.url), Hurry(), []

    async def ticket() -> str:
        times.append(clock.monotonic())
        return await web.ticket(APP_TOKEN)

    run = asyncio.create_task(Socket("slack", ticket, lambda *_: None, clock).run())
    for count in range(1, 5):
        await until(lambda count=count: len(slack.sockets) == count)
        await slack.drop()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await web.aclose()
    assert min(b - a for a, b in pairwise(times)) >= 5


async def test_a_socket_mode_that_was_switched_off_is_said_with_the_fix_and_asked_for_rarely(
    slack: SlackDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    async with listening(slack, DeskDouble()):
        await slack.drop("link_disabled")
        await until(lambda: "switch it on, or use signing_secret" in capsys.readouterr().out)
        await asyncio.sleep(30 / Hurry().speed)
        assert len(slack.called("apps.connections.open")) == 1


async def test_a_wire_that_went_silent_is_noticed(slack: SlackDouble) -> None:
    web = Web(BOT_TOKEN, slack.url)
    got: list[str] = []

    def take(name: str, kind: str, payload: dict) -> None:
        got.append(kind)

    run = asyncio.create_task(Socket("slack", lambda: web.ticket(APP_TOKEN), take, Hurry(), heartbeat=0.2).run())
    await until(lambda: slack.sockets)
    slack.frozen = True
    await until(lambda: len(slack.sockets) > 1)
    slack.frozen = False
    await until(lambda: living(slack))
    await slack.slash("/incident", "list")
    await until(lambda: got)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    await web.aclose()


async def test_a_wrong_app_token_is_refused_with_the_fix_and_posting_goes_on(slack: SlackDouble) -> None:
    web = Web(BOT_TOKEN, slack.url)
    with pytest.raises(Refused, match="app_token"):
        await web.ticket("xapp-wrong")
    await web.aclose()


async def test_stopping_closes_the_socket_and_leaves_nothing_running(slack: SlackDouble) -> None:
    before = asyncio.all_tasks()
    async with listening(slack, desk := DeskDouble()):
        desk.gate.clear()
        asked = await slack.slash("/incident", "list")
        await until(lambda: asked.acked_after is not None)
    await until(lambda: not living(slack))
    await until(lambda: not {task for task in asyncio.all_tasks() - before if "slack" in repr(task.get_coro())})


async def test_without_an_app_token_it_only_speaks(slack: SlackDouble) -> None:
    async with connected(slack, Hurry(), app_token=None) as chat:
        run = asyncio.create_task(chat.run(DeskDouble(), []))
        await asyncio.sleep(0.05)
        assert not run.done()
        assert slack.called("apps.connections.open") == []
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


def test_tokens_do_not_print() -> None:
    assert "xoxb" not in repr(Secret(BOT_TOKEN))
