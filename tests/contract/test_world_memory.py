"""What the web remembers of earlier answers stays within its budget; the machine's clock is the machine's."""

import os
from datetime import UTC, datetime, timedelta

from bot.ports import Clock, Reply
from bot.world import WallClock
from bot.world.memory import Memory


def reply(body: bytes, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=200, url="https://example.com/", headers=named, body=body, elapsed=0.1)


def test_the_answer_unused_for_longest_goes_first() -> None:
    memory = Memory(budget=3_500)
    for key in "abc":
        memory.keep(key, reply(os.urandom(1_000), etag=key))
    memory.recall("a")
    memory.keep("d", reply(os.urandom(1_000), etag="d"))
    assert [key for key in "abcd" if memory.recall(key)] == ["a", "c", "d"]
    assert memory.size <= 3_500


def test_an_answer_larger_than_the_whole_budget_is_not_kept() -> None:
    memory = Memory(budget=500)
    memory.keep("a", reply(os.urandom(1_000), etag="a"))
    assert (memory.recall("a"), memory.size) == (None, 0)


def test_bodies_are_kept_packed() -> None:
    memory = Memory()
    memory.keep("a", reply(b"status " * 100_000, last_modified="Sun, 01 Mar 2026 12:00:00 GMT"))
    kept = memory.recall("a")
    assert kept is not None
    assert memory.size < 10_000
    assert kept.validators == {"If-Modified-Since": "Sun, 01 Mar 2026 12:00:00 GMT"}


def test_an_unchanged_answer_has_the_old_body_and_the_new_headers() -> None:
    memory = Memory()
    memory.keep("a", reply(b"body", etag="1", age="10", x="kept"))
    kept = memory.recall("a")
    assert kept is not None
    renewed = kept.renew(Reply(status=304, url="https://example.com/", headers={"age": "20"}, body=b"", elapsed=0.2))
    assert (renewed.status, renewed.body, renewed.elapsed) == (200, b"body", 0.2)
    assert renewed.headers == {"etag": "1", "age": "20", "x": "kept"}


def test_a_page_that_stops_giving_validators_is_forgotten() -> None:
    memory = Memory()
    memory.keep("a", reply(b"old", etag="1"))
    memory.keep("a", reply(b"new"))
    assert (memory.recall("a"), memory.size) == (None, 0)


async def test_the_machines_clock_is_in_utc_and_goes_forward() -> None:
    clock: Clock = WallClock()
    before, wall = clock.monotonic(), clock.now()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
    assert wall.utcoffset() == timedelta(0)
    assert abs(wall - datetime.now(UTC)) < timedelta(minutes=1)
