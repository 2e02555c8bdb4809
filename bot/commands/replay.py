"""`tocsin replay`: what would have been said about what happened."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from bot.app import House
from bot.commands.history import History, read
from bot.commands.ledger import Ledger
from bot.commands.past import Life, StoryClock
from bot.commands.progress import bars
from bot.commands.records import Unreadable
from bot.commands.story import dressed, is_scenario, look_at_pages, read_scenario, teach, told
from bot.config.read import read as read_settings
from bot.config.settings import Settings
from bot.core import chart
from bot.core.model import Incident
from bot.core.printing import incident_json
from bot.core.scenario import Flow, Scenario, usual
from bot.world.garbage import spared

FINE, FINDINGS = 0, 1
_ALL = 1_000_000  # incidents


@dataclass(frozen=True, kw_only=True)
class _Case:
    """All that a replay needs to know beforehand."""

    settings: Settings
    history: History
    scenario: Scenario | None = None
    past: dict[str, Flow] | None = None


def run(
    files: Sequence[Path],
    settings: Settings | None = None,
    *,
    as_json: bool = False,
    scores: Path | None = None,
    plot: Path | None = None,
    lenient: bool = False,
) -> int:
    """Replay files (or one scenario), print the incidents they make, and answer the exit code.

    Without settings every service in the files is judged by the built-in ladder; with them, records of a service that
    they do not know are findings. `scores` and `plot` name files to write; `lenient` goes on without the bad records.
    """
    with bars() as progress:
        try:
            case = _case(files, settings, progress, lenient=lenient)
        except Unreadable as wrong:
            _complain(wrong.problems)
            return FINDINGS
        with spared():
            lived = asyncio.run(_lived(case, progress, scores, plot))
    _complain([*case.history.problems, *lived.refused])
    sys.stdout.write(json.dumps({"incidents": lived.incidents}, indent=2) if as_json else _lines(lived.incidents))
    sys.stdout.write("\n")
    return FINDINGS if lived.refused and not lenient else FINE


def _complain(problems: Iterable[str]) -> None:
    sys.stderr.writelines(f"{problem}\n" for problem in problems)


# What to replay


def _case(files: Sequence[Path], settings: Settings | None, progress: Progress, *, lenient: bool) -> _Case:
    if any(is_scenario(path) for path in files):
        if len(files) > 1:
            raise Unreadable([f"{files[0]}: a scenario is replayed alone, without other files"])
        scenario = read_scenario(files[0])
        past = usual(scenario)
        known = dressed(settings or bare_settings(scenario.services), scenario)
        return _Case(settings=known, history=told(scenario, past), scenario=scenario, past=past)
    task = progress.add_task("Reading", total=len(files))
    shares: dict[Path, float] = {}

    def heard(path: Path, share: float) -> None:
        shares[path] = share
        progress.update(task, completed=sum(shares.values()))

    history = read(files, lenient=lenient, progress=heard)
    known = settings or bare_settings(history.services)
    return _Case(settings=replace(known, tick=_tick(history, known)), history=history)


def _tick(history: History, settings: Settings) -> timedelta:
    """Ready-made counts are judged at their own pace, each bucket as soon as it is known."""
    return settings.tick if history.spacing is None else timedelta(seconds=history.spacing)


def bare_settings(services: Iterable[str]) -> Settings:
    """A configuration that says nothing: these services, judged by the built-in ladder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        path.write_text("services: {any: {}}\n", encoding="utf-8")
        settings = read_settings(path, {})
    pattern = settings.services["any"]
    found = {
        name: replace(pattern, id=name, name=name, policy=msgspec.structs.replace(pattern.policy, name=name))
        for name in services
    }
    return replace(settings, services=found)


# The replay


@dataclass(frozen=True, kw_only=True)
class _Lived:
    incidents: list[dict[str, Any]]
    refused: list[str]


async def _lived(case: _Case, progress: Progress, scores: Path | None, plot: Path | None) -> _Lived:
    clock = StoryClock(_start(case))
    house = House(case.settings, clock, None)
    try:
        if case.scenario and case.past:
            task = progress.add_task("Learning the usual", total=1.0)
            teach(house, case.scenario, case.past, lambda share: progress.update(task, completed=share))
        for service in {row.service for row in case.history.counts}:
            house.tally.feed(service)
        await house.wake()
        with ExitStack() as stack:
            out = stack.enter_context(scores.open("w", encoding="utf-8", newline="")) if scores else None
            ledger = Ledger(house, out, pictured=plot is not None)
            refused = await _through(case, house, clock, ledger, progress)
            ledger.finish()
        incidents = list(reversed(await house.store.incidents(limit=_ALL)))
        if plot:
            await asyncio.to_thread(plot.write_text, chart.plot(ledger.pictures(incidents)), encoding="utf-8")
        return _Lived(incidents=await _printed(house, incidents), refused=refused)
    finally:
        await house.aclose()


async def _through(case: _Case, house: House, clock: StoryClock, ledger: Ledger, progress: Progress) -> list[str]:
    end = _end(case)
    task = progress.add_task("Replaying", total=(end - clock.at).total_seconds())
    start = clock.at

    async def closed(at: datetime) -> None:
        ledger.closed(at)
        if case.scenario:
            await look_at_pages(house, clock.at)
        if not at.minute:  # an hour at a time, for a bar is dear
            progress.update(task, completed=(at - start).total_seconds())

    life = Life(house, clock, closed=closed)
    await life.through(case.history.arrivals())
    await life.until(end)
    progress.update(task, completed=(end - start).total_seconds())
    return [f"{number} records left out: {why}" for why, number in sorted(life.refused.items())]


def _start(case: _Case) -> datetime:
    """When the first bucket begins."""
    first = [at for at in (_first(case.history.reports, "at"), _first(case.history.counts, "since")) if at is not None]
    width = case.settings.tick.total_seconds()
    return datetime.fromtimestamp(min(first, default=0.0) // width * width, UTC)


def _end(case: _Case) -> datetime:
    """When the last bucket ends: what comes later is not known to be silence."""
    reports = case.history.reports[-1].at if case.history.reports else None
    last = [at for at in (reports, *(row.until for row in case.history.counts[-1:])) if isinstance(at, float)]
    width = case.settings.tick.total_seconds()
    return datetime.fromtimestamp(-(-max(last, default=0.0) // width) * width, UTC)


def _first(rows: Sequence[Any], field: str) -> float | None:
    return getattr(rows[0], field) if rows else None


async def _printed(house: House, incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    return [incident_json(incident, await house.store.entries(incident.id)) for incident in incidents]


# For people


def _lines(incidents: Sequence[dict[str, Any]]) -> str:
    """Each incident with its thread; times in UTC."""
    if not incidents:
        return "No incidents."
    return "\n\n".join("\n".join([_title(incident), *map(_line, incident["entries"])]) for incident in incidents)


def _title(incident: dict[str, Any]) -> str:
    peak = incident["peak"]
    most = f", {peak['count']:,} reports at most" if peak else ""
    return f"{incident['service']}: {incident['level']}, {incident['confidence']}{most} ({incident['id']})"


def _line(entry: dict[str, Any]) -> str:
    return f"  {entry['at']}  {entry['kind']:<9} {entry['text']}"
