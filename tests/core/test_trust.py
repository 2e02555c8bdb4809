"""Whose word is enough to raise an alarm: weights of voices, and the levels that they bear out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Person
from bot.core.trust import Crowd, Doubt, Trust, borne_out, doubted, place, weight
from bot.detectors.levels import Rule

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
WITHIN = timedelta(minutes=15)
LADDER = (
    Rule(level="minor", reports=10, times=2.0, within=WITHIN),
    Rule(level="major", reports=50, times=5.0, within=WITHIN),
    Rule(level="critical", reports=200, times=15.0, within=WITHIN),
)
TRUST = Trust()


def ago(**span):
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, 1.0),
        ({"made_at": ago(days=8)}, 1.0),
        ({"made_at": ago(days=7)}, 1.0),
        ({"made_at": ago(days=6, hours=23)}, 0.0),
        ({"made_at": ago(days=900), "joined_at": ago(hours=23)}, 0.0),
        ({"made_at": ago(days=900), "joined_at": ago(hours=25)}, 1.0),
    ],
)
def test_a_fresh_account_weighs_nothing_and_one_of_which_nothing_is_known_weighs_one(more, expected):
    assert weight(Person(chat="disco", id="1", name="Ann", **more), NOW, TRUST) == expected


def test_a_visitor_of_the_page_weighs_what_the_config_says():
    visitor = Person(chat="page", id="c", name="")
    assert (weight(visitor, NOW, TRUST), weight(visitor, NOW, Trust(visitor=0.4))) == (1.0, 0.4)


def test_a_place_is_the_server_within_its_chat():
    assert place(Person(chat="disco", id="1", name="A", place="77")) == "disco:77"
    assert place(Person(chat="slack", id="1", name="A")) == "slack"


def level(voices, fresh=0.0, *, weighs=0.0, usual=6.0, places=1, worst="critical", ladder=LADDER):
    doubts = [Doubt(f"disco:{n}", fresh / places, fresh / places * weighs) for n in range(places)] if fresh else []
    return borne_out(worst, ladder, lambda _: Crowd(voices, doubts, usual), TRUST)


@pytest.mark.parametrize(
    ("voices", "fresh", "more", "expected"),
    [
        (500, 500, {}, ""),
        (506, 500, {}, ""),
        (566, 500, {}, "major"),  # sixty who are known carry the level that sixty reach
        (300, 100, {}, "critical"),
        (16, 8, {"worst": "minor"}, ""),  # of the ten that are more than usual, only two are known
        (16, 5, {"worst": "minor"}, "minor"),
        (506, 500, {"weighs": 0.1}, "major"),
        (506, 500, {"places": 2}, "critical"),  # another server is another witness
        (20, 18, {"places": 2, "usual": 0.0}, ""),  # but not nine people each
    ],
)
def test_the_ladder_is_climbed_as_far_as_known_voices_carry(voices, fresh, more, expected):
    assert level(voices, fresh, **more) == expected


def test_a_level_without_a_number_of_reports_asks_for_a_quorum():
    ladder = (Rule(level="odd", alarms=1.0, within=WITHIN),)
    assert level(100, 91, worst="odd", ladder=ladder, usual=0.0) == ""
    assert level(100, 90, worst="odd", ladder=ladder, usual=0.0) == "odd"


def test_the_sentence_counts_both():
    crowd = Crowd(1_506, [Doubt("disco:1", 1_500, 0.0)], 6.0)
    assert doubted(crowd) == "unconfirmed: 1,500 of 1,506 voices are of accounts that are new here"


@given(st.integers(0, 2_000), st.sampled_from(("minor", "major", "critical")), st.floats(0, 500))
def test_where_nobody_is_doubted_every_level_stands(voices, worst, usual):
    assert level(float(voices), 0.0, worst=worst, usual=usual) == worst


@given(st.integers(0, 300), st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0, 50))
def test_more_fresh_voices_never_lift_a_level(known, fresh, more, usual):
    ranks = {"": 0, "minor": 1, "major": 2, "critical": 3}
    few, many = (ranks[level(float(known + n), float(n), usual=usual)] for n in (fresh, fresh + more))
    assert many <= few
