"""A whole house that counts: numbers pulled from a server and complaints overheard on a stream open incidents, and a reload keeps listening."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from doubles.jetstream import Jetstream, event, jetstream
from doubles.pages import Asked, Pages, page, pages
from doubles.program import until

from bot.app import House, Serving
from bot.config.read import read
from bot.world.clock import WallClock

CONFIG = """\
data: ./data
web: {{listen: "127.0.0.1:0"}}
tick: 1s
policy: {{confirm_for: 0s, quiet_for: 2s}}
levels: {{minor: {{reports: 8, within: 5s}}}}
defaults: {{one_voice: 1m}}
services:
  shop:
    name: Shop
    watch:
      sales: {{kind: prometheus, url: "{prometheus}", query: failed, every: 1s, bucket: 1s, delay: 0s, allow_private: true}}
  bird:
    name: Bird
    words: [bird app]
    watch:
      sky: {{kind: bluesky, url: "{stream}", allow_private: true}}
"""


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Serving]:
    house = House(read(folder / "config.yaml", {}), WallClock(), folder / "data")
    await house.wake()
    async with Serving(house) as serving:
        running = asyncio.create_task(serving.run())
        try:
            yield serving
        finally:
            running.cancel()
            await asyncio.wait([running])
    await house.aclose()


@pytest.fixture
async def stream() -> AsyncIterator[Jetstream]:
    async with jetstream() as stream:
        yield stream


@pytest.fixture
async def prometheus() -> AsyncIterator[Pages]:
    async with pages() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, stream: Jetstream, prometheus: Pages) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG.format(prometheus=prometheus.url, stream=stream.url))
    return tmp_path


def failing(number: int) -> Any:
    """Prometheus as it answers while so many fail each second."""

    async def answer(writer: asyncio.StreamWriter, asked: Asked) -> None:
        form = {
            key: float(values[0])
            for key, values in parse_qs(asked.body.decode()).items()
            if key not in ("query", "partial_response")
        }
        times = range(int(form["start"]), int(form["end"]) + 1)
        values = [[at, str(number)] for at in times]
        body = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
        await page(json.dumps(body).encode())(writer, asked)

    return answer


def living_incident(serving: Serving, service: str) -> Any:
    return serving.house.board.living(service)


def watch(serving: Serving, service: str) -> dict[str, Any]:
    return serving.house.board.service(service)["watches"][0]  # type: ignore[index]


async def complaints(stream: Jetstream, first: int, number: int, text: str = "the bird app is down") -> None:
    for n in range(first, first + number):
        await stream.say(event(f"did:plc:{n}", datetime.now(UTC), text))
    await asyncio.sleep(1.1)
    await stream.say(event("did:plc:other", datetime.now(UTC), "lovely weather"))


async def test_numbers_open_an_incident_and_their_end_closes_it(folder: Path, prometheus: Pages) -> None:
    prometheus.script("/api/v1/query_range", failing(9))
    async with living(folder) as serving:
        incident = await until(lambda: living_incident(serving, "shop"))
        assert incident.numbers is not None
        assert incident.numbers.count >= 8
        assert (watch(serving, "shop")["ok"], watch(serving, "shop")["level"]) == (True, None)
        prometheus.script("/api/v1/query_range", failing(0))
        await until(lambda: not living_incident(serving, "shop"))


async def test_complaints_on_a_stream_open_an_incident_also_after_a_reload(folder: Path, stream: Jetstream) -> None:
    async with living(folder) as serving:
        await until(lambda: stream.playing)
        await complaints(stream, 0, 5, "lovely weather for the bird app")
        await complaints(stream, 10, 4)
        assert living_incident(serving, "bird") is None
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace("words: [bird app]", "words: [bird app, birdie]"))
        await serving.adopt(read(config, {}))
        await until(lambda: stream.playing == 2)
        await complaints(stream, 20, 9, "birdie not working for me")
        incident = await until(lambda: living_incident(serving, "bird"))
        assert incident.level == "minor"
        assert watch(serving, "bird")["note"] == "listening"
