"""The judge on holidays: less sure of the usual, unspoilt by them, and just as before where there are none."""

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.holidays import Calendar, Days, Holiday
from bot.detectors.levels import Rule
from bot.detectors.surge import Surge

TICK = timedelta(minutes=15)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2026, 12, 7, tzinfo=UTC)  # a Monday
FEAST = START + 17 * DAY  # Thursday, 24 December
RULES = {name: (Rule(level="minor", within=TICK, times=1.5, alarms=1),) for name in ("shop", "kiosk", "small")}
RATES = {"shop": 300.0, "kiosk": 30.0, "small": 2.0}  # reports per bucket by day; half as many by night and on Sundays


def days(*starts):
    kept = tuple(Holiday(start, start + DAY, start.date(), "GB") for start in starts)
    return Calendar((Days("GB", lambda year: [day for day in kept if day.day.year == year]),))


CALENDARS = dict.fromkeys(RULES, days(FEAST))


def usual(at):
    return (0.5 if at.hour < 6 else 1.0) * (0.5 if at.weekday() == 6 else 1.0)


class Feed:
    """Closes bucket after bucket; what was judged is kept in `scores` and `ranks`, a row each."""

    def __init__(self, surge, now):
        self.surge, self.now = surge, now
        self.random = np.random.default_rng(4)
        self.scores, self.ranks = [], []

    def run(self, span, factor=lambda _: 1.0):
        for _ in range(round(span / TICK)):
            due = usual(self.now) * factor(self.now)
            self.surge.close(self.now, {name: self.random.poisson(rate * due) for name, rate in RATES.items()})
            self.now += TICK
            self.scores.append(self.surge.scores.copy())
            self.ranks.append(self.surge.ranks.copy())
        return self

    def raised(self, span, factor=lambda _: 1.0):
        """How many buckets of a span had a level, by series."""
        before = len(self.ranks)
        self.run(span, factor)
        return (np.array(self.ranks[before:]) >= 0).sum(axis=0).tolist()

    def due(self, at):
        return np.array([self.surge.usual(name, at, 1)[0][0] for name in RULES])


@cache
def past():
    return Feed(Surge(RULES, TICK), START).run(FEAST - START).surge.snapshot()


def lived(calendars):
    """Two weeks and a half were lived through; the holiday begins."""
    return Feed(Surge.restore(past(), RULES, TICK, calendars), FEAST)


def test_an_unusual_holiday_and_the_day_after_it_raise_nothing_that_an_ordinary_day_would():
    knows, wonders = lived(CALENDARS), lived({})
    assert (knows.raised(DAY, lambda _: 0.3), wonders.raised(DAY, lambda _: 0.3)) == ([0, 0, 0], [0, 0, 0])
    assert knows.raised(DAY) == [0, 0, 0]
    assert wonders.raised(DAY)[0] > 0


def test_a_holiday_teaches_nothing_that_lasts():
    knows, wonders, never = lived(CALENDARS), lived({}), lived({})
    for feed, factor in ((knows, 2.0), (wonders, 2.0), (never, 1.0)):
        feed.run(DAY, lambda _, factor=factor: factor)
        feed.run(6 * DAY)
    noon = FEAST + 7 * DAY + 12 * HOUR
    assert knows.due(noon) == pytest.approx(never.due(noon), rel=0.1)
    assert wonders.due(noon)[0] > 1.1 * never.due(noon)[0]
    stray = {name: [feed.surge.stray(name) for feed in (knows, wonders, never)] for name in RULES}
    assert stray["shop"][0] == pytest.approx(stray["shop"][2], rel=0.3)
    assert stray["shop"][1] > stray["shop"][2]


def test_a_great_outage_is_found_on_a_holiday_too():
    feed = lived(CALENDARS).run(12 * HOUR, lambda _: 0.5)
    assert feed.raised(HOUR, lambda _: 5.0)[:2] == [4, 4]


def test_few_reports_at_christmas_are_no_broken_feed_and_none_for_long_are():
    knows, wonders = lived(CALENDARS).run(12 * HOUR), lived({}).run(12 * HOUR)
    for feed in (knows, wonders):
        feed.run(5 * HOUR, lambda _: 0.0)
    assert (knows.surge.silent("small"), wonders.surge.silent("small")) == (False, True)
    assert knows.surge.silent("shop")
    assert knows.surge.silences()["shop"] == pytest.approx(wonders.surge.silences()["shop"] / 3, rel=0.3)


def test_what_lasts_over_the_holidays_is_no_new_usual():
    feast = dict.fromkeys(RULES, days(FEAST, FEAST + DAY, FEAST + 2 * DAY))
    knows, wonders = lived(feast), lived({})
    ordinary = knows.due(FEAST + 4 * DAY + 12 * HOUR)[0]
    for feed in (knows, wonders):
        feed.run(3 * DAY, lambda _: 0.1)
    assert knows.due(knows.now + DAY + 12 * HOUR)[0] == pytest.approx(ordinary, rel=0.05)
    assert wonders.due(wonders.now + DAY + 12 * HOUR)[0] < 0.5 * ordinary


def test_without_a_holiday_near_nothing_changes_to_the_byte():
    later = dict.fromkeys(RULES, days(START + 300 * DAY))
    plain, later = (Feed(Surge(RULES, TICK, kept), START) for kept in ({}, later))
    for feed in (plain, later):
        feed.run(5 * DAY).run(3 * HOUR, lambda _: 4.0).run(DAY)
    assert np.array(plain.scores).tobytes() == np.array(later.scores).tobytes()
    assert plain.surge.snapshot() == later.surge.snapshot()


def test_a_restart_in_the_middle_of_a_holiday_changes_no_decision():
    steady, restarted = lived(CALENDARS), lived(CALENDARS)
    for hour in range(48):
        for feed in (steady, restarted):
            feed.run(HOUR, lambda at: 6.0 if at.hour == 14 else 0.4)
        restarted.surge = Surge.restore(restarted.surge.snapshot(), RULES, TICK, CALENDARS)
        assert np.array(steady.scores).tobytes() == np.array(restarted.scores).tobytes(), hour


def test_holidays_that_are_learned_of_or_forgotten_on_the_day_hold_from_then_on():
    feed = lived({}).run(12 * HOUR)
    doubt, _ = feed.surge.stray("shop")
    feed.surge = feed.surge.resize(RULES, CALENDARS)
    assert feed.surge.stray("shop")[0] == pytest.approx(doubt + 0.06)
    feed.surge = feed.surge.resize(RULES, {})
    assert feed.surge.stray("shop")[0] == doubt


@settings(max_examples=40)
@given(st.tuples(*[st.integers(0, 2000)] * 3))
def test_a_holiday_never_makes_the_same_excess_more_evident(counts):
    knows, wonders = lived(CALENDARS).surge, lived({}).surge
    for surge in (knows, wonders):
        surge.close(FEAST, dict(zip(RULES, map(float, counts), strict=True)))
    assert (knows.scores <= wonders.scores + 1e-4).all()
    assert (knows.ranks <= wonders.ranks).all()


@settings(max_examples=60)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), min_size=3, max_size=3),
    st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    st.integers(1, 3000),
)
def test_no_counts_and_no_time_make_it_raise_or_say_nonsense(counts, at, later):
    surge = Surge(RULES, TICK, dict.fromkeys(RULES, days(datetime(at.year, at.month, at.day, tzinfo=UTC))))
    at = START.replace(hour=0) + (at - START) // TICK * TICK
    for moment in (at, at + TICK, at + later * TICK):
        surge.close(moment, dict(zip(RULES, counts, strict=True)))
        assert np.isfinite(surge.scores).all()
