"""R9, R24: many incidents at once, and one that flaps, on both platforms, through their own libraries and limits."""

import asyncio
import itertools
import re
import time
from collections import Counter
from datetime import timedelta

import pytest
from doubles.discord_double import TOKEN, DiscordDouble
from doubles.oracle import POLICY, T0, Script, no_picture
from doubles.slack import BOT_TOKEN, Channel, SlackDouble
from doubles.slack_rig import Hurry

from bot.chats.discord import DiscordConnection
from bot.chats.slack import SlackConnection
from bot.core.incident import step
from bot.core.model import Case, Evidence, Judged, Reading
from bot.database import Database
from bot.fields import Secret
from bot.ports import Place
from bot.relay import Relay
from bot.stores.sqlite import SqliteStore
from bot.world.clock import WallClock

SLACK, DISCORD = ("C1", "C2"), ("1001", "1002")


class Town:
    """Two channels on each platform; a minute there takes 60 s / `speed`."""

    def __init__(self, speed):
        self.speed = speed
        self.slack, self.discord = (
            SlackDouble(),
            DiscordDouble(channels=dict.fromkeys(DISCORD, "x"), rate=(5, 5 / speed)),
        )
        self.slack.channels = {name: Channel(name) for name in SLACK}
        self.slack.minute = 60 / speed
        self.database = Database(":memory:")
        self.store = SqliteStore(self.database)
        self.script = Script(self.store, (*SLACK, *DISCORD))
        self.began = 0.0

    async def __aenter__(self):
        await self.slack.__aenter__()
        await self.discord.__aenter__()
        clock = Hurry(self.speed)
        slack = SlackConnection(kind="slack", bot_token=Secret(BOT_TOKEN), api_url=self.slack.url)
        discord = DiscordConnection(
            kind="discord",
            token=Secret(TOKEN),
            guild=["123"],
            api_url=self.discord.url,
            gateway_url=self.discord.gateway_url,
        )
        self.chats = [slack.connect("slack", clock), discord.connect("disco", WallClock())]
        self.relays = [
            self._relay(channel, chat, clock)
            for chat, channels in zip(self.chats, (SLACK, DISCORD), strict=True)
            for channel in channels
        ]
        self.began = time.monotonic()
        self.work = [asyncio.create_task(relay.run()) for relay in self.relays]
        return self

    async def __aexit__(self, *_):
        for task in self.work:
            task.cancel()
        await asyncio.gather(*self.work, return_exceptions=True)
        for chat in self.chats:
            await chat.aclose()
        await self.slack.__aexit__(None, None, None)
        await self.discord.__aexit__(None, None, None)
        await self.database.aclose()

    def _relay(self, channel, chat, clock):
        group = "<@&{}>" if channel in DISCORD else "<!subteam^S{}>"
        mention = {level: group.format(n) for n, level in enumerate(POLICY.levels, 1)}
        place = Place(name=channel, chat="any", address=channel, mention=mention)
        services = dict.fromkeys((f"s{n}" for n in range(100)), POLICY)
        return Relay(
            place, chat, self.store, clock, policies=services, draw=no_picture, link=lambda _: "", troubled=lambda _: ()
        )

    async def told(self, minutes):
        """Wait until nobody has anything left to hear; True when that was within so many minutes."""
        end = time.monotonic() + minutes * 60 / self.speed
        while time.monotonic() < end:
            if not any([await self.store.behind(channel) for channel in (*SLACK, *DISCORD)]):
                return True
            for relay in self.relays:
                relay.wake()
            await asyncio.sleep(0.2)
        return False

    def openings(self, channel):
        """When each thread of a channel was opened, in seconds since the beginning."""
        if channel in SLACK:
            posts = [c for c in self.slack.calls if c.method == "chat.postMessage" and not c.args.get("thread_ts")]
            return [(c.at - self.wall) * self.speed for c in posts if c.args.get("channel") == channel]
        posts = [c["at"] for c in self.discord.calls["message.post"] if f"/channels/{channel}/" in c["path"]]
        return [(at - self.began) * self.speed for at in posts]


