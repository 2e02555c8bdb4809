from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from doubles.sinking import Sinking
from msgspec.structs import replace

from bot.core.model import (
    Bold,
    Case,
    Confidence,
    Entry,
    Evidence,
    Health,
    Incident,
    Kind,
    Notice,
    Numbers,
    Peak,
    Reading,
    Said,
    Scope,
    Share,
    State,
    Thread,
    When,
)
from bot.database import Database
from bot.ports import Conflict, Store
from bot.stores.afloat import Afloat
from bot.stores.memory import MemoryStore
from bot.stores.sqlite import SqliteStore

NOW = datetime(2022, 11, 4, 7, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["file", "private", "memory", "afloat", "sunk"])
async def store(request, tmp_path):
    store: Store = MemoryStore()
    if request.param != "memory":
        store = SqliteStore(Database(tmp_path / "tocsin.db" if request.param == "file" else ":memory:"))
    if request.param in ("afloat", "sunk"):
        store = Afloat(Sinking(store, full=request.param == "sunk"))
    yield store
    await store.aclose()


def incident(number: int = 1, **facts) -> Incident:
    usual = {
        "id": f"inc-{number}",
        "service": "twitter",
        "name": "Twitter",
        "state": State.OPEN,
        "since": NOW,
        "level": "major",
        "peak_level": "major",
        "started_at": NOW - timedelta(minutes=9),
        "opened_at": NOW,
    }
    return Incident(**usual | facts)


def entry(seq: int, number: int = 1) -> Entry:
    return Entry(
        incident=f"inc-{number}",
        seq=seq,
        at=NOW,
        kind=Kind.OPENED,
        level="major",
        text=("It began about ", When(NOW, "ago"), ". ", Bold("312 reports"), ". The vendor: ", Said("<@everyone>")),
        loud=True,
    )


def full() -> Incident:
    """An incident with a value in every kind of field."""
    reading = Reading(
        at=NOW,
        kind=Evidence.VENDOR,
        source="page",
        health=Health.PARTIAL_OUTAGE,
        numbers=Numbers(count=312, within=timedelta(minutes=15), usual=6.25, times=49.92, score=12.5),
        scope=Scope(regions=(Share(code="JP", share=0.5, usual=0.1),), spared=("ios",)),
        notices=(Notice(key="n", title="t", phase="resolved", impact=Health.DEGRADED, started_at=NOW, updated_at=NOW),),
    )
    return incident(
        confidence=Confidence.CONFIRMED,
        readings=(reading,),
        peak=Peak(at=NOW, count=400),
        first_kind=Evidence.PEOPLE,
        muted_until=NOW,
        scope=reading.scope,
    )


async def test_a_service_never_seen_has_a_fresh_case(store):
    assert await store.load("twitter") == Case(service="twitter")


async def test_what_is_saved_comes_back_whole(store):
    before = Case(service="twitter", incident=full())
    after = await store.save(before, [entry(1), entry(2)], ["ops", "wall"])
    assert after == replace(before, version=1)
    assert await store.load("twitter") == after
    assert await store.incident("inc-1") == full()
    assert await store.entries("inc-1") == [entry(1), entry(2)]
    assert await store.entries("inc-1", after=1) == [entry(2)]
    assert await store.threads("inc-1") == [Thread(incident="inc-1", channel=name) for name in ("ops", "wall")]
    assert await store.incident("inc-2") is None


async def test_a_suspicion_leaves_a_case_and_nothing_else(store):
    pending = incident(state=State.PENDING, opened_at=None)
    case = await store.save(Case(service="twitter", incident=pending), [], ["ops"])
    assert (await store.load("twitter")).incident == pending
    assert await store.incident("inc-1") is None
    assert await store.threads("inc-1") == []
    assert await store.behind("ops") == []
    gone = await store.save(replace(case, incident=None), [], ["ops"])
    assert await store.load("twitter") == gone
    assert await store.incidents() == []


