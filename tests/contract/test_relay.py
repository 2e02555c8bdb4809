"""The relay against a real store and a chat that fails in every way: one thread, every line once and in order."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from doubles.chat import LOST, RememberingChat
from doubles.clock import ManualClock

from bot.core.incident import step
from bot.core.model import Evidence, Judged, Numbers, Policy, Reading, State
from bot.database import Database
from bot.ports import Gone, Place, Refused, Retry
from bot.relay import Relay
from bot.stores.sqlite import SqliteStore

T0 = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)
STORY = ["Opened", "Worse", "Back to usual", "Over"]


@pytest.fixture
async def store():
    database = Database(":memory:")
    yield SqliteStore(database)
    await database.aclose()


@pytest.fixture
def clock():
    return ManualClock(T0)


@pytest.fixture
def chat():
    return RememberingChat()


@pytest.fixture
def relay(store, clock, chat):
    return made(store, clock, chat)


def made(store, clock, chat, channel="ops"):
    async def no_picture(_):
        return None

    return Relay(
        Place(name=channel, chat="slack", address="C1"),
        chat,
        store,
        clock,
        policies={"twitter": POLICY},
        draw=no_picture,
        link=lambda _: "",
        troubled=lambda _: (),
    )


async def judged(store, minute, level, channels=("ops",)):
    case = await store.load("twitter")
    numbers = Numbers(count=60 if level else 3, within=timedelta(minutes=15), usual=4.0, times=15.0 if level else 0.8)
    at = T0 + timedelta(minutes=minute)
    reading = Reading(at=at, kind=Evidence.PEOPLE, source="reports", level=level, numbers=numbers, since=T0)
    after, entries = step(case, Judged(at=at, readings=(reading,)), POLICY)
    await store.save(after, entries, channels)
    return after.incident


async def whole_story(store, channels=("ops",)):
    for minute, level in ((0, "minor"), (1, "critical"), (10, ""), (20, "")):
        incident = await judged(store, minute, level, channels)
    return incident


async def settle(relay, clock, rounds=80):
    for _ in range(rounds):
        pause = await relay.round()
        if not await relay._store.behind(relay.place.name):
            return
        await clock.advance(pause + 0.01)


def told(chat):
    [lines] = chat.lines.values()
    return [word for line in lines for word in STORY if word in line]


async def live(store, relay, clock):
    """The opening is told as it happens; the rest happens whatever becomes of the teller, and is told then."""
    await judged(store, 0, "minor")
    try:
        await settle(relay, clock)
    finally:
        for minute, level in ((1, "critical"), (10, ""), (20, "")):
            incident = await judged(store, minute, level)
    await settle(relay, clock)
    return incident


async def test_a_whole_story_becomes_one_thread_with_every_line_and_is_put_to_rest(store, clock, chat, relay):
    incident = await live(store, relay, clock)
    assert (incident.state, told(chat), chat.closed) == (State.CLOSED, STORY, {"ref1"})
    assert chat.heads["ref1"][-1].title.startswith("Twitter: over after")


FAULTS = [
    Retry("500"),
    Retry("429", after=timedelta(seconds=30)),
    LOST,
    TimeoutError(),
]


@pytest.mark.parametrize(("nth", "fault"), list(itertools.product(range(8), range(len(FAULTS)))))
async def test_any_fault_at_any_call_neither_loses_nor_doubles_a_line(store, clock, chat, relay, nth, fault):
    chat.faults.extend([None] * nth + [FAULTS[fault]])
    await live(store, relay, clock)
    assert told(chat) == STORY
    assert len(chat.heads) == 1


@pytest.mark.parametrize("nth", range(6))
async def test_a_lost_answer_followed_by_a_definite_failure_is_still_looked_up(store, clock, chat, relay, nth):
    chat.faults.extend([None] * nth + [LOST, Retry("429", after=timedelta(seconds=1)), Retry("500")])
    await live(store, relay, clock)
    assert told(chat) == STORY
    assert len(chat.heads) == 1


class Crash(BaseException):
    """The process dies here."""


@pytest.mark.parametrize(("nth", "when"), list(itertools.product(range(8), ("before", "after"))))
async def test_a_process_that_dies_at_any_call_goes_on_where_it_stopped(store, clock, chat, relay, nth, when):
    chat.faults.extend([None] * nth + [Crash() if when == "before" else ("after", Crash())])
    try:
        await live(store, relay, clock)
    except Crash:
        await settle(made(store, clock, chat), clock)
    assert told(chat) == STORY
    assert len(chat.heads) == 1


async def test_a_restart_with_nothing_new_is_silent(store, clock, chat, relay):
    await judged(store, 0, "minor")
    await settle(relay, clock)
    before = len(chat.calls)
    await settle(made(store, clock, chat), clock)
    assert len(chat.calls) == before


async def test_fifty_changes_of_numbers_become_few_edits_and_no_replies(store, clock, chat, relay):
    await judged(store, 0, "minor")
    await settle(relay, clock)
    for n in range(50):
        case = await store.load("twitter")
        numbers = Numbers(count=60 + n, within=timedelta(minutes=15), usual=4.0, times=15.0)
        at = T0 + timedelta(seconds=10 * n)
        reading = Reading(at=at, kind=Evidence.PEOPLE, source="reports", level="minor", numbers=numbers, since=T0)
        after, entries = step(case, Judged(at=at, readings=(reading,)), POLICY)
        await store.save(after, entries, ("ops",))
        await relay.round()
        await clock.advance(0.1)
    await settle(relay, clock)
    [heads] = chat.heads.values()
    assert chat.calls.count("reply") == 1
    assert chat.calls.count("edit") <= 6
    assert any("109" in str(fact.value) for fact in heads[-1].facts)


async def test_after_a_429_nothing_is_sent_to_the_channel_before_its_time(store, clock, chat, relay):
    await whole_story(store)
    chat.faults.append(Retry("429", after=timedelta(seconds=30)))
    await relay.round()
    calls = len(chat.calls)
    await clock.advance(29)
    await relay.round()
    assert len(chat.calls) == calls
    await clock.advance(2)
    await relay.round()
    assert len(chat.calls) > calls


async def test_a_permanent_refusal_is_kept_with_its_words_and_not_tried_again(store, clock, chat, relay):
    incident = await judged(store, 0, "minor")
    chat.faults.append(Refused("invite the bot to #ops"))
    await settle(relay, clock)
    [thread] = await store.threads(incident.id)
    assert (thread.dead, relay.trouble, chat.calls) == ("invite the bot to #ops", "invite the bot to #ops", ["open"])


async def test_a_deleted_message_is_posted_afresh_and_the_story_goes_on(store, clock, chat, relay):
    await judged(store, 0, "minor")
    await settle(relay, clock)
    chat.faults.append(Gone("deleted"))
    await judged(store, 1, "critical")
    await settle(relay, clock)
    assert len(chat.calls) >= 4
    assert chat.calls.count("open") == 2


async def test_the_close_alone_arrives_even_when_the_channel_was_away_for_the_whole_story(store, clock, chat, relay):
    chat.faults.extend([Retry("unreachable")] * 5)
    await whole_story(store)
    await settle(relay, clock)
    assert told(chat)[-1] == "Over"
    assert chat.closed


async def test_one_channel_that_hangs_delays_no_other(store, clock, chat, relay):
    await whole_story(store, channels=("ops", "community"))
    other = RememberingChat()
    chat.faults.extend([Retry("hung")] * 100)
    await relay.round()
    await settle(made(store, clock, other, "community"), clock)
    assert told(other) == STORY
    assert chat.lines == {}
