"""The whole program, as its own process, with the real client libraries against both doubles."""

import asyncio

import pytest
from doubles.discord_events import GUILD
from doubles.program import Program, until

pytestmark = pytest.mark.slow


@pytest.fixture
async def program(tmp_path, slack, discord):
    running = await Program(tmp_path, slack, discord, GUILD).start()
    yield running
    await running.stop()


def threads(slack):
    return [m for m in slack.channels["C1"].live if m.get("thread_ts", m["ts"]) == m["ts"]]


def replies(slack):
    return [m["text"] for m in slack.channels["C1"].live if m.get("thread_ts", m["ts"]) != m["ts"]]


async def closed(program):
    found = await program.incidents()
    return found and all(i["state"] == "closed" and all(t["ref"] for t in i["threads"]) for i in found) and found


async def test_reports_become_one_thread_in_each_chat_and_the_close_is_told(program, slack, discord):
    receipt = await program.report(8, symptom="login", platform="web", region="IN")
    assert receipt["accepted"] == 8
    await until(lambda: threads(slack) and discord.said())
    await program.report(20, symptom="login", platform="web", region="IN")
    [incident] = await until(lambda: closed(program))
    kinds = [e["kind"] for e in incident["entries"]]
    assert kinds == ["opened", "raised", "eased", "closed"]
    await until(lambda: len(replies(slack)) == len(kinds))
    assert len(threads(slack)) == 1
    for word, text in zip(("Opened", "Worse", "Back to usual", "Over"), replies(slack), strict=True):
        assert word in text
    assert {t["channel"]: t["heard"] for t in incident["threads"]}.keys() == {"wall", "ops", "community"}


async def test_an_acknowledgement_in_slack_shows_in_discord(program, slack, discord):
    await program.report(8)
    [root] = await until(lambda: threads(slack))
    [incident] = await program.incidents()
    await until(discord.said)
    happening = await slack.press("ack", incident["id"], channel="C1", ts=root["ts"])
    await until(lambda: happening.acked_after is not None)
    assert happening.acked_after < 1.0

    async def told_everywhere():
        [found] = await program.incidents()
        heard = min(t["heard"] for t in found["threads"])
        acted = [n for n, e in enumerate(found["entries"], 1) if e["kind"] == "acted"]
        return acted and heard >= acted[0]

    await until(told_everywhere)
    lines = [embed.get("description", "") for m in discord.messages.values() for embed in m["embeds"]]
    assert any("acknowledged, from slack" in line for line in lines)


async def test_a_kill_between_report_and_close_loses_and_doubles_nothing(program, slack, discord):
    await program.report(8)
    await until(lambda: threads(slack))
    await program.kill()
    await asyncio.sleep(0.3)
    await program.start()
    [incident] = await until(lambda: closed(program))
    await until(lambda: len(replies(slack)) == len(incident["entries"]))
    assert len(threads(slack)) == 1
    assert len(discord.said()) == 1


async def test_stopping_is_quick_and_clean(program):
    await program.report(8)
    async with asyncio.timeout(10):
        assert await program.stop() == 0
