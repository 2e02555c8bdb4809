"""The whole program as Slack and Discord call it: one way in, no line of its own, and the same desk."""

import asyncio

import pytest
from doubles.discord_events import GUILD
from doubles.program import Program, until
from doubles.slack import APP_TOKEN, SIGNING_SECRET

pytestmark = pytest.mark.slow


async def test_both_may_call_and_an_act_in_one_shows_in_the_other(tmp_path, slack, discord):
    program = Program(tmp_path, slack, discord, GUILD)
    config = tmp_path / "config.yaml"
    text = config.read_text().replace(f"app_token: {APP_TOKEN}", f"signing_secret: {SIGNING_SECRET}")
    config.write_text(text.replace('guild: "', f'public_key: {discord.public_key}, guild: "'))
    await program.start()
    try:
        await until(lambda: discord.offered)
        await slack.point_at(f"{program.address}/chats/slack")
        await discord.point_at(f"{program.address}/chats/disco")
        declared = await slack.slash("/incident", "declare twitter nobody can log in")
        await until(lambda: declared.answers)
        thread = await until(lambda: next((m["id"] for m in discord.said()), ""))
        acked = await discord.press(f"ack:{(await program.incidents())[0]['id']}", thread)
        await asyncio.wait_for(acked.edited.wait(), 60)
        await until(lambda: any("acknowledged, from disco" in m["text"] for m in slack.channels["C1"].live))
        status, _ = await slack.deliver(slack.request_url, b"command=/incident", "text/plain", at=slack.now() - 999)
        assert status == 401
    finally:
        await program.stop()
    assert not slack.sockets
    assert discord.gateway.tally["links"] == 0
    assert "Traceback" not in program.log.read_text()
