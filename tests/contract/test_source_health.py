"""A source that breaks and works again, asked in its real loop: what is said of it, where, and how often."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from doubles.clock import ManualClock
from doubles.living import ANNA, NOON
from doubles.world import World
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from bot.app import House, Serving
from bot.config.read import read
from bot.core.model import Request
from bot.core.phrases import plain
from bot.listening.asking import Asking

CONFIG = """\
web: {listen: "127.0.0.1:0"}
services: {shop: {name: Shop, watch: {page: {kind: statuspage, url: "https://status.example.com"}}}}
"""


class Rig:
    """A house that asks a made-up world by a clock of the test's own."""

    def __init__(self, folder: Path) -> None:
        (folder / "config.yaml").write_text(CONFIG)
        self.clock = ManualClock(NOON)
        self.house = House(read(folder / "config.yaml", {}), self.clock, None)
        self.world = World(self.clock, slow=False)
        self.serving = Serving(self.house, asking=False, beating=False)
        self.asking = Asking(http=self.world, clock=self.clock, hear=self.house.engine.hear, lively=lambda _: False)

    def watch(self) -> dict[str, object]:
        found = self.house.board.service("shop")
        assert found is not None
        [watch] = found["watches"]
        return dict(watch)

    async def said(self) -> str:
        answer = await self.house.desk.answer(Request(verb="status", who=ANNA, target="shop"))
        return "\n".join(plain(line) for line in answer.lines)

    def measured(self, name: str) -> float:
        text = generate_latest(self.serving.metrics.registry).decode()
        return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path)
    await rig.house.wake()
    asked = asyncio.ensure_future(rig.asking.watch("shop", "page", rig.house.watches["shop"]["page"]))  # type: ignore[arg-type]
    yield rig
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await rig.serving.http.aclose()
    await rig.house.aclose()


async def test_a_break_is_said_once_with_its_age_everywhere_and_the_end_of_it_too(rig: Rig) -> None:
    with capture_logs() as logs:
        await rig.clock.advance(180)
        well = rig.watch()
        assert (well["ok"], well["level"], well["error"]) == (True, "operational", None)
        assert well["heard_at"] == well["checked_at"]
        rig.world.down = {"status.example.com"}
        await rig.clock.advance(timedelta(minutes=20).total_seconds())
        broken = rig.watch()
        assert (broken["ok"], broken["level"], broken["heard_at"]) == (False, "operational", well["heard_at"])
        assert str(broken["checked_at"]) > str(well["checked_at"])
        assert "the last at 12:02 UTC" in str(broken["error"])
        assert "Shop" in await rig.said()
        assert "page: no reading: no reading for" in await rig.said()
        assert rig.measured("tocsin_watches_broken") == 1.0
        assert rig.measured("tocsin_watch_age_seconds{") >= 1_200.0
        rig.world.down = set()
        await rig.clock.advance(timedelta(minutes=20).total_seconds())
    assert rig.watch()["ok"] is True
    assert "no reading" not in await rig.said()
    assert rig.measured("tocsin_watches_broken") == 0.0
    assert rig.measured("tocsin_watch_age_seconds{") < 120.0
    assert [log["event"] for log in logs] == ["source gives no reading", "source gives readings again"]
    assert await rig.house.store.incidents() == []
