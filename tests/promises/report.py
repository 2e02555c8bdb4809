"""Writes docs/promises.md from the counts of the last run.

TOCSIN_PROMISES=.promises.jsonl pytest tests/promises && python tests/promises/report.py .promises.jsonl docs/promises.md
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

NAMES = {
    "R1": "Nothing that was committed is lost",
    "R2": "One thread per incident, each line once, killed anywhere",
    "R3": "Nothing is posted that is not stored first",
    "R4": "Updates converge on the truth, with few edits",
    "R5": "The close always arrives",
    "R6": "A restart is silent",
    "R7": "What happened while it was away is told as it was",
    "R8": "A backlog is told newest truth first",
    "R9": "Limits of platforms are kept, openings before edits",
    "R10": "Permanent errors are said out loud, kept, and retried",
    "R11": "One hung platform delays no other",
    "R12": "Power cuts lose nothing acknowledged",
    "R13": "A full disk is said, and writing goes on by itself",
    "R14": "A data folder that cannot be used ends the start in words",
    "R15": "Damage is set aside and a backup taken up",
    "R16": "A foreign lock loses nothing",
    "R17": "An update of the schema is whole or not at all",
    "R19": "One writer; an old SQLite is named",
    "R20": "Clock jumps open and close nothing",
    "R22": "A sleeping machine opens nothing by its own gap",
    "R24": "Flapping calls once per level",
    "R31": "A standing loop is seen, said and ended",
    "R32": "No task vanishes",
    "R33": "Broken invariants stop the dead-man's ping",
    "R34": "Stopping takes less than ten seconds",
    "R35": "It starts with everything down",
    "R45": "Who reported is in no file, and can be let go of",
    "R47": "Secrets are shown nowhere",
    "R52": "A reload is whole or not at all",
}
_MANY = 30
HEAD = """\
<!-- Written by tests/promises/report.py from the last run; change the tests, then run them again. -->

# What Tocsin promises, and how often it was tried

Each row is one test. *Violations* is how often the promise was broken in the tries of the last run. With none in *n*
tries the true rate is below 3/*n* with 95 % confidence (the rule of three), given that the tries are like life; the
bound is left out below thirty tries, where a test is a table of cases and no sample. What a test does not try, it does
not prove: the doubles of Slack and Discord are not the live services. Ten bugs that are known to be bad are planted by
`python tests/promises/seeded_bugs.py`, which fails unless a test finds each of them.

"""


class Row(NamedTuple):
    """The counts of one promise in one test, its parameters together."""

    promise: str
    test: str
    what: str
    trials: int
    violations: int


def rows(lines: list[dict[str, Any]]) -> list[Row]:
    """Sums per promise and test, in the order of the promises."""
    sums: defaultdict[tuple[str, str], list[Any]] = defaultdict(lambda: [0, 0, ""])
    for line in lines:
        found = sums[line["promise"], line["test"].partition("[")[0]]
        found[0] += line["trials"]
        found[1] += line["violations"]
        found[2] = line["what"]
    made = [Row(p, t, what, n, bad) for (p, t), (n, bad, what) in sums.items()]
    return sorted(made, key=lambda row: (int(row.promise[1:]), row.test))


def page(lines: list[dict[str, Any]]) -> str:
    """The whole page."""
    table = ["| Promise | Tried | Violations | 95 % bound | Test |", "| --- | --- | --- | --- | --- |"]
    for row in rows(lines):
        bound = f"≤ {300 / row.trials:.2g} %" if not row.violations and row.trials >= _MANY else "-"
        where = row.test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        name = NAMES.get(row.promise, "")
        table.append(f"| {row.promise} {name} | {row.trials:,} {row.what} | {row.violations} | {bound} | {where} |")
    return HEAD + "\n".join(table) + "\n"


if __name__ == "__main__":
    _, source, target = sys.argv
    told = [json.loads(line) for line in Path(source).read_text(encoding="utf-8").splitlines()]
    Path(target).write_text(page(told), encoding="utf-8")
