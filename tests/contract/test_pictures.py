"""The picture of a day: what was heard, what nobody listened to, and how high an incident stood at its worst."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from doubles.living import NOON, Living

from bot.core.model import Picture

BAR = timedelta(minutes=15)


def bars(picture: Picture | None, hours: float) -> tuple[float | None, ...]:
    """The counts of the last hours of a picture."""
    assert picture is not None
    return picture.counts[-int(hours * 4) :]


async def test_the_time_before_anybody_listened_is_a_gap_and_what_came_later_is_none(tmp_path: Path) -> None:
    async with Living(tmp_path) as life:
        await life.beat(60)
        incident = await life.broken()
        day, around = life.house.board.picture("twitter"), await life.house.board.picture_of(incident.id)
    for picture in (day, around):
        assert set(bars(picture, 24)[:-6]) == {None}
        assert bars(picture, 1)[:3] == (0, 0, 0)
        assert bars(picture, 1)[3] == 36


async def test_a_restart_is_no_first_time(tmp_path: Path) -> None:
    async with Living(tmp_path, tmp_path / "data") as first:
        await first.beat(60)
    async with Living(tmp_path, tmp_path / "data", now=NOON + timedelta(hours=2)) as second:
        counts = bars(second.house.board.picture("twitter"), 24)
    assert counts.count(0) in (8, 9)


async def test_a_house_that_did_not_note_its_first_day_is_shown_as_it_was(tmp_path: Path) -> None:
    async with Living(tmp_path, tmp_path / "data") as first:
        await first.beat(60)
    with closing(sqlite3.connect(tmp_path / "data" / "state.db")) as connection, connection:
        assert connection.execute("DELETE FROM blobs WHERE key = 'since'").rowcount == 1
    async with Living(tmp_path, tmp_path / "data", now=NOON + timedelta(hours=2)) as second:
        assert set(bars(second.house.board.picture("twitter"), 24)) == {0}


async def test_counts_of_the_time_before_are_shown_even_where_they_are_zero(tmp_path: Path) -> None:
    async with Living(tmp_path) as life:
        window = {"from": (NOON - 4 * BAR).isoformat(), "to": (NOON - 2 * BAR).isoformat()}
        await life.house.intake.admit_counts([{"service": "calm", "count": 0, **window}])
        await life.house.intake.admit([{"service": "twitter", "at": (NOON - BAR).isoformat(), "reporter": "a"}], "test")
        calm = bars(life.house.board.picture("calm"), 24)
        twitter = bars(life.house.board.picture("twitter"), 24)
    assert calm.count(0) in (2, 3)
    assert twitter.count(1) == 1


async def test_the_line_stands_as_high_as_the_worst_window_that_the_thread_tells_of(tmp_path: Path) -> None:
    async with Living(tmp_path) as life:
        await life.beat(30)
        for reports in (5, 20, 40, 20, 5):
            await life.beat(3, reports=reports)
        await life.beat(7)
        found = life.house.board.living("twitter")
        assert found
        picture = await life.house.board.picture_of(found.id)
    assert found.peak
    assert found.peak.count == 3 * (5 + 20 + 40 + 20 + 5)
    assert max(count or 0 for count in bars(picture, 24)) == found.peak.count