@pytest.mark.parametrize(
    ("incidents", "speed"), [(20, 10), pytest.param(100, 1, marks=[pytest.mark.soak, pytest.mark.timeout(2400)])]
)
async def test_many_incidents_in_a_minute_are_told_on_four_channels_within_the_limits(prove, incidents, speed):
    async with Town(speed) as town:
        town.wall = time.time()
        for n in range(incidents):
            await town.script.open(f"s{n}", POLICY.levels[n % 3], n / 60)
        wrong = [] if await town.told(12) else ["not all was told in 12 minutes"]
        for n in range(0, incidents, 2):
            await town.script.close(f"s{n}", 5)
        wrong += [] if await town.told(20) else ["not every close was told in 20 minutes"]
        wrong += _late(town, incidents // 2) if speed <= 4 else []  # a machine that tests much else is not so fast
        calls = len(town.slack.calls) + sum(map(len, town.discord.calls.values()))
        refused = town.slack.limited + town.discord.limited
        wrong += [f"{refused} of {calls} calls were answered 429"] if refused > calls / 100 else []
        wrong += _lost(town, incidents)
    prove("R9", incidents * 4, wrong, "incidents of a minute told on four channels, by the platforms' own libraries")


FLAPS = ["minor"] * 3 + [""] * 8 + ["major"] * 2 + [""] * 3 + ["minor"] * 2 + ["", "critical"] * 3 + [""] * 8


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.soak)])
async def test_a_service_that_flaps_stays_in_one_thread_on_both_platforms_and_calls_once_per_level(prove, rounds):
    async with Town(speed=30) as town:
        case = Case(service="s0")
        for minute, level in enumerate([""] + FLAPS * rounds):
            at = T0 + timedelta(minutes=minute)
            reading = Reading(at=at, kind=Evidence.PROBE, source="front", level=level)
            after, entries = step(case, Judged(at=at, readings=(reading,)), POLICY)
            case = await town.store.save(after, entries, (*SLACK, *DISCORD)) if after != case else case
            assert await town.told(5)
        kinds = Counter(entry.kind for entry in await town.store.entries(case.incident.id))
        assert kinds["reopened"] >= rounds
        roots = [m for c in SLACK for m in town.slack.channels[c].messages if m.get("thread_ts", m["ts"]) == m["ts"]]
        roots += [m for m in town.discord.messages.values() if m["channel_id"] in DISCORD]
        said = [m["text"] for c in SLACK for m in town.slack.channels[c].messages]
        called = Counter(word for text in said for word in re.findall(r"<!subteam\^S\d>", text))
        called += Counter(town.discord.pings)
        wrong = [] if len(roots) == 4 else [f"{len(roots)} threads"]
        wrong += [f"{who} was called {times} times" for who, times in called.items() if times != 2]
        wrong += [] if len(called) == 2 * len(POLICY.levels) else [f"called: {called}"]
    prove("R24", kinds.total() * 4, wrong, "lines of a flapping service told on four channels in one thread each")


def _late(town, half):
    """The first half of the openings takes no longer than a message a second and a little more, whatever is edited."""
    opened = {channel: town.openings(channel) for channel in (*SLACK, *DISCORD)}
    most = half * 1.2
    return [f"{c}: opening {half} came after {at[half - 1]:.0f} s" for c, at in opened.items() if at[half - 1] > most]


def _lost(town, incidents):
    """Each incident has one thread in each channel, with its line, and its close where there was one."""
    wrong = []
    for channel in SLACK:
        messages = town.slack.channels[channel].messages
        roots = [m["ts"] for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]
        lines = Counter(m["thread_ts"] for m in messages if m.get("thread_ts", m["ts"]) != m["ts"])
        wrong += _counted(channel, roots, lines, incidents)
        left = len(town.slack.channels[channel].pins) - (incidents - incidents // 2)
        wrong += [f"{channel}: {left} more are pinned than are open"] if left > 0 else []
    for channel in DISCORD:
        posted = [m for m in town.discord.messages.values() if m["channel_id"] == channel]
        lines = Counter(m["channel_id"] for m in town.discord.messages.values() if m["channel_id"] not in DISCORD)
        wrong += _counted(channel, [m["id"] for m in posted], lines, incidents)
    return wrong


def _counted(channel, roots, lines, incidents):
    counts = sorted(lines[root] for root in roots)
    expected = sorted(itertools.islice(itertools.cycle((2, 1)), incidents))
    wrong = [] if len(roots) == incidents else [f"{channel}: {len(roots)} threads"]
    return wrong + ([] if counts == expected else [f"{channel}: lines {Counter(counts)}"])
