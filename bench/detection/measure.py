"""What incidents are worth against what truly happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bench.detection.world import DAY, Floats, Outage, World

MISSED = 120.0
"""Minutes that a missed outage counts, and at most any late one."""
_QUIET = 15  # minutes below its threshold after which a rival's incident is over
_LATE, _ECHO, _EARLY = 15, 60, 5  # minutes around an outage: still found, still about it, already about it

Alerts = Sequence[Sequence[tuple[int, int]]]
"""Per service the incidents as minutes (opened, calm again)."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """Figures of one detector on one world; delays in minutes, `false` and `benign` per service and month.

    `recall_large` and `delay_huge` are of troubles that reach 5 and 15 standard deviations a minute, `recall_drawn` of those
    drawn at 5 and more, which not all of them reach. `exact` and `beside` are for rules that grade: how often they told
    the right severity, and at most one off.
    """

    recall: float
    recall_large: float
    recall_drawn: float
    false: float
    benign: float
    delay: float
    penalised: float
    within_10: float
    delay_huge: float
    before_spike: float
    each: float
    early: float
    closed: float
    shapes: dict[str, tuple[float, float]]
    exact: float = float("nan")
    beside: float = float("nan")
    starts: Mapping[str, Sequence[float]] = field(default_factory=dict)


def alerts(score: Floats, least: float) -> list[list[tuple[int, int]]]:
    """Incidents of a score, shape (minutes, n): open at `least`, over after a quarter of an hour below."""
    found = []
    for column in (score >= least).T:
        hot = np.flatnonzero(column)
        if not len(hot):
            found.append([])
            continue
        cut = np.flatnonzero(np.diff(hot) > _QUIET)
        firsts, lasts = np.append(hot[0], hot[cut + 1]), np.append(hot[cut], hot[-1])
        found.append(list(zip(firsts.tolist(), (lasts + _QUIET).tolist(), strict=True)))
    return found


def calibrated(score: Floats, world: World, budget: float = 1.0) -> tuple[float, Result]:
    """The lowest threshold with at most `budget` false incidents per service and month, and what it gives."""
    judged = score[world.learn :]
    low, high = -10.0, float(np.log(max(judged.max(), 1e-9)) + 0.01)
    for _ in range(14):
        middle = (low + high) / 2
        low, high = (low, middle) if false(alerts(score, np.exp(middle)), world) <= budget else (middle, high)
    return float(np.exp(high)), measured(alerts(score, np.exp(high)), world)


def chosen(
    run: Callable[[float], Alerts] | dict[float, Alerts], world: World, budget: float = 1.0
) -> tuple[float, Result]:
    """The same for incidents that were made at several thresholds."""
    table = run if isinstance(run, dict) else {}
    rates = {least: false(found, world) for least, found in sorted(table.items())}
    least = next((h for h, rate in rates.items() if rate <= budget), max(rates))
    return least, measured(table[least], world)


def false(found: Alerts, world: World) -> float:
    """False incidents per service and month: about no outage and no burst."""
    return sum(len(alone) for alone, _ in map(_about(world), range(len(found)), found)) / world.months


def _about(world: World) -> Callable[[int, Sequence[tuple[int, int]]], tuple[list[int], list[int]]]:
    spans: dict[int, list[tuple[int, int]]] = {}
    for outage in world.outages:
        spans.setdefault(outage.service, []).append((outage.start - _EARLY, outage.end + _ECHO))
    gossip: dict[int, list[tuple[int, int]]] = {}
    for burst in world.bursts:
        gossip.setdefault(burst.service, []).append((burst.start - _EARLY, burst.end + _ECHO))

    def split(service: int, found: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Openings about nothing, and about a burst."""
        alone, cheered = [], []
        for opened, over in found:
            if opened < world.learn or _touches(spans.get(service, ()), opened, over):
                continue
            (cheered if _touches(gossip.get(service, ()), opened, over) else alone).append(opened)
        return alone, cheered

    return split


def _touches(spans: Sequence[tuple[int, int]], opened: int, over: int) -> bool:
    return any(opened <= late and over >= early for early, late in spans)


