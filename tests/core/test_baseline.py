"""The usual: what each part of it learns, on counts without noise unless noise is the point."""

from datetime import timedelta
from math import isnan

import numpy as np
import pytest

from bot.core.holidays import Calendar
from bot.detectors.baseline import Baseline
from bot.detectors.evidence import deviance, unknown_usual
from bot.detectors.holidays import Holidays
from bot.detectors.ring import Ring
from bot.detectors.streak import Streak

TICK = 0.25  # hours


def never(series, tick=TICK):
    """No holidays for so many series."""
    return Holidays([Calendar()] * series, timedelta(hours=tick))


def taught(days, rate, *, noise=None, calm=True, tick=TICK):
    """A baseline of one series that learned `rate(hour)` reports per hour for some days."""
    base = Baseline(1, tick, never(1, tick))
    for number in range(round(days * 24 / tick)):
        seen = rate(number * tick) * tick
        seen = float(noise.poisson(seen)) if noise else seen
        base.learn(number, np.array([seen], np.float32), base.due(number), np.array([calm]))
        if number % 2:
            base.end_block()
    return base


def usual(base, hour):
    return base.curve(0, round(hour / base.tick), 1)[0][0] / base.tick


def test_a_day_must_pass_before_a_usual_is_known():
    assert isnan(usual(taught(0.9, lambda _: 10), 30))
    assert usual(taught(1.0, lambda _: 10), 30) == pytest.approx(10, rel=0.05)


def test_every_hour_of_the_day_gets_its_own_usual():
    base = taught(7, lambda hour: 100 if 9 <= hour % 24 < 17 else 10)
    assert usual(base, 7 * 24 + 3.5) == pytest.approx(10, rel=0.2)
    assert usual(base, 7 * 24 + 12.5) == pytest.approx(100, rel=0.1)


def test_the_weekend_gets_its_own_usual():
    base = taught(28, lambda hour: 10 if hour % 168 < 48 else 60)
    assert usual(base, 28 * 24 + 20) < 20
    assert usual(base, 28 * 24 + 100) > 50


def test_a_service_with_hardly_any_reports_leans_on_its_mean():
    base = taught(14, lambda hour: 2.0 if hour == 100 else 0.1)
    rates = [usual(base, 14 * 24 + hour) for hour in range(24)]
    assert max(rates) < 3 * min(rates)


def test_the_level_follows_a_slow_change_within_hours():
    base = taught(14, lambda hour: 20 if hour < 13.5 * 24 else 40)
    assert usual(base, 14 * 24) > 30


def test_the_level_stays_where_it_was_not_calm():
    base = taught(10, lambda _: 20, calm=False)
    assert base.level[0] == 1.0


def test_the_usual_is_never_nothing():
    base = taught(30, lambda _: 0)
    assert base.due(100_000).min() > 0


def test_clumped_reports_widen_the_band():
    random = np.random.default_rng(3)
    even = taught(14, lambda _: 40, noise=random)
    clumped = taught(14, lambda _: 40 * (4 if random.random() < 0.25 else 0), noise=random)
    assert even.noise.spread[0] < 1.6
    assert clumped.noise.spread[0] > 3
    low, high = (clumped.curve(0, 2000, 1)[k][0] for k in (1, 2))
    assert 0 <= low < 10 < high


def test_an_expectation_that_is_often_wrong_is_doubted():
    random = np.random.default_rng(4)
    factors = np.exp(random.normal(0, 0.4, 2000))
    sure = taught(20, lambda _: 400, noise=random)
    wrong = taught(20, lambda hour: 400 * factors[int(hour)], noise=random)
    assert sure.noise.doubt[0] < 0.02
    assert wrong.noise.doubt[0] > 0.04


class Alone(Baseline):
    """A baseline whose series know nothing of the day that others have."""

    def _repool(self):
        self.pool[:] = 1.0


def among(series, kind=Baseline, days=4):
    """The usual of the first of so many series, hour by hour, each with a day of its own."""
    random, base, told = np.random.default_rng(6), kind(series, TICK, never(series)), []
    first = random.poisson(5, round(days * 24 / TICK))
    others = random.poisson(9, (len(first), 5)) * (1 + np.arange(5) * (np.arange(len(first)) % 96 < 48)[:, None])
    for number, seen in enumerate(first):
        row = np.append(seen, others[number])[:series].astype(np.float32)
        due = base.due(number)
        base.learn(number, row, due, np.ones(series, bool))
        told.append(float(due[0]))
    return told


def test_a_young_series_learns_from_others_by_the_shape_of_their_day_alone():
    assert among(1) != among(6)
    assert among(1, Alone) == among(6, Alone)


def test_what_others_do_is_nothing_to_a_grown_series():
    base = taught(15, lambda hour: 10 + hour % 24)
    before = base.due(100_000).copy()
    base.rates_hour, base.pool = -1, np.linspace(0.1, 1.9, 24, dtype=np.float32)
    assert base.due(100_000) == pytest.approx(before)


def test_a_gap_teaches_nothing():
    base = taught(3, lambda _: 10)
    before = {name: array.copy() for name, array in base.columns().items() if name in ("learned", "level_seen")}
    base.learn(288, *np.zeros((2, 1), np.float32), np.array([True]))
    assert all((base.columns()[name] == array).all() for name, array in before.items())


@pytest.mark.parametrize("tick", [1.0, 24.0])
def test_wide_buckets_are_learned_too(tick):
    assert usual(taught(20, lambda _: 3, tick=tick), 20 * 24 + 12) == pytest.approx(3, rel=0.2)


def score(seen, due, spread=1.0, doubt=1e-6):
    return float(deviance(*(np.array(float(x)) for x in (seen, due, spread, doubt))))


def test_evidence_is_the_poisson_deviance_when_counts_are_sure():
    assert score(20, 5) == pytest.approx(20 * np.log(4) - 15, rel=1e-3)


@pytest.mark.parametrize(("seen", "due"), [(2, 0.001), (5, 5), (3, 10), (50, 0)])
def test_few_expected_or_unknown_counts_are_no_evidence(seen, due):
    assert score(seen, due) == 0


def test_clumping_and_doubt_weaken_evidence():
    assert score(20, 5) > score(20, 5, spread=2) > score(20, 5, spread=2, doubt=0.2) > 0


def test_a_stand_in_for_an_unknown_usual_is_the_middle_of_the_past_and_never_nothing():
    due = np.array([1.0, 1.0, 1.0, 0.0])
    assert unknown_usual(np.array([3.0, 5.0, 90.0, 0.0]), due).tolist() == [5, 5, 5, 0]
    assert unknown_usual(np.zeros(4), due).tolist() == [0.02, 0.02, 0.02, 0]
    assert unknown_usual(np.zeros(2), np.zeros(2)).tolist() == [0, 0]


def test_a_window_takes_the_part_of_its_oldest_bucket_that_it_reaches_into():
    ring = Ring(8, 1)
    for seen in (1, 2, 4, 8):
        ring.push(np.array([float(seen)]), np.array([1.0]))
    seen = ring.window(np.array([[1.0], [1.5], [4.0], [9.0]]), np.array([0]))[0, :, 0]
    assert seen.tolist() == [8, 10, 15, 15]


def test_a_streak_forgives_short_pauses_and_ends_after_longer_ones():
    streak = Streak(1, 2)
    ages = []
    for mark in (1, 0, 0, 1, 0, 0, 0, 1):
        streak.note(np.array([bool(mark)]))
        ages.append(streak.age[0])
    assert ages == [1, 2, 3, 4, 5, 6, 0, 1]
