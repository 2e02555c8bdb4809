"""The start of an excess: where the counts changed, how surely, and in which minutes it is looked for."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.detectors.onset import Onset, onset

COUNTS = arrays.arrays(np.float64, st.integers(1, 120), elements=st.integers(0, 60).map(float))


def began(seen, due=1.0, spread=1.0, grace=1):
    return onset(np.array(seen, float), np.full(len(seen), due), spread, grace)


@pytest.mark.parametrize(
    ("seen", "begins"),
    [
        ([1, 1, 1, 1, 1, 9, 9, 9], 5),
        ([1, 1, 1, 4, 4, 4, 4, 40], 3),
        ([1, 1, 1, 2, 2, 2, 2, 40], 7),
        ([9, 9, 0, 0, 0, 0, 0, 9], 7),
        ([0, 0, 0, 0, 0, 0, 0, 0], 7),
        ([1], 0),
    ],
    ids=["a step", "a weaker beginning", "one too weak to tell", "an earlier trouble", "nothing", "one bucket"],
)
def test_the_start_is_where_the_excess_began(seen, begins):
    assert began(seen).best == begins


def test_the_calm_of_the_newest_buckets_does_not_hide_what_raised_the_level():
    assert began([1] * 9 + [20, 20] + [0] * 6, grace=10).best == 9


def test_a_sudden_excess_begins_within_a_minute_either_way():
    assert began([10] * 60 + [100] * 10, due=10.0) == Onset(best=60, early=59, late=61)


def test_a_weak_excess_may_have_begun_long_before_or_a_little_after():
    found = began([1] * 60 + [2, 1, 3, 2, 2, 3, 1, 2, 3, 3], grace=10)
    assert 0 < found.early <= 58
    assert found.late > found.best
    assert found.best - found.early > found.late - found.best


def test_counts_that_come_in_crowds_leave_more_open():
    seen = [1] * 60 + [4, 3, 5, 4, 6]
    sure, crowded = began(seen), began(seen, spread=3.0)
    assert crowded.early < sure.early
    assert crowded.late >= sure.late


def test_a_gap_before_the_excess_is_no_part_of_it():
    seen, due = np.array([1.0] * 20 + [0.0] * 10 + [9.0] * 5), np.array([1.0] * 20 + [0.0] * 10 + [1.0] * 5)
    assert onset(seen, due, 1.0, 1).best == 30


@given(
    seen=COUNTS,
    usual=st.floats(0.0, 50.0),
    spread=st.floats(0.0, 20.0),
    grace=st.integers(0, 200),
)
def test_the_start_lies_between_its_bounds_and_within_what_is_remembered(seen, usual, spread, grace):
    found = onset(seen, np.full(len(seen), usual), spread, grace)
    assert 0 <= found.early <= found.best < found.late <= len(seen)


@given(
    seen=arrays.arrays(np.float64, 40, elements=st.floats(0.0, 1e9)),
    due=arrays.arrays(np.float64, 40, elements=st.floats(0.0, 1e9)),
)
def test_no_counts_make_it_raise_or_lose_its_bounds(seen, due):
    with np.errstate(all="raise", under="ignore"):
        found = onset(seen, due, 1.0, 5)
    assert 0 <= found.early <= found.best < found.late <= 40


@given(seen=COUNTS, calm=st.integers(1, 60), times=st.integers(2, 50))
def test_more_reports_of_the_same_course_leave_less_open_unless_they_show_an_earlier_beginning(seen, calm, times):
    seen = np.concatenate((np.ones(calm), seen))
    assume(seen.sum() > len(seen))
    whole = len(seen)
    few, many = (onset(seen * k, np.full(whole, 1.0 * k), 1.0, whole) for k in (1, times))
    assert many.late - many.early <= few.late - few.early or many.best < few.best


@given(seen=COUNTS, later=st.integers(1, 30))
def test_the_same_course_at_another_time_begins_that_much_later(seen, later):
    sooner, after = (np.concatenate((np.full(calm, 2.0), seen)) for calm in (60, 60 + later))
    first, second = (onset(row, np.full(len(row), 2.0), 1.0, len(seen)) for row in (sooner, after))
    assume(first.early > 0)
    assert tuple(second) == tuple(place + later for place in first)


def test_a_usual_that_was_too_low_for_hours_is_no_beginning():
    assert began([3, 2] * 100 + [40] * 5, due=1.7).best == 200
