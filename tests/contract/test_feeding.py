"""Where a feed was taken out of the configuration, silence is silence again, in this life and in the next."""

from datetime import timedelta
from pathlib import Path

from doubles.clock import ManualClock
from doubles.living import NOON

from bot.config.read import read
from bot.config.settings import Settings
from bot.house import House

WITH = 'services: {shop: {watch: {talk: {kind: hackernews, words: [shop down]}}}}\nweb: {listen: "127.0.0.1:0"}\n'
WITHOUT = "services: {shop: {}}\n"
MINUTE = timedelta(minutes=1)


def settings(folder: Path, text: str) -> Settings:
    (folder / "config.yaml").write_text(text)
    return read(folder / "config.yaml", {})


def now(house: House) -> float | None:
    """What was counted in the minute that is over."""
    return house.tally.total("shop", house.tally.bucket(house.clock.now() - MINUTE))


async def count(house: House) -> None:
    """A minute of the feed, of ten minutes ago."""
    since = house.clock.now() - 10 * MINUTE
    window = {"service": "shop", "from": since.isoformat(), "to": (since + MINUTE).isoformat(), "count": 3}
    assert (await house.intake.admit_counts([window])).accepted == 1


async def life(folder: Path, clock: ManualClock, text: str) -> House:
    house = House(settings(folder, text), clock, folder / "data")
    await house.wake()
    return house


async def test_a_feed_that_is_removed_while_it_runs_leaves_zeros_and_not_gaps(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    house = await life(tmp_path, clock, WITH)
    await count(house)
    assert now(house) is None
    clock.jump(600)
    await house.adopt(settings(tmp_path, WITHOUT))
    clock.jump(600)
    assert now(house) == 0.0
    await house.aclose()
    clock.jump(600)
    again = await life(tmp_path, clock, WITHOUT)
    assert now(again) == 0.0
    await again.aclose()


async def test_a_feed_that_is_removed_between_two_lives_leaves_zeros_too(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    house = await life(tmp_path, clock, WITH)
    await count(house)
    await house.aclose()
    for minutes in (1, 600):
        clock.jump(60.0 * minutes)
        house = await life(tmp_path, clock, WITHOUT)
        clock.jump(120.0)
        assert now(house) == 0.0
        await house.aclose()


async def test_a_feed_that_is_broken_for_long_still_leaves_gaps_and_one_that_comes_back_does_too(
    tmp_path: Path,
) -> None:
    clock = ManualClock(NOON)
    house = await life(tmp_path, clock, WITH)
    await count(house)
    clock.jump(30 * 86_400.0)
    assert now(house) is None
    await house.adopt(settings(tmp_path, WITHOUT))
    clock.jump(600.0)
    assert now(house) == 0.0
    await house.adopt(settings(tmp_path, WITH))
    await count(house)
    assert now(house) is None
    await house.aclose()


async def test_who_sends_counts_to_the_api_is_waited_for_a_week_over_restarts(tmp_path: Path) -> None:
    clock = ManualClock(NOON)
    house = await life(tmp_path, clock, WITHOUT)
    await count(house)
    found = []
    for _ in range(4):
        await house.aclose()
        clock.jump(2 * 86_400.0)
        house = await life(tmp_path, clock, WITHOUT)
        await house.intake.admit([{"service": "shop", "reporter": "one"}], "test")
        clock.jump(120.0)
        found.append(now(house))
        await house.intake.keep()
    assert found == [None, None, None, 0.0]
    await house.aclose()
