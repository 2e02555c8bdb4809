"""R28 and R29: a link that looks alive and tells nothing is noticed, replaced, and not replaced for nothing.

Seconds are those of a clock that runs many times faster than the wall; sockets, libraries and platforms are real.
"""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest
from doubles.clock import Elastic, ManualClock
from doubles.discord_double import TOKEN, DiscordDouble
from doubles.oracle import T0
from doubles.slack import APP_TOKEN, BOT_TOKEN, ApiError, SlackDouble
from doubles.wire import Wire

from bot.chats.discord import DiscordConnection
from bot.chats.discord_chat import DiscordChat
from bot.chats.discord_gateway import Gateway, Identifies, stay
from bot.chats.slack_socket import Socket
from bot.chats.slack_web import Web
from bot.core.model import Answer
from bot.ports import Retry

pytestmark = pytest.mark.slow
SLACK_BACK, DISCORD_BACK, DISCORD_RETURN = 60.0, 90.0, 30.0


async def reached(clock, tried, heard, seconds=600.0):
    """How long it takes, on the clock, until what is tried again and again is heard."""
    began, before = clock.monotonic(), len(heard)
    while len(heard) == before:
        assert clock.monotonic() - began < seconds, "it never heard again"
        with suppress(ApiError, ConnectionError):
            await tried()
        await asyncio.sleep(0.02)
    return clock.monotonic() - began


# Slack


class Listener:
    """A socket on a wire, the tickets it asked for, and what it heard."""

    def __init__(self, slack, wire, web, clock):
        self.slack, self.wire, self.web, self.clock = slack, wire, web, clock
        self.heard, self.tickets, self.office = [], [], True

    async def ticket(self):
        self.tickets.append(self.clock.monotonic())
        if not self.office:
            raise Retry("no such host")
        return (await self.web.ticket(APP_TOKEN)).replace(f":{self.slack.port}/", f":{self.wire.port}/")

    async def event(self):
        await self.slack.mention("status")

    async def back(self):
        return await reached(self.clock, self.event, self.heard)

    def hasty(self):
        return [round(b - a, 2) for a, b in pairwise(self.tickets) if b - a < 5.0]


@asynccontextmanager
async def on_slack():
    clock = Elastic(20)
    async with SlackDouble() as slack, Wire(slack.port) as wire:
        web = Web(BOT_TOKEN, slack.url)
        listener = Listener(slack, wire, web, clock)
        socket = Socket("slack", listener.ticket, lambda *told: listener.heard.append(told), clock, heartbeat=5 / 20)
        run = asyncio.create_task(socket.run())
        try:
            await listener.back()
            yield listener
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            await web.aclose()


async def refused_tickets(it):
    it.slack.refused_tickets = 3
    await it.slack.drop("refresh_requested")


async def a_dropped_wire(it):
    await it.slack.drop()


async def half_open(it):
    it.wire.lose()


async def a_cut_of_a_minute(it):
    it.wire.cut()
    await it.clock.sleep(60)
    it.wire.mend()


async def frozen_behind_the_socket(it):
    it.slack.frozen = True
    await it.clock.sleep(20)
    it.slack.frozen = False


async def no_name_server_for_ten_minutes(it):
    it.office = False
    await it.slack.drop()
    it.clock.speed = 600
    await it.clock.sleep(600)
    it.clock.speed = 20
    it.office = True


async def too_many_sockets(it):
    for _ in range(3):
        await it.slack.drop("too_many_websockets")
        await it.clock.sleep(6)


SLACK_FAULTS = [
    *(refused_tickets, a_dropped_wire, half_open, a_cut_of_a_minute),
    *(frozen_behind_the_socket, no_name_server_for_ten_minutes, too_many_sockets),
]


@pytest.mark.parametrize("fault", SLACK_FAULTS)
async def test_slack_is_heard_again_within_a_minute(prove, fault):
    async with on_slack() as it:
        await fault(it)
        took = await it.back()
        late = [] if took <= SLACK_BACK else [f"heard again after {took:.0f} s"]
        prove("R29", 1, late + it.hasty(), "ways to lose Slack's socket, and events again within 60 s")


@pytest.mark.parametrize("step", [-3_600, 3_600, -86_400 * 365])
async def test_a_step_of_the_wall_clock_hides_no_dead_link(prove, step, monkeypatch):
    async with on_slack() as it:
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() + step)
        it.wire.lose()
        took = await it.back()
        prove("R29", 1, [] if took <= SLACK_BACK else [took], "steps of the wall clock while a link was half open")


async def test_tickets_are_never_asked_for_in_haste_however_links_end(prove):
    async with on_slack() as it:
        for _ in range(4):
            await it.slack.drop()
            await it.back()
        spared = len(it.tickets)
        prove("R29", spared, it.hasty(), "tickets, none within 5 s of another")


# Discord


class Hearer:
    """A desk that notes what was asked."""

    def __init__(self):
        self.heard = []

    async def answer(self, request):
        self.heard.append(request)
        return Answer(lines=(("Heard.",),))

    def form(self, request):
        return None

    def suggest(self, what, typed):
        return []


class Watched(Gateway):
    """A client that tells whether it is looking for a sign of life just now."""

    waits_for_life = False

    async def _asked_back(self):
        self.waits_for_life = True
        await super()._asked_back()
        self.waits_for_life = False


class Guild:
    """A gateway client kept alive against the double, over a wire."""

    def __init__(self, double, wire, clock):
        self.double, self.wire, self.clock, self.desk = double, wire, clock, Hearer()
        self.clients = []

    async def act(self):
        await self.double.command("incident", "list")

    async def back(self):
        return await reached(self.clock, self.act, self.desk.heard, 900)

    @property
    def identified(self):
        return self.double.gateway.tally["identify"]


