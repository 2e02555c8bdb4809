"""R13: while the disk takes nothing, what is judged is told all the same, says so, and is saved afterwards as it was."""

import asyncio
import resource
import subprocess
from contextlib import suppress

import aiohttp
import pytest
from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from doubles.discord_double import DiscordDouble
from doubles.discord_events import GUILD
from doubles.living import NOON
from doubles.oracle import settle, verdict
from doubles.powercut import Disk, available
from doubles.program import Program, until
from doubles.slack import SlackDouble

from bot.config.read import read
from bot.core.model import Health, Kind, Signal
from bot.house import House
from bot.ports import Place
from bot.relay import Relay

CONFIG = """\
channels: {wall: {chat: page}}
levels: {minor: {reports: 10}, major: {reports: 50}}
policy: {confirm_for: 0s, quiet_for: 2m, reopen_for: 1h}
services:
  twitter: {watch: {front: {kind: probe, url: 'https://twitter.com', fail_after: 1, clear_after: 1}}}
"""
LIFE = (Health.OPERATIONAL, Health.MAJOR_OUTAGE, Health.MAJOR_OUTAGE, Health.DEGRADED) + (Health.OPERATIONAL,) * 8
"""One answer of the probe every 30 seconds, from calm to the close."""
needs_disk = pytest.mark.skipif(not available(), reason="Python carries an SQLite of its own here, out of reach")


class Living:
    """A house on a folder, one channel, and a probe that says what it is told to."""

    def __init__(self, folder):
        (folder / "config.yaml").write_text(CONFIG)
        self.clock, self.chat = ManualClock(NOON), RememberingChat()
        self.house = House(read(folder / "config.yaml", {}), self.clock, folder / "data")
        house = self.house
        self.relay = Relay(
            Place(name="wall", chat="page", address="wall"),
            self.chat,
            house.store,
            self.clock,
            policies=house.policies,
            draw=_nothing,
            link=house.link,
            troubled=house.board.troubled,
            unsaved=house.store.unsaved,
        )

    async def half_a_minute(self, health):
        """An answer of the probe, and half a minute's beats; answers the seconds that telling took."""
        await self.house.engine.hear("twitter", "front", Signal(at=self.clock.now(), health=health))
        took = await settle(self.relay, self.clock)
        await self.clock.advance(30 - min(took, 29))
        await self.house.engine.beat(self.clock.now())
        return took + await settle(self.relay, self.clock)


async def _nothing(_):
    return None


@needs_disk
async def test_an_incident_on_a_full_disk_is_told_from_memory_and_saved_as_the_same_afterwards(tmp_path, prove):
    """The disk fills at every moment of a life, and has room again a while later, or in the middle of saving."""
    wrong, points = [], [(fills, fills + lasts) for fills in range(10) for lasts in (1, 2)]
    for n, (fills, empties) in enumerate(points):
        folder = tmp_path / str(n)
        folder.mkdir()
        wrong += [f"full from {fills} to {empties}: {w}" for w in await _one_life(folder, fills, empties)]
    prove("R13", len(points), wrong, "times the disk filled in the life of an incident, which was told and then saved")


async def _one_life(folder, fills, empties):
    with Disk(folder) as disk:
        life, wrong = Living(folder), []
        await life.house.wake()
        for n, health in enumerate(LIFE):
            disk.full = fills <= n < empties
            if n == empties and not await life.house.store.surface():
                wrong.append("not saved although there is room")
            took = await life.half_a_minute(health)
            wrong += [f"telling took {took:.0f} s at {n}"] if took > 5 else []
            if n == 2 and not life.chat.heads:
                wrong.append("the opening was not told")
            wrong += [] if n != empties - 1 else _noted(life)
        wrong += await verdict(life.house.store, life.chat, "wall")
        [incident] = await life.house.store.incidents()
        kinds = [entry.kind for entry in await life.house.store.entries(incident.id)]
        wrong += [] if (kinds[0], kinds[-1]) == (Kind.OPENED, Kind.CLOSED) else [str(kinds)]
        [heads] = life.chat.heads.values()
        wrong += ["the note stays"] if _note(heads[-1]) else []
        await life.house.aclose()
    after = Living(folder)
    await after.house.wake()
    wrong += [f"after a restart: {w}" for w in await verdict(after.house.store, life.chat, "wall")]
    before = len(life.chat.calls)
    after.relay._chat = life.chat
    await settle(after.relay, after.clock)
    wrong += life.chat.calls[before:]
    await after.house.aclose()
    return wrong


