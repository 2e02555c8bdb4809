"""A feed of reports that breaks: told as our trouble, once, and never taken for calm or for a recovery."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from doubles.clock import ManualClock

from bot.ailing import REPORTS, Ailing
from bot.board import Board
from bot.core.ailment import head, service
from bot.core.model import Kind, Policy, Service, State
from bot.core.phrases import plain
from bot.core.reports import Kept, Window
from bot.core.silence import Silence
from bot.core.tally import Tally
from bot.database import Database
from bot.detectors.levels import Rule
from bot.engine import Engine
from bot.stores.sqlite import SqliteStore

T0 = datetime(2026, 1, 5, tzinfo=UTC)
TICK = timedelta(minutes=5)
HOUR = timedelta(hours=1)
RULES = (Rule(level="minor", reports=10, within=3 * TICK, times=2, alarms=1),)
POLICY = Policy(
    name="Twitter",
    levels=("minor",),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=4 * TICK,
    reopen_for=HOUR,
)


class Life:
    """One service, or several that all report through the same door."""

    def __init__(self, database, others=()):
        self.database = database
        self.tally = Tally(width=TICK)
        self.store = SqliteStore(database)
        self.random = np.random.default_rng(3)
        self.now = T0
        self.engine = Engine(
            store=self.store,
            tally=self.tally,
            services={name: Service(id=name, policy=POLICY) for name in ("twitter", *others)},
            rules=dict.fromkeys(("twitter", *others), RULES),
            watches={name: {} for name in ("twitter", *others)},
            tick=TICK,
            changed=lambda _: None,
        )

    async def run(self, span, rate, **others):
        """People report so many times a tick; answers the states the incident was in."""
        states = []
        for _ in range(round(span / TICK)):
            at = self.now.timestamp()
            for name, often in {"twitter": rate, **others}.items():
                people = self.random.poisson(often) if often else 0
                self.tally.count(Kept(at, name, f"{at}-{n}".encode()) for n in range(people))
            self.now += TICK
            await self.engine.beat(self.now)
            incident = self.engine.cases["twitter"].incident
            states.append(incident.state if incident else None)
        return states


@pytest.fixture
async def life():
    database = Database(":memory:")
    life = Life(database)
    await life.engine.wake(T0)
    await life.run(30 * HOUR, 8)
    yield life
    await database.aclose()


async def test_a_quiet_hour_is_no_silence_and_a_dead_feed_is_one(life):
    assert life.engine.crowd.silences.found == {}
    began = life.now
    await life.run(HOUR / 6, 0)
    assert life.engine.crowd.silences.found == {}
    await life.run(HOUR, 0)
    silence = life.engine.crowd.silences.found["twitter"]
    assert silence.since == began
    assert silence.missing == pytest.approx(8 * 14, rel=0.3)
    await life.run(TICK, 8)
    assert life.engine.crowd.silences.found == {}


async def test_an_incident_whose_feed_breaks_is_not_closed_as_recovered(life):
    assert (await life.run(HOUR / 2, 80))[-1] is State.OPEN
    assert State.CLOSED not in await life.run(6 * HOUR, 0)
    states = await life.run(2 * HOUR, 8)
    assert states[-1] is State.CLOSED
    assert life.engine.cases["twitter"].incident.closed_why == "recovered"


async def test_a_feed_of_ready_counts_that_stops_closes_nothing_either(life):
    for _ in range(6):
        since, until = life.now.timestamp(), (life.now + TICK).timestamp()
        life.tally.place(
            [
                Window(
                    service="twitter",
                    region="",
                    platform="",
                    symptom="",
                    since=since,
                    until=until,
                    count=80.0,
                    reporters=80.0,
                    source="feed",
                )
            ]
        )
        await life.run(TICK, 0)
    assert life.engine.cases["twitter"].incident.state is State.OPEN
    assert State.CLOSED not in await life.run(6 * HOUR, 0)


@pytest.mark.parametrize(("others", "closes"), [(8, True), (0, False)])
async def test_a_thin_service_recovers_only_while_somebody_is_heard(others, closes):
    database = Database(":memory:")
    life = Life(database, ("busy",))
    await life.engine.wake(T0)
    await life.run(50 * HOUR, 0.3, busy=8)
    assert (await life.run(HOUR, 12, busy=8))[-1] is State.OPEN
    states = await life.run(HOUR, 0, busy=others)
    assert (State.CLOSED in states) is closes
    if not closes:
        assert (await life.run(HOUR, 0.3, busy=8))[-1] is State.CLOSED
    await database.aclose()


async def test_a_silent_service_is_never_shown_as_calm(life):
    board = Board(life.engine, life.tally, life.store, ManualClock(life.now), link=str, past=None)
    assert board.status()["services"][0]["confidence"] is None
    await life.run(HOUR, 0)
    assert board.status()["services"][0]["confidence"] == "silent"
    assert [(source.name, source.word) for source in board.troubled("twitter")] == [("reports", "silent")]


async def test_a_silence_outlives_a_restart(life):
    await life.run(HOUR, 0)
    await life.engine.rest()
    other = Life(life.database)
    await other.engine.wake(life.now)
    assert "twitter" in other.engine.crowd.silences.found


async def test_a_silent_feed_is_told_once_and_once_when_it_is_heard_again():
    database = Database(":memory:")
    store = SqliteStore(database)
    ailing = Ailing(store, ManualClock(T0), lambda _channel, _service: ["ops"], lambda: None)
    words = {"twitter": Silence(T0, 40.0).words()}
    for said in (words, words, {"twitter": Silence(T0, 90.0).words()}):
        await ailing.listen(said, ["twitter"])
    assert ailing.said == words_by_subject(words)
    for _ in range(2):
        await ailing.listen({}, ["twitter"])
    incident = (await store.load(service(f"{REPORTS}twitter"))).incident
    entries = await store.entries(incident.id)
    assert [entry.kind for entry in entries] == [Kind.OPENED, Kind.CLOSED]
    assert "no report since 2026-01-05 00:00 UTC, though about 40 were due" in plain(entries[0].text)
    assert "Reports come in again." in plain(entries[1].text)
    await database.aclose()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_silent_service_that_is_configured_no_more_is_not_told_as_heard_again(restarted):
    database = Database(":memory:")
    store = SqliteStore(database)
    ailing = Ailing(store, ManualClock(T0), lambda _channel, _service: ["ops"], lambda: None)
    silent = {"twitter": Silence(T0, 40.0).words()}
    await ailing.listen(silent, ["twitter"])
    if restarted:
        ailing = Ailing(store, ManualClock(T0), lambda _channel, _service: ["ops"], lambda: None)
        await ailing.recall(lambda _: False)
    else:
        for _ in range(2):
            await ailing.listen(silent, ["github"])
    incident = (await store.load(service(f"{REPORTS}twitter"))).incident
    assert incident.state is State.CLOSED
    assert ailing.said == {}
    last = (await store.entries(incident.id))[-1]
    assert plain(last.text) == "Not watched any longer. The configuration names it no more."
    assert head(incident).title == "Tocsin, reports of twitter: not watched any longer"
    await database.aclose()


def words_by_subject(words):
    return {f"{REPORTS}{name}": said for name, said in words.items()}
