"""R18 and R56: thirty days of a whole house in virtual time, after which nothing has grown that should not."""

import asyncio
import gc
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from doubles.clock import ManualClock
from doubles.living import NOON
from doubles.oracle import settle

from bot.config.read import read
from bot.database import Database
from bot.house import House
from bot.ports import Place
from bot.relay import Relay
from bot.streams.local import LocalStream, _forget

CONFIG = """\
tick: 20m
channels: {{wall: {{chat: page}}}}
levels:
  minor: {{reports: 20, within: 1h, times: 3}}
policy: {{confirm_for: 0s, quiet_for: 40m, reopen_for: 1h}}
services:
{services}
"""
STEP = 1200
DAY = 86400 // STEP
SETTLED = 4
"""Reports are kept for two days: what grows after the fourth would grow for ever."""


class Size(NamedTuple):
    """What a house takes at the end of a day: bytes, and numbers of open files and tasks."""

    rss: int
    reports: int
    state: int
    log: int
    files: int
    tasks: int
    beat: float


class Forgetful:
    """A chat that keeps nothing."""

    async def open(self, _place, key, *_):
        return key

    async def edit(self, *_):
        pass

    reply = close = edit


class Month:
    """A house on a disk where people report by chance all day, and one service a day has an outage of two hours."""

    def __init__(self, folder, services):
        names = [f"s{n}" for n in range(services)]
        (folder / "config.yaml").write_text(CONFIG.format(services="\n".join(f"  {name}: {{}}" for name in names)))
        self.data, self.names, self.chance = folder / "data", names, random.Random(56)
        self.clock, self.people = ManualClock(NOON), 0
        self.house = house = House(read(folder / "config.yaml", {}), self.clock, self.data)
        place = Place(name="wall", chat="page", address="wall")
        link, troubled = house.link, house.board.troubled
        self.relay = Relay(
            place,
            Forgetful(),
            house.store,
            self.clock,
            policies=house.policies,
            draw=_nothing,
            link=link,
            troubled=troubled,
        )

    async def day(self, number):
        """A day; answers what the house takes at its end."""
        bad, took = self.names[number % len(self.names)], []
        for step in range(DAY):
            await self.house.intake.admit(list(self._reports(bad if 30 <= step < 36 else "")), "test")
            await self.clock.advance(STEP)
            began = time.thread_time()
            await self.house.engine.beat(self.clock.now())
            took.append(time.thread_time() - began)
            await settle(self.relay, self.clock, 50)
            if step % 3 == 0:
                await self.house.intake.keep()
        return self._size(sorted(took)[-len(took) // 100 - 1])

    def _reports(self, bad):
        for name in self.names:
            for _ in range(40 if name == bad else self.chance.randrange(3)):
                self.people += 1
                yield {"service": name, "reporter": f"p{self.people}", "region": self.chance.choice(("DE", "JP", "US"))}

    def _size(self, beat):
        gc.collect()
        files = {file.name: file.stat().st_size for file in self.data.iterdir()}
        return Size(
            rss=int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            reports=files["reports.db"],
            state=files["state.db"],
            log=max(size for name, size in files.items() if name.endswith("-wal")),
            files=len(list(Path("/proc/self/fd").iterdir())),
            tasks=len(asyncio.all_tasks()),
            beat=beat,
        )


async def _nothing(_):
    return None


@pytest.mark.parametrize(
    "services",
    [
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(2000, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
async def test_a_month_of_a_house_leaves_no_trace(tmp_path, prove, services):
    month = Month(tmp_path, services)
    await month.house.wake()
    sizes = [await month.day(number) for number in range(30)]
    told = len(await month.house.store.incidents(limit=1000))
    await month.house.aclose()
    assert told >= 25, f"only {told} of 30 outages were found: this is not a life"
    what = f"virtual days of {services:,} services, after which"
    disk, memory = _daily(sizes, "state") / 1e3, _daily(sizes, "rss") / 1e6
    prove("R18", 30, _grown(sizes, services), f"{what} the data grows by {disk:,.0f} kB a day")
    prove("R56", 30, _leaked(sizes), f"{what} memory grows by {memory:.2f} MB a day, files and tasks by none")


def _daily(sizes, what):
    """By how much something grows a day once it has settled."""
    return (getattr(sizes[-1], what) - getattr(sizes[SETTLED], what)) / (len(sizes) - SETTLED - 1)


def _grown(sizes, services):
    """What has grown on the disk beyond its bounds."""
    settled, last = sizes[SETTLED], sizes[-1]
    wrong = [] if last.reports <= settled.reports * 1.1 else [f"reports.db {settled.reports:,} -> {last.reports:,}"]
    wrong += [] if max(size.log for size in sizes) <= 64 << 20 else ["the log of writes is larger than 64 MB"]
    a_day = _daily(sizes, "state")
    most = 24 * 500 * services + 100_000
    wrong += [] if a_day <= most else [f"state.db grows by {a_day:,.0f} bytes a day, {most:,} are room enough"]
    return wrong + ([] if last.state + last.reports <= 1 << 30 else [f"{last.state + last.reports:,} bytes in all"])


def _leaked(sizes):
    """What has grown in the process."""
    settled, last = sizes[SETTLED], sizes[-1]
    slope = _daily(sizes, "rss")
    wrong = [] if slope <= 1 << 20 else [f"memory grows by {slope:,.0f} bytes a day"]
    wrong += [] if last.files <= settled.files else [f"{settled.files} -> {last.files} open files"]
    wrong += [] if last.tasks <= settled.tasks else [f"{settled.tasks} -> {last.tasks} tasks"]
    early, late = (sorted(size.beat for size in days)[len(days) // 2] for days in (sizes[SETTLED:12], sizes[-8:]))
    return wrong + ([] if late <= early * 2 + 0.002 else [f"a beat took {early * 1e3:.1f}, then {late * 1e3:.1f} ms"])


async def test_forgetting_keeps_no_append_waiting_for_more_than_50_ms(tmp_path, prove):
    database = Database(tmp_path / "reports.db")
    stream, took = LocalStream(database), []
    sizes = [random.Random(n).choice((2_000, 20_000, 200_000)) for n in range(400)]
    for size in sizes:
        await stream.append(bytes(size))

    def timed(connection):
        began = time.thread_time()
        gone = _forget(connection, 400)
        took.append(time.thread_time() - began)
        return gone

    while await database.write(timed):
        pass
    await database.aclose()
    with closing(sqlite3.connect(tmp_path / "reports.db")) as connection:
        [(left,)] = connection.execute("SELECT count(*) FROM frames")
    wrong = [f"{seconds * 1e3:.0f} ms" for seconds in took if seconds > 0.05] + ([] if left == 1 else [f"{left} left"])
    prove("R18", len(took), wrong, "transactions that forget old reports, none of them longer than 50 ms of work")


async def test_the_log_of_writes_stays_small_while_somebody_reads(tmp_path, prove):
    """A reader that lingers keeps the log from being folded in; it is cut back to its bound afterwards."""
    database = Database(tmp_path / "reports.db")
    stream, most = LocalStream(database), 0
    with closing(sqlite3.connect(tmp_path / "reports.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM frames").fetchall()
        for _ in range(160):
            await stream.append(bytes(500_000))
        reader.execute("COMMIT")
    for _ in range(20):
        await stream.append(bytes(500_000))
        most = (tmp_path / "reports.db-wal").stat().st_size
    await database.aclose()
    prove("R18", 1, [] if most <= 64 << 20 else [f"{most:,} bytes"], "logs of 80 MB that a reader held up, cut back")
