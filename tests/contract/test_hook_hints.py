"""A hint that a page has news: it is read now and not when its turn comes, and nobody can make us hammer it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from doubles.clock import ManualClock
from doubles.senders import NOW, NoWeb

from bot.core.model import Evidence, Health, Signal
from bot.listening.asking import Asking


class Page:
    """A page that remembers when it was asked, in seconds since the start."""

    evidence = Evidence.VENDOR
    every = timedelta(minutes=5)

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def ask(self, http: Any, now: datetime) -> Signal:
        self.asked.append((now - NOW).total_seconds())
        return Signal(at=now, health=Health.OPERATIONAL)


async def _hear(*_: object) -> None:
    """Nobody listens."""


@pytest.fixture
async def asking() -> AsyncIterator[tuple[Asking, Page, ManualClock]]:
    clock, page = ManualClock(NOW), Page()
    asks = Asking(http=NoWeb(), clock=clock, hear=_hear, lively=lambda _: False)
    task = asyncio.create_task(asks.watch("shop", "page", page))
    await clock.advance(6)
    yield asks, page, clock
    task.cancel()


async def test_a_hint_has_the_page_asked_at_once(asking: tuple[Asking, Page, ManualClock]) -> None:
    asks, page, clock = asking
    await clock.advance(100)
    assert len(page.asked) == 1
    asks.soon("shop", "page")
    await clock.settle()
    assert page.asked[1:] == [106]


async def test_a_thousand_hints_ask_once_in_ten_seconds(asking: tuple[Asking, Page, ManualClock]) -> None:
    asks, page, clock = asking
    for _ in range(1_000):
        asks.soon("shop", "page")
        await clock.advance(0.06)
    gaps = [b - a for a, b in zip(page.asked, page.asked[1:], strict=False)]
    assert min(gaps) > 9.99
    assert len(page.asked) <= 8


async def test_without_a_hint_a_page_has_its_turn(asking: tuple[Asking, Page, ManualClock]) -> None:
    asks, page, clock = asking
    asks.soon("shop", "other")
    await clock.advance(269)
    assert len(page.asked) == 1
    await clock.advance(70)
    assert len(page.asked) == 2
