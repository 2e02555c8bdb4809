"""R5 to R7 and R20 to R24: whatever the clock does, and wherever we were meanwhile, only the truth is told."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from doubles.clock import ManualClock
from doubles.living import CONFIG, NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.config.read import read
from bot.core.incident import step
from bot.core.model import Case, Evidence, Health, Judged, Kind, Numbers, Policy, Reading, Signal, When
from bot.core.phrases import plain
from bot.house import House
from bot.listening.asking import Asking
from bot.listening.sight import Sight
from bot.world.steady import SteadyClock

MINUTE = timedelta(minutes=1)
JUMPS = {
    "a second back": -1.0,
    "a second on": 1.0,
    "an hour back": -3600.0,
    "an hour on": 3600.0,
    "a day back": -86400.0,
    "a day on": 86400.0,
    "a year back": -365 * 86400.0,
}


class Life:
    """A house by a steady clock over a machine's clock that a test may set; a report a minute is usual."""

    def __init__(self, path, folder=None, config=CONFIG):
        self.machine = ManualClock(NOON)
        self.clock = SteadyClock(self.machine.now, self.machine.monotonic)
        (path / "config.yaml").write_text(config)
        self.path, self.folder, self._people = path, folder, 0
        self.house = House(read(path / "config.yaml", {}), self.clock, folder)

    async def minutes(self, number, reports=None):
        for minute in range(number):
            arrive = (minute % 3 == 0) if reports is None else reports
            self._people += arrive
            people = range(self._people - arrive, self._people)
            await self.house.intake.admit([{"service": "twitter", "reporter": f"p{n}"} for n in people], "test")
            for _ in range(6):
                await self.machine.advance(10)
                await self.house.engine.beat(self.clock.now())

    async def count(self, since, count):
        """A ready-made count of the minute from then on."""
        window = {"service": "twitter", "from": since.timestamp(), "to": since.timestamp() + 60, "count": count}
        receipt = await self.house.intake.admit_counts([window])
        assert receipt.accepted == 1, receipt

    async def counts(self, number, count):
        """So many minutes, of each of which somebody else has counted the reports."""
        for _ in range(number):
            await self.machine.advance(60)
            await self.count(self.clock.now() - MINUTE, count)
            await self.house.engine.beat(self.clock.now())

    async def another(self, *, closed=False):
        """The next house on the folder, awake."""
        if not closed:
            await self.house.aclose()
        house = House(read(self.path / "config.yaml", {}), self.clock, self.folder)
        await house.wake()
        return house

    async def away(self, seconds):
        """Stop, let time pass, start again."""
        await self.house.aclose()
        await self.machine.advance(seconds)
        self.house = House(read(self.path / "config.yaml", {}), self.clock, self.folder)
        await self.house.wake()

    async def timeline(self):
        store = self.house.store
        return [entry for incident in await store.incidents() for entry in await store.entries(incident.id)]

    async def story(self):
        return [(entry.kind.value, plain(entry.text)) for entry in await self.timeline()]


@pytest.mark.parametrize("how", JUMPS)
async def test_a_jump_of_the_machines_clock_opens_and_closes_nothing(tmp_path, prove, how):
    life = Life(tmp_path)
    await life.house.wake()
    await life.minutes(20)
    life.machine.jump(JUMPS[how])
    await life.minutes(60)
    calm = await life.story()
    await life.minutes(5, reports=12)
    opened = [kind for kind, _ in await life.story()]
    life.machine.jump(-JUMPS[how])
    await life.minutes(3, reports=12)
    still = [kind for kind, _ in await life.story()]
    wrong = [f"opened in calm: {calm}"] if calm else []
    wrong += [] if opened[:1] == ["opened"] else ["a true outage after the jump was not found"]
    wrong += [] if "eased" not in still and "closed" not in still else [f"closed by a jump: {still}"]
    await life.house.aclose()
    prove("R20", 2, wrong, "jumps of the machine's clock, in calm and in trouble")


