"""Reports and ready-made counts as they arrive, and as they are kept: the shapes of the door and of the log.

Reading is pure and forgiving: what is wrong with one record is said for that record, and the others are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Annotated, Generic, NamedTuple, TypeVar

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=200)]
When = datetime | float | int


class RawReport(msgspec.Struct, kw_only=True, gc=False):
    """One report as somebody sent it. `at` is RFC 3339 or Unix seconds; the other fields are in the sender's words."""

    service: Name
    at: When | None = None
    id: Name | None = None
    reporter: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    symptom: Name | None = None
    region: Name | None = None
    platform: Name | None = None
    text: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class RawCount(msgspec.Struct, kw_only=True, gc=False, rename={"since": "from", "until": "to"}):
    """A ready-made count for the window from `from` up to `to`; the rows of one window add up.

    `reporters` is the number of distinct people among `count`, where the sender knows it.
    """

    service: Name
    since: When
    until: When
    count: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    reporters: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    region: Name | None = None
    platform: Name | None = None
    symptom: Name | None = None
    source: Name | None = None


class Cell(NamedTuple):
    """Where, on what and what people see: vocabulary codes, empty where nobody said."""

    region: str = ""
    platform: str = ""
    symptom: str = ""


class Kind(NamedTuple):
    """What reports are counted by."""

    service: str
    cell: Cell


class Kept(msgspec.Struct, gc=False, frozen=True):
    """An admitted report: Unix seconds, vocabulary codes, and a keyed hash of service and reporter.

    `weight` is what the voice weighs when an alarm is to be believed, 0..1 (see `bot.core.trust`); it is counted as one.
    """

    at: float
    service: str
    reporter: bytes = b""
    id: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""
    text: str = ""
    door: str = ""
    weight: float = 1.0


class Sheet(msgspec.Struct, array_like=True, frozen=True):
    """Admitted reports side by side, one column per field, as the log keeps them: a tenth of the work of rows.

    `kinds` are the different ones among them, and `which` says by its place there of what kind each is. `at` holds one
    moment for each, or a single one for all; `texts` what some had to say, by their place. All weigh the same.
    """

    door: str
    kinds: list[Kind]
    which: list[int]
    at: list[float]
    reporters: list[bytes]
    ids: list[str]
    texts: dict[int, str] = {}
    weight: float = 1.0

    @classmethod
    def of(cls, reports: Iterable[Kept]) -> Sheet:
        """These reports, from one door and of one weight, as a sheet; a sheet is one already."""
        if isinstance(reports, Sheet):
            return reports
        rows = list(reports)
        kinds: dict[Kind, int] = {}
        which = [kinds.setdefault(_kind(row), len(kinds)) for row in rows]
        return cls(
            rows[0].door if rows else "",
            list(kinds),
            which,
            [row.at for row in rows],
            [row.reporter for row in rows],
            [row.id for row in rows],
            {place: row.text for place, row in enumerate(rows) if row.text},
            rows[0].weight if rows else 1.0,
        )

    def __len__(self) -> int:
        return len(self.which)

    def __iter__(self) -> Iterator[Kept]:
        """The reports one by one."""
        rows = zip(self.which, self.moments(), self.reporters, self.ids, strict=False)
        for place, (which, at, reporter, name) in enumerate(rows):
            service, cell = self.kinds[which]
            yield Kept(at, service, reporter, name, *cell, self.texts.get(place, ""), self.door, self.weight)

    def moments(self) -> Iterable[float]:
        """When each was, in Unix seconds; for a single moment without an end, so zip it with another column."""
        return self.at if len(self.at) != 1 else repeat(self.at[0])

    def since(self, moment: float) -> Sheet:
        """Without the reports from before a moment, in Unix seconds."""
        if not self.at or min(self.at) >= moment:
            return self
        return self.only(
            [place for place, (_, at) in enumerate(zip(self.which, self.moments(), strict=False)) if at >= moment]
        )

    def only(self, places: Sequence[int]) -> Sheet:
        """The reports at these places, in this order."""
        return Sheet(
            self.door,
            self.kinds,
            [self.which[place] for place in places],
            self.at if len(self.at) == 1 else [self.at[place] for place in places],
            [self.reporters[place] for place in places],
            [self.ids[place] for place in places],
            {new: self.texts[old] for new, old in enumerate(places) if old in self.texts},
            self.weight,
        )


