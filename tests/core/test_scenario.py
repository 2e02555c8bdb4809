"""Scenarios: the same reports everywhere, in the shape that was described."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chance import drawn, joined, picked, stream, uniform
from bot.core.scenario import Burst, Mix, Scenario, Surge, Usual, counts, day, eve, minute, usual

STORY = Scenario(
    title="A day",
    seed=7,
    day=date(2022, 11, 4),
    services={
        "twitter": Usual(
            rate=0.5,
            regions={"GB": 3, "US": 1},
            platforms={"ios": 1},
            symptoms={"app": 1},
            bursts=[Burst(days_before=3, at="10:00", minutes=30, rate=5)],
        ),
        "github": Usual(rate=0.1),
    },
    surges=[
        Surge(
            service="twitter",
            rate={"07:00": 0, "07:30": 20, "08:00": 0},
            regions={"IN": 1},
            platforms={"web": 1},
            symptoms={"login": 1},
            texts={"login": ["cannot log in"]},
        )
    ],
)


def fingerprint(value: object) -> str:
    return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]


def test_the_same_scenario_gives_the_same_reports_on_every_machine() -> None:
    assert fingerprint(day(STORY)) == "b383113590a12e9a"
    past = usual(STORY)["twitter"]
    assert fingerprint([past.second.tolist(), past.codes("region")]) == "edce233ba4ea6969"


def test_another_seed_gives_other_reports() -> None:
    assert day(msgspec.structs.replace(STORY, seed=8)) != day(STORY)


def test_one_service_more_changes_nothing_for_the_others() -> None:
    more = msgspec.structs.replace(STORY, services={"slack": Usual(rate=1.0), **STORY.services})
    assert [row for row in day(more) if row["service"] != "slack"] == day(STORY)


def test_usual_life_has_the_rate_that_was_asked_for() -> None:
    per_minute = counts(usual(STORY)["github"], 28 * 1440)
    assert len(per_minute) == 28 * 1440
    assert per_minute.mean() == pytest.approx(0.1, rel=0.05)


def test_hours_and_days_shape_usual_life_and_leave_its_mean() -> None:
    life = Usual(rate=2.0, hours=[0.0] * 12 + [2.0] * 12, days=[1.0] * 5 + [0.5] * 2)
    story = msgspec.structs.replace(STORY, services={"x": life}, surges=[])
    per_day = counts(usual(story)["x"], 28 * 1440).reshape(28, 24, 60).sum(axis=2)
    weekend = [index for index in range(28) if index % 7 in (1, 2)]  # the first day is a Friday
    assert per_day[:, 1:11].sum() == 0
    assert per_day[:, 13:23].sum() > 0.8 * per_day.sum()
    assert per_day.sum() == pytest.approx(2.0 * 28 * 1440, rel=0.03)
    assert per_day[weekend].sum() / 8 == pytest.approx(per_day.sum() / 28 * 7 / 12, rel=0.08)


def test_a_burst_lies_on_the_day_and_minute_it_names() -> None:
    per_minute = counts(usual(STORY)["twitter"], 28 * 1440)
    first = 25 * 1440 + 600
    assert per_minute[first : first + 30].sum() > 100
    assert per_minute[first + 30 : first + 60].sum() < 40


def test_a_surge_keeps_to_its_hour_its_place_and_its_symptom() -> None:
    surge = [row for row in day(STORY) if row.get("region") == "IN"]
    assert 500 < len(surge) < 700
    assert {row["at"].hour for row in surge} == {7}
    assert {(row["platform"], row["symptom"]) for row in surge} == {("web", "login")}
    assert 0.2 < sum("text" in row for row in surge) / len(surge) < 0.5


def test_a_day_is_in_order_with_ids_of_its_own_and_some_people_twice() -> None:
    rows = day(STORY)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    twice = Counter(row["reporter"] for row in rows if row["service"] == "twitter")
    assert 0 < sum(times > 1 for times in twice.values()) < len(twice) / 8
    assert all(STORY.midnight <= row["at"] < datetime(2022, 11, 5, tzinfo=UTC) for row in rows)


def test_what_a_mix_does_not_name_is_left_out_of_the_report() -> None:
    row = next(row for row in day(STORY) if row["service"] == "github")
    assert set(row) == {"service", "at", "id", "reporter"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"services": {"x": {"rate": 1, "hours": [1, 2]}}}, "hours needs 24 weights"),
        ({"services": {"x": {"rate": -1}}}, "rate must not be negative"),
        (
            {"services": {"x": {"rate": 1, "bursts": [{"days_before": 1, "at": "noon", "minutes": 1, "rate": 1}]}}},
            "'noon' is not a time",
        ),
        ({"surges": [{"service": "y", "rate": {"01:00": 1, "02:00": 1}}]}, "a surge names y"),
        ({"surges": [{"service": "x", "rate": {"02:00": 1, "01:00": 1}}]}, "times of rate must rise"),
        ({"surges": [{"service": "x", "rate": {"02:00": 1}}]}, "two times or more"),
        ({"surges": [{"service": "x", "rate": {"02:00": 1, "25:00": 1}}]}, "past the end of the day"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
)
def test_a_mistake_in_a_scenario_is_explained(change: dict[str, object], says: str) -> None:
    whole = {"title": "t", "seed": 1, "day": date(2022, 1, 1), "services": {"x": {"rate": 1}}, **change}
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert(whole, Scenario)


@pytest.mark.parametrize(("at", "minutes"), [("00:00", 0), ("07:05", 425), ("24:00", 1440)])
def test_a_time_of_day_is_a_number_of_minutes(at: str, minutes: int) -> None:
    assert minute(at) == minutes


@pytest.mark.parametrize(("mean", "steady"), [(0.01, 1), (0.4, 8), (6.0, 8), (25.0, 20)])
def test_counts_have_the_mean_and_the_spread_that_they_promise(mean: float, steady: int) -> None:
    found = drawn(uniform(stream(1, "x"), 200_000), np.full(200_000, mean), steady)
    assert found.mean() == pytest.approx(mean, rel=0.04)
    assert found.var() == pytest.approx(mean + mean**2 / steady, rel=0.08)


@given(st.dictionaries(st.text(), st.floats(0.1, 100), min_size=1, max_size=9))
def test_a_draw_falls_on_one_of_the_weights(weights: dict[str, float]) -> None:
    found = picked(np.array([0.0, 0.5, 1.0 - 2.0**-53]), weights)
    assert found[0] == 0
    assert found[-1] == len(weights) - 1


def test_straight_lines_join_the_points() -> None:
    at = np.array([-1.0, 0.0, 5.0, 10.0, 15.0, 99.0])
    assert joined(np.array([0.0, 10.0, 20.0]), np.array([0.0, 10.0, 0.0]), at).tolist() == [0, 0, 5, 10, 5, 0]


def test_a_mix_without_names_has_no_codes() -> None:
    flow = usual(msgspec.structs.replace(STORY, services={"x": Usual(rate=0.1)}, surges=[]))["x"]
    assert isinstance(flow.mix, Mix)
    assert set(flow.codes("region")) == {""}


def test_the_eve_is_the_last_day_of_usual_life() -> None:
    past = usual(STORY)
    rows = eve(STORY, past)
    assert len(rows) == sum(counts(flow, 28 * 1440)[27 * 1440 :].sum() for flow in past.values())
    assert {row["at"].date() for row in rows} == {date(2022, 11, 3)}
    assert not {row["id"] for row in rows} & {row["id"] for row in day(STORY)}
