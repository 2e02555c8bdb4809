from __future__ import annotations

import asyncio

import pytest

from bot.database import Database
from bot.ports import Stream
from bot.streams.local import LocalStream
from bot.streams.memory import MemoryStream


@pytest.fixture(params=["file", "private", "memory"])
async def stream(request, tmp_path):
    stream: Stream = MemoryStream()
    if request.param != "memory":
        stream = LocalStream(Database(tmp_path / "reports.db" if request.param == "file" else ":memory:"))
    yield stream
    await stream.aclose()


async def everything(stream, after=0):
    return [frame async for frame in stream.read(after)]


async def test_frames_come_back_in_order(stream):
    numbers = [await stream.append(b"frame %d" % number) for number in range(200)]
    assert numbers == sorted(set(numbers))
    assert await everything(stream) == [(seq, b"frame %d" % index) for index, seq in enumerate(numbers)]
    assert await everything(stream, numbers[197]) == [(numbers[198], b"frame 198"), (numbers[199], b"frame 199")]


async def test_an_empty_frame_waits_for_all_before_it_and_is_none(stream):
    assert await stream.append(b"") == 0
    appends = [asyncio.create_task(stream.append(b"x")) for _ in range(20)]
    await asyncio.sleep(0)
    assert await stream.append(b"") == 20
    await asyncio.wait(appends, timeout=1)
    assert len(await everything(stream)) == 20


async def test_a_trimmed_log_keeps_counting_upwards(stream):
    last = max(await asyncio.gather(*(stream.append(b"x") for _ in range(450))))
    await stream.trim(last - 9)
    assert [seq for seq, _ in await everything(stream)] == list(range(last - 9, last + 1))
    await stream.trim(last + 100)
    await stream.trim(last + 100)
    assert await everything(stream) == []
    assert await stream.append(b"next") == last + 1
    assert await everything(stream) == [(last + 1, b"next")]


async def test_a_frame_is_written_anew_in_its_place(stream):
    first, second = [await stream.append(body) for body in (b"one", b"two")]
    await stream.rewrite(first, b"none")
    assert await everything(stream) == [(first, b"none"), (second, b"two")]
    await stream.trim(second)
    await stream.rewrite(first, b"one again")
    assert await everything(stream) == [(second, b"two")]


async def test_frames_survive_a_stop(tmp_path):
    stream = LocalStream(Database(tmp_path / "reports.db"))
    seq = await stream.append(b"\x00\xff")
    await stream.aclose()
    again = LocalStream(Database(tmp_path / "reports.db"))
    assert await everything(again) == [(seq, b"\x00\xff")]
    await again.aclose()
