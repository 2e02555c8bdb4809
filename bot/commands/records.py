"""One record a row: reports and counts out of CSV and out of JSON lines, with `file:line` for every row that is wrong."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple, Protocol

import msgspec

from bot.core.reports import RawCount, RawReport

_REPORT = ("reporter", "id", "text")
_COUNT = ("count", "reporters", "source")
_PLACE = ("region", "platform", "symptom")
_COLUMNS = ("at", "service", *_COUNT, *_PLACE, *_REPORT)
_LATEST = 32503680000.0  # the year 3000; more is milliseconds
_CHUNK = 20_000  # rows between two signs of progress
_MARK = b"\xef\xbb\xbf"


class Rows(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]:
        """The next row."""
        ...


class Unreadable(Exception):
    """Some rows, or whole files, cannot be used; `problems` are `file:line: words`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Records(NamedTuple):
    """What was found so far; times are Unix seconds, and a count's `until` is not known yet."""

    reports: list[RawReport]
    counts: list[RawCount]
    problems: list[str]


def read_records(name: str, body: io.BufferedReader[Any], found: Records, step: Callable[[], None]) -> None:
    """Add the records of one file; `step` is called now and then.

    Raises:
        Unreadable: the first line does not say what the columns are.
    """
    json = body.peek(64).removeprefix(_MARK).lstrip()[:1] == b"{"
    (_json if json else _csv)(name, body, found, step)


# CSV


def _csv(name: str, body: BinaryIO, found: Records, step: Callable[[], None]) -> None:
    with io.TextIOWrapper(body, encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.reader(text)
        header = _header(name, next(rows, []))
        build: Callable[[list[str]], Any] = _counter(header) if "count" in header else _reporter(header)
        keep: list[Any] = found.counts if "count" in header else found.reports
        for row in _sound(name, rows, found.problems):
            try:
                keep.append(build(row))
            except ValueError as exc:
                found.problems.append(f"{name}:{rows.line_num}: {exc}")
            if not len(keep) % _CHUNK:
                step()


def _header(name: str, row: list[str]) -> list[str]:
    header = [column.strip().lower() for column in row]
    if "at" not in header or "service" not in header:
        raise Unreadable([f"{name}:1: the first line must name the columns, with at and service among them"])
    if wrong := [column for column in header if column not in _COLUMNS]:
        known = ", ".join(_COLUMNS)
        raise Unreadable([f"{name}:1: unknown column {column!r}; known are {known}" for column in wrong])
    if len(set(header)) < len(header):
        raise Unreadable([f"{name}:1: a column is named twice"])
    return header


def _sound(name: str, rows: Rows, problems: list[str]) -> Iterator[list[str]]:
    """The rows that are CSV at all, empty ones left out."""
    while True:
        try:
            if row := next(rows):
                yield row
        except StopIteration:
            return
        except csv.Error as exc:
            problems.append(f"{name}:{rows.line_num}: {exc}")


def _counter(header: list[str]) -> Callable[[list[str]], RawCount]:
    at, service, count, width = header.index("at"), header.index("service"), header.index("count"), len(header)
    others = [(column, header.index(column)) for column in (*_PLACE, "source") if column in header]
    people = header.index("reporters") if "reporters" in header else None
    moments, names, counts = _Moments(), _Names(), _Counts()

    def build(row: list[str]) -> RawCount:
        if len(row) != width:
            raise _ragged(row, width)
        since = moments[row[at]]
        record = RawCount(service=names[row[service]], since=since, until=since, count=counts[row[count]])
        for column, place in others:
            if row[place]:
                setattr(record, column, row[place])
        if people is not None and row[people]:
            record.reporters = counts[row[people]]
        return record

    return build


def _reporter(header: list[str]) -> Callable[[list[str]], RawReport]:
    at, service, width = header.index("at"), header.index("service"), len(header)
    others = [(column, header.index(column)) for column in (*_PLACE, *_REPORT) if column in header]
    moments, names = _Moments(), _Names()

    def build(row: list[str]) -> RawReport:
        if len(row) != width:
            raise _ragged(row, width)
        record = RawReport(service=names[row[service]], at=moments[row[at]])
        for column, place in others:
            if row[place]:
                setattr(record, column, row[place])
        return record

    return build


def _ragged(row: list[str], width: int) -> ValueError:
    return ValueError(f"{len(row)} values where the header names {width}")


# JSON lines


class _Row(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    at: str | float
    service: str
    count: float | None = None
    reporters: float | None = None
    region: str | None = None
    platform: str | None = None
    symptom: str | None = None
    reporter: str | None = None
    id: str | None = None
    text: str | None = None
    source: str | None = None


def _json(name: str, body: BinaryIO, found: Records, step: Callable[[], None]) -> None:
    decode = msgspec.json.Decoder(_Row).decode
    moments, names, counts = _Moments(), _Names(), _Counts()
    for line, raw in enumerate(body, 1):
        try:
            if text := raw.removeprefix(_MARK).strip():
                row = decode(text)
                if row.count is None:
                    found.reports.append(_report(row, moments, names))
                else:
                    found.counts.append(_ready(row, moments, names, counts))
        except (ValueError, RecursionError) as exc:
            found.problems.append(f"{name}:{line}: {_plain(exc)}")
        if not line % _CHUNK:
            step()


def _report(row: _Row, moments: _Moments, names: _Names) -> RawReport:
    return RawReport(
        service=names[row.service],
        at=moments[row.at],
        reporter=row.reporter,
        id=row.id,
        text=row.text,
        region=row.region,
        platform=row.platform,
        symptom=row.symptom,
    )


def _ready(row: _Row, moments: _Moments, names: _Names, counts: _Counts) -> RawCount:
    since = moments[row.at]
    return RawCount(
        service=names[row.service],
        since=since,
        until=since,
        count=counts[row.count],
        reporters=None if row.reporters is None else counts[row.reporters],
        source=row.source,
        region=row.region,
        platform=row.platform,
        symptom=row.symptom,
    )


def _plain(exc: Exception) -> str:
    return str(exc).replace("`", "").replace(" - at $.", ", in ") or type(exc).__name__


# Values: the same ones come again and again, so each is read once and kept once


class _Moments(dict[str | float, float]):
    """Unix seconds of every way a time was written."""

    def __missing__(self, written: str | float) -> float:
        try:
            seconds = float(written)
        except ValueError:
            seconds = _date(str(written).strip())
        if not 0 <= seconds < _LATEST:
            raise ValueError(f"at {written!r} is no time; write RFC 3339 or Unix seconds (not milliseconds)")
        self[written] = seconds
        return seconds


def _date(written: str) -> float:
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"at {written!r} is no time; write it like 2022-11-04T07:05:00Z") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


class _Names(dict[str, str]):
    """Services as they are named, without the space around."""

    def __missing__(self, written: str) -> str:
        if not (name := written.strip()):
            raise ValueError("the service is missing")
        self[written] = name
        return name


class _Counts(dict[str | float | None, float]):
    """Counts as numbers."""

    def __missing__(self, written: str | float | None) -> float:
        try:
            count = float(written or "")
        except ValueError:
            count = 0.0 if written == 0 else math.nan
        if not 0 <= count < math.inf:
            raise ValueError(f"count {written!r} is not a number from 0 up")
        self[written] = count
        return count