class Window(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An admitted ready-made count as the log keeps it; `since` and `until` in Unix seconds."""

    service: str
    since: float
    until: float
    count: float
    reporters: float
    source: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""


class Frame(msgspec.Struct, array_like=True):
    """What one append makes durable; `at` is when it was written, in Unix seconds."""

    at: float
    sheets: list[Sheet]
    windows: list[Window] = []

    @property
    def reports(self) -> Iterator[Kept]:
        """The reports one by one."""
        return (report for sheet in self.sheets for report in sheet)


Raw = TypeVar("Raw", RawReport, RawCount)


class Read(NamedTuple, Generic[Raw]):
    """The records of a body that could be read, the place of each, and what was wrong with those at other places."""

    places: Sequence[int]
    records: Sequence[Raw]
    rejected: list[tuple[int, str]]


class Reader(Generic[Raw]):
    """Reads the bodies of one kind of record."""

    def __init__(self, kind: type[Raw]) -> None:
        self._kind: type[Raw] = kind
        self._one: msgspec.json.Decoder[Raw] = msgspec.json.Decoder(kind)
        self._all = list[kind]  # type: ignore[valid-type]
        self._many: msgspec.json.Decoder[list[Raw]] = msgspec.json.Decoder(self._all)
        self._parts = msgspec.json.Decoder(list[msgspec.Raw])

    def body(self, body: bytes, shape: str) -> Read[Raw]:
        """Read a body: `lines` is one JSON object a line, anything else is one object or an array of them.

        Raises:
            ValueError: nothing of it can be read; the words say why.
        """
        if not body.strip():
            raise ValueError("the body is empty; send a JSON object, an array of them, or one a line")
        if shape == "lines":
            return self._lines(body)
        if body.lstrip()[:1] == b"[":
            return self._array(body)
        return self._object(body)

    def each(self, bodies: Sequence[bytes]) -> tuple[Read[Raw], dict[int, ValueError]]:
        """Read bodies of one object each together; those that cannot be read at all come apart, by their place."""
        places: list[int] = []
        records: list[Raw] = []
        rejected: list[tuple[int, str]] = []
        unread: dict[int, ValueError] = {}
        for place, body in enumerate(bodies):
            try:
                read = self._object(body)
            except ValueError as exc:
                unread[place] = exc
                continue
            places += [place] * len(read.records)
            records += read.records
            rejected += [(place, words) for _, words in read.rejected]
        return Read(places, records, rejected), unread

    def values(self, values: Sequence[object]) -> Read[Raw]:
        """Read records that are Python values already: mappings, or objects with those attributes."""
        try:
            records: list[Raw] = msgspec.convert(values, self._all, from_attributes=True)
        except (ValueError, RecursionError):
            return self._each(values, lambda value: msgspec.convert(value, self._kind, from_attributes=True))
        return Read(range(len(records)), records, [])

    def _lines(self, body: bytes) -> Read[Raw]:
        try:
            records = self._one.decode_lines(body)
        except (ValueError, RecursionError):
            lines = [line for line in body.splitlines() if line.strip()]
            read = self._each(lines, self._one.decode)
            if read.records or any(_is_object(line) for line in lines):
                return read
            raise ValueError("no line of the body is a JSON object; send one object a line") from None
        return Read(range(len(records)), records, [])

    def _array(self, body: bytes) -> Read[Raw]:
        try:
            records = self._many.decode(body)
        except (ValueError, RecursionError):
            return self._each(_whole(self._parts.decode, body), self._one.decode)
        return Read(range(len(records)), records, [])

    def _object(self, body: bytes) -> Read[Raw]:
        try:
            return Read((0,), (self._one.decode(body),), [])
        except (ValueError, RecursionError):
            _whole(msgspec.json.decode, body)
        if not _is_object(body):
            raise ValueError("the body is JSON, but neither an object nor an array of objects")
        return self._each([body], self._one.decode)

    def _each(self, parts: Sequence[Part], read: Callable[[Part], Raw]) -> Read[Raw]:
        places: list[int] = []
        records: list[Raw] = []
        rejected: list[tuple[int, str]] = []
        for place, part in enumerate(parts):
            try:
                records.append(read(part))
                places.append(place)
            except (ValueError, RecursionError) as exc:
                rejected.append((place, _plain(exc)))
        return Read(places, records, rejected)


Part = TypeVar("Part")


def _kind(row: Kept) -> Kind:
    return Kind(row.service, Cell(row.region, row.platform, row.symptom))


def _whole(decode: Callable[[bytes], Part], body: bytes) -> Part:
    try:
        return decode(body)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"the body is not readable: {_plain(exc)}") from exc


def _is_object(line: bytes) -> bool:
    return line.lstrip()[:1] == b"{"


def _plain(exc: Exception) -> str:
    """What was wrong with the bytes, in a sentence for whoever sent them."""
    if isinstance(exc, RecursionError):
        return "nested too deeply"
    if isinstance(exc, UnicodeDecodeError):
        return "not valid UTF-8"
    words, _, field = str(exc).replace("`", "").partition(" - at $.")
    return f"{field}: {words}" if field else words
