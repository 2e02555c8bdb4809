"""Ready-made counts in the engine: late ones open an incident, and a small place does though the total hides it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Policy, Service, State
from bot.core.phrases import plain
from bot.core.reports import Window
from bot.core.tally import Tally
from bot.database import Database
from bot.detectors.levels import Rule
from bot.engine import Engine
from bot.stores.sqlite import SqliteStore

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = (Rule(level="minor", reports=10, within=15 * MINUTE, times=2, alarms=1),)
POLICY = Policy(
    name="Twitter",
    levels=("minor",),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=5 * MINUTE,
    reopen_for=timedelta(hours=1),
)


@pytest.fixture
async def engine():
    database = Database(":memory:")
    store, tally = SqliteStore(database), Tally(width=MINUTE)
    engine = Engine(
        store=store,
        tally=tally,
        services={"twitter": Service(id="twitter", policy=POLICY)},
        rules={"twitter": RULES},
        watches={},
        tick=MINUTE,
        changed=lambda _: None,
    )
    engine.counts, engine.saved = tally, store
    await engine.wake(T0)
    yield engine
    await database.aclose()


def place(engine, since, minutes, count, **where):
    where = {"region": "", "platform": "", "symptom": ""} | where
    until = since + minutes * MINUTE
    window = Window(
        service="twitter",
        since=since.timestamp(),
        until=until.timestamp(),
        count=float(count),
        reporters=float(count),
        source="feed",
        **where,
    )
    engine.counts.place([window])


async def test_counts_for_the_last_quarter_of_an_hour_open_an_incident(engine):
    await engine.beat(T0)
    now = T0 + 20 * MINUTE
    await engine.beat(now)
    assert engine.cases["twitter"].incident is None
    place(engine, now - 15 * MINUTE, 15, 60)
    await engine.beat(now + timedelta(seconds=2))
    assert engine.cases["twitter"].incident.state is State.OPEN


async def test_a_small_place_opens_though_the_total_hides_it_and_survives_a_restart(engine):
    now = T0
    for minute in range(26 * 60):
        place(engine, now, 1, 30 + 5 * (minute % 2), region="US")
        place(engine, now, 1, 0.2 + 0.1 * (minute % 3), region="IN")
        place(engine, now, 1, 2 * (minute < 5), region="IN", platform="web")
        now += MINUTE
        engine.counts.forget(now.timestamp())
        await engine.beat(now)
    assert engine.cases["twitter"].incident.state is State.CLOSED  # a first crowd, before any usual was known
    await engine.rest()
    await engine.wake(now)
    for _ in range(10):
        place(engine, now, 1, 30, region="US")
        place(engine, now, 1, 5, region="IN")
        now += MINUTE
        await engine.beat(now)
    incident = engine.cases["twitter"].incident
    assert incident.state is State.OPEN
    assert [share.code for share in incident.scope.regions] == ["IN"]
    assert incident.readings[0].rule.endswith("from India")


@pytest.mark.parametrize(
    ("counts", "doubtful"),
    [([1, 1, 2, 2, 1, 2] * 4, True), ([20] * 5, False)],
    ids=["a weak excess", "a sudden one"],
)
async def test_a_start_is_told_with_the_times_it_lies_between_where_it_is_in_doubt(engine, counts, doubtful):
    now = T0
    for minute in range(26 * 60):
        place(engine, now, 1, (0, 1, 0, 1, 0, 0)[minute % 6])
        now += MINUTE
        await engine.beat(now)
    for count in counts:
        place(engine, now, 1, count)
        now += MINUTE
        await engine.beat(now)
    incident = engine.cases["twitter"].incident
    span, began = incident.started_between, T0 + 26 * 60 * MINUTE
    assert span.early <= incident.started_at < span.late <= incident.opened_at
    assert span.early <= began <= span.late
    [opened] = await engine.saved.entries(incident.id)
    assert ("(between " in plain(opened.text)) is doubtful
    assert (began - span.early > 5 * MINUTE) is doubtful


async def test_the_start_of_an_open_incident_is_sought_no_longer_and_anew_for_the_next(engine):
    now = T0
    for minute in range(26 * 60):
        place(engine, now, 1, (0, 1, 0, 1, 0, 0)[minute % 6])
        now += MINUTE
        await engine.beat(now)
    began, starts = now, set()
    for _ in range(40):
        place(engine, now, 1, 20)
        now += MINUTE
        await engine.beat(now)
        incident = engine.cases["twitter"].incident
        starts |= {engine.crowd.verdicts["twitter"].since, *(r.since for r in incident.readings)} if incident else set()
    assert starts == {began}
    assert engine.begun("twitter").at == began
    for minute in range(3 * 60):
        place(engine, now, 1, (0, 1, 0, 1, 0, 0)[minute % 6])
        now += MINUTE
        await engine.beat(now)
    assert engine.cases["twitter"].incident.state is State.CLOSED
    assert engine.begun("twitter") is None
