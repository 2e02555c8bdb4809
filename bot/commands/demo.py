"""`tocsin demo`: four weeks of usual life in a moment, then a day that made news, on the page and in the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.app import House, Serving
from bot.commands.past import Life, StoryClock
from bot.commands.progress import bars
from bot.commands.records import Unreadable
from bot.commands.replay import bare_settings
from bot.commands.story import dressed, look_at_pages, read_scenario, teach, told
from bot.config.settings import Settings
from bot.core.heading import tone
from bot.core.model import Entry
from bot.core.phrases import plain
from bot.core.scenario import Scenario, minute, usual

SCENARIO = Path("scenarios/twitter-2022-11-04.yaml")
_BEFORE, _AFTER = timedelta(minutes=30), timedelta(hours=1)
_COLOURS = {"minor": "yellow", "major": "red", "critical": "bold red", "calm": "green"}


def run(
    path: Path = SCENARIO,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    speed: float = 600.0,
    once: bool = False,
) -> int:
    """Play a scenario at so many times the speed of life; answers the exit code.

    The page stays open after the end until it is interrupted, unless `once`.

    Raises:
        Refused: the page cannot be served there; the message says what to do.
    """
    try:
        scenario = read_scenario(path)
    except Unreadable as wrong:
        sys.stderr.writelines(f"{problem}\n" for problem in wrong.problems)
        return 1
    settings = dressed(bare_settings(scenario.services), scenario)
    settings = replace(settings, web=replace(settings.web, listen_host=host, listen_port=port))
    with suppress(KeyboardInterrupt):
        asyncio.run(_show(scenario, settings, speed=speed, once=once))
    return 0


async def _show(scenario: Scenario, settings: Settings, *, speed: float, once: bool) -> None:
    clock = StoryClock(scenario.midnight - timedelta(days=1))
    address = f"http://{settings.web.listen_host}:{settings.web.listen_port}"
    house = House(settings, clock, None, public_url=address)
    try:
        async with Serving(house, asking=False, beating=False) as serving:
            show = _Show(house, clock, scenario)
            await show.prepare()
            await _while(serving.run(), show.play(serving.address, speed, once=once))
    finally:
        await house.aclose()


async def _while(background: Coroutine[None, None, None], work: Coroutine[None, None, None]) -> None:
    """Do the work, with something running beside it that ends when the work does."""
    beside = asyncio.create_task(background)
    try:
        await work
    finally:
        beside.cancel()
        with suppress(asyncio.CancelledError):
            await beside


class _Show:
    """The day on stage: fast up to half an hour before the trouble, then paced, and narrated line by line."""

    def __init__(self, house: House, clock: StoryClock, scenario: Scenario) -> None:
        self._house, self._clock, self._scenario = house, clock, scenario
        times = [minute(at) for surge in scenario.surges for at in surge.rate] or [0, 60]
        self._dawn = scenario.midnight + timedelta(minutes=min(times)) - _BEFORE
        self._end = scenario.midnight + timedelta(minutes=max(times)) + _AFTER
        self._heard: dict[str, int] = {}
        self._console = Console(highlight=False)
        self._speed = 0.0
        self._began = 0.0

    async def prepare(self) -> None:
        """Learn the usual and live up to the dawn; a progress bar on a terminal."""
        past = usual(self._scenario)
        history = told(self._scenario, past)
        self._arrivals = iter([arrival for arrival in history.arrivals() if arrival.at <= self._end])
        self._life = Life(self._house, self._clock, before=self._pace, closed=self._look)
        with bars() as progress:
            task = progress.add_task(f"Learning {self._scenario.weeks} weeks of usual life", total=1.0)
            teach(self._house, self._scenario, past, lambda share: progress.update(task, completed=share))
            await self._house.wake()

    async def play(self, address: str, speed: float, *, once: bool) -> None:
        """The day, and then the page until somebody leaves."""
        self._speed, self._began = speed, self._clock.monotonic()
        self._console.print(f"{self._scenario.title}. Watch it at [bold]{address}[/]")
        await self._life.through(self._arrivals)
        await self._life.until(self._end)
        await self._narrate()
        if once:
            return
        self._console.print(f"The story is over. The page stays at {address} until you press Ctrl-C.")
        await asyncio.Event().wait()

    async def _pace(self, at: datetime) -> None:
        await self._narrate()
        if at <= self._dawn:
            self._began = self._clock.monotonic()
            return
        due = self._began + (at - self._dawn).total_seconds() / self._speed
        await self._clock.sleep(max(due - self._clock.monotonic(), 0.0))

    async def _look(self, _: datetime) -> None:
        await look_at_pages(self._house, self._clock.at)

    async def _narrate(self) -> None:
        """Say in the terminal what the threads have heard since."""
        for service, case in self._house.engine.cases.items():
            incident = case.incident
            if incident is None or incident.seq <= self._heard.get(incident.id, 0):
                continue
            for entry in await self._house.store.entries(incident.id, self._heard.get(incident.id, 0)):
                self._console.print(self._line(service, entry))
            self._heard[incident.id] = incident.seq

    def _line(self, service: str, entry: Entry) -> Text:
        known = self._house.services[service]
        over = entry.kind.value in ("eased", "closed")
        colour = _COLOURS["calm" if over else tone(entry.level, known.policy)]
        line = Text.assemble((f"{entry.at:%H:%M} ", "dim"), (f"{known.name} ", "bold"), (entry.kind.value, colour))
        return line.append(f"  {plain(entry.text).strip()}")