DRIFTS = {"slewed fast": 0.005, "slewed slowly": -0.005, "frozen": -10.0, "a leap second": None}
"""Seconds that the machine's clock gains in ten; frozen it gains none."""


@pytest.mark.parametrize("how", DRIFTS)
async def test_a_clock_that_drifts_stands_still_or_repeats_a_second_opens_and_closes_nothing(tmp_path, prove, how):
    life = Life(tmp_path)
    await life.house.wake()
    await life.minutes(20)
    gain = DRIFTS[how]
    for number in range(60):
        await life.machine.advance(10)
        life.machine.jump(gain if gain is not None else -1.0 if number == 30 else 0.0)
        await life.house.engine.beat(life.clock.now())
    await life.minutes(5)
    calm = await life.story()
    await life.minutes(5, reports=12)
    opened = [kind for kind, _ in await life.story()]
    wrong = [f"opened in calm: {calm}"] if calm else []
    wrong += [] if opened[:1] == ["opened"] else ["a true outage afterwards was not found"]
    await life.house.aclose()
    prove("R20", 1, wrong, "ten minutes of a clock that is slewed, frozen, or repeats a second")


@pytest.mark.parametrize("off", [-365, 365, -1, 1])
async def test_a_life_by_a_wrong_clock_does_not_deafen_the_next_one(tmp_path, prove, off):
    """A battery is empty, or a hand slips: days or a year are wrong for one life, and right in the next."""
    life = Life(tmp_path, tmp_path / "data")
    life.machine.jump(off * 86400.0)
    life.clock = SteadyClock(life.machine.now, life.machine.monotonic)
    life.house = await life.another()
    await life.minutes(30)
    before = await life.story()
    await life.house.aclose()
    life.machine.jump(-off * 86400.0)
    life.clock = SteadyClock(life.machine.now, life.machine.monotonic)
    life.house = await life.another(closed=True)
    await life.minutes(15)
    calm = await life.story()
    await life.minutes(5, reports=12)
    told = [kind for kind, _ in await life.story()]
    wrong = [f"opened in calm: {before + calm}"] if before or calm else []
    wrong += [] if told[:1] == ["opened"] else [f"an outage after a life {off} days off was not found: {told}"]
    await life.minutes(30)
    wrong += [] if (await life.story())[-1][0] == "closed" else ["it was not closed"]
    await life.house.aclose()
    prove("R20", 1, wrong, "lives by a clock that was a day or a year off, and right in the next life")


async def test_a_steady_clock_never_goes_back_and_follows_what_lasts(prove):
    wrong, trials = [], 0
    for jump in JUMPS.values():
        machine = ManualClock(NOON)
        clock = SteadyClock(machine.now, machine.monotonic)
        before, began = clock.now(), machine.monotonic()
        machine.jump(jump)
        for _ in range(200):
            trials += 1
            await machine.advance(10)
            now = clock.now()
            passed = (now - before).total_seconds()
            wrong += [] if passed >= 9.4 else [f"{jump}: {passed} s in 10 s"]
            before = now
        ahead = abs((clock.now() - machine.now()).total_seconds())
        if jump >= 0:
            wrong += [] if ahead < 2.1 else [f"{jump}: still {ahead} s off after {machine.monotonic() - began:.0f} s"]
    prove("R20", trials, wrong, "readings of the steady clock after a jump")


@pytest.mark.parametrize("seconds", [10, 600, 6 * 3600])
async def test_a_machine_that_slept_opens_nothing_by_its_own_gap(tmp_path, prove, seconds):
    life = Life(tmp_path)
    await life.house.wake()
    await life.minutes(30)
    await life.machine.advance(seconds)
    await life.minutes(30)
    wrong = [str(line) for line in await life.story()]
    await life.house.aclose()
    prove("R22", 1, wrong, "sleeps of the machine, from ten seconds to six hours")