def _note(head):
    return any(fact.label == "Not saved" for fact in head.facts)


def _noted(life):
    """What was shown while something of it was in memory alone must say so."""
    held = [heads for heads in life.chat.heads.values() if life.house.store.unsaved(heads[0].incident)]
    return [] if all(_note(heads[-1]) for heads in held) else ["the head does not say that it is not saved"]


class Limited:
    """No file of the program's may grow, its log included: the system refuses every write beyond the present sizes."""

    def __init__(self, folder):
        self.data = folder / "data"

    def fill(self, process):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def empty(self, process):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self):
        pass


class Small:
    """A disk of 8 MB in memory, and a file that takes what is left of it."""

    def __init__(self, folder):
        self.data = folder / "data"
        self.data.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(self.data)], check=False)
        if done.returncode:
            pytest.skip("no disk can be mounted here")

    def fill(self, _):
        with suppress(OSError), (self.data / "other").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    def empty(self, _):
        (self.data / "other").unlink()

    def close(self):
        subprocess.run(["umount", "-l", str(self.data)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Limited, Small])
async def test_a_running_program_on_a_full_disk_lives_tells_and_saves_when_there_is_room(tmp_path, prove, kind):
    async with SlackDouble() as slack, DiscordDouble() as discord, _Site() as site:
        disk = kind(tmp_path)
        program = Program(tmp_path, slack, discord, GUILD)
        config = tmp_path / "config.yaml"
        watch = f"watch: {{front: {{kind: probe, url: '{site.url}', every: 10s, fail_after: 1, allow_private: true}}}}"
        config.write_text(config.read_text().replace("aliases: [x]}", f"aliases: [x], {watch}}}"))
        try:
            await program.start()
            wrong = await _squeezed(program, slack, site, disk)
            await program.stop()
            [incident] = [i for i in await _after(program) if i["service"] == "twitter"]
        finally:
            await program.kill()
            disk.close()
        wrong += [] if incident["opened_at"] else [str(incident)]
        roots = [m["text"] for m in _roots(slack) if "Twitter" in m["text"]]
        wrong += [] if len(roots) == 1 else [f"{len(roots)} threads: {roots}"]
    prove("R13", 1, wrong, "running programs on a full disk, which told all the same, and saved within 30 s")


async def _squeezed(program, slack, site, disk):
    process, loop = program._process, asyncio.get_running_loop()
    await until(lambda: site.asked > 0 and any((disk.data / "backups").glob("2*")))
    disk.fill(process)
    site.status = 503
    await until(lambda: any("Twitter" in m["text"] for m in _roots(slack)))
    ready = await until(lambda: _ready(program, "writing goes on by itself"))
    wrong = [] if ready[0] == 503 else [f"readyz answers {ready}"]
    await until(lambda: [m for m in _roots(slack) if "Tocsin" in m["text"]])
    wrong += [] if process.returncode is None else ["it ended"]
    disk.empty(process)
    room = loop.time()
    await until(lambda: _ready(program, "", 200))
    wrong += [] if loop.time() - room <= 30 else [f"saved {loop.time() - room:.0f} s after there was room"]
    alerts = [m["text"] for m in _roots(slack) if "Tocsin" in m["text"]]
    return wrong + ([] if len(alerts) == 1 else [f"said {len(alerts)} times: {alerts}"])


def _roots(slack):
    return [m for m in slack.channels["C1"].live if m.get("thread_ts", m["ts"]) == m["ts"]]


async def _after(program):
    """What the next life finds."""
    await program.start()
    found = await program.incidents()
    await program.stop()
    return found


async def _ready(program, words, status=503):
    async with aiohttp.ClientSession() as web, web.get(f"{program.address}/readyz") as answer:
        body = await answer.text()
        return (answer.status, body) if words in body and answer.status == status else None


class _Site:
    """A page that answers with `status`."""

    async def __aenter__(self):
        self.status, self.asked = 200, 0
        self._app = aiohttp.web.Application()
        self._app.router.add_get("/", self._answer)
        self._runner = aiohttp.web.AppRunner(self._app)
        await self._runner.setup()
        await aiohttp.web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_):
        await self._runner.cleanup()

    async def _answer(self, _):
        self.asked += 1
        return aiohttp.web.Response(status=self.status, text="hello")
