"""How long a month of minutes of forty services takes through `tocsin replay --scores`: `python -m bench.replay [--quick]`.

The counts are those of the simulated world of `bench.detection`, troubles and silences included; `--quick` takes three days
of them, which judges nothing, for the first day, without a usual, costs the most. The program runs as a process of its own, start and reading of
the file included; its processor time, which a busy neighbour does not lengthen, judges.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from math import isnan
from pathlib import Path

from bench.detection.world import world

SERVICES, DAYS, QUICK = 40, 28, 3
FLOOR, GOAL = 60.0, 20.0  # seconds
_START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())


def main() -> None:
    """Measure, and print one line."""
    days = QUICK if "--quick" in sys.argv else DAYS
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder, "counts.csv")
        rows = write(counts, days)
        clock, work = _timed(counts, Path(folder, "scores.csv"))
    word = "met" if work <= GOAL else "floor met" if work <= FLOOR else "MISSED"
    judged = f"   ({word}: floor {FLOOR:g} s, goal {GOAL:g} s)" if days == DAYS else ""
    took = f"{clock:.1f} s by the clock, {work:.1f} s of processor time"
    print(f"replay of {SERVICES} services, {days} days    {rows:>9,} rows        {took}{judged}")


def write(path: Path, days: int) -> int:
    """Write the counts as CSV, `at,service,count`, minute by minute; answers how many rows; a silence has none."""
    counts = world(7, services=SERVICES, learn=0, judged=days).counts
    rows = 0
    with path.open("w") as file:
        file.write("at,service,count\n")
        for minute, row in enumerate(counts.tolist()):
            at = f"{datetime.fromtimestamp(_START + 60 * minute, UTC):%Y-%m-%dT%H:%M:%SZ}"
            lines = [
                f"{at},service-{service:02},{count:.0f}\n" for service, count in enumerate(row) if not isnan(count)
            ]
            file.writelines(lines)
            rows += len(lines)
    return rows


def _timed(counts: Path, scores: Path) -> tuple[float, float]:
    """Seconds of the clock, and of processor time, of one replay."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "bot", "replay", str(counts), "--json", "--scores", str(scores)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