class Asked:
    """A source that notes when it is asked."""

    evidence, every = Evidence.PROBE, timedelta(seconds=30)

    def __init__(self, clock):
        self.clock, self.at = clock, []

    async def ask(self, _http, now):
        self.at.append(self.clock.monotonic())
        return Signal(at=now, health=Health.OPERATIONAL)


@pytest.mark.parametrize("seconds", [60, 600, 6 * 3600])
async def test_a_process_that_was_stopped_does_not_ask_everything_at_once(prove, seconds):
    clock, heard = ManualClock(NOON), []

    async def hear(service, *_):
        heard.append(service)

    asking = Asking(http=None, clock=clock, hear=hear, lively=lambda _: False, sight=Sight(None, clock))
    sources = [Asked(clock) for _ in range(300)]
    tasks = [asyncio.create_task(asking.watch(f"s{n}", "front", source)) for n, source in enumerate(sources)]
    await clock.advance(120)
    clock.stop(seconds)
    woke = clock.monotonic()
    await clock.advance(40)
    asked = [at for source in sources for at in source.at if at >= woke]
    most = max(sum(at <= other < at + 1 for other in asked) for at in asked)
    wrong = [f"{most} of 300 watches asked within a second"] if most > 30 else []
    wrong += [] if all(any(at >= woke for at in source.at) for source in sources) else ["some were not asked in 40 s"]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    prove("R22", 1, wrong, "stops of a process with 300 watches, which were asked again one after the other")


# What was missed while we were away: (minutes of trouble before, minutes away, trouble goes on after) -> kinds told
AWAY = [
    ("calm throughout", 0, 5, 0, []),
    ("calm, for a day", 0, 1440, 0, []),
    ("began while away", 0, 10, 12, ["opened"]),
    ("began while away, an hour", 0, 60, 12, ["opened"]),
    ("began before, goes on", 3, 5, 12, ["opened"]),
    ("began before, goes on after an hour", 3, 60, 12, ["opened"]),
    ("began before, goes on after a day", 3, 1440, 12, ["opened"]),
    ("over as we came back, in sight", 3, 5, 0, ["opened", "eased", "closed"]),
    ("ended while away, an hour", 3, 60, 0, ["opened", "eased", "closed"]),
    ("ended while away, a day", 3, 1440, 0, ["opened", "eased", "closed"]),
    pytest.param("ended while away, a month", 3, 43200, 0, ["opened", "eased", "closed"], marks=pytest.mark.slow),
    ("only a blip before", 1, 5, 0, []),
]


@pytest.mark.parametrize(("what", "before", "away", "after", "kinds"), AWAY)
async def test_what_happened_while_we_were_away_is_told_as_it_was(tmp_path, prove, what, before, away, after, kinds):
    life = Life(tmp_path, tmp_path / "data")
    await life.house.wake()
    await life.minutes(before, reports=12 if before > 1 else 3)
    await life.away(away * 60)
    await life.minutes(25, reports=after)
    told = await life.story()
    got = [kind for kind, _ in told if kind not in ("scope", "raised", "lowered", "relapsed")]
    wrong = [] if got == kinds else [f"{what}: {got}"]
    if "ended" in what:
        words = next((text for kind, text in told if kind == "eased"), "")
        wrong += [] if "while Tocsin was away" in words else [f"{what}: {words}"]
    await life.house.aclose()
    prove("R7", 1, wrong, "ways to be away while something happens")
    if "ended" in what:
        prove("R5", 1, wrong, "incidents that ended while nobody looked, and were closed")


