"""Reports and ready-made counts as they arrive, and as they are kept: the shapes of the door and of the log.

Reading is pure and forgiving: what is wrong with one record is said for that record, and the others are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
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


class Kept(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An admitted report as the log keeps it: Unix seconds, vocabulary codes, and a keyed hash of service and reporter."""

    at: float
    service: str
    reporter: bytes = b""
    id: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""
    text: str = ""
    door: str = ""


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
    reports: list[Kept]
    windows: list[Window] = []


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
        self._many: msgspec.json.Decoder[list[Raw]] = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
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

    def values(self, values: Sequence[object]) -> Read[Raw]:
        """Read records that are Python values already: mappings, or objects with those attributes."""
        return self._each(values, lambda value: msgspec.convert(value, self._kind, from_attributes=True))

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
