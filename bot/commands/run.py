"""`tocsin run`: the house, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import structlog

from bot.app import House, Serving
from bot.config.settings import Settings
from bot.world.clock import WallClock

log = structlog.get_logger(__name__)


def run(settings: Settings, folder: Path) -> int:
    """Live in `folder` until SIGINT or SIGTERM; answers the exit code."""
    asyncio.run(_live(settings, folder))
    return 0


async def _live(settings: Settings, folder: Path) -> None:
    house = House(settings, WallClock(), folder)
    try:
        await house.wake()
        async with Serving(house) as serving:
            _say_hello(settings, serving)
            await _until_told(serving)
    finally:
        await house.aclose()


async def _until_told(serving: Serving) -> None:
    """Run, and stop at the first signal; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(serving.run(), name="house")
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, loop, work, number)
    with suppress(asyncio.CancelledError):
        await work
    log.info("stopped")


def _stop(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None], number: signal.Signals) -> None:
    log.info("stopping", signal=number.name)
    loop.remove_signal_handler(number)
    work.cancel()


def _say_hello(settings: Settings, serving: Serving) -> None:
    for warning in settings.warnings:
        log.warning("configuration", problem=str(warning))
    if not settings.web.tokens:
        log.warning("no tokens configured: only this machine may write to the API and act on incidents")
    log.info("ready", page=serving.address, services=len(settings.services), channels=list(settings.channels))
