"""What feeds bring home counts once, goes on after a restart, and is a gap where nobody brought anything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from doubles.living import NOON, Living

from bot.core.model import Evidence, Signal
from bot.core.posts import Post
from bot.core.reports import Cell
from bot.listening.asking import Asking
from bot.listening.gathering import Gathering
from bot.ports import Count, Errand, Feed, Gathered, Http, Retry
from bot.world.web import Web

MINUTE = timedelta(minutes=1)


class Script:
    """A feed that brings what it is told to, and remembers its errands."""

    evidence: ClassVar[Evidence] = Evidence.PEOPLE
    again: ClassVar[timedelta] = timedelta(minutes=5)
    kind = "script"

    def __init__(self, *answers: Gathered | Callable[[Errand], Gathered]) -> None:
        self.every = MINUTE
        self.answers = list(answers)
        self.errands: list[Errand] = []

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        self.errands.append(errand)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, Gathered) else answer(errand)


@pytest.fixture
async def living(tmp_path: Path) -> AsyncIterator[Living]:
    async with Living(tmp_path) as living:
        yield living


def gathering(living: Living) -> Gathering:
    intake = living.house.intake
    return Gathering(store=living.house.store, admit=intake.admit, admit_counts=intake.admit_counts)


async def sent(living: Living, feed: Feed, room: Gathering | None = None, name: str = "numbers") -> Signal:
    nowhere: Any = None
    return await (room or gathering(living)).source("twitter", name, feed, ["down"]).ask(nowhere, living.clock.now())


def counted(minutes_ago: int, count: float, **cell: str) -> Count:
    since = NOON - minutes_ago * MINUTE
    return Count(since=since, until=since + MINUTE, count=count, **cell)


def total(living: Living, minutes_ago: int) -> float | None:
    tally = living.house.tally
    return tally.total("twitter", tally.bucket(NOON - minutes_ago * MINUTE))


def post(name: str, author: str, text: str = "twitter is down, nothing loads", at: datetime = NOON) -> Post:
    return Post(id=name, author=author, at=at, text=text)


async def test_counts_are_counted_and_say_how_far_they_reach(living: Living) -> None:
    signal = await sent(
        living, Script(Gathered(counts=(counted(2, 7, region="DE"), counted(2, 3)), until=NOON - MINUTE))
    )
    assert (total(living, 2), total(living, 1)) == (10.0, None)
    assert (signal.health, signal.error, signal.broken) == (None, "", False)
    assert signal.note == "known up to 11:59 UTC"


async def test_a_window_sent_again_takes_the_place_of_the_former_one_with_all_its_kinds(living: Living) -> None:
    before = Gathered(counts=(counted(2, 7, region="DE"), counted(2, 3)), until=NOON - MINUTE)
    after = Gathered(counts=(counted(2, 4),), until=NOON - MINUTE)
    room, feed = gathering(living), Script(before, after)
    await sent(living, feed, room)
    await sent(living, feed, room)
    assert total(living, 2) == 4.0
    bucket = living.house.tally.bucket(NOON - 2 * MINUTE)
    assert living.house.tally.cells("twitter", bucket, bucket) == {Cell("DE"): 0.0, Cell(): 4.0}


async def test_a_post_is_one_report_however_often_it_comes_and_its_words_are_not_kept(living: Living) -> None:
    posts = (post("1", "anna"), post("2", "anna"), post("3", "ben", "lovely weather"), post("4", "carl"))
    room, feed = gathering(living), Script(Gathered(posts=posts, until=NOON))
    await sent(living, feed, room)
    await sent(living, feed, room)
    assert total(living, 0) == 2.0
    frames = [body async for _, body in living.house.stream.read(0)]
    assert not any(b"nothing loads" in body or b"anna" in body for body in frames)


async def test_an_errand_reaches_back_as_far_as_numbers_may_change(living: Living) -> None:
    room, feed = gathering(living), Script(Gathered(until=NOON - MINUTE), Gathered())
    await sent(living, feed, room)
    await sent(living, feed, room)
    assert [errand.since for errand in feed.errands] == [NOON - timedelta(hours=1), NOON - 6 * MINUTE]
    assert feed.errands[0].words == ("down",)


async def test_after_a_long_absence_an_errand_asks_for_no_more_than_is_taken(living: Living) -> None:
    feed = Script(Gathered(until=NOON, counts=(counted(1, 1),)))
    await sent(living, feed)
    await living.clock.advance(3 * 86_400)
    await sent(living, feed)
    assert living.clock.now() - feed.errands[-1].since == timedelta(hours=23)


async def test_how_far_it_came_and_what_it_keeps_outlive_the_room(living: Living) -> None:
    await sent(living, Script(Gathered(until=NOON - 2 * MINUTE, memory=b"page 7")))
    feed = Script(Gathered())
    await sent(living, feed)
    assert (feed.errands[0].since, feed.errands[0].memory) == (NOON - 7 * MINUTE, b"page 7")


async def test_what_must_not_be_forgotten_is_kept_before_the_answer_comes(living: Living) -> None:
    class Costly(Script):
        async def gather(self, http: Http, errand: Errand) -> Gathered:
            await errand.keep(b"spent 1")
            return Gathered(error="timeout", note="no answer")

    await sent(living, Costly(Gathered()))
    feed = Script(Gathered())
    await sent(living, feed)
    assert feed.errands[0].memory == b"spent 1"


async def test_trouble_moves_nothing(living: Living) -> None:
    room = gathering(living)
    feed = Script(Gathered(until=NOON - MINUTE), Gathered(error="timeout", note="no answer", until=NOON), Gathered())
    await sent(living, feed, room)
    signal = await sent(living, feed, room)
    await sent(living, feed, room)
    assert (signal.broken, signal.error, signal.note) == (True, "timeout", "no answer")
    assert feed.errands[-1].since == NOON - 6 * MINUTE


async def test_a_disk_that_cannot_take_it_loses_nothing(living: Living) -> None:
    async def full(*_: Any) -> Any:
        raise Retry("the disk is full")

    room = Gathering(store=living.house.store, admit=full, admit_counts=full)
    feed = Script(Gathered(counts=(counted(2, 7),), until=NOON - MINUTE))
    signal = await sent(living, feed, room)
    assert (signal.error, signal.note) == ("not_kept", "the disk is full")
    await sent(living, feed)
    assert feed.errands[-1].since == NOON - timedelta(hours=1)
    assert total(living, 2) == 7.0


async def test_one_silent_feed_is_no_gap_while_another_one_covers_it(living: Living) -> None:
    both = [counted(3, 5), counted(2, 5)]
    await sent(living, Script(Gathered(counts=tuple(both), until=NOON - MINUTE)), name="one")
    await sent(living, Script(Gathered(counts=(counted(3, 2),), until=NOON - MINUTE)), name="other")
    assert [total(living, ago) for ago in (3, 2, 1)] == [7.0, 5.0, None]


async def test_a_feed_that_is_broken_is_shown_as_such_and_opens_nothing(living: Living) -> None:
    house, feed = living.house, Script(Gathered(error="http_503", note="answered 503"))
    house.watches["twitter"] = {"numbers": feed}
    for _ in range(5):
        await house.engine.hear("twitter", "numbers", await sent(living, feed))
    (shown,) = house.board.service("twitter")["watches"]
    assert (shown["ok"], shown["level"]) == (False, None)
    assert "answered 503" in shown["error"]
    assert await house.store.incidents() == []
    await house.engine.hear("twitter", "numbers", await sent(living, Script(Gathered(until=NOON))))
    (shown,) = house.board.service("twitter")["watches"]
    assert (shown["ok"], shown["level"], shown["error"], shown["note"]) == (True, None, None, "known up to 12:00 UTC")


class Patient:
    """A source that is never asked more often than it says, and asks for more patience now and then."""

    evidence: ClassVar[Evidence] = Evidence.PEOPLE
    fastest = timedelta(minutes=5)

    def __init__(self) -> None:
        self.every = timedelta(minutes=5)
        self.asked: list[datetime] = []

    async def ask(self, http: Http, now: datetime) -> Signal:
        self.asked.append(now)
        return Signal(at=now, wait=timedelta(hours=1) if len(self.asked) == 3 else None)


async def test_a_source_is_not_hurried_past_what_it_allows_and_left_alone_as_long_as_it_asks(living: Living) -> None:
    async def hear(*_: Any) -> None: ...

    asking = Asking(http=Web(living.clock), clock=living.clock, hear=hear, lively=lambda _: True)
    source = Patient()
    running = asyncio.create_task(asking.watch("twitter", "numbers", source))
    await living.clock.advance(5_000)
    running.cancel()
    pauses = [(after - before) / MINUTE for before, after in pairwise(source.asked)]
    assert [round(pause / 5) * 5 for pause in pauses[:2]] == [5, 5]
    assert pauses[2] > 50
