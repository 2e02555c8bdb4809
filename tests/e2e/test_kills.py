"""SIGKILL at random moments between the first report and the close: one thread in each chat, every line in order."""

import asyncio
import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from doubles.discord_double import DiscordDouble
from doubles.discord_events import GUILD
from doubles.program import Program, until
from doubles.slack import SlackDouble

AT_ONCE, KILLS = 2, 2
FEW, BATCH, BATCHES = 3, 50, 3


async def one_run(folder: Path, seed: int) -> list[str]:
    """A short incident, killed twice on its way; answers what was broken, with the seed."""
    chance = random.Random(seed)
    async with SlackDouble() as slack, DiscordDouble() as discord:
        program = await Program(folder, slack, discord, GUILD).start()
        try:
            await program.report(8)
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.0, 3.0))
                await program.kill()
                await program.start()
                await program.report(8)  # the crowd does not know that we were away
            incident = await until(lambda: _told(program))
        except TimeoutError:
            return [f"seed {seed}: not all was told within two minutes"]
        finally:
            await program.kill()
        with closing(sqlite3.connect(folder / "data" / "state.db")) as connection:
            [(sound,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        return [f"seed {seed}: {wrong}" for wrong in judged(incident, sound, slack, discord)]


async def _told(program: Program):
    """The incident, once it is closed and every channel has heard all of it."""
    found = await program.incidents()
    if not found or any(i["state"] != "closed" for i in found):
        return None
    [incident] = found
    whole = len(incident["entries"])
    return incident if all(t["heard"] == whole for t in incident["threads"]) else None


def judged(incident, sound: str, slack: SlackDouble, discord: DiscordDouble) -> Iterable[str]:
    """What is wrong with what both platforms heard of an incident."""
    kinds = [entry["kind"] for entry in incident["entries"]]
    said = slack.channels["C1"].live
    roots = [m for m in said if m.get("thread_ts", m["ts"]) == m["ts"]]
    lines = [m["text"] for m in said if m.get("thread_ts", m["ts"]) != m["ts"]]
    heads = discord.said()
    threads = [m for m in discord.messages.values() if m["channel_id"] == heads[0]["id"]] if heads else []
    spoken = [embed["description"] for m in threads for embed in m["embeds"]]
    if (kinds[0], kinds[-1], sound) != ("opened", "closed", "ok"):
        yield f"{kinds}, the file is {sound}"
    if len(roots) != 1 or len(heads) != 1:
        yield f"{len(roots)} threads in Slack, {len(heads)} in Discord"
    words = {"opened": "Opened", "raised": "Worse", "eased": "Back to usual", "closed": "Over", "relapsed": "Bad again"}
    for place, heard in (("Slack", lines), ("Discord", spoken)):
        in_order = all(words.get(kind, "") in line for kind, line in zip(kinds, heard, strict=False))
        if len(heard) != len(kinds) or not in_order:
            yield f"{place} heard {heard} for {kinds}"


async def lives(folder: Path, seeds: range) -> list[str]:
    """Several lives, a few at a time; answers what was broken in any."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(seed: int) -> list[str]:
        place = folder / str(seed)
        place.mkdir()
        async with gate:
            return await one_run(place, seed)

    return [wrong for found in await asyncio.gather(*map(gated, seeds)) for wrong in found]


def _counted(prove, runs: int, wrong: list[str]) -> None:
    prove("R2", runs * KILLS, wrong, "times SIGKILL at a random moment, twice in each life, before two platforms")
    prove("R1", runs * KILLS, wrong, "times SIGKILL at a random moment, after which every line was told")


@pytest.mark.slow
async def test_a_few_lives_cut_short_lose_and_double_nothing(tmp_path, prove):
    _counted(prove, FEW, await lives(tmp_path, range(FEW)))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(1000, 1000 + BATCH * BATCHES, BATCH))
async def test_three_hundred_kills_lose_and_double_nothing(tmp_path, prove, first):
    _counted(prove, BATCH, await lives(tmp_path, range(first, first + BATCH)))
