"""What recorded counts are turned into before detection is measured on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.detection.recorded import recorded
from bench.detection.world import DAY

WEEK = 7 * DAY


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Four weeks: a bank that counts by five minutes from seven to seven, and a city that has one stop a minute."""
    minute = np.arange(4 * WEEK)
    calls = np.where((minute % 5 == 0) & (minute % DAY // 60 >= 7) & (minute % DAY // 60 < 19), 50, -1)
    stops = np.where(minute < 2 * WEEK, 1, 3)
    path = tmp_path / "counts.npz"
    np.savez(path, calls=calls[:, None], stops=stops[:, None])
    return path


def test_counts_of_five_minutes_are_spread_over_them_and_none_is_lost(counts: Path) -> None:
    world = recorded(5, later=False, learn=7, judged=0, path=counts)

    by_five = world.counts[:, 0].reshape(-1, 5).sum(axis=1)
    assert (by_five[~np.isnan(by_five)] >= 50).all()
    assert np.median(by_five[~np.isnan(by_five)]) == 50


def test_a_minute_that_nobody_recorded_is_unknown_and_no_outage_is_put_there(counts: Path) -> None:
    world = recorded(5, later=False, learn=7, judged=7, path=counts)

    closed = (np.arange(14 * DAY) % DAY // 60 < 7) | (np.arange(14 * DAY) % DAY // 60 >= 19)
    assert np.isnan(world.counts[closed, :3]).all()
    assert not np.isnan(world.counts[~closed]).any()
    assert all(not np.isnan(world.counts[o.start : o.end, o.service]).any() for o in world.outages)


def test_the_later_half_shares_no_minute_with_the_earlier_one(counts: Path) -> None:
    earlier, later = (recorded(5, later=half, learn=7, judged=7, path=counts) for half in (False, True))

    assert (np.median(earlier.counts[:, 3]), np.median(later.counts[:, 3])) == (1, 3)


def test_thinning_keeps_the_share_of_the_events_that_it_says(counts: Path) -> None:
    world = recorded(5, later=True, learn=7, judged=7, path=counts)

    assert np.nanmedian(world.usual[:, 4] / world.usual[:, 3]) == pytest.approx(0.2, rel=0.2)


def test_outages_are_sized_by_the_usual_and_only_those_that_are_judged_are_told(counts: Path) -> None:
    world = recorded(5, later=False, learn=7, judged=7, path=counts)

    assert world.outages
    assert all(outage.start >= 7 * DAY for outage in world.outages)
    worst = max(world.outages, key=lambda o: o.size)
    excess = world.counts[worst.start : worst.end, worst.service] - world.usual[worst.start : worst.end, worst.service]
    assert excess.max() > worst.size * np.sqrt(world.usual[worst.start, worst.service]) / 2