async def test_what_began_and_ended_while_we_were_away_calls_nobody(tmp_path, prove):
    """Counts of the time away come afterwards, as a feed brings them: history, and no incident."""
    life = Life(tmp_path, tmp_path / "data")
    await life.house.wake()
    await life.counts(30, 0)
    await life.away(3600)
    for minute, count in enumerate([0] * 10 + [400] * 30 + [0] * 20):
        await life.count(life.clock.now() - timedelta(minutes=60 - minute), count)
    await life.counts(30, 0)
    told = await life.story()
    past = await life.house.intake.past("twitter", *(int(t.timestamp() // 60) for t in _day(life.clock.now())))
    wrong = [str(told)] if told else []
    wrong += [] if 400 in past else ["the history does not have it"]
    await life.house.aclose()
    prove("R7", 1, wrong, "outages that began and ended unseen, and are only history")


def _day(now):
    return now - timedelta(days=1), now


PROBED = CONFIG.replace(
    "aliases: [x]}", "aliases: [x], watch: {front: {kind: probe, url: 'https://twitter.com', every: 30s}}}"
)


@pytest.mark.parametrize("away", [5, 60, 1440])
async def test_a_probe_that_is_well_again_at_the_start_closes_within_its_interval(tmp_path, prove, away):
    """It is judged many times before the first answer of the probe comes; that answer is still news from our absence."""
    life = Life(tmp_path, tmp_path / "data", PROBED)
    await life.house.wake()
    began = life.clock.now()
    for health in (Health.OPERATIONAL, *[Health.MAJOR_OUTAGE] * 5):
        await life.house.engine.hear("twitter", "front", Signal(at=life.clock.now(), health=health))
        await life.minutes(1, reports=0)
    await life.away(away * 60)
    back = life.clock.now()
    await life.minutes(1, reports=0)
    await life.house.engine.hear("twitter", "front", Signal(at=life.clock.now(), health=Health.OPERATIONAL))
    [eased] = [e for e in await life.timeline() if e.kind is Kind.EASED]
    text = plain(eased.text)
    wrong = [] if eased.at - back <= MINUTE else [f"told {eased.at - back} after the start"]
    wrong += [] if "while Tocsin was away, some time between" in text else [text]
    left = [part.at for part in eased.text if isinstance(part, When)]
    wrong += [] if began < left[0] <= back <= left[1] else [f"between {left}"]
    await life.minutes(8, reports=0)
    wrong += [] if (await life.timeline())[-1].kind is Kind.CLOSED else ["not closed"]
    await life.house.aclose()
    prove("R5", 1, wrong, "times a probed service recovered while nobody looked, told at the first answer")


POLICY = Policy(
    name="X",
    levels=("minor", "major"),
    open_at="minor",
    confirm_for=2 * MINUTE,
    quiet_for=5 * MINUTE,
    reopen_for=timedelta(minutes=15),
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trace=st.lists(st.sampled_from(["", "minor", "major"]), min_size=1, max_size=120))
def test_a_flapping_service_opens_at_most_once_per_cooldown_and_calls_once_per_level(trace):
    case, entries = Case(service="x"), []
    for minute, level in enumerate(trace):
        at = NOON + minute * MINUTE
        numbers = Numbers(count=9, within=MINUTE)
        reading = Reading(at=at, kind=Evidence.PEOPLE, source="reports", level=level, numbers=numbers)
        case, told = step(case, Judged(at=at, readings=(reading,)), POLICY)
        entries += told
    opened = [e.at for e in entries if e.kind is Kind.OPENED]
    assert all(b - a > POLICY.reopen_for for a, b in itertools.pairwise(opened))
    for incident in {e.incident for e in entries}:
        mine = [e for e in entries if e.incident == incident]
        closes = [e.at for e in mine if e.kind is Kind.CLOSED]
        eased = [e.at for e in mine if e.kind is Kind.EASED]
        assert all(any(close - ease >= POLICY.quiet_for for ease in eased) for close in closes)
        calls = [e.level for e in mine if e.calls]
        assert len(calls) == len(set(calls))


async def test_the_flapping_laws_are_counted(prove):
    test_a_flapping_service_opens_at_most_once_per_cooldown_and_calls_once_per_level()
    await asyncio.sleep(0)
    prove("R24", 1000, [], "random traces of a flapping service")
