"""The bot and two other places as processes of their own: what one place sees opens nothing, what two see does."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from doubles.program import until

BOT = """\
data: {folder}/data
web:
  listen: "127.0.0.1:0"
  tokens:
    - {{name: fra, secret: token-of-fra, scopes: [report]}}
    - {{name: nyc, secret: token-of-nyc, scopes: [report]}}
policy: {{confirm_for: 0s, quiet_for: 1s}}
services:
  shop: {{name: Shop, watch: {{front: {watch}}}}}
"""
PLACE = "services: {{shop: {{name: Shop, watch: {{front: {watch}}}}}}}\n"
WATCH = (
    '{{kind: probe, url: "{url}", every: 0.3s, fail_after: 2, clear_after: 2, allow_private: true, '
    "headers: {{X-Place: {place}}}, vantages: [fra, nyc]}}"
)


class Shop:
    """A shop that answers as it is told, each place for itself."""

    def __init__(self) -> None:
        self.status = {"here": 200, "fra": 200, "nyc": 200}

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(text="Welcome", status=self.status[request.headers["X-Place"]])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await runner.cleanup()


@asynccontextmanager
async def process(log: Path, *words: str, token: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as file:
        env = {"PATH": "/usr/bin:/bin", "TOCSIN_TOKEN": token}
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, stdout=file, stderr=file, env=env
        )
    try:
        yield run
    finally:
        run.send_signal(signal.SIGTERM)
        assert await run.wait() == 0


class Rig:
    """The bot at `address`, and how to start another place."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.address = folder, url, ""

    def config(self, place: str, form: str) -> str:
        file = self.folder / f"{place}.yaml"
        file.write_text(form.format(folder=self.folder, watch=WATCH.format(url=self.url, place=place)))
        return str(file)

    def place(self, name: str, token: str = "") -> Any:
        words = ("probe", "--report-to", self.address, "--as", name, "-c", self.config(name, PLACE))
        return process(self.folder / f"{name}.log", *words, token=token or f"token-of-{name}")

    async def front(self) -> dict[str, Any]:
        async with aiohttp.ClientSession() as client, client.get(f"{self.address}/api/v1/services/shop") as answer:
            return (await answer.json())["watches"][0]

    async def said(self, words: str) -> Any:
        async def found() -> bool:
            return words in (await self.front())["note"]

        return await until(found)

    async def incidents(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as client, client.get(f"{self.address}/api/v1/incidents") as answer:
            return (await answer.json())["incidents"]


@pytest.fixture
async def shop() -> Shop:
    return Shop()


@pytest.fixture
async def rig(tmp_path: Path, shop: Shop) -> AsyncIterator[Rig]:
    async with shop.open() as url:
        rig, log = Rig(tmp_path, url), tmp_path / "bot.log"
        async with process(log, "run", "-c", rig.config("here", BOT)):
            found = await until(lambda: re.search(r'"page": "([^"]+)"', log.read_text()))
            rig.address = found[1]
            yield rig


async def test_one_place_opens_nothing_and_two_places_open_an_incident_that_ends(rig: Rig, shop: Shop) -> None:
    async with rig.place("fra"), rig.place("nyc"):
        await rig.said("from 3 of 3 places")
        shop.status["fra"] = 503
        await rig.said("fails from 1 of 3 places: fra (answered 503); it takes 2")
        assert await rig.incidents() == []
        shop.status["nyc"] = 503
        await until(rig.incidents)
        [incident] = await rig.incidents()
        assert (incident["level"], incident["state"]) == ("critical", "open")
        assert "fails from 2 of 3 places: fra, nyc" in incident["entries"][0]["text"]
        shop.status |= {"fra": 200, "nyc": 200}

        async def closed() -> bool:
            return (await rig.incidents())[0]["state"] == "closed"

        await until(closed)
