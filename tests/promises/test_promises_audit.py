"""R33: twelve real breaches of a living house; within two minutes the dead-man's switch hears no good word any more."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from doubles.living import NOON
from doubles.sinking import Sinking

from bot.app import House, Serving
from bot.config.read import read
from bot.core.model import Acted
from bot.ports import Refused, Reply, Retry

CONFIG = """\
deadman: {url: 'http://dead.example/ping'}
chats: {page: {kind: page}}
channels: {wall: {chat: page}}
services:
  twitter: {watch: {front: {kind: probe, url: 'https://twitter.com', every: 30s}}}
"""
SOON = timedelta(seconds=2)
GOOD = "http://dead.example/ping"


class World:
    """The dead-man's switch, and a page that a probe may ask, unless it is told to keep silent."""

    def __init__(self):
        self.heard, self.silent = [], False

    async def get(self, url, **_):
        if "dead.example" in url:
            self.heard.append(url)
        elif self.silent:
            await asyncio.Event().wait()
        return Reply(status=200, url=url, headers={}, body=b"", elapsed=0.1)

    async def aclose(self):
        pass


class Lived:
    """A house with everything that goes on in it, in virtual time; the disk is a real one."""

    def __init__(self, folder, monkeypatch):
        self.clock, self.world, self.folder = ManualClock(NOON), World(), folder
        monkeypatch.setattr("bot.app.WallClock", lambda: self.clock)
        monkeypatch.setattr("bot.app.Web", lambda *_: self.world)
        monkeypatch.setattr("bot.auditor._PATIENCE", 3.0)
        (folder / "config.yaml").write_text(CONFIG + "web: {listen: '127.0.0.1:0'}\n")
        self.house = House(read(folder / "config.yaml", {}), self.clock, folder / "data")

    async def __aenter__(self):
        await self.house.wake()
        self.serving = await Serving(self.house).__aenter__()
        self.work = asyncio.create_task(self.serving.run())
        return self

    async def __aexit__(self, *_):
        self.work.cancel()
        await asyncio.wait([self.work])
        await self.serving.__aexit__()
        await self.house.aclose()

    async def minutes(self, number):
        """Time passes, with turns for the threads of the disk."""
        for _ in range(number * 30):
            await self.clock.advance(2)
            await asyncio.sleep(0.003)

    async def well(self, number):
        """The same of a house that can do its work: while it is behind, because the disk is slow, time passes no faster than ours."""
        for _ in range(number * 30):
            await self.clock.advance(2)
            await asyncio.sleep(0.003)
            while self.clock.now() - (self.house.engine.beaten_at or NOON) > SOON:
                await asyncio.sleep(0.01)
                await self.clock.advance(0.01)

    async def declare(self):
        await self.house.engine.act("twitter", Acted(at=self.clock.now(), verb="declare", who="Anna", level="minor"))


async def a_task_ends(life):
    life.serving.tending._tasks["relay wall"].cancel()


async def nothing_is_judged(life):
    life.house.engine.run = lambda _: asyncio.Event().wait()
    life.serving.tending._tasks["beat"].cancel()
    life.serving.tending._begin("beat")


async def the_disk_is_full(life):
    life.house.store._store = Sinking(life.house.store._store)


async def another_program_holds_the_file(life):
    life.other = sqlite3.connect(life.folder / "data" / "state.db", isolation_level=None)
    life.other.execute("BEGIN IMMEDIATE")


async def the_file_is_damaged(life):
    with closing(sqlite3.connect(life.folder / "data" / "state.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = life.folder / "data" / "state.db"
    file.write_bytes(file.read_bytes()[:100] + bytes(file.stat().st_size - 100))


async def reports_cannot_be_kept(life):
    async def append(_):
        raise Retry("the disk is full")

    life.house.stream.append = append
    with pytest.raises(Retry):
        await life.house.intake.admit([{"service": "twitter", "reporter": "p"}], "test")


async def news_waits_for_a_channel(life):
    def never():
        raise Retry("no answer", unsure=True)

    await _told_by(life, never)
    await life.minutes(4)


async def every_channel_refuses(life):
    def never():
        raise Refused("the channel is archived")

    await _told_by(life, never)


async def _told_by(life, fault):
    chat = RememberingChat()
    chat.faults = type("Always", (), {"popleft": lambda _: _raised(fault)})()
    life.house.relays["wall"]._chat = chat
    await life.declare()


def _raised(fault):
    try:
        fault()
    except (Retry, Refused) as why:
        return why


async def a_watch_is_never_answered(life):
    life.world.silent = True
    await life.minutes(2)


async def a_chat_is_not_heard(life):
    deaf = RememberingChat()
    deaf.deaf_since = life.clock.monotonic()
    life.serving.lines.chats["slack"] = deaf


async def a_proof_has_a_fault(life):
    life.serving.auditor._invariants["disk"] = None


async def the_auditor_is_gone(life):
    life.serving.tending._tasks["audit"].cancel()


BREACHES = [
    a_task_ends,
    nothing_is_judged,
    the_disk_is_full,
    another_program_holds_the_file,
    the_file_is_damaged,
    reports_cannot_be_kept,
    news_waits_for_a_channel,
    every_channel_refuses,
    a_watch_is_never_answered,
    a_chat_is_not_heard,
    a_proof_has_a_fault,
    the_auditor_is_gone,
]


@pytest.mark.parametrize("breach", BREACHES)
async def test_a_breach_silences_the_switch_within_two_minutes(tmp_path, monkeypatch, prove, breach):
    async with Lived(tmp_path, monkeypatch) as life:
        await life.well(3)
        assert life.world.heard[-1:] == [GOOD], life.serving.auditor.found
        await breach(life)
        before = len(life.world.heard)
        await life.minutes(2)
        await life.minutes(1)
        after = life.world.heard[before + 2 :]
        wrong = [f"still {after}"] if GOOD in after else []
        if hasattr(life, "other"):
            life.other.close()
    prove("R33", 1, wrong, "real breaches in a living house, after which no good word is heard within two minutes")
