"""The double that every other test trusts with time."""

import asyncio
from datetime import UTC, datetime, timedelta

from doubles.clock import ManualClock

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_sleepers_wake_in_the_order_they_are_due_and_see_their_own_moment() -> None:
    clock, woken = ManualClock(START), []

    async def nap(name: str, seconds: float, times: int) -> None:
        for _ in range(times):
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic(), clock.now() - START))

    async with asyncio.TaskGroup() as group:
        group.create_task(nap("slow", 5, 1))
        group.create_task(nap("fast", 2, 3))
        await clock.advance(10)
    assert [(name, at) for name, at, _ in woken] == [("fast", 2), ("fast", 4), ("slow", 5), ("fast", 6)]
    assert all(wall == timedelta(seconds=at) for _, at, wall in woken)
    assert clock.monotonic() == 10


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(1))
    await clock.advance(0.5)
    assert not task.done()
    assert clock.sleeping == 1
    await clock.advance(0.5)
    assert task.done()
    assert clock.sleeping == 0


async def test_a_jump_moves_the_wall_and_not_the_sleepers() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(10))
    await clock.settle()
    clock.jump(3600)
    await clock.settle()
    assert not task.done()
    assert clock.now() == START + timedelta(hours=1)
    await clock.advance(10)
    assert task.done()


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock(START)
    task = asyncio.create_task(clock.sleep(1))
    await clock.settle()
    task.cancel()
    await clock.advance(2)
    assert task.cancelled()
    assert clock.sleeping == 0
