"""Scenario files: read, taught to a house, and told as history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal

import msgspec
import yaml

from bot.app import House
from bot.commands.history import History
from bot.commands.records import Unreadable
from bot.config.settings import ServiceSettings, Settings
from bot.core.model import Evidence, Health, Signal
from bot.core.reports import Cell, RawReport
from bot.core.scenario import Flow, Scenario, counts, day, eve
from bot.fields import Model
from bot.ports import Http

_MINUTE = timedelta(minutes=1)
_DAY = 1440
_LESSON = 60  # minutes whose places and symptoms are learned at once


class StoryPage(Model):
    """A vendor's page in a scenario: it says the same all day."""

    evidence: ClassVar[Evidence] = Evidence.VENDOR

    kind: Literal["scenario"] = "scenario"
    says: Health
    """What it says."""
    every: timedelta = timedelta(minutes=5)
    """How often it is looked at."""

    async def ask(self, http: Http, now: datetime) -> Signal:  # noqa: ARG002  # it is no real page
        """What it always says."""
        return self.signal(now)

    def signal(self, now: datetime) -> Signal:
        """What it says at a moment of the story."""
        return Signal(at=now, health=self.says)


def is_scenario(path: Path) -> bool:
    """True for a scenario among the files of a replay."""
    return path.suffix in (".yaml", ".yml")


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file.

    Raises:
        Unreadable: with what is wrong in it.
    """
    try:
        return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Scenario)
    except (OSError, UnicodeDecodeError) as exc:
        raise Unreadable([f"{path}: cannot be read: {exc}"]) from exc
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise Unreadable([f"{path}:{line}: {exc.problem}"]) from exc
    except (yaml.YAMLError, msgspec.ValidationError) as exc:
        raise Unreadable([f"{path}: {exc}"]) from exc


def dressed(settings: Settings, scenario: Scenario) -> Settings:
    """The settings with the names and the vendors' pages of the scenario."""
    services = {id_: _dressed(service, scenario) for id_, service in settings.services.items()}
    return replace(settings, services=services, tick=_MINUTE)


def _dressed(service: ServiceSettings, scenario: Scenario) -> ServiceSettings:
    life = scenario.services.get(service.id)
    if life is None:
        return service
    name = life.name or service.name
    watches: Mapping[str, Model] = {"page": StoryPage(says=Health[life.page.upper()])} if life.page else {}
    policy = msgspec.structs.replace(service.policy, name=name)
    return replace(service, name=name, policy=policy, watches=watches)


def teach(house: House, scenario: Scenario, past: Mapping[str, Flow], progress: Callable[[float], None]) -> None:
    """Show a house that has not woken yet the weeks before, up to the eve of the day; `progress` hears 0 to 1."""
    minutes = (scenario.weeks * 7 - 1) * _DAY
    series = {service: counts(flow, minutes).tolist() for service, flow in past.items()}
    for minute in range(minutes):
        at = scenario.start + minute * _MINUTE
        house.engine.crowd.surge.close(at, {service: column[minute] for service, column in series.items()})
        if not minute % _DAY:
            progress(minute / minutes)
    for service, flow in past.items():
        for lesson in _lessons(flow, minutes):
            house.engine.crowd.mix.learn(service, lesson)
    progress(1.0)


def _lessons(flow: Flow, minutes: int) -> list[Counter[Cell]]:
    """The reports of each hour by region, platform and symptom."""
    lessons = [Counter[Cell]() for _ in range(minutes // _LESSON)]
    places = zip(flow.codes("region"), flow.codes("platform"), flow.codes("symptom"), strict=True)
    for second, place in zip(flow.second.tolist(), places, strict=True):
        if second < minutes * 60:
            lessons[second // 60 // _LESSON][Cell(*place)] += 1
    return lessons


def told(scenario: Scenario, past: Mapping[str, Flow]) -> History:
    """The eve and the day as history."""
    rows = [*eve(scenario, past), *day(scenario)]
    return History(reports=[RawReport(**{**row, "at": row["at"].timestamp()}) for row in rows], counts=[])


async def look_at_pages(house: House, at: datetime) -> None:
    """Look at the vendors' pages of the story, each when it is due."""
    for service, watches in house.watches.items():
        for name, page in watches.items():
            if isinstance(page, StoryPage) and not at.timestamp() % page.every.total_seconds():
                await house.engine.hear(service, name, page.signal(at))
