"""The whole program as a process of its own, against the doubles of Slack and Discord."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from doubles.discord_double import DiscordDouble
from doubles.discord_events import TOKEN
from doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble

CONFIG = """\
data: {data}
web: {{listen: "127.0.0.1:0"}}
tick: 1s
chats:
  page: {{kind: page}}
  slack: {{kind: slack, bot_token: {bot}, app_token: {app}, api_url: "{slack}"}}
  disco: {{kind: discord, token: "{token}", guild: "{guild}", api_url: "{discord}", gateway_url: "{gateway}"}}
channels:
  wall: {{chat: page}}
  ops: {{chat: slack, channel: C1}}
  community: {{chat: disco, channel: "456"}}
levels:
  minor: {{reports: 5, within: 4s}}
  critical: {{reports: 15, within: 4s}}
policy: {{confirm_for: 0s, quiet_for: 2s, reopen_for: 1h}}
defaults: {{tell: [wall, ops, community], one_voice: 4s}}
services:
  twitter: {{name: Twitter, aliases: [x]}}
"""
MORE = "".join(f"  s{n}: {{name: S{n}}}\n" for n in range(5))
"""Services more, for what is tried several times in one life."""
PATIENCE = 120.0
"""Seconds after which something will not happen any more; how soon it must is said where it is measured."""


class Program:
    """Starts, dies and starts again on one data folder; `address` is where its page answers."""

    def __init__(self, folder: Path, slack: SlackDouble, discord: DiscordDouble, guild: str) -> None:
        self.folder = folder
        self.address = ""
        self.log = folder / "log"
        self._process: asyncio.subprocess.Process | None = None
        self._people = 0
        self._config = folder / "config.yaml"
        self._config.write_text(
            CONFIG.format(
                data=folder / "data",
                bot=BOT_TOKEN,
                app=APP_TOKEN,
                slack=slack.url,
                token=TOKEN,
                guild=guild,
                discord=discord.url,
                gateway=discord.gateway_url,
            )
            + MORE
        )

    async def start(self) -> Self:
        with self.log.open("ab") as log:
            here = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "-c", str(self._config), stderr=log, stdout=log
            )
        async with asyncio.timeout(PATIENCE):
            while not (found := re.search(rb'"page": "([^"]+)"', self.log.read_bytes()[here:])):
                assert self._process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.02)
        self.address = found[1].decode()
        return self

    async def kill(self) -> None:
        """As the power goes: SIGKILL, no last words."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an operator does; answers the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(how)
        return await process.wait()

    async def report(self, people: int, service: str = "twitter", **details: str) -> dict[str, Any]:
        """So many different people report; answers the receipt."""
        first, self._people = self._people, self._people + people
        records = [{"service": service, "reporter": f"p{first + n}", **details} for n in range(people)]
        where = f"{self.address}/api/v1/reports"
        async with aiohttp.ClientSession() as web, web.post(where, json=records) as answer:
            return await answer.json()

    async def incidents(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as web, web.get(f"{self.address}/api/v1/incidents") as answer:
            return (await answer.json())["incidents"]


@asynccontextmanager
async def running(config: Path, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program on a configuration of one's own; however the test ends, it does not outlive it."""
    with log.open("wb") as out:
        command = (sys.executable, "-m", "bot", "run", "-c", str(config))
        process = await asyncio.create_subprocess_exec(*command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(what, seconds: float = PATIENCE) -> Any:
    """Wait until `what()` (or what it awaits) is true, and answer it."""
    async with asyncio.timeout(seconds):
        while True:
            found = what()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            await asyncio.sleep(0.05)


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
