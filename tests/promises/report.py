"""Writes docs/promises.md from the counts of the last runs: `report.py COUNTS... PAGE`.

`make promises` runs what is quick and writes the page; `make soak` runs what takes long, and keeps its counts in
tests/promises/soaked.jsonl, which the page takes its deep rows from.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
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
    "R18": "Growth is bounded",
    "R19": "One writer; an old SQLite is named",
    "R20": "Clock jumps open and close nothing",
    "R21": "Planned times hold in every zone",
    "R22": "A sleeping machine opens nothing by its own gap",
    "R23": "Our own blindness is not their outage",
    "R24": "Flapping calls once per level",
    "R25": "It is told as soon as it can be known",
    "R26": "A replay decides as the living house did",
    "R27": "Garbage from a source hurts nothing else",
    "R28": "A silent Discord gateway is noticed and opened again",
    "R29": "A silent Slack socket is noticed and opened again",
    "R30": "A command is answered within three seconds",
    "R31": "A standing loop is seen, said and ended",
    "R32": "No task vanishes",
    "R33": "Broken invariants stop the dead-man's ping",
    "R34": "Stopping takes less than ten seconds",
    "R35": "It starts with everything down",
    "R36": "A delivery that is not signed is not believed",
    "R37": "A delivery that comes again counts once",
    "R38": "A flood at the doors drowns nobody",
    "R39": "A forwarded address is believed only from a proxy",
    "R40": "One person is one voice",
    "R41": "Fresh accounts cannot open an incident among themselves",
    "R42": "A flood of reports is counted to the last",
    "R43": "What was reported can be taken back",
    "R44": "What a stranger writes stays words",
    "R45": "Who reported is in no file, and can be let go of",
    "R46": "A stranger's address leads nowhere inside",
    "R47": "Secrets are shown nowhere",
    "R48": "Every page is open to whom it should be, and nobody else",
    "R49": "A command is for those who may give it",
    "R50": "No template of a user is run",
    "R51": "A configuration that is a bomb is refused in a line",
    "R52": "A reload is whole or not at all",
    "R53": "The container needs no rights",
    "R54": "What it is made of is locked and known",
    "R55": "Several nodes tell once",
    "R56": "A month leaves no trace in memory, files or tasks",
}
UNTRIED: dict[str, str] = {
    "R50": "There are no templates of users: every sentence is written in `bot/core/`.",
    "R55": "One node only. Two on one data folder are refused by a lock (R19).",
}
"""Promises that no test counts, and why."""

_MANY = 30
HEAD = """\
<!-- Written by tests/promises/report.py from the last run; change the tests, then run them again. -->

# What Tocsin promises, and how often it was tried

Each row is one test. *Violations* is how often the promise was broken in the tries of the last run. With none in *n*
tries the true rate is below 3/*n* with 95 % confidence (the rule of three), given that the tries are like life; the
bound is left out below thirty tries, where a test is a table of cases and no sample. What a test does not try, it does
not prove: the doubles of Slack and Discord are not the live services.

A crash point is any call that leaves the process: a test names them all, so that a new one cannot be forgotten, and a
life is ended before and after each (`tests/promises/test_promises_crashes.py`); calls that hang are tried under R9 and R11.

`make promises` runs the quick tests and writes this page. Rows marked *deep* take minutes to hours: `make soak` runs
them, and their counts are kept until it is run again. Ten bugs that are known to be bad are planted by `make
seeded-bugs`, which fails unless a test finds each of them.

"""


class Row(NamedTuple):
    """The counts of one promise in one test, its parameters together."""

    promise: str
    test: str
    what: str
    trials: int
    violations: int
    deep: bool


def rows(lines: Iterable[dict[str, Any]]) -> list[Row]:
    """Sums per promise, test and what was tried, in the order of the promises."""
    sums: defaultdict[tuple[str, str, str, bool], list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        found = sums[line["promise"], line["test"].partition("[")[0], line["what"], line["deep"]]
        found[0] += line["trials"]
        found[1] += line["violations"]
    made = [Row(p, t, what, n, bad, deep) for (p, t, what, deep), (n, bad) in sums.items()]
    return sorted(made, key=lambda row: (_number(row.promise), row.test, row.deep))


def page(lines: list[dict[str, Any]]) -> str:
    """The whole page: a row for every test, and a line for every promise that has none."""
    table = ["| Promise | Tried | Violations | 95 % bound | Test |", "| --- | --- | --- | --- | --- |"]
    table += [_row(row) for row in rows(lines)]
    return HEAD + _when(lines) + "\n".join(table) + "\n" + _untried({line["promise"] for line in lines})


def _row(row: Row) -> str:
    bound = f"≤ {300 / row.trials:.2g} %" if not row.violations and row.trials >= _MANY else "-"
    where = row.test.rpartition("::")[2].removeprefix("test_").replace("_", " ")
    tried = f"{row.trials:,} {row.what}{' (*deep*)' if row.deep else ''}"
    return f"| {row.promise} {NAMES[row.promise]} | {tried} | {row.violations} | {bound} | {where} |"


def _when(lines: list[dict[str, Any]]) -> str:
    """When the last runs were."""
    days = {deep: sorted({line["on"] for line in lines if line["deep"] is deep}) for deep in (False, True)}
    said = [
        f"{name} run: {' to '.join(dict.fromkeys((on[0], on[-1])))}."
        for name, on in (("Quick", days[False]), ("Deep", days[True]))
        if on
    ]
    return " ".join(said) + "\n\n"


def _untried(proved: set[str]) -> str:
    """The promises without a row, each with the reason."""
    lines = [
        f"| {promise} {name} | {UNTRIED.get(promise, 'Not tried in the last run.')} |"
        for promise, name in NAMES.items()
        if promise not in proved
    ]
    head = ["", "## Not counted", "", "| Promise | Why |", "| --- | --- |"]
    return "\n".join([*head, *lines]) + "\n" if lines else ""


def _number(promise: str) -> int:
    return int(promise[1:])


def main(sources: list[str], target: str) -> None:
    """Read the counts of several runs, and write the page."""
    files = [Path(source) for source in sources]
    texts = [file.read_text(encoding="utf-8") for file in files if file.exists()]
    Path(target).write_text(page([json.loads(line) for text in texts for line in text.splitlines()]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:-1], sys.argv[-1])