def measured(found: Alerts, world: World) -> Result:
    """All figures of the incidents of one detector."""
    split = [_about(world)(service, rows) for service, rows in enumerate(found)]
    delays = np.array([_delay(found[outage.service], outage) for outage in world.outages])
    peaks, drawn = (np.array([getattr(outage, name) for outage in world.outages]) for name in ("peak", "size"))
    heard = np.isfinite(delays)
    ramps = [(d, o) for d, o in zip(delays, world.outages, strict=True) if o.shape == "ramp then spike"]
    ends = [_end(found[o.service], o) for o, d in zip(world.outages, delays, strict=True) if np.isfinite(d)]
    return Result(
        recall=float(heard.mean()),
        recall_large=_share(heard[peaks >= 5]),
        recall_drawn=_share(heard[drawn >= 5]),
        false=sum(len(alone) for alone, _ in split) / world.months,
        benign=sum(len(cheered) for _, cheered in split) / world.months,
        delay=_median(delays[heard]),
        penalised=float(np.minimum(np.where(heard, delays, MISSED), MISSED).mean()),
        within_10=float((delays <= 10).mean()),
        delay_huge=_median(delays[heard & (peaks >= 15)]),
        before_spike=float(np.mean([d < o.spike - o.start for d, o in ramps])) if ramps else np.nan,
        each=float(np.mean([n for n, _, _ in ends])) if ends else np.nan,
        early=float(np.mean([early for _, early, _ in ends])) if ends else np.nan,
        closed=_median(np.array([late for _, _, late in ends])),
        shapes=_by_shape(world.outages, delays),
    )


class Kind(NamedTuple):
    """What came of the days of one kind: false incidents per service and month, and of their outages as in `Result`."""

    false: float
    recall: float
    penalised: float


def by_day(found: Alerts, world: World, kind: Callable[[int], str]) -> dict[str, Kind]:
    """The figures of the judged days by kind, which is asked for by the number of a day from the first."""
    split = _about(world)
    days = Counter(kind(day) for day in range(world.learn // DAY, len(world.counts) // DAY))
    opened = Counter(kind(at // DAY) for service, rows in enumerate(found) for at in split(service, rows)[0])
    delays: dict[str, list[float]] = {name: [] for name in days}
    for outage in world.outages:
        delays[kind(outage.start // DAY)].append(_delay(found[outage.service], outage))
    return {
        name: Kind(
            false=opened[name] / (n * world.counts.shape[1] / 30),
            recall=float(np.isfinite(delays[name]).mean()),
            penalised=float(np.minimum(delays[name], MISSED).mean()),
        )
        for name, n in days.items()
    }


def severities(
    found: Alerts, worst: Sequence[Sequence[int]], world: World, lifts: Sequence[float]
) -> tuple[float, float]:
    """Share of the found outages whose worst level was the right one by the true lift, and at most one beside it."""
    missed = []
    for outage in world.outages:
        about = zip(found[outage.service], worst[outage.service], strict=True)
        ranks = [rank for (a, b), rank in about if finds(a, b, outage)]
        if ranks:
            missed.append(abs(max(ranks) - int(np.digitize(outage.lift, lifts))))
    return float(np.mean(np.array(missed) == 0)), float(np.mean(np.array(missed) <= 1))


def finds(opened: int, over: int, outage: Outage) -> bool:
    """True when an incident is about an outage."""
    return outage.start - _EARLY <= opened <= outage.end + _LATE and over >= outage.start


def _delay(found: Sequence[tuple[int, int]], outage: Outage) -> float:
    """Minutes from the start to the first opening about it; inf when there was none."""
    opened = [a for a, b in found if finds(a, b, outage)]
    return float(max(min(opened) - outage.start, 0)) if opened else np.inf


def _end(found: Sequence[tuple[int, int]], outage: Outage) -> tuple[int, bool, float]:
    """Incidents of one outage, whether one was over too early, and minutes from the end to the last calm."""
    about = _joined([(a, b) for a, b in found if outage.start - _EARLY <= a <= outage.end + _ECHO])
    return len(about), any(b < outage.end - _EARLY for _, b in about), float(max(b for _, b in about) - outage.end)


def _joined(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What flares up again within a quarter of an hour is the same incident, as it is in every thread."""
    joined: list[tuple[int, int]] = []
    for a, b in found:
        if joined and a - joined[-1][1] <= _QUIET:
            joined[-1] = (joined[-1][0], b)
        else:
            joined.append((a, b))
    return joined


def _by_shape(outages: Sequence[Outage], delays: Floats) -> dict[str, tuple[float, float]]:
    shapes: npt.NDArray[np.str_] = np.array([outage.shape for outage in outages])
    table = {}
    for shape in dict.fromkeys(shapes.tolist()):
        own = delays[shapes == shape]
        table[shape] = (float(np.isfinite(own).mean()), _median(own[np.isfinite(own)]))
    return table


def _share(true: npt.NDArray[np.bool_]) -> float:
    return float(true.mean()) if len(true) else float("nan")


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")
