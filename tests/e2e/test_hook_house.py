"""A whole house with its doors open: an alert posted to a hook opens an incident, its end closes it, and a restart between keeps it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from doubles.program import until
from doubles.senders import capture

from bot.app import House, Serving
from bot.config.read import read
from bot.world.clock import WallClock

CONFIG = """\
data: ./data
web: {listen: "127.0.0.1:0"}
tick: 1s
policy: {confirm_for: 0s, quiet_for: 1s}
levels: {minor: {reports: 5}, major: {reports: 10}, critical: {reports: 20}}
services:
  shop:
    name: Shop
    watch:
      alerts: {kind: alertmanager, secret: "${HOOK_SECRET}"}
      hint: {kind: statuspage_hook, secret: [one, two]}
      page: {kind: statuspage, url: "https://status.example.com"}
"""


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[tuple[Serving, str]]:
    """One life of the house in a folder, asking nobody; and its address."""
    house = House(read(folder / "config.yaml", {"HOOK_SECRET": "s3cret"}), WallClock(), folder / "data")
    await house.wake()
    async with Serving(house, asking=False) as serving:
        running = asyncio.create_task(serving.run())
        yield serving, serving.address
        running.cancel()
        await asyncio.wait([running])
    await house.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG)
    return tmp_path


def alerts(status: str, began: datetime) -> bytes:
    said = json.loads(capture("alertmanager/two-of-three-fire.json"))
    for alert in said["alerts"]:
        alert |= {"status": status, "startsAt": began.isoformat()}
    return json.dumps(said).encode()


async def post(address: str, path: str, body: bytes, secret: str = "s3cret") -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        aiohttp.ClientSession() as web,
        web.post(f"{address}/hooks/{path}", data=body, headers=headers) as answer,
    ):
        return answer.status


async def incidents(address: str) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as web, web.get(f"{address}/api/v1/incidents") as answer:
        return (await answer.json())["incidents"]


async def watched(address: str, name: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as web, web.get(f"{address}/api/v1/services/shop") as answer:
        return next(w for w in (await answer.json())["watches"] if w["name"] == name)


async def test_an_alert_opens_an_incident_and_its_end_closes_it_across_a_restart(folder: Path) -> None:
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=7)
    async with living(folder) as (_, address):
        assert await post(address, "shop/alerts", alerts("firing", began), "wrong") == 401
        assert await incidents(address) == []
        assert await post(address, "shop/alerts", alerts("firing", began)) == 202
        [incident] = await incidents(address)
        assert (incident["level"], incident["state"], incident["entries"][0]["kind"]) == ("critical", "open", "opened")
        assert datetime.fromisoformat(incident["started_at"]) == began
        assert "Checkout answers 500 to every fifth request" in incident["entries"][0]["text"]
    async with living(folder) as (_, address):
        assert (await watched(address, "alerts"))["level"] == "major_outage"
        [still] = await incidents(address)
        assert (still["id"], still["state"], len(still["entries"])) == (
            incident["id"],
            "open",
            len(incident["entries"]),
        )
        assert await post(address, "shop/alerts", alerts("resolved", began)) == 202

        async def closed() -> bool:
            [found] = await incidents(address)
            return bool(found["state"] == "closed")

        await until(closed)
        [over] = await incidents(address)
        assert [entry["kind"] for entry in over["entries"]] == ["opened", "eased", "closed"]


async def test_a_hint_concerns_the_pages_of_its_service_and_claims_nothing(folder: Path) -> None:
    async with living(folder) as (serving, address):
        for secret in ("one", "two"):
            assert await post(address, "shop/hint", capture("statuspage/incident.json"), secret) == 202
        assert [label for label, nudge in serving.asking._nudges.items() if nudge.is_set()] == ["shop/page"]
        hint = await watched(address, "hint")
        assert (hint["level"], hint["ok"], hint["note"]) == (None, True, "waits to be told")
