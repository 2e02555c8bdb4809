"""What happened, read from files: reports or counts, as CSV or as one JSON object a line, plain or gzipped.

The first line of a CSV names its columns: `at,service` and any of `count reporters region platform symptom reporter id
text source`. With `count` a row is a ready-made count for the time from `at` to the service's next row, else a report.
`at` is RFC 3339 (UTC where no zone is said) or Unix seconds. A missing row is a gap, not a zero.
"""

from __future__ import annotations

import gzip
import io
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from bot.commands.records import Records, Unreadable, read_records
from bot.core.reports import RawCount, RawReport

_ENOUGH = 200  # problems that are told in full
_AT, _SINCE, _UNTIL = attrgetter("at"), attrgetter("since"), attrgetter("until")
"""Times have been read already: here they are always Unix seconds."""

Progress = Callable[[Path, float], None]


class Arrival(NamedTuple):
    """What becomes known at one moment: reports as they are sent, counts when their window is over."""

    at: datetime
    reports: list[RawReport]
    counts: list[RawCount]


class History(msgspec.Struct, kw_only=True):
    """Reports and counts in order of time (Unix seconds in `at`, `since` and `until`), and the rows left out.

    `spacing` is the narrowest window of the counts in seconds, None when there are only reports.
    """

    reports: list[RawReport]
    counts: list[RawCount]
    problems: list[str] = []
    spacing: float | None = None

    @property
    def services(self) -> list[str]:
        """The services named, in order of the alphabet."""
        return sorted({row.service for row in self.reports} | {row.service for row in self.counts})

    def arrivals(self) -> Iterator[Arrival]:
        """Everything in the order in which it became known, at whole seconds."""
        reports: defaultdict[int, list[RawReport]] = defaultdict(list)
        for at, report in zip(map(_AT, self.reports), self.reports, strict=True):
            reports[math.floor(at) + 1].append(report)
        counts: defaultdict[int, list[RawCount]] = defaultdict(list)
        for until, count in zip(map(_UNTIL, self.counts), self.counts, strict=True):
            counts[math.ceil(until)].append(count)
        for second in sorted(reports.keys() | counts.keys()):
            yield Arrival(datetime.fromtimestamp(second, UTC), reports.get(second, []), counts.get(second, []))


def read(paths: Iterable[Path], *, lenient: bool = False, progress: Progress | None = None) -> History:
    """Everything in the files, in order of time; `progress` hears which share of a file has been read.

    Raises:
        Unreadable: a file cannot be read at all, or some rows are wrong and not `lenient`.
    """
    found = Records([], [], [])
    for path in paths:
        _file(path, found, progress or _silent)
    history = History(reports=found.reports, counts=found.counts, problems=found.problems)
    history.reports.sort(key=_AT)
    history.counts.sort(key=_SINCE)
    _close_windows(history)
    if history.problems and not lenient:
        raise Unreadable(_told(history.problems))
    return history


def _silent(path: Path, share: float) -> None:
    """Say nothing."""


def _told(problems: list[str]) -> list[str]:
    more = len(problems) - _ENOUGH
    return [*problems[:_ENOUGH], f"and {more} more like these"] if more > 0 else problems


def _file(path: Path, found: Records, progress: Progress) -> None:
    try:
        size = max(path.stat().st_size, 1)
        with path.open("rb") as raw:
            zipped = raw.peek(2)[:2] == b"\x1f\x8b"
            body: io.BufferedReader[Any] = (
                io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=raw))) if zipped else raw
            )
            read_records(str(path), body, found, lambda: progress(path, raw.tell() / size))
    except (OSError, EOFError) as exc:
        raise Unreadable([f"{path}: cannot be read: {exc}"]) from exc
    progress(path, 1.0)


def _close_windows(history: History) -> None:
    """Give each count its end: as far from its start as the nearest two rows of its service are apart."""
    apart = _spacings(history.counts)
    narrowest = min(apart.values(), default=60.0)
    history.spacing = narrowest if history.counts else None
    ends: dict[tuple[float, float], float] = {}  # one float for all rows of one moment
    first: dict[str, float] = {}
    uneven: dict[str, float] = {}
    for since, row in zip(map(_SINCE, history.counts), history.counts, strict=True):
        width = apart.get(row.service, narrowest)
        row.until = ends.setdefault((since, width), since + width)
        if (since - first.setdefault(row.service, since)) % width:
            uneven.setdefault(row.service, since)
    for service, since in uneven.items():
        at = datetime.fromtimestamp(since, UTC)
        history.problems.append(f"{service}: its counts are not evenly spaced, see {at:%Y-%m-%dT%H:%M:%SZ}")


def _spacings(counts: list[RawCount]) -> dict[str, float]:
    """Per service the least time between two rows, in seconds."""
    apart: dict[str, float] = {}
    before: dict[str, float] = {}
    for since, row in zip(map(_SINCE, counts), counts, strict=True):
        gap = since - before.get(row.service, since)
        if 0 < gap < apart.get(row.service, math.inf):
            apart[row.service] = gap
        before[row.service] = since
    return apart
