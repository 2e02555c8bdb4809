"""`tocsin run`: the house, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import structlog

from bot.app import House, Serving
from bot.config.settings import Settings
from bot.ports import Refused
from bot.sqlitefile import old_sqlite
from bot.world.garbage import spared
from bot.world.notify import notify
from bot.world.steady import SteadyClock

log = structlog.get_logger(__name__)

WRONG_CONFIGURATION = 78
_GRACE = 8.0
_WATCHDOG = 5.0


def run(settings: Settings, folder: Path) -> int:
    """Live in `folder` until SIGINT or SIGTERM; answers the exit code.

    A data folder that cannot be used is a wrong configuration. One that turns out to be damaged is taken up anew, from
    its backup.
    """
    while asyncio.run(_live(settings, folder)):
        log.error("starting again, because the data is damaged")
    return 0


def _house(settings: Settings, folder: Path) -> House:
    try:
        return House(settings, SteadyClock(), folder)
    except Refused as why:
        log.critical("the data folder cannot be used", why=str(why))
        raise SystemExit(WRONG_CONFIGURATION) from why


async def _live(settings: Settings, folder: Path) -> bool:
    """A life; answers whether another one should follow at once."""
    house = _house(settings, folder)
    try:
        await house.wake()
        async with Serving(house) as serving:
            _say_hello(settings, serving)
            with spared():
                notify("READY=1")
                await _until_told(serving)
            notify("STOPPING=1")
            if not serving.damaged:
                asyncio.get_running_loop().call_later(_GRACE, _give_up)
            return bool(serving.damaged)
    finally:
        await house.aclose()


async def _until_told(serving: Serving) -> None:
    """Run, and stop at the first signal; a second one ends the process at once."""
    loop = asyncio.get_running_loop()
    work = asyncio.create_task(_guarded(serving), name="house")
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, loop, work, number)
    loop.add_signal_handler(signal.SIGHUP, serving.rereading.ask)
    with suppress(asyncio.CancelledError):
        await work
    log.info("stopped")


async def _guarded(serving: Serving) -> None:
    """Serve, and let systemd know every few seconds that every task goes on."""
    async with asyncio.TaskGroup() as group:
        tasks = group.create_task(serving.run(), name="serving")
        while not serving.damaged:
            await serving.real.sleep(_WATCHDOG)
            if serving.lively:
                notify("WATCHDOG=1")
        tasks.cancel()


def _stop(loop: asyncio.AbstractEventLoop, work: asyncio.Task[None], number: signal.Signals) -> None:
    log.info("stopping", signal=number.name)
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(one)
        signal.signal(one, _leave)
    work.cancel()


def _leave(number: int, _: object) -> None:
    """The second signal: what is under way is written down already, and goes on with the next start."""
    os._exit(128 + number)


def _give_up() -> None:
    """Somebody on the other side does not let go: what is under way goes on with the next start."""
    log.warning("not everything let go in time, leaving all the same")
    os._exit(0)


def _say_hello(settings: Settings, serving: Serving) -> None:
    if old := old_sqlite():
        log.warning("old SQLite", why=old)
    for warning in settings.warnings:
        log.warning("configuration", problem=str(warning))
    if not settings.web.tokens:
        log.warning("no tokens configured: only this machine may write to the API and act on incidents")
    log.info("ready", page=serving.address, services=len(settings.services), channels=list(settings.channels))
