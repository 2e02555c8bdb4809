"""How near the start that is told comes to the truth, and whether the interval beside it holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.detection.measure import Alerts, finds
from bench.detection.world import SHAPES, Outage, World

Start = tuple[int, int, int]
"""Minutes: the start, and the two between which it lies."""

_SUDDEN = ("step", "blip", "regional", "platform")
_SURE = 5  # minutes either side within which nothing is said of the interval


class Begun(NamedTuple):
    """Figures of the starts of some outages that were found; errors and widths in minutes.

    `error` against the true start, `miss` against the stretch from it to the minute in which it shows. `holds` the
    share of the intervals with the true start in them, `meets` with some of that stretch; `silent` the share that is so
    narrow that it is not told.
    """

    error: float
    miss: float
    holds: float
    meets: float
    width: float
    silent: float


def begun(found: Alerts, starts: Sequence[Sequence[Start]], world: World) -> dict[str, Begun]:
    """The figures of sudden outages, and of each shape that begins slowly."""
    rows: dict[str, list[Begun]] = {kind: [] for kind in ("sudden", *SHAPES) if kind not in _SUDDEN}
    for outage in world.outages:
        told = zip(found[outage.service], starts[outage.service], strict=True)
        first = next((start for (opened, over), start in told if finds(opened, over, outage)), None)
        if first is not None:
            rows["sudden" if outage.shape in _SUDDEN else outage.shape].append(_one(first, outage))
    return {kind: _all(some) for kind, some in rows.items() if some}


def dated(worlds: Mapping[str, Sequence[Mapping[str, Sequence[float]]]]) -> str:
    """A table of the figures: of each world, by its name, those of its seeds together."""
    rows = [
        "| outages | median error, min | mean miss, min | interval holds it | or meets it | width, min | not told |",
        "|" + "---|" * 7,
    ]
    for name, tables in worlds.items():
        for kind in dict.fromkeys(kind for one in tables for kind in one):
            figures = Begun(*np.mean([one[kind] for one in tables if kind in one], axis=0))
            minutes = f"{figures.error:.1f} | {figures.miss:.1f} | {figures.holds:.2f} | {figures.meets:.2f}"
            rows.append(f"| {name}, {kind} | {minutes} | {figures.width:.0f} | {figures.silent:.2f} |")
    return "\n".join(rows)


def _one(start: Start, outage: Outage) -> Begun:
    at, early, late = start
    shows = max(outage.visible, outage.start)
    return Begun(
        error=abs(at - outage.start),
        miss=max(outage.start - at, at - shows, 0),
        holds=early <= outage.start <= late,
        meets=early <= shows and late >= outage.start,
        width=late - early,
        silent=max(at - early, late - at) <= _SURE,
    )


def _all(rows: Sequence[Begun]) -> Begun:
    table = np.array(rows, np.float64).T
    middle, share = (lambda column: float(np.median(column))), (lambda column: float(np.mean(column)))
    how = (middle, share, share, share, middle, share)
    return Begun(*(each(column) for each, column in zip(how, table, strict=True)))
