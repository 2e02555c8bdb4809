"""Christmas in the engine: the quiet day and the busy one after it open nothing, an outage does and says what day it was."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.config.calendars import public
from bot.core.holidays import Calendar
from bot.core.model import Policy, Service, State
from bot.core.tally import Kept, Tally
from bot.database import Database
from bot.detectors.levels import Rule
from bot.engine import Engine
from bot.stores.sqlite import SqliteStore

TICK = timedelta(minutes=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CHRISTMAS = datetime(2026, 12, 25, tzinfo=UTC)
RULES = (Rule(level="minor", reports=10, within=TICK, times=1.5, alarms=1),)
POLICY = Policy(
    name="Shop", levels=("minor",), open_at="minor", confirm_for=timedelta(0), quiet_for=2 * TICK, reopen_for=HOUR
)


class Life:
    def __init__(self, database, calendars):
        self.database, self.calendars = database, calendars
        self.tally = Tally(width=TICK)
        self.random, self.now = np.random.default_rng(3), CHRISTMAS - 8 * DAY
        self.known = set()
        self.engine = Engine(
            store=SqliteStore(database),
            tally=self.tally,
            services={"shop": Service(id="shop", policy=POLICY)},
            rules={"shop": RULES},
            watches={"shop": {}},
            tick=TICK,
            changed=lambda _: None,
            calendars=calendars,
        )

    async def run(self, span, rate):
        """People report so many times a tick; answers how many new incidents were opened."""
        before = len(self.known)
        for _ in range(round(span / TICK)):
            at = self.now.timestamp()
            self.tally.count(Kept(at, "shop", f"{at}-{n}".encode()) for n in range(self.random.poisson(rate)))
            self.now += TICK
            await self.engine.beat(self.now)
            incident = self.engine.cases["shop"].incident
            self.known |= {incident.id} if incident else set()
        return len(self.known) - before

    @property
    def said(self):
        [reading] = self.engine.cases["shop"].incident.readings
        return reading


@pytest.fixture(params=[True, False], ids=["known", "unknown"])
async def life(request):
    database = Database(":memory:")
    life = Life(database, {"shop": Calendar((public("PT"),))} if request.param else {})
    await life.engine.wake(life.now)
    await life.run(8 * DAY, 60)
    yield life
    await database.aclose()


async def test_a_quiet_christmas_opens_nothing_and_neither_does_the_day_after(life):
    assert await life.run(DAY + HOUR, 25) == 0  # and one more: the day is last over on the Azores
    assert await life.run(12 * HOUR, 60) == (0 if life.calendars else 1)


async def test_an_outage_on_christmas_day_opens_and_says_what_day_it_was(life):
    assert await life.run(12 * HOUR, 25) == 0
    await life.run(HOUR, 600)
    assert life.engine.cases["shop"].incident.state is State.OPEN
    assert life.said.note == ("25 December is a holiday in PT: the usual is taken as less sure" * bool(life.calendars))


async def test_a_calendar_that_is_changed_holds_from_then_on(life):
    await life.run(12 * HOUR, 60)
    life.calendars.clear() if life.calendars else life.calendars.update(shop=Calendar((public("PT"),)))
    await life.engine.refit(life.now)
    await life.run(HOUR, 600)
    assert bool(life.said.note) is bool(life.calendars)


async def test_a_restart_on_christmas_day_keeps_what_was_usual_before(life):
    await life.run(12 * HOUR, 25)
    await life.engine.rest()
    await life.engine.wake(life.now)
    await life.run(13 * HOUR, 25)
    assert await life.run(12 * HOUR, 60) == (0 if life.calendars else 1)