@asynccontextmanager
async def on_discord(clock=None):
    clock = clock or Elastic(20)
    async with DiscordDouble() as double, Wire(double.port) as wire:
        double.gateway_port = wire.port
        given = {"token": TOKEN, "guild": "123", "api_url": double.url, "gateway_url": double.gateway_url}
        DiscordChat(DiscordConnection.model_validate({"kind": "discord", **given}), "disco", clock)
        guild, identifies = Guild(double, wire, clock), Identifies(clock)

        async def nowhere(parent, thread):
            return ""

        def fresh():
            more = {"guilds": ["123"], "roles": {}, "short": True, "guild_ready_timeout": 0.05}
            guild.clients.append(Watched(identifies, "disco", guild.desk, {}, nowhere, **more))
            return guild.clients[-1]

        run = asyncio.create_task(stay(fresh, TOKEN, identifies, "disco"))
        try:
            yield guild
        finally:
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)


async def stops_acking(it):
    await it.double.gateway.trouble("deaf")


async def acks_and_tells_nothing(it):
    await it.double.gateway.trouble("mute")
    await it.clock.sleep(60)
    it.double.gateway.mute = False
    it.double.gateway.forget()


async def neither_acks_nor_tells(it):
    it.double.gateway.acking, it.double.gateway.mute = False, True
    await it.clock.sleep(60)
    it.double.gateway.mute = False
    it.double.gateway.forget()


async def the_session_is_invalid(it):
    await it.double.gateway.trouble("invalid")


async def the_wire_is_half_open(it):
    it.wire.lose()


async def the_wire_is_cut_for_a_minute(it):
    it.wire.cut()
    await it.clock.sleep(60)
    it.wire.mend()


def closed_with(code, seconds):
    async def closes(it):
        await it.double.gateway.trouble("refuse", code)
        await it.double.gateway.trouble("close", code)
        await it.clock.sleep(seconds)
        await it.double.gateway.trouble("refuse", 0)

    closes.__name__ = f"closes_with_{code}_for_{seconds}_s"
    return closes


DISCORD_FAULTS = [
    *(stops_acking, acks_and_tells_nothing, neither_acks_nor_tells, the_session_is_invalid, the_wire_is_half_open),
    *(the_wire_is_cut_for_a_minute, *(closed_with(code, 20) for code in (4000, 4004, 4009, 4014))),
    closed_with(4000, 60),
]


@pytest.mark.parametrize("fault", DISCORD_FAULTS, ids=lambda fault: fault.__name__)
async def test_discord_is_heard_again_within_a_minute_and_a_half(prove, fault):
    async with on_discord() as it:
        await it.back()
        await fault(it)
        took = await it.back()
        wrong = [] if took <= DISCORD_BACK else [f"heard again after {took:.0f} s"]
        wrong += [] if it.identified <= 20 else [f"{it.identified} sessions"]
        prove("R28", 1, wrong, "ways to lose Discord's gateway, and people heard again within 90 s")


async def test_sessions_are_begun_quickly_at_first_and_at_most_twenty_an_hour(prove):
    clock = ManualClock(T0)
    identifies, begun = Identifies(clock), []
    while clock.monotonic() < 24 * 3_600:
        await clock.advance(identifies.wait())
        identifies.take()
        begun.append(clock.monotonic())
        await clock.advance(0.5)
    hours = [sum(at <= other < at + 3_600 for other in begun) for at in begun]
    wrong = [f"{most} in an hour" for most in hours if most > 20]
    wrong += [f"{b - a} s apart" for a, b in pairwise(begun) if not 5 <= b - a < 300]
    wrong += [f"{b - a} s apart at first" for a, b in pairwise(begun[:6]) if b - a > 40]
    prove("R28", len(begun), wrong, "sessions begun in a day that lets none stay, 20 an hour, none later than 5 min")


@pytest.mark.soak
async def test_a_gateway_that_never_lets_us_stay_is_not_asked_more_than_twenty_times_an_hour(prove):
    async with on_discord(Elastic(30)) as it:
        await it.back()
        await it.double.gateway.trouble("refuse", 4000)
        await it.double.gateway.trouble("close", 4000)
        await it.clock.sleep(3_590)
        begun = it.identified
        wrong = [] if 10 < begun <= 20 else [f"{begun} sessions"]
        prove("R28", begun, wrong, "sessions begun in an hour at a gateway that closes each of them")


@pytest.mark.parametrize("hours", [4, pytest.param(24, marks=pytest.mark.soak)])
async def test_a_quiet_server_is_left_in_peace(prove, hours):
    clock = ManualClock(T0)
    async with on_discord(clock) as it:
        tally = it.double.gateway.tally
        await it.double.gateway.ready.wait()
        await it.clients[0].wait_until_ready()
        it.clients[0].ws._rate_limiter.remaining = 1_000_000  # the library's own brake counts real minutes, not ours
        for _ in range(hours * 60 * 3):
            asked = tally["members"]
            await clock.advance(20)
            while tally["members"] == asked or it.clients[0].waits_for_life:  # noqa: ASYNC110  # a day has many of them
                await asyncio.sleep(0)
        began = {"links": tally["links"], "sessions": tally["identify"]}
        wrong = [] if began == {"links": 1, "sessions": 1} else [began]
        prove("R28", tally["members"], wrong, "looks for life at a quiet server, without one restart")
