"""SIGKILL at random moments between the first report and the close: one thread in each chat, every line in order."""

import asyncio
import random
from pathlib import Path

import pytest
from doubles.discord_double import DiscordDouble
from doubles.discord_events import GUILD
from doubles.program import Program, until
from doubles.slack import SlackDouble

RUNS, AT_ONCE, KILLS = 50, 2, 2
FEW = 3


async def one_run(folder: Path, seed: int) -> None:
    """A short incident, killed up to twice on its way; raises AssertionError with the seed where a promise broke."""
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
            incident = await until(lambda: _told(program), 60)
        finally:
            await program.kill()
        _check(seed, incident, slack, discord)


async def _told(program: Program):
    """The incident, once it is closed and every channel has heard all of it."""
    found = await program.incidents()
    if not found or any(i["state"] != "closed" for i in found):
        return None
    [incident] = found
    whole = len(incident["entries"])
    return incident if all(t["heard"] == whole for t in incident["threads"]) else None


def _check(seed: int, incident, slack: SlackDouble, discord: DiscordDouble) -> None:
    kinds = [entry["kind"] for entry in incident["entries"]]
    said = slack.channels["C1"].live
    roots = [m for m in said if m.get("thread_ts", m["ts"]) == m["ts"]]
    lines = [m["text"] for m in said if m.get("thread_ts", m["ts"]) != m["ts"]]
    heads = discord.said()
    threads = [m for m in discord.messages.values() if m["channel_id"] == heads[0]["id"]] if heads else []
    assert kinds[0] == "opened", f"seed {seed}: {kinds}"
    assert kinds[-1] == "closed", f"seed {seed}: {kinds}"
    assert len(roots) == 1, f"seed {seed}: {len(roots)} threads in Slack"
    assert len(heads) == 1, f"seed {seed}: {len(heads)} threads in Discord"
    assert len(lines) == len(kinds), f"seed {seed}: {lines} for {kinds}"
    words = {"opened": "Opened", "raised": "Worse", "eased": "Back to usual", "closed": "Over", "relapsed": "Bad again"}
    for kind, line in zip(kinds, lines, strict=True):
        assert words.get(kind, "") in line, f"seed {seed}: {lines} for {kinds}"
    spoken = [embed["description"] for m in threads for embed in m["embeds"]]
    assert len(spoken) == len(kinds), f"seed {seed}: Discord heard {spoken} for {kinds}"


async def runs(folder: Path, seeds: range) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(seed: int) -> None:
        place = folder / str(seed)
        place.mkdir()
        async with gate:
            await one_run(place, seed)

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(gated(seed))


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_few_lives_cut_short_lose_and_double_nothing(tmp_path):
    await runs(tmp_path, range(FEW))


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_fifty_lives_cut_short_lose_and_double_nothing(tmp_path):
    await runs(tmp_path, range(100, 100 + RUNS))
