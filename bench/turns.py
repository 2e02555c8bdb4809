"""How long the loop is kept from everybody else: by the largest bodies there are, by a bucket's end, by a save.

`python -m bench.turns`. Milliseconds of the loop's own processor time in one turn, the longest of a few, in the real house
on disk; a busy neighbour does not lengthen them.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bot.commands.past import StoryClock
from bot.commands.replay import bare_settings
from bot.core.reports import RawCount
from bot.house import House
from bot.web.bodies import REPORTS

SERVICES, BUCKETS, GOAL = 5_000, 12, 50.0
_START = datetime(2026, 3, 2, tzinfo=UTC)


def main() -> None:
    """Measure, and print one line per cause."""
    with tempfile.TemporaryDirectory() as folder:
        for what, longest in asyncio.run(_measured(Path(folder))).items():
            word = "met" if longest < GOAL else "MISSED"
            print(f"longest turn, {what:<38} {longest:>5.0f} ms   ({word}: goal under {GOAL:g} ms)")


async def _measured(folder: Path) -> dict[str, float]:
    clock = StoryClock(_START)
    house = House(bare_settings([f"s{n}" for n in range(SERVICES)]), clock, folder)
    await house.wake()
    house.engine.crowd.surge.teach(np.full(SERVICES, 60.0))
    found = {}
    for what, body, shape in _bodies():
        found[what] = await _longest(house.intake.take(body, shape, "api"))
    random = np.random.default_rng(1)
    found[f"the end of a bucket, {SERVICES:,} services"] = max(
        [await _bucket(house, clock, random) for _ in range(BUCKETS)]
    )
    found[f"a save, {SERVICES:,} services"] = await _longest(house.engine.rest())
    await house.aclose()
    return found


def _bodies() -> list[tuple[str, bytes, str]]:
    """As many reports as fit into the largest body, whole ones and the smallest there are."""
    whole = [
        json.dumps(
            {"service": "s1", "id": f"r{n}", "reporter": f"p{n}", "region": "JP", "text": "It does not load."}
        ).encode()
        for n in range(REPORTS // 120)
    ]
    tiny = [b'{"service":"s2"}'] * (REPORTS // 18)
    return [
        ("5 MB of lines", b"\n".join(whole), "lines"),
        ("the same again, in an array", b"[" + b",".join(whole) + b"]", "many"),
        ("5 MB of the smallest lines", b"\n".join(tiny), "lines"),
    ]


async def _bucket(house: House, clock: StoryClock, random: np.random.Generator) -> float:
    since, clock.at = clock.at.timestamp(), clock.at + timedelta(minutes=1)
    counts = random.poisson(1.0, SERVICES).tolist()
    rows = [RawCount(service=f"s{n}", since=since, until=since + 60, count=count) for n, count in enumerate(counts)]
    await house.intake.admit_counts(rows)
    return await _longest(house.engine.beat(clock.at))


async def _longest(work: Awaitable[object]) -> float:
    """Milliseconds of the longest turn while something is done."""
    longest, done = 0.0, asyncio.ensure_future(work)
    while not done.done():
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    await done
    return longest * 1e3


if __name__ == "__main__":
    main()
