"""How long from the report that crosses a level to the post reaching the chat, with the default tick of a minute."""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble  # noqa: E402  # the path has to be there first

INCIDENTS, PEOPLE, GOAL = 40, 10, 1.0
_CONFIG = """
data: {data}
web: {{listen: "127.0.0.1:0"}}
chats: {{slack: {{kind: slack, bot_token: {bot}, app_token: {app}, api_url: "{url}"}}}}
channels: {{ops: {{chat: slack, channel: C1}}}}
levels: {{minor: {{reports: {people}, within: 15m}}}}
policy: {{confirm_for: 0s}}
services: {{{services}}}
"""


def main() -> None:
    """Measure, and print one line."""
    waits = sorted(asyncio.run(_measured()))
    p50, p95 = statistics.median(waits), waits[int(len(waits) * 0.95)]
    word = "met" if p50 < GOAL else "MISSED"
    print(
        f"crossing report to post    p50 {p50:.2f} s, p95 {p95:.2f} s, of {len(waits)}   ({word}: goal p50 under {GOAL:g} s)"
    )


async def _measured() -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        async with SlackDouble() as slack:
            program, address = await _started(Path(folder), slack)
            try:
                return [await _one(slack, address, number) for number in range(INCIDENTS)]
            finally:
                program.terminate()
                await program.wait()


async def _started(folder: Path, slack: SlackDouble) -> tuple[asyncio.subprocess.Process, str]:
    services = ", ".join(f"s{n}: {{}}" for n in range(INCIDENTS))
    settings = {"bot": BOT_TOKEN, "app": APP_TOKEN, "url": slack.url, "people": PEOPLE, "services": services}
    (folder / "config.yaml").write_text(_CONFIG.format(data=folder / "data", **settings))
    log = (folder / "log").open("wb")
    command = (sys.executable, "-m", "bot", "run", "-c", str(folder / "config.yaml"))
    program = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=log, stdout=log)
    while not (found := re.search(rb'"page": "([^"]+)"', (folder / "log").read_bytes())):
        await asyncio.sleep(0.05)
    return program, found[1].decode()


async def _one(slack: SlackDouble, address: str, number: int) -> float:
    """Seconds from sending the last of the reports to the thread standing in the channel."""
    await asyncio.sleep(0.13 * (number % 7))  # so that the moments within a second differ
    before = len(_roots(slack))
    async with aiohttp.ClientSession() as web:
        for person in range(PEOPLE):
            began = time.perf_counter()
            record = {"service": f"s{number}", "reporter": f"{number}-{person}"}
            async with web.post(f"{address}/api/v1/reports", json=record) as answer:
                assert answer.status == 202
    while len(_roots(slack)) == before:
        await asyncio.sleep(0.005)
    return time.perf_counter() - began


def _roots(slack: SlackDouble) -> list[object]:
    return [m for m in slack.channels["C1"].messages if m.get("thread_ts", m["ts"]) == m["ts"]]
