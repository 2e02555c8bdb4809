"""What listening costs: a hundred status pages asked every minute, and five hundred posts a second on Bluesky's stream.

A real `tocsin run` of each kind against a server on loopback, in real time: nothing is scaled up or left out. The figure
is the processor time of the whole process, all its threads, as a share of one core; its idling is in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web

PAGES, UNCHANGED, EVENTS = 100, 0.9, 500
WARM, MEASURED = 75.0, 120.0
STREAM_WARM, STREAM_MEASURED = 10.0, 30.0
GOALS = {"pages": 0.05, "stream": 0.25}
_WORDS = [
    "is",
    "the",
    "to",
    "down",
    "again",
    "twitter",
    "and",
    "it",
    "not",
    "my",
    "a",
    "of",
    "for",
    "you",
    "github",
    "love",
    "day",
    "work",
    "login",
    "outage",
    "why",
    "cat",
]
_CONFIG = 'data: {data}\nweb: {{listen: "127.0.0.1:0"}}\nservices: {{{services}}}\n'


def main() -> None:
    """Measure, and print one line per kind."""
    pages = asyncio.run(_pages())
    print(
        f"100 pages every 60 s       {pages[0]:.1%} of one core, {pages[1]:.0f} requests in {MEASURED:.0f} s, "
        f"{pages[2]:.0%} of them unchanged   ({_judged('pages', pages[0])})"
    )
    share, heard = asyncio.run(_stream())
    print(f"{heard:.0f} posts/s overheard       {share:.1%} of one core   ({_judged('stream', share)})")


def _judged(name: str, share: float) -> str:
    return f"{'met' if share < GOALS[name] else 'MISSED'}: goal under {GOALS[name]:.0%}"


# Pages


async def _pages() -> tuple[float, int, float]:
    """The share of a core, how many requests came while it was measured, and how many of those were answered 304."""
    asked, unchanged = 0, 0
    chance, version = random.Random(7), [0] * PAGES

    async def page(request: web.Request) -> web.Response:
        nonlocal asked, unchanged
        asked += 1
        number = int(request.match_info["page"])
        if request.path.endswith("summary.json") and chance.random() > UNCHANGED:
            version[number] += 1
        tag = f'"{version[number]}"'
        if request.headers.get("If-None-Match") == tag:
            unchanged += 1
            return web.Response(status=304, headers={"ETag": tag})
        return web.json_response(_summary(number, version[number]), headers={"ETag": tag})

    app = web.Application()
    app.router.add_get("/{page}/api/v2/{document}", page)
    async with _serving(app) as url:
        watch = '{{watch: {{page: {{kind: statuspage, url: "{url}/{n}", allow_private: true}}}}}}'
        services = ", ".join(f"s{n}: {watch.format(url=url, n=n)}" for n in range(PAGES))
        with _running(services) as process:
            await asyncio.sleep(WARM)
            asked, unchanged = 0, 0
            share = await _share(process, MEASURED)
    return share, asked, unchanged / max(asked, 1)


def _summary(number: int, version: int) -> dict[str, Any]:
    """A page of forty components, about ten kilobytes; what changes is when it was last looked after."""
    component = {"status": "operational", "group_id": None, "group": False, "description": "x" * 120}
    return {
        "page": {"id": f"page{number}", "name": f"Page {number}", "updated_at": f"2026-03-01T12:00:{version % 60:02}Z"},
        "status": {"indicator": "none", "description": "All Systems Operational"},
        "components": [{"id": f"c{n}", "name": f"Part {n}", **component} for n in range(40)],
        "incidents": [],
        "scheduled_maintenances": [],
    }


# The stream


async def _stream() -> tuple[float, float]:
    """The share of a core, and the posts that were sent each second."""
    sent = 0

    async def play(request: web.Request) -> web.WebSocketResponse:
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        with suppress(ConnectionError):  # it hangs up at the end
            await posts(wire)
        return wire

    async def posts(wire: web.WebSocketResponse) -> None:
        nonlocal sent
        chance, began, number = random.Random(7), time.monotonic(), 0
        while not wire.closed:
            due = int((time.monotonic() - began) * EVENTS)
            for number in range(number, due):  # noqa: B020 - goes on where it stood
                await wire.send_str(_event(number, chance))
                sent += 1
            number = due
            await asyncio.sleep(0.02)

    app = web.Application()
    app.router.add_get("/subscribe", play)
    async with _serving(app) as url:
        watch = f'{{kind: bluesky, allow_private: true, url: "{url.replace("http", "ws")}/subscribe"}}'
        services = ", ".join(f"{name}: {{words: [{name}], watch: {{talk: {watch}}}}}" for name in ("twitter", "github"))
        with _running(services) as process:
            await asyncio.sleep(STREAM_WARM)
            sent = 0
            share = await _share(process, STREAM_MEASURED)
    return share, sent / STREAM_MEASURED


def _event(number: int, chance: random.Random) -> str:
    """A post of six to forty words; about one in ten names a service, and fewer complain."""
    words = chance.choices(_WORDS, k=chance.randint(6, 40))
    record = {
        "$type": "app.bsky.feed.post",
        "createdAt": "2026-03-01T12:00:00Z",
        "text": " ".join(words),
        "langs": ["en"],
    }
    commit = {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": f"r{number}",
        "rev": "3l",
        "cid": "bafy",
    }
    author, at = f"did:plc:{chance.randrange(50_000)}", time.time_ns() // 1_000
    return json.dumps({"did": author, "time_us": at, "kind": "commit", "commit": {**commit, "record": record}})


# The program and its surroundings


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@contextmanager
def _running(services: str) -> Iterator[int]:
    """A program of its own with its data on disk; answers its process once its page is there."""
    with tempfile.TemporaryDirectory() as folder:
        config, log = Path(folder) / "config.yaml", Path(folder) / "log"
        config.write_text(_CONFIG.format(data=Path(folder) / "data", services=services))
        with log.open("wb") as file:
            house = subprocess.Popen([sys.executable, "-m", "bot", "run", "-c", config], stderr=file)
        try:
            while not re.search(rb'"page": "', log.read_bytes()):
                if house.poll() is not None:
                    raise SystemExit(log.read_text())
                time.sleep(0.1)
            yield house.pid
        finally:
            house.terminate()
            house.wait(20)


async def _share(process: int, seconds: float) -> float:
    """Processor time per second, user and system, of all threads (proc(5))."""
    before, began = _worked(process), time.monotonic()
    await asyncio.sleep(seconds)
    return (_worked(process) - before) / (time.monotonic() - began)


def _worked(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
