"""A replay decides what the living house decided: the same story through both, and every line and number compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.app import House
from bot.commands.history import Arrival
from bot.commands.past import Life, StoryClock
from bot.config.read import read
from bot.config.settings import Settings
from bot.core.printing import incident_json
from bot.core.reports import RawCount, RawReport

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
SECOND, HOURS = timedelta(seconds=1), 3
CONFIG = """
policy: {confirm_for: 1m, quiet_for: 10m}
services: {shop: {}, bank: {depends_on: [shop]}, mail: {}}
"""
REGIONS, PLATFORMS = ("IN", "US", "DE", ""), ("web", "ios", "")


def reports(random: np.random.Generator, second: int) -> Iterator[RawReport]:
    """What is sent in one second: three reports in ten seconds, and for 40 minutes many from the web in India."""
    now = (START + second * SECOND).timestamp()
    hot = 3600 <= second < 6000
    for service, rate in (("shop", 0.05 + 0.4 * hot), ("bank", 0.05 + 0.06 * hot)):
        for n in range(random.poisson(rate)):
            india = hot and random.random() < 0.8
            late = float(random.integers(0, 600)) if random.random() < 0.1 else 0.0
            yield RawReport(
                service=service,
                at=now - late,
                id=f"{service}-{second}-{n}",
                reporter=f"p{random.integers(0, 900)}",
                region="IN" if india else REGIONS[random.integers(0, 4)],
                platform="web" if india else PLATFORMS[random.integers(0, 3)],
                symptom="login" if hot else None,
            )


def counts(random: np.random.Generator, second: int) -> Iterator[RawCount]:
    """Every minute what a feed counted in it, now and then corrected afterwards, and for ten minutes nothing."""
    if second % 60 or 7200 <= second < 7800:
        return
    end = (START + second * SECOND).timestamp()
    ago = 300.0 if not second % 900 else 0.0
    yield RawCount(service="mail", since=end - 60 - ago, until=end - ago, count=float(random.poisson(4)))


@pytest.fixture(scope="module")
def story() -> list[Arrival]:
    random = np.random.default_rng(11)
    seconds = range(1, HOURS * 3600)
    told = [
        Arrival(START + n * SECOND, list(reports(random, n)), [*counts(random, n)] if n > 60 else []) for n in seconds
    ]
    return [arrival for arrival in told if arrival.reports or arrival.counts]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(CONFIG)
    return read(path, {})


async def woken(settings: Settings, clock: StoryClock, folder: Path | None) -> House:
    house = House(settings, clock, folder)
    house.engine.crowd.surge.teach(np.full(3, 180.0, np.float32))
    await house.wake()
    return house


async def decided(house: House) -> dict[str, Any]:
    """Everything that was said, and what the detectors remember afterwards."""
    incidents = await house.store.incidents(limit=1000)
    crowd = house.engine.crowd
    return {
        "told": [incident_json(one, await house.store.entries(one.id)) for one in incidents],
        "cases": dict(house.engine.cases),
        "verdicts": dict(crowd.verdicts),
        "surge": crowd.surge.snapshot(),
        "parts": crowd.parts.snapshot(),
        "mix": crowd.mix.snapshot(),
    }


async def replayed(story: list[Arrival], settings: Settings) -> dict[str, Any]:
    clock = StoryClock(START)
    house = await woken(settings, clock, None)
    life = Life(house, clock)
    await life.through(story)
    await life.until(START + timedelta(hours=HOURS))
    assert not life.refused
    found = await decided(house)
    await house.aclose()
    return found


async def lived(story: list[Arrival], settings: Settings, folder: Path) -> dict[str, Any]:
    """The house on disk, its heart beating every second, whether anything came or not; reports come one by one."""
    clock = StoryClock(START)
    house = await woken(settings, clock, folder)
    arrivals = {arrival.at: arrival for arrival in story}
    for second in range(1, HOURS * 3600 + 1):
        clock.at = START + second * SECOND
        if arrival := arrivals.get(clock.at):
            for report in arrival.reports:
                await house.intake.admit([report], "api")
            await house.intake.admit_counts(arrival.counts)
        await house.engine.beat(clock.at)
    found = await decided(house)
    await house.aclose()
    return found


async def test_a_replay_decides_what_the_living_house_decided(
    story: list[Arrival], settings: Settings, tmp_path: Path, prove
) -> None:
    again, live = await replayed(story, settings), await lived(story, settings, tmp_path)
    differing = [name for name in live if live[name] != again[name]]
    prove(
        "R26",
        len(story),
        differing,
        "arrivals over three hours, after which a replay says and remembers what the house did",
    )
    [shop] = [one for one in live["told"] if one["service"] == "shop"]
    assert {"opened", "raised", "eased", "closed"} <= {entry["kind"] for entry in shop["entries"]}
    assert [share["code"] for share in shop["scope"]["regions"]] == ["IN"]
