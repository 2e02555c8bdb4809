"""R2, whole: a house dies before or after every single write and post of an incident's life, and once more in waking.

Every call that leaves the process passes one of the doors below, so the crash points are not chosen: they are counted
in a life without a crash, and tried one after the other.
"""

import asyncio
import inspect
import itertools
from contextlib import suppress

import pytest
from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from doubles.living import NOON
from doubles.oracle import settle, verdict
from doubles.sinking import WHY

from bot.config.read import read
from bot.core.model import Kind
from bot.house import House
from bot.intake import Archive
from bot.ports import Chat, Ledger, Place, Retry, Store, Stream
from bot.relay import Relay

CONFIG = """\
channels: {wall: {chat: page}}
levels: {minor: {reports: 10, within: 3m}, major: {reports: 30, within: 3m}}
policy: {confirm_for: 0s, quiet_for: 2m, reopen_for: 1h}
services: {twitter: {}}
"""
MINUTES = (2, 12, 30) + (0,) * 9
"""How many people report in each minute: from calm over both levels to the close."""
WRITES = {
    Store: {"save", "mark", "put", "revive"},
    Stream: {"append", "rewrite", "trim"},
    Archive: {"keep"},
    Ledger: {"keep", "forget"},
    Chat: {"open", "edit", "reply", "close"},
}
"""What changes something outside of the process. The others only read, listen or let go."""
HARMLESS = {
    Store: {"load", "cases", "behind", "dead", "incident", "incidents", "entries", "threads", "get", "aclose"},
    Stream: {"read", "aclose"},
    Archive: {"hours", "fed"},
    Ledger: {"recall", "known"},
    Chat: {"run", "aclose"},
}
UNTOLD = {"revive", "rewrite", "trim", "forget"}
"""Writes that this life has no reason for: they mend, forget, or follow a person's wish."""


def test_every_call_through_a_door_is_a_crash_point_or_changes_nothing():
    for door, writes in WRITES.items():
        public = {name for name, one in inspect.getmembers(door, inspect.isfunction) if not name.startswith("_")}
        assert public == writes | HARMLESS[door], f"{door.__name__} has a new call: is it a crash point?"


class Fate:
    """Counts the calls through all doors, and ends the life at one of them, before it is done or after it."""

    def __init__(self, at=(), side="before", how="crash"):
        self.names, self.reached = [], asyncio.Event()
        self._at, self._side, self._how = set(at), side, how

    def over(self):
        """Nobody dies any more."""
        self._at = set()
        self.points = list(self.names)

    def door(self, room, writes):
        return Door(room, writes, self)

    async def passing(self, name, call):
        number = len(self.names)
        self.names.append(name)
        if number not in self._at:
            return await call()
        if self._how == "refusal":
            raise Retry(WHY)
        if self._side == "after":
            await call()
        self.reached.set()
        return await asyncio.Event().wait()  # the process is gone: nothing comes back from here


class Door:
    def __init__(self, room, writes, fate):
        self._room, self._writes, self._fate = room, writes, fate

    def __getattr__(self, name):
        found = getattr(self._room, name)
        if name not in self._writes:
            return found

        async def passed(*args, **more):
            return await self._fate.passing(name, lambda: found(*args, **more))

        return passed


