"""The tail of each series, the test for recovery, and what gaps keep back."""

from datetime import timedelta

import numpy as np
import pytest

from bot.detectors.echo import Echo
from bot.detectors.gap import Gap
from bot.detectors.recovery import Recovery
from bot.detectors.tail import HEALTHY, Tail

MINUTE = timedelta(minutes=1)
ON = np.array([True])


def column(*values):
    return np.array(values, np.float32)


def lived(hours, seed=1):
    """A tail of one series after hours whose highest scores are given."""
    tail = Tail(1)
    for peak in hours:
        tail.note(column(peak), ON)
        tail.hour()
    return tail


def test_without_experience_evidence_counts_as_it_is():
    scores = column(0, 1, 5, 50)
    assert Tail(1).judge(scores, np.zeros(4, np.intp)).tolist() == scores.tolist()


def test_a_sound_series_is_judged_as_it_is():
    peaks = 1.0 + np.random.default_rng(2).exponential(0.9, 500)
    assert lived(peaks).judge(column(9.0), slice(None))[0] == pytest.approx(9.0, abs=0.6)


def test_what_a_noisy_series_does_every_day_counts_for_little():
    peaks = 3 + np.random.default_rng(2).exponential(6.0, 500)
    judged = lived(peaks).judge(column(20.0), slice(None))[0]
    assert judged < 6
    assert lived(peaks).judge(column(200.0), slice(None))[0] > 15


def test_a_few_hours_of_outage_do_not_make_a_series_deaf():
    peaks = 1.0 + np.random.default_rng(2).exponential(0.9, 500)
    peaks[::40] = 300.0
    assert lived(peaks).judge(column(12.0), slice(None))[0] > 10


def test_hours_of_outages_leave_the_tail_of_a_series_as_it_is_without_them():
    peaks = 1.0 + np.random.default_rng(2).exponential(1.4, 600)
    calm, troubled = lived(peaks), lived(np.where(np.arange(600) % 36 == 0, 300.0, peaks))
    assert troubled.bend[0] == pytest.approx(calm.bend[0], abs=0.15)
    assert troubled.scale[0] == pytest.approx(calm.scale[0], abs=0.05)


def test_hours_too_many_for_outages_are_noise():
    peaks = 1.0 + np.random.default_rng(2).exponential(0.9, 600)
    crowded = lived(np.where(np.arange(600) % 9 == 0, 300.0, peaks))
    assert crowded.judge(column(60.0), slice(None))[0] < 8


def test_judged_evidence_rises_with_evidence_and_never_beyond_it():
    tail = lived(2 + np.random.default_rng(3).exponential(4.0, 300))
    scores = np.linspace(0, 60, 200, dtype=np.float32)
    judged = tail.judge(scores, np.zeros(200, np.intp))
    assert (np.diff(judged) > 0).all()
    assert (judged <= scores + 1e-5).all()
    assert tail.judge(tail.bend, slice(None))[0] == pytest.approx(HEALTHY, abs=1e-5)


FIRM = column(50.0)


def lately(seen, due, minutes=3):
    """Seen and due of the last minutes, where every one of them was alike."""
    return np.array([[seen * minutes], [due * minutes]], np.float32)


def minutes_until_calm(lift, due, seen, nats=50.0, most=600):
    recovery = Recovery(1, MINUTE)
    recovery.begin(ON, column(lift), column(nats))
    for minute in range(1, most):
        if recovery.note(column(seen), column(due), column(1.0), column(0.01), lately(seen, due))[0]:
            return minute
        recovery.begin(ON & (minute % 50 == 0), column(lift), column(nats))
    return most


def test_recovery_is_fast_after_a_great_outage_and_patient_on_thin_evidence():
    assert minutes_until_calm(lift=20, due=10.0, seen=10) == 6
    assert 6 <= minutes_until_calm(lift=20, due=0.5, seen=0.5) < 12
    assert minutes_until_calm(lift=3, due=0.5, seen=0.5) > 15
    assert minutes_until_calm(lift=3, due=0.5, seen=0.5, nats=7) > 3 * minutes_until_calm(lift=3, due=0.5, seen=0.5)


