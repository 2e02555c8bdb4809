"""Slack's limits by method: no minute sees more calls than a tier allows, and a burst is not made to wait."""

import asyncio
from datetime import UTC, datetime

import pytest
from doubles.clock import ManualClock
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chats.slack_tiers import Tiers

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TIERS = {"chat.update": 50, "pins.add": 20, "pins.remove": 20}


@pytest.mark.parametrize("method", TIERS)
@settings(deadline=None, max_examples=30)
@given(pauses=st.lists(st.floats(0, 5), min_size=60, max_size=60))
def test_no_minute_sees_more_than_the_tier(method, pauses):
    async def called():
        clock, at = ManualClock(NOON), []
        tiers = Tiers(clock)
        for pause in pauses:
            call = asyncio.create_task(tiers.turn(method))
            while not call.done():
                await clock.advance(0.25)
            at.append(clock.monotonic())
            await clock.advance(pause)
        return at

    at = asyncio.run(called())
    assert all(sum(begin <= other < begin + 60 for other in at) <= TIERS[method] for begin in at)


async def test_a_few_at_once_need_not_wait_and_what_is_not_vital_is_left_for_later():
    clock = ManualClock(NOON)
    tiers = Tiers(clock)
    assert [tiers.free("pins.add") for _ in range(6)] == [True] * 5 + [False]
    await clock.advance(4)
    assert [tiers.free("pins.add") for _ in range(2)] == [True, False]
    assert tiers.free("chat.update"), "each method has a limit of its own"