async def test_a_stale_version_is_refused_and_changes_nothing(store):
    fresh = Case(service="twitter", incident=incident())
    saved = await store.save(fresh, [entry(1)], ["ops"])
    for stale in (fresh, replace(saved, version=9)):
        with pytest.raises(Conflict):
            await store.save(replace(stale, incident=incident(level="minor")), [entry(2)], ["wall"])
    assert await store.load("twitter") == saved
    assert await store.entries("inc-1") == [entry(1)]
    assert [thread.channel for thread in await store.threads("inc-1")] == ["ops"]


async def test_a_line_of_the_timeline_is_never_written_twice(store):
    case = await store.save(Case(service="twitter", incident=incident()), [entry(1)], [])
    with pytest.raises(Conflict, match="twitter"):
        await store.save(case, [entry(1)], ["ops"])
    assert await store.load("twitter") == case
    assert await store.threads("inc-1") == []


async def test_of_many_who_save_the_same_version_exactly_one_wins(store):
    case = Case(service="twitter")
    for seq in (1, 2, 3):
        decided = replace(case, incident=incident(seq=seq, rev=seq))
        lines = [replace(entry(seq), who=str(runner)) for runner in range(200)]
        results = await asyncio.gather(
            *(store.save(decided, [line], ["ops"]) for line in lines), return_exceptions=True
        )
        [case] = [result for result in results if isinstance(result, Case)]
        assert sum(isinstance(result, Conflict) for result in results) == 199
        assert await store.load("twitter") == case
        assert (await store.entries("inc-1"))[-1] == lines[results.index(case)]
    assert [line.seq for line in await store.entries("inc-1")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("state", "thread", "behind"),
    [
        (State.OPEN, {}, True),
        (State.OPEN, {"ref": "r", "heard": 2, "shown": 5}, True),
        (State.OPEN, {"ref": "r", "heard": 3, "shown": 4}, True),
        (State.OPEN, {"ref": "r", "heard": 3, "shown": 5}, False),
        (State.CLOSED, {"ref": "r", "heard": 3, "shown": 5}, True),
        (State.CLOSED, {"ref": "r", "heard": 3, "shown": 5, "closed": True}, False),
        (State.CLOSED, {"ref": "r", "heard": 2, "shown": 5, "closed": True}, True),
        (State.OPEN, {"dead": "channel_not_found"}, False),
    ],
)
async def test_a_thread_is_behind_until_it_heard_showed_and_closed_everything(store, state, thread, behind):
    told = incident(seq=3, rev=5, state=state)
    await store.save(Case(service="twitter", incident=told), [], ["ops", "wall"])
    copy = Thread(incident="inc-1", channel="ops", trying="reply:1-2", tried_at=NOW, **thread)
    await store.mark(copy)
    assert await store.threads("inc-1") == [copy, Thread(incident="inc-1", channel="wall")]
    assert await store.behind("ops") == ([(copy, told)] if behind else [])


async def test_a_thread_at_rest_wakes_when_its_incident_reopens(store):
    closed = incident(seq=1, rev=1, state=State.CLOSED)
    case = await store.save(Case(service="twitter", incident=closed), [entry(1)], ["ops"])
    at_rest = Thread(incident="inc-1", channel="ops", ref="r", heard=1, shown=1, closed=True)
    await store.mark(at_rest)
    reopened = incident(seq=2, rev=2)
    await store.save(replace(case, incident=reopened), [entry(2)], ["ops"])
    assert await store.behind("ops") == [(at_rest, reopened)]


async def test_openings_come_before_news_and_then_the_oldest_first(store):
    for number, service in enumerate(("a", "b", "c", "d")):
        one = incident(number, service=service, seq=1, rev=1, opened_at=NOW + timedelta(minutes=number))
        await store.save(Case(service=service, incident=one), [entry(1, number)], ["ops"])
    for number in (0, 1):
        await store.mark(Thread(incident=f"inc-{number}", channel="ops", ref="posted"))
    assert [thread.incident for thread, _ in await store.behind("ops")] == ["inc-2", "inc-3", "inc-0", "inc-1"]


