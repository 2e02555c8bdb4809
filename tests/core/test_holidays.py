"""Holidays: which days a configuration means, by whose clocks, and for whom."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.calendars import public
from bot.config.read import read
from bot.core.holidays import Calendar, YearDay, own, stretch

SHOP = "services: {shop: {}}\n"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def calendar(folder, text, service="shop"):
    path = folder / "config.yaml"
    path.write_text(text if "services:" in text else text + "\n" + SHOP)
    return read(path, {}).services[service].holidays


@pytest.mark.parametrize(
    ("holidays", "time", "words"),
    [
        ("GB", "2026-12-25T00:00", "25 December is a holiday in GB"),
        ("GB", "2026-12-24T23:59", ""),
        ("GB", "2026-08-31T12:00", ""),
        ("GB-ENG", "2026-08-31T12:00", "31 August is a holiday in GB-ENG"),
        ("GB", "2026-05-03T23:00", "4 May is a holiday in GB"),  # summer time: midnight of London
        ("US", "2026-07-03T12:00", "3 July is a holiday in US"),  # observed on the Friday before
        ("US", "2026-12-25T04:59", ""),
        ("US", "2026-12-25T05:00", "25 December is a holiday in US"),  # midnight of New York
        ("US", "2026-12-26T09:59", "25 December is a holiday in US"),  # midnight of Honolulu
        ("US", "2026-12-26T10:00", ""),
        ("XK", "2026-02-17T00:00", "17 February is a holiday in XK"),  # no clocks are known of it: UTC
        ("2026-12-24", "2026-12-24T23:59", "24 December is a holiday"),
        ("2026-12-24", "2026-12-25T00:00", ""),
        ("2026-12-24", "2027-12-24T12:00", ""),
        ("12-24", "2031-12-24T12:00", "24 December is a holiday"),
        ("02-29", "2027-02-28T12:00", "28 February is a holiday"),
        ("{from: 2026-12-24, zone: Europe/Berlin}", "2026-12-23T23:00", "24 December is a holiday"),
        ("{from: 2026-12-30, to: 2027-01-02}", "2027-01-02T23:00", "2 January is a holiday"),
        ("{from: 12-30, to: 01-02}", "2030-01-01T00:00", "1 January is a holiday"),
        ("{from: 12-30, to: 01-02}", "2030-01-03T00:00", ""),
        ("GB, 12-26", "2026-12-26T12:00", "26 December is a holiday in GB"),
    ],
)
def test_a_day_is_known_by_the_clocks_of_those_who_keep_it(tmp_path, holidays, time, words):
    found = calendar(tmp_path, f"holidays: [{holidays}]").on(at(time))
    assert (found.words if found else "") == words


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ("holidays: [GB, 12-24]\nservices: {shop: {}}", ["GB", ""]),
        ("holidays: [GB]\nservices: {shop: {holidays: [US]}}", ["US"]),
        ("holidays: [GB]\nservices: {shop: {holidays: []}}", []),
        ("holidays: [GB]\ndefaults: {holidays: [FR]}\nservices: {shop: {}}", ["FR"]),
        ("holidays:\nservices: {shop: {holidays: }}", []),
        ("services: {shop: {}}", []),
    ],
)
def test_a_service_keeps_what_all_keep_unless_it_says_otherwise(tmp_path, config, kept):
    assert [days.of for days in calendar(tmp_path, config).entries] == kept


@pytest.mark.parametrize(
    ("region", "kept"),
    [("GB", ["GB", ""]), ("DE", ["DE-BY", ""]), ("IN", [""]), ("aws eu-west-1", ["GB", "DE-BY", ""]), ("", None)],
)
def test_a_country_keeps_its_own_holidays_and_no_others(tmp_path, region, kept):
    whole = calendar(tmp_path, "holidays: [GB, DE-BY, 12-24]")
    assert whole.within(region) == whole if kept is None else [d.of for d in whole.within(region).entries] == kept


def test_two_services_with_the_same_holidays_share_them(tmp_path):
    text = "holidays: [GB, 12-24]\nservices: {shop: {}, kiosk: {holidays: [GB, 12-24]}}"
    assert calendar(tmp_path, text) == calendar(tmp_path, text, "kiosk")


@given(st.datetimes(timezones=st.just(UTC)))
def test_no_time_is_too_odd_to_ask_about(time):
    assert Calendar((public("US"), own(YearDay(None, 2, 29), YearDay(None, 2, 29), "Asia/Kathmandu"))).on(time) in (
        None,
        Calendar((public("US"),)).on(time),
        Calendar((own(YearDay(None, 2, 29), YearDay(None, 2, 29), "Asia/Kathmandu"),)).on(time),
    )


yearly = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: YearDay(None, day.month, day.day))


@given(yearly, yearly, st.integers(1971, 2098))
def test_days_of_every_year_are_one_stretch_from_the_first_to_the_last(first, last, year):
    days = stretch(first, last, year)
    assert days[0] == first.of(year)
    assert days[-1] in (last.of(year), last.of(year + 1))
    assert len(set(days)) == len(days) <= 366


def test_who_names_no_country_does_not_pay_for_the_calendars(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("holidays: [2026-12-24]\n" + SHOP)
    code = f"import sys; from pathlib import Path; from bot.config.read import read; read(Path({str(config)!r}), {{}})"
    asked = subprocess.run(
        [sys.executable, "-c", f"{code}; print('holidays' in sys.modules)"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == "False"
