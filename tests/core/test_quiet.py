"""Quiet hours: when they begin and end, in zones whose clocks do odd things."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.quiet import Quiet, covering, ends
from bot.core.zones import comes, reached

NIGHT = Quiet(start=time(22), end=time(7), zone="Europe/Berlin")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def bare(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "day", "at", "comes_at"),
    [
        ("UTC", "2026-03-29", "02:30", "2026-03-29T02:30"),
        ("Europe/Berlin", "2026-01-10", "22:00", "2026-01-10T21:00"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00"),  # never: when the clock jumps over it
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),  # twice: the first
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00"),
        ("Europe/Dublin", "2026-03-29", "01:30", "2026-03-29T01:00"),  # its winter is the saving one
        ("Europe/Dublin", "2026-10-25", "01:30", "2026-10-25T00:30"),
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30"),  # half an hour
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        ("Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15T01:30"),  # winter time while Ramadan lasts
        ("Africa/Casablanca", "2026-03-22", "02:30", "2026-03-22T02:00"),
        ("America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00"),  # midnight itself never comes
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00"),  # a day that was left out
        ("Asia/Kathmandu", "2026-05-01", "00:00", "2026-04-30T18:15"),
    ],
)
def test_a_time_of_day_comes_once_whatever_the_clocks_do(zone, day, at, comes_at):
    assert comes(date.fromisoformat(day), time.fromisoformat(at), zone) == utc(comes_at)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-10T20:59:59", None),
        ("2026-01-10T21:00", "2026-01-11T06:00"),
        ("2026-01-11T05:59:59", "2026-01-11T06:00"),
        ("2026-01-11T06:00", None),
        ("2026-03-28T23:00", "2026-03-29T05:00"),  # the short night
        ("2026-10-24T23:00", "2026-10-25T06:00"),  # the long one
    ],
)
def test_a_night_lasts_from_its_evening_to_its_morning(now, until):
    assert ends([NIGHT], utc(now)) == (utc(until) if until else None)


def test_a_night_belongs_to_the_day_it_begins_on():
    friday = Quiet(start=time(22), end=time(7), days=frozenset({4}))
    assert ends([friday], utc("2026-01-10T06:00")) == utc("2026-01-10T07:00"), "Saturday morning is of Friday's night"
    assert ends([friday], utc("2026-01-10T23:00")) is None


def test_nights_and_a_weekend_that_touch_are_one_quiet():
    nights = Quiet(start=time(18), end=time(8), days=frozenset(range(5)))
    weekend = Quiet(start=time(0), end=time(0), days=frozenset({5, 6}))
    monday = Quiet(start=time(0), end=time(8), days=frozenset({0}))
    friday = utc("2026-01-09T19:00")
    assert ends([nights, weekend, monday], friday) == utc("2026-01-12T08:00")
    assert covering([nights, weekend, monday], friday) == nights


def test_quiet_without_end_does_not_look_for_one_for_ever():
    always = Quiet(start=time(0), end=time(0))
    assert ends([always], utc("2026-01-10T12:00")) > utc("2026-02-01T00:00")


def test_without_hours_it_is_never_quiet():
    assert covering([], utc("2026-01-10T03:00")) is None


@given(
    st.integers(0, 6 * 365 * 24 * 3600).map(lambda seconds: utc("2024-01-01") + timedelta(seconds=seconds)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "UTC"]),
)
def test_the_end_is_the_first_moment_that_is_not_quiet(now, start, end, zone):
    hours = [Quiet(start=start, end=end, zone=zone, days=frozenset({0, 2, 5}))]
    over = ends(hours, now)
    if over is None:
        assert covering(hours, now) is None
        return
    assert over > now
    assert covering(hours, over) is None
    assert covering(hours, over - timedelta(seconds=1)) is not None


def test_an_hour_that_comes_twice_reaches_its_minutes_once_and_a_skipped_one_all_at_once():
    autumn = [reached(utc("2026-10-25T00:00") + n * timedelta(minutes=1), "Europe/Berlin") for n in range(180)]
    shown = [minute for minutes in autumn for minute in minutes]
    assert shown == [bare("2026-10-25T02:00") + n * timedelta(minutes=1) for n in range(120)]
    [*skipped, last] = reached(utc("2026-03-29T01:00"), "Europe/Berlin")
    assert (len(skipped), skipped[0], last) == (60, bare("2026-03-29T02:00"), bare("2026-03-29T03:00"))