async def test_the_dead_letters_are_told_newest_first_until_they_are_revived(store):
    for number, service in enumerate(("a", "b", "c")):
        state = State.CLOSED if service == "b" else State.OPEN
        one = incident(number, service=service, state=state, seq=1, opened_at=NOW + timedelta(minutes=number))
        await store.save(Case(service=service, incident=one), [entry(1, number)], ["ops", "wall"])
        for channel in ("wall", "ops"):
            await store.mark(Thread(incident=f"inc-{number}", channel=channel, dead="channel_not_found"))
    of_ops = [("inc-2", "ops"), ("inc-1", "ops"), ("inc-0", "ops")]
    assert await named(store.dead("ops")) == of_ops
    assert await named(store.dead()) == [(name, channel) for name, _ in of_ops for channel in ("ops", "wall")]
    assert await store.revive("ops", NOW + timedelta(hours=1)) == 2
    assert await named(store.dead("ops")) == [("inc-1", "ops")]
    assert await named(store.behind("ops")) == [("inc-0", "ops"), ("inc-2", "ops")]
    assert await store.revive("ops", NOW) == 1
    assert await store.revive() == 3
    assert await store.dead() == []


async def named(rows):
    return [(thread.incident, thread.channel) for thread, _ in await rows]


async def test_cases_are_found_by_how_their_service_begins(store):
    for service in ("twitter", ".ailing", "github", ".group-2", ".group-1"):
        await store.save(Case(service=service), [], [])
    assert [case.service for case in await store.cases(".group-")] == [".group-1", ".group-2"]
    assert len(await store.cases("")) == 5


async def test_incidents_are_told_newest_first(store):
    for number in range(5):
        service = "twitter" if number % 2 else "github"
        case = await store.load(service)
        one = incident(number, service=service, opened_at=NOW + timedelta(microseconds=number))
        await store.save(replace(case, incident=one), [], [])
    assert [one.id for one in await store.incidents()] == ["inc-4", "inc-3", "inc-2", "inc-1", "inc-0"]
    assert [one.id for one in await store.incidents(service="twitter")] == ["inc-3", "inc-1"]
    assert [one.id for one in await store.incidents(limit=2)] == ["inc-4", "inc-3"]


async def test_blobs_are_kept_by_name(store):
    assert await store.get("memory") is None
    await store.put("memory", b"\x00one")
    await store.put("memory", b"\x00two")
    assert await store.get("memory") == b"\x00two"


async def test_state_survives_a_stop(tmp_path):
    store = SqliteStore(Database(tmp_path / "tocsin.db"))
    told = replace(full(), seq=1, rev=1)
    saved = await store.save(Case(service="twitter", incident=told), [entry(1)], ["ops"])
    await store.aclose()
    again = SqliteStore(Database(tmp_path / "tocsin.db"))
    assert await again.load("twitter") == saved
    assert [thread.channel for thread, _ in await again.behind("ops")] == ["ops"]
    await again.aclose()


async def test_rows_of_an_older_program_still_load(tmp_path):
    database = Database(tmp_path / "tocsin.db")
    store = SqliteStore(database)
    await store.save(Case(service="twitter", incident=incident()), [entry(1)], [])
    needed = {"id", "service", "name", "state", "since", "level", "peak_level", "started_at", "opened_at"}
    older = {name: value for name, value in msgspec.to_builtins(incident()).items() if name in needed}
    body = msgspec.json.encode({"service": "twitter", "version": 1, "incident": older | {"a_field_long_gone": 1}})
    await database.write(lambda connection: connection.execute("UPDATE cases SET body = ?", (body,)).rowcount)
    assert (await store.load("twitter")).incident == incident()
    await store.aclose()
