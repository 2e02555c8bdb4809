"""What it is worth to know the holidays: the same world is judged twice, by those who know them and by those who do not."""

from __future__ import annotations

from datetime import timedelta

from bench.detection import ours
from bench.detection.measure import Kind, by_day
from bench.detection.world import world
from bot.core.holidays import Calendar, Days, Holiday

SEED = 104
"""Of a world that nothing else is measured in; what was tried was tried on others."""

_DAYS = (9, 17, 22, 25)  # a Wednesday to learn from, then a Thursday, a Tuesday and a Friday that are judged
_RULES = {"one a month": ours.ladders((1.0,))["1"], "shipped levels": ours.SHIPPED}
_KINDS = ("holiday", "day after", "other day")


def lived(*, quick: bool) -> dict[str, dict[str, Kind]]:
    """The figures by rule and by kind of day."""
    lives = world(SEED, services=24 if quick else 120, learn=14, judged=14, holidays=_DAYS)
    rules = {
        f"{rule}, {key}": ladder for rule, ladder in _RULES.items() for key in ("`holidays` unset", "`holidays` set")
    }
    kept = Calendar((Days("", _year),))
    found = ours.lived(lives, rules, {name: kept for name in rules if name.endswith(" set")})
    return {name: by_day(one.incidents, lives, _kind) for name, one in found.items()}


def table(figures: dict[str, dict[str, Kind]]) -> str:
    """The figures in Markdown: false incidents, then outages found, on each kind of day."""
    heads = [f"{figure}, {kind}" for figure in ("false", "recall", "mean delay") for kind in _KINDS]
    rows = [f"| rule | {' | '.join(heads)} |", "|" + "---|" * (len(heads) + 1)]
    for rule, kinds in figures.items():
        cells = [f"{getattr(kinds[kind], name):.2f}" for name in Kind._fields for kind in _KINDS]
        rows.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _kind(day: int) -> str:
    return _KINDS[0] if day in _DAYS else _KINDS[1] if day - 1 in _DAYS else _KINDS[2]


def _year(year: int) -> list[Holiday]:
    starts = [ours.START + timedelta(days=day) for day in _DAYS]
    return [Holiday(start, start + timedelta(days=1), start.date()) for start in starts if start.year == year]
