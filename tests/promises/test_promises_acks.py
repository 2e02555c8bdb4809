"""R30: whoever commands is acknowledged at once, though the disk is locked and a page of 5 MB is being read."""

import asyncio
import json
import sqlite3
from contextlib import asynccontextmanager, contextmanager

import pytest
from aiohttp import web
from doubles.discord_double import DiscordDouble
from doubles.discord_events import GUILD
from doubles.program import Program, until
from doubles.slack import SlackDouble

pytestmark = pytest.mark.slow
A_SECOND = 50
MOST, P99 = 2.5, 1.0
WORDS = ("status", "list", "note still looking", "why", "config show", "status twitter")


def statuspage():
    """A status page of 5 MB, with every component in it ten thousand times over."""
    parts = [
        {
            "id": f"c{n}",
            "name": f"Component {n} " + "x" * 380,
            "status": "operational",
            "updated_at": "2026-01-01T00:00:00Z",
        }
        for n in range(10_500)
    ]
    status = {"indicator": "none", "description": "All Systems Operational"}
    return json.dumps(
        {"page": {"id": "p", "name": "Big"}, "status": status, "components": parts, "incidents": []}
    ).encode()


@asynccontextmanager
async def big_page():
    """Serves it to whoever asks; answers its address and who asked."""
    body, asked = statuspage(), []

    async def serve(request):
        asked.append(request.path)
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    assert len(body) > 5_000_000
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@contextmanager
def locked(file):
    """Another program holds the database for itself."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def commanded(slack, discord, seconds):
    """Commands from both, evenly in time; answers what was sent."""
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), []
    for n in range(A_SECOND * seconds):
        await asyncio.sleep(max(0.0, began + n / A_SECOND - loop.time()))
        words = WORDS[n // 2 % len(WORDS)]
        if n % 2:
            sent.append(await slack.slash("/incident", words, user=f"U{n}"))
            continue
        verb, _, rest = words.partition(" ")
        chosen = {{"status": "service", "note": "text", "config": "do"}[verb]: rest} if rest else {}
        sent.append(await discord.command("incident", verb, chosen=chosen))
    return sent


def took(deed):
    """Seconds to the acknowledgement; None where none came in time."""
    if hasattr(deed, "acked_after"):
        return deed.acked_after
    return deed.took if deed.kind else None


@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.soak)])
async def test_fifty_commands_a_second_are_acknowledged_while_the_disk_is_locked(tmp_path, seconds, prove):
    async with SlackDouble() as slack, DiscordDouble() as discord, big_page() as (address, asked):
        program = Program(tmp_path, slack, discord, GUILD)
        config = tmp_path / "config.yaml"
        watch = f'{{kind: statuspage, url: "{address}", allow_private: true, every: 10s}}'
        config.write_text(f"{config.read_text()}  big: {{name: Big, watch: {{page: {watch}}}}}\n")
        await program.start()
        await until(lambda: slack.sockets and discord.gateway.ready.is_set())
        with locked(tmp_path / "data" / "state.db"):
            deeds = await commanded(slack, discord, seconds)
            await until(lambda: asked and all(took(deed) is not None for deed in deeds))
        await program.stop()
    times = sorted(took(deed) or 99.0 for deed in deeds)
    wrong = [f"{late:.2f} s" for late in times if late > MOST]
    p99 = times[int(len(times) * 0.99)]
    wrong += [] if p99 < P99 else [f"p99 {p99:.2f} s"]
    prove("R30", len(times), wrong, "commands, 50 a second, acknowledged with p99 below 1 s and none after 2.5 s")
