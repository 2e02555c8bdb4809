"""People act through the whole program: a word in one chat shows in the other, with who and where."""

import asyncio

import pytest
from doubles.discord_events import GUILD
from doubles.program import Program, until

pytestmark = pytest.mark.slow


@pytest.fixture
async def program(tmp_path, slack, discord):
    running = await Program(tmp_path, slack, discord, GUILD).start()
    await until(lambda: slack.sockets and discord.gateway.ready.is_set())
    yield running
    await running.stop()


def in_slack(slack):
    return [m["text"] for m in slack.channels["C1"].live if m.get("thread_ts", m["ts"]) != m["ts"]]


def in_discord(discord):
    return [e.get("description", "") for m in discord.messages.values() for e in m["embeds"]]


async def test_an_incident_is_declared_muted_and_resolved_from_two_chats(program, slack, discord):
    asked = await slack.slash("/incident", "declare")
    await until(lambda: asked.view)
    await slack.submit(asked, {"target": "twitter", "level": "critical", "text": "nobody can log in"})
    await until(lambda: asked.answers)
    [incident] = await program.incidents()
    assert incident["level"] == "critical"
    await until(lambda: any("Declared: critical" in words for words in in_discord(discord)))
    assert slack.channels["C1"].pins
    assert discord.pins

    thread = discord.pins[0]
    wanted = await discord.command("incident", "mute", channel=thread, chosen={"for": "2h"}, text="deploying")
    await asyncio.wait_for(wanted.responded.wait(), 60)
    assert wanted.kind == 9
    assert "calls nobody" in wanted.data["components"][0]["content"]
    sent = await discord.fill(wanted, channel=thread)
    await asyncio.wait_for(sent.edited.wait(), 60)
    await until(lambda: any("muted it until" in words and "from disco" in words for words in in_slack(slack)))

    resolve = await slack.slash("/incident", "resolve fixed by vendor")
    await until(lambda: resolve.view)
    assert incident["id"] in str(resolve.view)
    await slack.submit(resolve, {})
    await until(lambda: any("resolved it, from slack: fixed by vendor" in words for words in in_discord(discord)))
    await until(lambda: not slack.channels["C1"].pins and not discord.pins)

    judged = await discord.press(f"real:{incident['id']}", thread)
    await asyncio.wait_for(judged.edited.wait(), 60)
    await until(lambda: "Was it real?" in str(slack.roots()[0]))


async def test_a_test_runs_through_a_real_channel_and_a_deleted_thread_is_built_again(program, slack, discord):
    tested = await slack.slash("/incident", "test community")
    await until(lambda: tested.answers)
    assert "went through: opened, updated and closed" in tested.answers[0]["text"]
    [head] = discord.said()
    assert head["content"].startswith("TEST")
    assert not head.get("components")
    assert discord.threads[head["id"]]["thread_metadata"]["locked"]

    declared = await slack.slash("/incident", "declare twitter nobody can log in")
    await until(lambda: declared.answers)
    await until(lambda: len(discord.said()) == 2)
    [incident] = await program.incidents()
    lost = discord.said()[-1]["id"]
    discord.delete_thread(lost)
    discord.delete_message(lost)
    replayed = await discord.command("incident", "replay", chosen={"incident": incident["id"], "channel": "community"})
    await asyncio.wait_for(replayed.edited.wait(), 60)
    fresh = await until(lambda: [m for m in discord.said() if m["id"] not in (lost, head["id"])])
    await until(lambda: any("Declared" in str(m["embeds"]) for m in discord.said(fresh[0]["id"])))


async def test_planned_work_and_reports_are_heard_from_both(program, slack, discord):
    planned = await discord.command("incident", "maintenance", chosen={"do": "add", "service": "x", "for": "1h"})
    await asyncio.wait_for(planned.edited.wait(), 60)
    await program.report(30)
    reported = await slack.slash("/report", "twitter cannot log in")
    await until(lambda: reported.answers)
    assert "Thank you, counted." in reported.answers[0]["text"]
    assert await program.incidents() == []
    shown = await slack.slash("/incident", "maintenance list")
    await until(lambda: shown.answers)
    assert "by Ada" in str(shown.answers[0])
    trail = await slack.slash("/incident", "config audit")
    await until(lambda: trail.answers)
    assert "maintenance" in trail.answers[0]["text"]


async def test_the_chart_of_a_service_comes_as_a_picture(program, slack, discord):
    await program.report(3)
    asked = await discord.command("incident", "chart", service="twitter")
    await asyncio.wait_for(asked.edited.wait(), 60)
    assert asked.files["chart.png"].startswith(b"\x89PNG")
