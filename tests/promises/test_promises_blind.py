"""R23: whatever cuts us off from the world, nothing of it is told as an outage of theirs."""

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import yaml
from doubles.clock import ManualClock
from doubles.world import World
from structlog.testing import capture_logs

from bot.config.read import read
from bot.house import House
from bot.listening.asking import Asking
from bot.listening.sight import Sight

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CUTS = ("timeout", "connect", "dns", "tls", "http_407")
BEFORE, AFTER, STEP = 120, 240, 5
NAMES = ["alpha", "bravo", "carol", "delta", "eagle", "frank", "gamma", "hotel", "india", "julia", "karma", "lemon"]


@dataclass
class Life:
    """A house that asks a made-up world; every second of its clock is judged."""

    chance: Random
    folder: object
    victim: str = NAMES[0]

    def __post_init__(self):
        self.clock = ManualClock(START)
        self.world = World(self.clock)
        self.every = self.chance.choice((30, 60))
        self.sites = self.chance.randint(3, len(NAMES))
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self._config()))
        self.house = House(read(self.folder / "config.yaml", {}), self.clock, None)
        self.notices = []

        async def changed(blind):
            self.notices.append(blind)

        canaries = self.house.settings.canaries
        sight = Sight(self.world, self.clock, canaries=canaries, changed=changed)
        hear, engine = self.house.engine.hear, self.house.engine
        self.asking = Asking(http=self.world, clock=self.clock, hear=hear, lively=self._lively, sight=sight)
        self.engine = engine

    def _config(self):
        """A few probes out in the world, a page or two, some hosts of our own, and canaries now and then."""
        services = {}
        for name in NAMES[: self.sites]:
            scheme = "http" if name != self.victim and self.chance.random() < 0.3 else "https"
            probe = {"kind": "probe", "url": f"{scheme}://{name}.example-{name}.com/", "every": f"{self.every}s"}
            services[name] = {"watch": {"front": {**probe, "fail_after": self.chance.choice((2, 3))}}}
            if name != self.victim and self.chance.random() < 0.5:
                page = {"kind": "statuspage", "url": f"https://status.example-{name}.com"}
                services[name]["watch"]["page"] = page
        for n in range(self.chance.randint(0, 4)):
            inner = {"kind": "probe", "url": f"http://10.0.0.{n + 1}/", "allow_private": True, "every": "30s"}
            services[f"inner{n}"] = {"watch": {"front": inner}}
        canaries = ["https://canary.example.net", "https://canary.example.org"] if self.chance.random() < 0.3 else []
        return {"policy": {"confirm_for": "0s"}, "services": services, "canaries": canaries}

    def _lively(self, service):
        return self.house.board.living(service) is not None

    async def wake(self):
        await self.house.wake()
        self.tasks = [
            asyncio.ensure_future(self.asking.watch(service, name, watch))
            for service, watches in self.house.watches.items()
            for name, watch in watches.items()
        ]

    async def seconds(self, number):
        for _ in range(math.ceil(number / STEP)):
            await self.clock.advance(STEP)
            await self.engine.beat(self.clock.now())

    async def opened(self):
        return {i.service: i.opened_at for i in await self.house.store.incidents()}

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def cut(life, how, seconds):
    """Cut us off; in the middle of it one service goes down for good. Answers what is wrong about what was told."""
    await life.wake()
    await life.seconds(BEFORE)
    life.world.cut = how
    await life.seconds(seconds / 2)
    life.world.down = {f"{life.victim}.example-{life.victim}.com"}
    await life.seconds(seconds / 2)
    life.world.cut = ""
    over = life.clock.now()
    during = await life.opened()
    await life.seconds(AFTER)
    opened = await life.opened()
    late = opened.get(life.victim, datetime.max.replace(tzinfo=UTC)) - over
    await life.end()
    wrong = [f"{how} for {seconds:.0f} s: {name} was told as down" for name in {*during, *opened} - {life.victim}]
    wrong += [f"{how} for {seconds:.0f} s: told while we were cut off"] if during else []
    if late > timedelta(seconds=2 * life.every):
        wrong.append(f"{how} for {seconds:.0f} s: found only {late} after, looked at every {life.every} s")
    if life.notices not in ([], [True, False]):
        wrong.append(f"{how} for {seconds:.0f} s: more than one notice: {life.notices}")
    if seconds > 90 and not life.notices:
        wrong.append(f"{how} for {seconds:.0f} s: no notice")
    return wrong


@pytest.mark.parametrize("how", CUTS)
async def test_being_cut_off_is_told_as_ours_and_a_true_outage_is_found_right_after(tmp_path, prove, how):
    wrong, tried = [], 10
    for n in range(tried):
        seconds = 10 * 180 ** (n / (tried - 1))
        with capture_logs():
            wrong += await cut(Life(Random(f"{how} {n}"), tmp_path), how, seconds)
    prove("R23", tried, wrong, "cuts of 10 s to 30 min, each with a true outage that began in it")
