"""Honest spikes and brigades of all sizes, against the shipped levels: which of them open an incident?

    python -m bench.trust          # prints the curve
    python -m bench.trust PAGE     # writes it into docs/trust.md

A hundred services at once, each with a usual of six reports in fifteen minutes from people who are known. Then, within two
minutes, a group speaks: honest people, of whom a share is fresh (most people who join a server do so long before it
breaks), or a brigade, all of it fresh. The house is whole: intake, detector, trust and the life of the incident.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bot.config.read import read
from bot.house import House

SIZES = (0, 5, 10, 15, 20, 30, 60, 100, 200, 500)
HONEST = (0.0, 0.15, 0.4, 0.6)
"""Shares of fresh accounts in an honest group."""
SERVICES = 100
USUAL = 6.0
"""Reports in fifteen minutes."""
_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
_BEFORE, _SPIKE, _AFTER = 15, 2, 6
"""Minutes of the usual, of the group, and of watching what comes of it."""


class Group(NamedTuple):
    """So many people, of whom a share is fresh; `fresh` is what a fresh voice weighs."""

    size: int
    share: float
    weight: float = 0.0


class Moving:
    """A clock that goes where it is told."""

    def __init__(self) -> None:
        self.at = _NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


async def opened(group: Group, folder: Path, *, services: int = SERVICES, seed: int = 1) -> list[str]:
    """The worst level of what was opened, for each service; empty where nothing was."""
    clock, chance = Moving(), random.Random(seed)
    file = folder / "config.yaml"
    names = [f"s{n}" for n in range(services)]
    file.write_text("services:\n" + "".join(f"  {name}: {{name: {name}}}\n" for name in names))
    house = House(read(file, {}), clock, None)
    await house.wake()
    house.engine.crowd.surge.teach(np.full(services, USUAL * 4))
    for minute in range(_BEFORE + _SPIKE + _AFTER):
        known = [(name, f"old-{minute}-{n}") for name in names for n in range(_poisson(chance, USUAL / 15))]
        fresh: list[tuple[str, str]] = []
        if _BEFORE <= minute < _BEFORE + _SPIKE:
            half = minute - _BEFORE
            for name in names:
                for n in range(half, group.size, _SPIKE):
                    (fresh if chance.random() < group.share else known).append((name, f"new-{n}"))
        await _say(house, known, 1.0)
        await _say(house, fresh, group.weight)
        await clock.sleep(60)
        await house.engine.beat(clock.now())
    cases = (house.engine.cases[name].incident for name in names)
    levels = [case.peak_level if case and case.alive else "" for case in cases]
    await house.aclose()
    return levels


async def _say(house: House, people: list[tuple[str, str]], weight: float) -> None:
    reports = [{"service": service, "reporter": who} for service, who in people]
    await house.intake.admit(reports, "disco", weight=weight)


def _poisson(chance: random.Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1.0)
    while left < mean:
        count, left = count + 1, left + chance.expovariate(1.0)
    return count


def curve() -> list[tuple[int, list[float]]]:
    """For each size: the share opened of honest groups by their share of fresh accounts, then of brigades."""
    with tempfile.TemporaryDirectory() as folder:

        def share(group: Group) -> float:
            levels = asyncio.run(opened(group, Path(folder)))
            return sum(map(bool, levels)) / len(levels)

        return [(size, [share(Group(size, fresh)) for fresh in (*HONEST, 1.0)]) for size in SIZES]


def page(rows: list[tuple[int, list[float]]]) -> str:
    """docs/trust.md."""
    heads = " | ".join(f"honest, {share:.0%} fresh" for share in HONEST)
    table = [f"| People in 2 min | {heads} | brigade, all fresh |", "| ---: |" + " ---: |" * (len(HONEST) + 1)]
    table += [f"| {size} | " + " | ".join(f"{share:.0%}" for share in shares) + " |" for size, shares in rows]
    return _HEAD + "\n".join(table) + "\n"


_HEAD = f"""\
<!-- Written by `python -m bench.trust PAGE`; change the words there. -->

# Whose reports may call people

Every report is counted and shown. Before a count may open an incident or raise its level, it is asked whose voices they
are: a level stands if the voices of people who are known reach it by themselves, or are at least half of what is more
than usual. Where they are not, the service is shown as *unconfirmed*, nobody is called, and one other witness is enough to open it: a probe, a
vendor's page, an alert, a second server where ten speak as well, or a person who declares it.

What is known of a person: on Discord the age of the account and the day it joined the server. An account is fresh when it
is younger than 7 days or a member for less than one; both are keys under `report_trust`. Slack tells neither, and whoever
is in a workspace was let in, so those voices weigh one. A visitor of the page is known by a cookie alone and weighs one
until you lower `report_trust.visitor`; reports through the API are as good as the token they come with. What somebody
wrote before is not known: the bot does not ask Discord for messages.

What that costs and what it buys, with the shipped levels and a usual of {USUAL:g} reports in 15 minutes: the share of
{SERVICES} groups that opened an incident, by size. An honest group counts as missed when it did not open; a brigade as a
false alarm when it did, unless chance opened it, which without any group is the first row. A brigade of accounts that are
older than a week is not seen by this rule at all.

"""


def main() -> None:
    """Print the curve, or write the page that is named."""
    text = page(curve())
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
