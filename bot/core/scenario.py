"""A made-up past and day: weeks of usual life and the surges of one day, turned into reports.

The same scenario gives the same reports, bit for bit, on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from bot.core.chance import Floats, Indices, Stream, drawn, joined, picked, stream, uniform

_DAY = 1440
_MIDDLES: Floats = np.arange(0.5, _DAY)  # of the day's minutes


class Mix(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who reports what: relative weights of regions, platforms and symptoms, and what people write per symptom."""

    regions: dict[str, float] = field(default_factory=dict)
    platforms: dict[str, float] = field(default_factory=dict)
    symptoms: dict[str, float] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)


class Burst(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A harmless handful more than usual, `rate` reports per minute, on one of the days before."""

    days_before: int
    at: str
    minutes: int
    rate: float

    def __post_init__(self) -> None:
        minute(self.at)


class Usual(Mix, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Usual life of a service.

    `rate` is reports per minute, averaged over the week; `hours` (24, UTC) and `days` (Monday first) are relative
    weights. Counts of a minute are negative binomial: variance = mean + mean² / `steady`. `page` is what the vendor's
    page says all day, if it has one.
    """

    rate: float
    name: str = ""
    steady: int = 8
    hours: list[float] = field(default_factory=lambda: [1.0] * 24)
    days: list[float] = field(default_factory=lambda: [1.0] * 7)
    bursts: list[Burst] = field(default_factory=list)
    page: str = ""

    def __post_init__(self) -> None:
        if len(self.hours) != 24 or len(self.days) != 7:
            raise ValueError("hours needs 24 weights and days needs 7")
        if self.rate < 0 or self.steady < 1 or sum(self.hours) <= 0 or sum(self.days) <= 0:
            raise ValueError("rate must not be negative, steady at least 1, and hours and days not all zero")


class Surge(Mix, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes on top, on the day: `rate` gives reports per minute at times of day, straight lines between."""

    service: str
    rate: dict[str, float]
    steady: int = 20

    def __post_init__(self) -> None:
        if len(self.rate) < 2 or any(value < 0 for value in self.rate.values()) or self.steady < 1:
            raise ValueError("rate needs two times or more and no negative numbers, steady at least 1")
        minutes = [minute(at) for at in self.rate]
        if minutes != sorted(set(minutes)):
            raise ValueError("the times of rate must rise")


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Services, the weeks before, and the day."""

    title: str
    seed: int
    day: date
    services: dict[str, Usual]
    surges: list[Surge] = field(default_factory=list)
    weeks: int = 4

    def __post_init__(self) -> None:
        unknown = {surge.service for surge in self.surges} - self.services.keys()
        if unknown:
            raise ValueError(f"a surge names {', '.join(sorted(unknown))}, which is not among the services")

    @property
    def midnight(self) -> datetime:
        """When the day begins, UTC."""
        return datetime.combine(self.day, time(), UTC)

    @property
    def start(self) -> datetime:
        """When the usual life begins, UTC."""
        return self.midnight - timedelta(weeks=self.weeks)


class Flow(Struct, frozen=True, kw_only=True):
    """Reports of one service as columns of equal length, in order of time.

    `second` counts from the start of the stretch; the others are indices into the codes of the mix they were drawn of.
    """

    service: str
    mix: Mix
    second: Indices
    region: Indices
    platform: Indices
    symptom: Indices
    text: Floats

    def codes(self, dimension: str) -> list[str]:
        """The code of each report in `region`, `platform` or `symptom`; empty where the mix names none."""
        names = list(getattr(self.mix, f"{dimension}s")) or [""]
        return [names[index] for index in getattr(self, dimension).tolist()]


def usual(scenario: Scenario) -> dict[str, Flow]:
    """The weeks before the day, per service; seconds count from `scenario.start`."""
    return {service: _past(scenario, service, life) for service, life in scenario.services.items()}


def counts(flow: Flow, minutes: int) -> Indices:
    """Reports per minute, over a stretch that many minutes long."""
    return np.bincount(flow.second // 60, minlength=minutes)


def eve(scenario: Scenario, past: Mapping[str, Flow]) -> list[dict[str, Any]]:
    """The last day of `usual`, as reports in order of time: what a house that wakes on the day has just counted."""
    rows: list[dict[str, Any]] = []
    for service, flow in past.items():
        rows += _rows(f"{service}-eve", scenario.start, [_since(flow, (scenario.weeks * 7 - 1) * _DAY * 60)])
    return _sorted(rows)


def day(scenario: Scenario) -> list[dict[str, Any]]:
    """The day's reports in order of time, as a door would take them (`at` is an aware datetime)."""
    rows: list[dict[str, Any]] = []
    for service, life in scenario.services.items():
        surges = [surge for surge in scenario.surges if surge.service == service]
        rates = _rates(life, scenario.midnight, 1)
        flows = [_flow(stream(scenario.seed, f"{service} day"), service, life, rates, life.steady)]
        for number, surge in enumerate(surges):
            chance = stream(scenario.seed, f"{service} {number}")
            flows.append(_flow(chance, service, surge, _shape(surge.rate), surge.steady))
        rows += _rows(f"{service}-day", scenario.midnight, flows)
    return _sorted(rows)


def minute(at: str) -> int:
    """Minutes since midnight of a time like `07:05`; `24:00` is the end of the day.

    Raises:
        ValueError: it is no time of day.
    """
    hours, colon, minutes = at.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal() and int(minutes) < 60):
        raise ValueError(f"{at!r} is not a time of day; write hours and minutes, like '07:05', in quotes")
    if (total := int(hours) * 60 + int(minutes)) > _DAY:
        raise ValueError(f"{at!r} is past the end of the day")
    return total


# Rates: the mean count of every minute


def _past(scenario: Scenario, service: str, life: Usual) -> Flow:
    rates = _rates(life, scenario.start, scenario.weeks * 7)
    for burst in life.bursts:
        first = (scenario.weeks * 7 - burst.days_before) * _DAY + minute(burst.at)
        if first >= 0:
            rates[first : first + burst.minutes] += burst.rate
    return _flow(stream(scenario.seed, f"{service} past"), service, life, rates, life.steady)


def _rates(life: Usual, start: datetime, days: int) -> Floats:
    """The usual mean of every minute from a midnight on, hours joined by straight lines at their middles."""
    scale = life.rate / (sum(life.hours) / 24) / (sum(life.days) / 7)
    middles = np.arange(-30, _DAY + 90, 60, dtype=np.float64)
    hours = np.array([life.hours[-1], *life.hours, life.hours[0]])
    weekdays = np.array([life.days[(start.weekday() + index) % 7] for index in range(days)])
    return (weekdays[:, None] * joined(middles, hours, _MIDDLES) * scale).ravel()


def _shape(points: Mapping[str, float]) -> Floats:
    """The surge's mean of every minute of the day; nothing before its first time and after its last."""
    times = np.array([minute(at) for at in points], dtype=np.float64)
    inside = (times[0] <= _MIDDLES) & (times[-1] > _MIDDLES)
    return np.where(inside, joined(times, np.array(list(points.values())), _MIDDLES), 0.0)


def _flow(chance: Stream, service: str, mix: Mix, rates: Floats, steady: int) -> Flow:
    minutes = np.repeat(np.arange(len(rates)), drawn(uniform(chance, len(rates)), rates, steady))
    size = len(minutes)
    second = minutes * 60 + (uniform(chance, size) * 60).astype(np.int64)
    second.sort()
    region, platform, symptom = (
        picked(uniform(chance, size), weights) for weights in (mix.regions, mix.platforms, mix.symptoms)
    )
    return Flow(
        service=service, mix=mix, second=second, region=region, platform=platform, symptom=symptom,
        text=uniform(chance, size),
    )  # fmt: skip


# Rows


def _since(flow: Flow, second: int) -> Flow:
    """What comes from a second on."""
    first = int(np.searchsorted(flow.second, second))
    return replace(
        flow,
        second=flow.second[first:],
        region=flow.region[first:],
        platform=flow.platform[first:],
        symptom=flow.symptom[first:],
        text=flow.text[first:],
    )


def _rows(prefix: str, start: datetime, flows: list[Flow]) -> list[dict[str, Any]]:
    """Every report with an id; one in sixteen comes from a person who has reported before."""
    rows: list[dict[str, Any]] = []
    for flow in flows:
        dimensions = (flow.codes("region"), flow.codes("platform"), flow.codes("symptom"))
        for second, region, platform, symptom, chance in zip(
            flow.second.tolist(), *dimensions, flow.text.tolist(), strict=True
        ):
            number = len(rows)
            person = number // 2 if number % 16 == 15 else number
            row = {"service": flow.service, "at": start + timedelta(seconds=second), "id": f"{prefix}-{number:05d}"}
            row |= {"reporter": f"{prefix}-{person:05d}", "region": region, "platform": platform, "symptom": symptom}
            row |= {"text": _words(flow.mix, symptom, chance)}
            rows.append({key: value for key, value in row.items() if value != ""})
    return rows


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["at"], row["id"]))


def _words(mix: Mix, symptom: str, chance: float) -> str:
    """What a person wrote; two in three write nothing."""
    texts = mix.texts.get(symptom, [])
    place = int(chance * 3 * len(texts))
    return texts[place] if place < len(texts) else ""
