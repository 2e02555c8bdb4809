"""`tocsin tune`: levels that would have kept a budget of false alarms on what happened, and what they would have caught.

Where people said of an incident whether it was real, their word counts. For the rest nobody has said which excesses of the
past were outages, so an alarm counts against the budget unless it is clear beyond doubt: five times the usual, on far more
evidence than was asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.commands.history import read
from bot.commands.judged import Judged, Verdicts
from bot.commands.progress import bars
from bot.commands.records import Unreadable
from bot.commands.trying import LEAST_COUNTS, WITHIN, Alarm, Past, tried
from bot.config.settings import LevelRule, Settings
from bot.core.printing import moment
from bot.detectors.levels import Rule

FINE, FINDINGS = 0, 1
_LADDER = [("minor", 1.0, 2.0), ("major", 5.0, 5.0), ("critical", 20.0, 15.0)]
_NAMED = 3  # alarms that are told one by one


@dataclass(kw_only=True)
class Proposal:
    """Levels for one service, and what they would have done; `overlooked` are real incidents that none would have told."""

    service: str
    reports: int
    levels: dict[str, dict[str, object]]
    caught: list[Alarm] = field(default_factory=list)
    doubtful: list[Alarm] = field(default_factory=list)
    missed: list[Alarm] = field(default_factory=list)
    judged: Sequence[Judged] = ()
    overlooked: list[Judged] = field(default_factory=list)


def run(
    files: Sequence[Path],
    settings: Settings | None = None,
    *,
    alarms: float = 1.0,
    as_json: bool = False,
    lenient: bool = False,
    verdicts: Verdicts | None = None,
) -> int:
    """Read history, print levels that keep `alarms` false alarms a month (30 days) and service, answer the exit code.

    With settings the names and steps of the services' own ladders are kept, and only the counts are set anew. `verdicts`
    is what people said of the incidents of that time.
    """
    with bars() as progress:
        try:
            history = read(files, lenient=lenient)
        except Unreadable as wrong:
            sys.stderr.writelines(f"{problem}\n" for problem in wrong.problems)
            return FINDINGS
        past = Past(history, settings.tick if settings else timedelta(minutes=1))
        found = tried(past, alarms, progress)
    said = verdicts or Verdicts()
    ladders = {name: _ladder(settings, name) for name in past.services}
    proposals = [
        _proposal(name, found[name], past, alarms=alarms, ladder=ladders[name], verdicts=said) for name in past.services
    ]
    sys.stdout.write(_json(proposals, past) if as_json else _text(proposals, past, alarms))
    return FINE


def _proposal(
    service: str,
    found: dict[int, list[Alarm]],
    past: Past,
    *,
    alarms: float,
    ladder: Sequence[LevelRule],
    verdicts: Verdicts,
) -> Proposal:
    """The lowest count whose doubtful alarms keep the budget."""
    asked = Rule(level="", within=WITHIN, alarms=alarms).nats()

    def sure(alarm: Alarm) -> bool:
        real = verdicts.real(service, alarm.at)
        return alarm.clear(asked) if real is None else real

    least = next(
        (r for r in LEAST_COUNTS if sum(not sure(a) for a in found[r]) <= alarms * past.months), LEAST_COUNTS[-1]
    )
    kept, eager, judged = found[least], found[LEAST_COUNTS[0]], verdicts.of(service)
    return Proposal(
        service=service,
        reports=least,
        levels=_levels(least, alarms, ladder),
        caught=[alarm for alarm in kept if sure(alarm)],
        doubtful=[alarm for alarm in kept if not sure(alarm)],
        missed=[alarm for alarm in eager if not any(abs(alarm.at - other.at) < WITHIN * 8 for other in kept)],
        judged=judged,
        overlooked=[one for one in judged if one.real and not any(one.covers(alarm.at) for alarm in kept)],
    )


def _ladder(settings: Settings | None, service: str) -> Sequence[LevelRule]:
    known = settings.services.get(service) if settings else None
    return known.levels if known else ()


def _levels(reports: int, alarms: float, ladder: Sequence[LevelRule]) -> dict[str, dict[str, object]]:
    first = (ladder[0].reports if ladder else None) or 1
    own = [(rule.name, max((rule.reports or first) / first, 1.0), rule.times or 2.0) for rule in ladder]
    steps = own or _LADDER
    levels: dict[str, dict[str, object]] = {}
    for name, step, times in steps:
        levels[name] = {"reports": round(reports * step), "within": "15m", "times": times}
    levels[steps[0][0]]["alarms"] = _budget(alarms)
    return levels


def _budget(alarms: float) -> str:
    """A budget as the configuration writes it."""
    for days, unit in ((30, "month"), (7, "week"), (1, "day")):
        number = alarms * days / 30
        if number >= 1 and abs(number - round(number)) < 1e-6:
            return f"{round(number)}/{unit}"
    return f"{max(round(alarms), 1)}/month"


# For people and for programs


def _text(proposals: Sequence[Proposal], past: Past, alarms: float) -> str:
    days = len(past.counts) * past.tick / timedelta(days=1)
    head = f"# {len(proposals)} services, {days:.1f} days; at most {_budget(alarms)} false alarms for each"
    young = ["# Less than five days of history: these are guesses, try again with more."] if days < 5 else []
    return "\n".join([head, *young, "services:", *(line for one in proposals for line in _lines(one))]) + "\n"


def _lines(one: Proposal) -> Iterator[str]:
    yield f"  {one.service}:"
    yield f"    # {len(one.caught)} clear excesses caught, {len(one.doubtful)} doubtful ones told"
    yield from (f"    #   {_told(alarm)}" for alarm in _largest(one.caught + one.doubtful))
    if one.judged:
        yield f"    # {_verdict(one)}"
    if one.missed:
        yield f"    # {len(one.missed)} smaller ones left untold, at most:"
        yield from (f"    #   {_told(alarm)}" for alarm in _largest(one.missed))
    yield "    levels:"
    for name, level in one.levels.items():
        words = ", ".join(
            f"{key}: {value:g}" if isinstance(value, float) else f"{key}: {value}" for key, value in level.items()
        )
        yield f"      {name}: {{{words}}}"


def _verdict(one: Proposal) -> str:
    real = sum(judged.real for judged in one.judged)
    told = sum(not j.real and any(j.covers(alarm.at) for alarm in one.doubtful) for j in one.judged)
    return (
        f"of {real} incidents that people called real {real - len(one.overlooked)} caught, "
        f"of {len(one.judged) - real} called false {told} still told"
    )


def _largest(alarms: Sequence[Alarm]) -> list[Alarm]:
    return sorted(alarms, key=lambda alarm: -alarm.nats)[:_NAMED]


def _told(alarm: Alarm) -> str:
    return f"{alarm.at:%Y-%m-%d %H:%M} UTC: {alarm.count:,.0f} within 15 min, {alarm.times:.1f} times the usual"


def _json(proposals: Sequence[Proposal], past: Past) -> str:
    rows = [
        {
            "service": one.service,
            "levels": one.levels,
            "caught": [_row(alarm) for alarm in one.caught],
            "doubtful": [_row(alarm) for alarm in one.doubtful],
            "missed": [_row(alarm) for alarm in one.missed],
            "overlooked": [moment(judged.since) for judged in one.overlooked],
        }
        for one in proposals
    ]
    return json.dumps({"months": round(past.months, 3), "services": rows}, indent=2) + "\n"


def _row(alarm: Alarm) -> dict[str, object]:
    return {
        "at": moment(alarm.at),
        "count": round(alarm.count),
        "times": round(alarm.times, 2),
        "nats": round(alarm.nats, 2),
    }
