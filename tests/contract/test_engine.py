"""The engine on a real store: counts and signals in, incidents out; restarts and races change nothing."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from doubles.clock import ManualClock

from bot.core.model import Acted, Evidence, Health, Policy, Route, Service, Signal, State
from bot.core.phrases import plain
from bot.core.planned import Window
from bot.core.reports import Kept
from bot.core.tally import Tally
from bot.database import Database
from bot.detectors.levels import Rule
from bot.engine import Engine
from bot.ports import Conflict
from bot.stores.sqlite import SqliteStore
from bot.witnesses import Witnesses

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WITHIN = timedelta(minutes=15)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major"),
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)
RULES = (Rule(level="minor", reports=10, within=WITHIN), Rule(level="major", reports=50, within=WITHIN))


class Probe:
    """A watch that is only ever spoken for."""

    evidence = Evidence.PROBE
    every = timedelta(seconds=30)


class Life:
    """One engine on a store, with a clock of its own; `reborn` is the same house after a restart."""

    def __init__(
        self, database: Database, services: Mapping[str, Service], now: datetime = T0, tally: Tally | None = None
    ) -> None:
        self.database, self.services, self.now = database, services, now
        self.tally = tally or Tally(width=MINUTE)
        self.store = SqliteStore(database)
        self.changed: list[str] = []
        self.engine = Engine(
            store=self.store,
            tally=self.tally,
            services=services,
            rules=dict.fromkeys(services, RULES),
            watches={name: {"front": Probe()} for name in services},
            tick=MINUTE,
            changed=self.changed.append,
        )

    async def wake(self) -> "Life":
        await self.engine.wake(self.now)
        return self

    async def reborn(self) -> "Life":
        """The next life, which has read again from its log what was counted."""
        return await Life(self.database, self.services, self.now, self.tally).wake()

    def report(self, people: int, service: str = "twitter", symptom: str = "login") -> None:
        at = self.now.timestamp()
        self.tally.count(
            Kept(at, service, f"{at}-{n}".encode(), region="IN", platform="web", symptom=symptom) for n in range(people)
        )

    async def beat(self, minutes: int = 1, reports: int = 0) -> "Life":
        for _ in range(minutes):
            self.report(reports)
            self.now += MINUTE
            await self.engine.beat(self.now)
        return self

    @property
    def incident(self):
        return self.engine.cases["twitter"].incident

    async def lines(self) -> list[str]:
        return [plain(e.text) for e in await self.store.entries(self.incident.id)]


def services(**details) -> dict[str, Service]:
    routes = (Route(channel="wall"), Route(channel="ops", level="major"))
    return {"twitter": Service(id="twitter", policy=POLICY, routes=routes, **details)}


@pytest.fixture
async def database():
    found = Database(":memory:")
    yield found
    await found.aclose()


@pytest.fixture
async def life(database):
    return await Life(database, services()).wake()


async def test_a_crowd_opens_an_incident_that_says_no_usual_is_known_yet(life):
    await life.beat(4, reports=6)
    assert life.incident.state is State.OPEN
    assert "(no usual known yet)" in (await life.lines())[0]


async def test_counts_that_moved_are_judged_within_the_running_minute(life):
    life.report(12)
    life.now += timedelta(seconds=1)
    await life.engine.beat(life.now)
    assert life.incident.state is State.PENDING


async def test_a_channel_that_asks_for_major_hears_only_from_major_on(life):
    await life.beat(7, reports=4)
    assert [t.channel for t in await life.store.threads(life.incident.id)] == ["wall"]
    await life.beat(3, reports=30)
    assert sorted(t.channel for t in await life.store.threads(life.incident.id)) == ["ops", "wall"]


async def test_the_end_of_the_crowd_eases_and_closes(life):
    await life.beat(4, reports=12)
    await life.beat(40)
    assert life.incident.state is State.CLOSED
    assert (await life.lines())[-1].startswith("Over after")


async def test_a_restart_says_nothing_and_goes_on(life):
    await life.beat(4, reports=8)
    before = await life.lines()
    again = await life.reborn()
    await again.beat(1, reports=8)
    assert await again.lines() == before
    assert again.incident.id == life.incident.id


@pytest.mark.parametrize("born", range(10))
async def test_a_crash_soon_after_the_first_start_lets_nothing_ease(database, born):
    life = await Life(database, services(), T0 + born * MINUTE).wake()
    await life.beat(5, reports=8)
    assert life.incident.state is State.OPEN
    before = await life.lines()
    again = await life.reborn()
    await again.beat(1)
    assert again.incident.state is State.OPEN
    assert await again.lines() == before
    await again.beat(40)
    assert again.incident.state is State.CLOSED


async def test_a_probe_not_asked_since_the_restart_still_holds_its_incident_open(life):
    bad = Signal(at=life.now, health=Health.MAJOR_OUTAGE, note="HTTP 503")
    await life.engine.hear("twitter", "front", bad)
    await life.beat(3)
    assert life.incident.state is State.OPEN
    again = await life.reborn()
    await again.beat(3)
    assert again.incident.state is State.OPEN
    await again.engine.hear("twitter", "front", Signal(at=again.now, health=Health.OPERATIONAL))
    assert again.incident.state is State.EASING


async def test_no_reading_from_a_source_changes_nothing(life):
    bad = Signal(at=life.now, health=Health.MAJOR_OUTAGE, note="HTTP 503")
    await life.engine.hear("twitter", "front", bad)
    await life.beat(3)
    await life.engine.hear("twitter", "front", Signal(at=life.now, error="timeout"))
    await life.beat(3)
    assert life.incident.state is State.OPEN


async def test_planned_work_keeps_an_incident_from_opening(database):
    window = Window(start=T0 - MINUTE, lasts=timedelta(hours=1))
    life = await Life(database, services(windows=(window,))).wake()
    await life.beat(5, reports=20)
    assert life.incident is None


async def test_an_open_incident_of_a_dependency_is_named_as_likely_cause(database):
    both = services(depends_on=("cloud",))
    both["cloud"] = Service(id="cloud", policy=POLICY)
    life = await Life(database, both).wake()
    for _ in range(4):
        life.report(20, "cloud")
        await life.beat()
    await life.beat(4, reports=20)
    assert "Likely cause: Twitter has an open incident." in (await life.lines())[0]


async def test_two_hundred_acts_at_once_are_all_kept_in_order(life):
    await life.beat(4, reports=12)
    acts = (Acted(at=life.now, verb="note", who=f"P{n}", text=str(n)) for n in range(200))
    answers = await asyncio.gather(*(life.engine.act("twitter", act) for act in acts))
    entries = await life.store.entries(life.incident.id)
    assert [no for no, _ in answers] == [""] * 200
    assert [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert len(entries) == 201


async def test_an_act_without_an_incident_is_objected_to(life):
    no, incident = await life.engine.act("twitter", Acted(at=T0, verb="ack", who="Anna"))
    assert (no, incident) == ("Twitter has no incident.", None)


async def test_two_houses_on_one_store_agree_through_conflicts(life, database):
    await life.beat(4, reports=12)
    other = await life.reborn()
    await life.engine.act("twitter", Acted(at=life.now, verb="note", who="Anna", text="one"))
    await other.engine.act("twitter", Acted(at=life.now, verb="note", who="Ben", text="two"))
    assert [line.split(":")[-1].strip() for line in (await other.lines())[1:]] == ["one", "two"]


class Stubborn(SqliteStore):
    """A store that says somebody was first, and knows of nobody."""

    async def save(self, case, *_):
        raise Conflict(f"{case.service}: somebody else was first")


async def test_a_conflict_that_no_newer_version_explains_falls_loudly(life, database):
    life.engine._store = Stubborn(database)
    with pytest.raises(Conflict):
        async with asyncio.timeout(5):
            await life.engine.act("twitter", Acted(at=T0, verb="declare", who="Anna", level="major"))


async def test_the_engine_beats_every_second_by_its_clock(life):
    clock = ManualClock(T0)
    running = asyncio.create_task(life.engine.run(clock))
    await clock.advance(2.5)
    assert life.engine.beaten_at == T0 + timedelta(seconds=2)
    running.cancel()


class Agreed(Probe):
    """A probe that looks from here and from another place."""

    vantages = ("fra",)
    quorum = 2


class Page(Probe):
    """A vendor's own page."""

    evidence = Evidence.VENDOR


@pytest.mark.parametrize(
    ("watches", "nats"),
    [
        ({"front": Probe()}, 3.0),
        ({"front": Probe(), "back": Probe()}, 3.0),
        ({"front": Probe(), "back": Agreed()}, 6.0),
        ({"page": Page()}, 4.0),
        ({"page": Page(), "front": Agreed()}, 10.0),
    ],
)
def test_evidence_of_different_kinds_adds_up_and_of_one_kind_does_not(watches, nats):
    witnesses = Witnesses({"twitter": watches})
    for health, expected in ((Health.PARTIAL_OUTAGE, nats), (Health.OPERATIONAL, 0)):
        for name in watches:
            witnesses.hear("twitter", name, Signal(at=T0, health=health))
        assert witnesses.nats("twitter") == expected
