"""A stream of everybody's posts, over a real connection: whatever happens to it, nothing is counted twice and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from doubles.clock import ManualClock
from doubles.feeds import feed
from doubles.jetstream import Jetstream, event, jetstream
from doubles.living import NOON, Living
from doubles.program import until

from bot.listening.overhearing import Ear, Overhearing
from bot.ports import Unreachable
from bot.world.web import Web

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@pytest.fixture
async def living(tmp_path: Path) -> AsyncIterator[Living]:
    async with Living(tmp_path) as living:
        yield living


@pytest.fixture
async def stream() -> AsyncIterator[Jetstream]:
    async with jetstream() as stream:
        yield stream


@asynccontextmanager
async def listening(
    living: Living, stream: Jetstream, words: tuple[str, ...] = ("twitter", "ツイッター")
) -> AsyncIterator[None]:
    """A house that listens for Twitter, until the block ends."""
    house, web = living.house, Web(living.clock)
    wire = feed("bluesky", url=stream.url, allow_private=True)
    house.watches["twitter"] = {"sky": wire}
    room = Overhearing(
        http=web,
        clock=living.clock,
        store=house.store,
        admit=house.intake.admit,
        admit_counts=house.intake.admit_counts,
        hear=house.engine.hear,
        tick=MINUTE,
    )
    ear = Ear(service="twitter", name="sky", wire=wire, words=words)
    before = stream.playing
    task = asyncio.create_task(room.listen("sky", [ear]))
    await until(lambda: stream.playing > before)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await web.aclose()


def total(living: Living, at: datetime = NOON) -> float | None:
    tally = living.house.tally
    return tally.total("twitter", tally.bucket(at))


def people(living: Living) -> float:
    """Everybody that was counted in the minutes around noon."""
    return sum(total(living, NOON + n * MINUTE) or 0.0 for n in range(-10, 10))


async def counted(living: Living, stream: Jetstream, number: float) -> None:
    """Wait until so many were counted. What was caught is handed on with the next message, a second later."""

    async def passing() -> bool:
        await living.clock.advance(1.1)
        name = f"k{len(stream.log)}"
        await stream.say(event("did:plc:other", living.clock.now(), "lovely weather", name))
        await asyncio.sleep(0.01)
        return people(living) == number

    await until(passing, 10.0)


def complaint(number: int, at: datetime = NOON, text: str = "twitter is down") -> dict[str, Any]:
    return event(f"did:plc:p{number}", at + number * SECOND / 100, text)


async def test_a_complaint_is_counted_in_the_minute_in_which_it_was_heard(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        messages = [
            complaint(1),
            complaint(2, NOON - MINUTE, "ツイッター落ちてる"),
            complaint(3, text="twitter is nice"),
        ]
        await stream.say(*messages, complaint(4, text="github is down"))
        await counted(living, stream, 2)
    assert (total(living, NOON), total(living, NOON - MINUTE)) == (1.0, 1.0)
    bucket = living.house.tally.bucket(NOON)
    assert living.house.tally.cells("twitter", bucket, bucket)


async def test_who_complains_twice_is_one_voice(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        again = [event("did:plc:a", NOON + n * SECOND, "twitter down", f"k{n}") for n in range(5)]
        await stream.say(*again, complaint(1))
        await counted(living, stream, 2)


async def test_broken_again_and_again_everybody_is_counted_once(living: Living, stream: Jetstream) -> None:
    stream.breaks = [3, 7, 1, 12]
    async with listening(living, stream):
        await stream.say(*(complaint(n) for n in range(40)))
        await counted(living, stream, 40)
        assert len(stream.asked) >= 5
    assert "cursor" not in stream.asked[0]
    resumed = [int(asked["cursor"]) for asked in stream.asked[1:]]
    assert resumed == sorted(resumed)
    assert resumed[0] == round((NOON + 2 * SECOND / 100 - 5 * SECOND).timestamp() * 1_000_000)


async def test_what_comes_twice_and_out_of_order_counts_once_and_the_cursor_does_not_go_back(
    living: Living, stream: Jetstream
) -> None:
    async with listening(living, stream):
        forth = [complaint(n) for n in range(20)]
        await stream.say(forth[0])
        await counted(living, stream, 1)
        await stream.say(*forth, *reversed(forth), *forth[::3])
        stream.cut()
        await counted(living, stream, 20)
        await living.clock.advance(11)
        await counted(living, stream, 20)
    async with listening(living, stream):
        assert int(stream.asked[-1]["cursor"]) >= round(NOON.timestamp() * 1_000_000) - 5_000_000


async def test_garbage_between_the_posts_harms_nothing(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        broken = ["", "{", "null", '{"did": 7}', "[" * 5_000, '{"did":"a","time_us":"x"}', "\x00" * 100]
        await stream.say(complaint(1), *broken, complaint(2), {"kind": "identity", "did": "x", "time_us": -5})
        await counted(living, stream, 2)


async def test_a_clock_gone_wrong_does_not_skip_what_is_yet_to_come(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        await stream.say(complaint(1, NOON + timedelta(days=900)), complaint(2))
        await counted(living, stream, 1)
        stream.cut()
        await stream.say(complaint(3), complaint(4))
        await living.clock.advance(11)
        await counted(living, stream, 3)
    async with listening(living, stream):
        assert int(stream.asked[-1]["cursor"]) < NOON.timestamp() * 1_000_000 + 60_000_000


async def test_a_restart_goes_on_where_it_was(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        await stream.say(complaint(1), complaint(2))
        await counted(living, stream, 2)
        await living.clock.advance(20)
        await stream.say(complaint(3, NOON + 20 * SECOND))
        await counted(living, stream, 3)
    await stream.say(complaint(4, NOON + 40 * SECOND), complaint(5, NOON + 70 * SECOND))
    await living.clock.advance(60)
    async with listening(living, stream):
        await counted(living, stream, 5)
    assert "cursor" in stream.asked[-1]
    assert total(living, NOON + MINUTE) == 1.0


async def test_what_was_listened_to_is_a_zero_and_the_rest_a_gap(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        for minute in range(4):
            await stream.say(event("did:plc:x", NOON + minute * MINUTE, "hello", f"m{minute}"))
            await asyncio.sleep(0.02)
            await living.clock.advance(60)
        await until(lambda: total(living, NOON + 3 * MINUTE) == 0.0)
        assert [total(living, NOON + n * MINUTE) for n in range(-1, 4)] == [None, None, 0.0, 0.0, 0.0]
        await living.clock.advance(600)
        await stream.say(event("did:plc:x", NOON + 15 * MINUTE, "hello", "later"))
        await stream.say(event("did:plc:x", NOON + 16 * MINUTE, "hello", "still later"))
        await until(lambda: total(living, NOON + 16 * MINUTE) == 0.0)
    assert [total(living, NOON + n * MINUTE) for n in (3, 5, 14, 16)] == [0.0, None, None, 0.0]


async def test_what_is_too_long_ago_is_not_gone_through_again(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream):
        await stream.say(complaint(1))
        await living.clock.advance(11)
        await stream.say(complaint(2))
        await counted(living, stream, 2)
    await living.clock.advance(4 * 3600)
    async with listening(living, stream):
        assert "cursor" not in stream.asked[-1]


async def test_how_the_wire_fares_is_shown(living: Living, stream: Jetstream) -> None:
    def shown() -> dict[str, Any]:
        return living.house.board.service("twitter")["watches"][0]  # type: ignore[index]

    async with listening(living, stream):
        await stream.say(complaint(1))
        await until(lambda: shown()["ok"])
        assert (shown()["kind"], shown()["level"], shown()["note"]) == ("bluesky", None, "listening")
        stream.cut()
        await stream.say(complaint(2), complaint(3))
        await counted(living, stream, 3)
        await until(lambda: shown()["ok"])


async def test_a_watch_without_words_says_so(living: Living, stream: Jetstream) -> None:
    async with listening(living, stream, words=()):
        await stream.say(complaint(1))
        await until(lambda: living.house.engine.witnesses.asked.get(("twitter", "sky")))
        (shown,) = living.house.board.service("twitter")["watches"]  # type: ignore[index]
        assert not shown["ok"]
        assert "no words to look for" in shown["error"]


# The connection itself


async def first(url: str, **options: Any) -> bytes:
    web = Web(ManualClock(NOON))
    try:
        async for message in web.messages(url, **options):
            return message
    finally:
        await web.aclose()
    raise AssertionError("a wire never ends well")


async def test_a_private_address_is_not_listened_to_unless_that_is_meant(stream: Jetstream) -> None:
    with pytest.raises(Unreachable, match="not on the public web") as caught:
        await first(stream.url)
    assert caught.value.kind == "blocked"
    assert stream.asked == []


async def test_a_wire_on_which_nothing_is_said_is_given_up(stream: Jetstream) -> None:
    with pytest.raises(Unreachable) as caught:
        await first(stream.url, allow_private=True, silence=0.2)
    assert caught.value.kind == "timeout"


async def test_a_message_that_is_too_long_is_not_read(stream: Jetstream) -> None:
    await stream.say("x" * 5_000)
    with pytest.raises(Unreachable) as caught:
        await first(f"{stream.url}?cursor=0", allow_private=True, limit=1_000)
    assert caught.value.kind == "connect"


async def test_a_page_that_is_no_wire_is_no_connection(stream: Jetstream) -> None:
    with pytest.raises(Unreachable) as caught:
        await first(stream.url.replace("/subscribe", "/elsewhere"), allow_private=True)
    assert caught.value.kind == "connect"