def test_no_patience_is_asked_for_beyond_firm_evidence():
    assert minutes_until_calm(lift=3, due=0.5, seen=0.5, nats=20) == minutes_until_calm(
        lift=3, due=0.5, seen=0.5, nats=500
    )


def test_a_trickle_ends_two_hours_after_the_last_alarm():
    recovery = Recovery(1, MINUTE)
    recovery.begin(ON, column(3.0), column(8.0))
    assert [
        recovery.note(column(2.0), column(1.0), column(1.0), column(0.0), lately(2.0, 1.0))[0] for _ in range(121)
    ] == [
        *[False] * 120,
        True,
    ]


def test_trouble_that_goes_on_does_not_recover():
    assert minutes_until_calm(lift=10, due=2.0, seen=12) == 600


@pytest.mark.parametrize(("seen", "ends"), [(30.0, True), (32.0, False)])
def test_what_dies_away_is_not_over_while_more_than_three_times_the_usual_comes(seen, ends):
    assert (minutes_until_calm(lift=50, due=10.0, seen=seen) < 60) is ends


def test_wariness_after_a_recovery_wears_off():
    recovery = Recovery(1, MINUTE)
    recovery.begin(ON, column(50.0), FIRM)
    while not recovery.note(column(5.0), column(5.0), column(1.0), column(0.0), lately(5.0, 5.0))[0]:
        pass
    assert recovery.wary(slice(None))[0] == 5.0
    for _ in range(120):
        recovery.note(column(5.0), column(5.0), column(1.0), column(0.0), lately(5.0, 5.0))
    assert recovery.wary(slice(None))[0] == 0.0


def after_an_outage(seen, due=10.0, lift=11.0):
    recovery = Recovery(1, MINUTE)
    recovery.begin(ON, column(lift), FIRM)
    return recovery.echo(column(seen), column(due))[0]


def test_an_echo_is_what_still_comes_and_never_much_of_what_came():
    assert after_an_outage(seen=10) < 10
    assert 15 < after_an_outage(seen=30) < 35
    assert after_an_outage(seen=100) == pytest.approx(38)


def test_echoes_die_away():
    echo = Echo(2, MINUTE)
    echo.begin(np.array([True, False]), column(10.0, 10.0))
    for _ in range(20):
        echo.pass_on()
    assert echo.rate.tolist() == [pytest.approx(10 / np.e, rel=1e-3), 0]


def test_what_a_gap_kept_back_is_due_when_it_comes():
    gap = Gap(1, MINUTE)
    for _ in range(20):
        assert gap.note(column(0), column(2.0), ~ON, ~ON)[0] == 0
    assert gap.note(column(40), column(2.0), ON, ~ON)[0] == pytest.approx(40)
    assert gap.note(column(40), column(2.0), ON, ~ON)[0] == pytest.approx(4)
    assert gap.note(column(2), column(2.0), ON, ~ON)[0] == 2


def test_what_comes_long_after_a_gap_is_no_backlog():
    gap = Gap(1, MINUTE)
    gap.note(column(0), column(30.0), ~ON, ~ON)
    for _ in range(3):
        gap.note(column(30), column(30.0), ON, ~ON)
    assert gap.note(column(60), column(30.0), ON, ~ON)[0] == 30


def test_a_feed_is_dead_when_too_much_is_missing():
    gap = Gap(1, MINUTE)
    for _ in range(10):
        gap.note(column(0), column(1.0), ON, ~ON)
    assert not gap.dead(column(1.0), column(0.01))[0]
    for _ in range(10):
        gap.note(column(0), column(1.0), ON, ~ON)
    assert gap.dead(column(1.0), column(0.01))[0]
    gap.note(column(1), column(1.0), ON, ~ON)
    assert not gap.dead(column(1.0), column(0.01))[0]


def test_a_holiday_proves_three_times_more_slowly_that_a_feed_is_dead():
    calm, festive = Gap(1, MINUTE), Gap(1, MINUTE)
    for _ in range(20):
        calm.note(column(0), column(1.0), ON, ~ON)
        festive.note(column(0), column(1.0), ON, ON)
    assert calm.dead(column(1.0), column(0.01))[0]
    assert not festive.dead(column(1.0), column(0.01))[0]
    assert festive.missing[0] == pytest.approx(calm.missing[0] / 3)