class Life:
    """One house after the other on one folder, and a channel that outlives them."""

    def __init__(self, folder, fate):
        (folder / "config.yaml").write_text(CONFIG)
        self.folder, self.fate = folder, fate
        self.clock, self.chat, self.people = ManualClock(NOON), RememberingChat(), 0
        self.house = None

    async def born(self):
        """Wake a house, with a door in front of everything that it writes to."""
        self.house = house = House(read(self.folder / "config.yaml", {}), self.clock, self.folder / "data")
        door = self.fate.door
        house.store._store = door(house.store._store, WRITES[Store])
        house.intake.log._stream = door(house.stream, WRITES[Stream])
        house.intake._archive = door(house.intake._archive, WRITES[Archive])
        self.relay = Relay(
            Place(name="wall", chat="page", address="wall"),
            door(self.chat, WRITES[Chat]),
            house.store,
            self.clock,
            policies=house.policies,
            draw=_nothing,
            link=house.link,
            troubled=house.board.troubled,
        )
        await house.wake()

    async def minute(self, people):
        """Their reports, sent again until they are acknowledged; then a minute passes, and all is told."""
        first = self.people
        await self.house.intake.admit([{"service": "twitter", "reporter": f"p{first + n}"} for n in range(people)], "")
        self.people = first + people
        await self.clock.advance(60)
        await self.house.engine.beat(self.clock.now())
        await self.house.store.surface()
        await settle(self.relay, self.clock, 60)
        with suppress(Retry):
            await self.house.intake.keep()

    async def whole(self):
        """The whole story, whatever happens on the way; answers what is wrong with it."""
        await self._unless_ended(self.born())
        for people in MINUTES:
            until = self.people + people
            while await self._unless_ended(self.minute(until - self.people)):
                pass
        self.fate.over()
        return await self._judged()

    async def _unless_ended(self, work):
        """Do it; answers True where the process died meanwhile, with the next one awake."""
        task, end = asyncio.ensure_future(work), asyncio.ensure_future(self.fate.reached.wait())
        await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
        if not self.fate.reached.is_set():
            end.cancel()
            return await task
        task.cancel()
        await asyncio.wait({task})
        self.fate.reached.clear()
        await self._buried()
        await self._unless_ended(self.born())
        return True

    async def _buried(self):
        if self.house.intake.log._flushing:
            self.house.intake.log._flushing.cancel()
        for database in self.house.databases:
            await database.aclose()
        await self.clock.advance(2)

    async def _judged(self):
        store = self.house.store
        wrong = await verdict(store, self.chat, "wall")
        incidents = await store.incidents()
        wrong += [] if len(incidents) == 1 else [f"R2: {len(incidents)} incidents"]
        for incident in incidents:
            kinds = [entry.kind for entry in await store.entries(incident.id)]
            wrong += [] if (kinds[0], kinds[-1]) == (Kind.OPENED, Kind.CLOSED) else [f"R5: {kinds}"]
        bucket = self.house.tally.bucket(self.clock.now())
        counted = sum(self.house.tally.total("twitter", b) or 0 for b in range(bucket - 60, bucket + 1))
        wrong += [] if counted == sum(MINUTES) else [f"R1: {counted} of {sum(MINUTES)} reports counted"]
        await self.house.aclose()
        return wrong


async def _nothing(_):
    return None


async def lived(folder, fate):
    folder.mkdir()
    return await Life(folder, fate).whole()


@pytest.mark.parametrize(
    "again", [None, pytest.param(0, marks=pytest.mark.soak), pytest.param(1, marks=pytest.mark.soak)]
)
async def test_a_house_that_dies_at_any_write_or_post_loses_and_doubles_nothing(tmp_path, prove, again):
    calm = Fate()
    assert not await lived(tmp_path / "calm", calm)
    assert set().union(*WRITES.values()) - UNTOLD == set(calm.points), "this life does not pass every door"
    tries, wrong = list(itertools.product(range(len(calm.points)), ("before", "after"))), []
    for point, side in tries:
        crashes = {point} if again is None else {point, point + 1 + again}
        found = await lived(tmp_path / f"{point}-{side}", Fate(crashes, side))
        wrong += [f"{side} {calm.names[point]} ({point}): {w}" for w in found]
    times = "crashes" if again is None else "pairs of crashes"
    ghosts = [w for w in wrong if "R3" in w]
    prove("R3", len(tries), ghosts, f"{times} of a whole house, after which nothing had been posted unstored")
    prove("R2", len(tries), wrong, f"{times} of a whole house, before and after every write and post of a life")


async def test_a_write_that_the_disk_refuses_once_loses_and_doubles_nothing(tmp_path, prove):
    calm = Fate()
    assert not await lived(tmp_path / "calm", calm)
    points, wrong = [n for n, name in enumerate(calm.points) if name not in WRITES[Chat] | {"append"}], []
    for point in points:
        found = await lived(tmp_path / str(point), Fate({point}, how="refusal"))
        wrong += [f"{calm.names[point]} ({point}): {w}" for w in found]
    prove("R2", len(points), wrong, "refusals of the disk, one at every write of a life")
