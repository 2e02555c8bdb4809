"""Maintenance windows, once and on a schedule."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.planned import Window, covered

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("cron", "at", "on"),
    [
        ("0 3 * * sun", "2026-11-22T03:00", True),
        ("0 3 * * sun", "2026-11-22T03:59", True),
        ("0 3 * * sun", "2026-11-22T04:00", False),
        ("0 3 * * sun", "2026-11-23T03:30", False),
        ("0 3 * * 7", "2026-11-22T03:10", True),
        ("*/15 8-9 1 jan,jul *", "2026-07-01T09:45", True),
        ("*/15 8-9 1 jan,jul *", "2026-07-02T09:45", False),
        ("30 23 * * *", "2026-07-02T00:15", True),
        ("0 0 13 * fri", "2026-11-20T00:10", True),
        ("0 0 13 * fri", "2026-11-13T00:10", True),
        ("0 0 13 * fri", "2026-11-18T00:10", False),
        ("10/20 * * * *", "2026-11-18T00:09", True),
    ],
)
def test_a_scheduled_window_covers_its_hour_and_no_more(cron, at, on):
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert covered([Window(cron=cron, lasts=HOUR)], now) is on


def test_a_single_window_covers_from_its_start_up_to_its_end():
    start = datetime(2026, 12, 1, 22, tzinfo=UTC)
    window = Window(start=start, lasts=HOUR)
    moments = [start - timedelta(seconds=1), start, start + timedelta(minutes=59), start + HOUR]
    assert [covered([window], at) for at in moments] == [False, True, True, False]


def test_no_windows_cover_nothing():
    assert not covered([], datetime(2026, 1, 1, tzinfo=UTC))
