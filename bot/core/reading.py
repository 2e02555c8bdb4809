"""Bodies as they come through the door become records: forgiving, so that what is wrong with one is said for that one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from bot.core.reports import RawCount, RawReport

_PIECE, _SLICE = 250_000, 5_000
"""Bytes of lines, and records of an array, that are read at once of a large body: some milliseconds' work."""
_NO_LINE = "no line of the body is a JSON object; send one object a line"

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

    def parts(self, body: bytes, shape: str) -> Iterator[Read[Raw]]:
        """Read a large body piece by piece, so that whoever asks can do something else in between.

        Places are those in the whole body. Raises as `body` does, though of lines only after the last piece.
        """
        if shape == "lines":
            yield from self._pieces(body)
        elif body.lstrip()[:1] == b"[":
            parts = _whole(self._parts.decode, body)
            for first in range(0, max(len(parts), 1), _SLICE):
                yield _later(first, self._each(parts[first : first + _SLICE], self._one.decode))
        else:
            yield self._object(body)

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
        read = self._some(body)
        if not _useful(body, read):
            raise ValueError(_NO_LINE)
        return read

    def _pieces(self, body: bytes) -> Iterator[Read[Raw]]:
        before, useful = 0, False
        for piece in _torn(body):
            places, records, rejected = read = self._some(piece)
            useful = useful or _useful(piece, read)
            yield Read(
                [before + place for place in places], records, [(before + place, why) for place, why in rejected]
            )
            before += len(records) + len(rejected)
        if not useful:
            raise ValueError(_NO_LINE)

    def _some(self, lines: bytes) -> Read[Raw]:
        try:
            records = self._one.decode_lines(lines)
        except (ValueError, RecursionError):
            return self._each([line for line in lines.splitlines() if line.strip()], self._one.decode)
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


def _later(before: int, read: Read[Raw]) -> Read[Raw]:
    """What was read after so many records, each at its place in the whole."""
    places, records, rejected = read
    return Read([before + place for place in places], records, [(before + place, why) for place, why in rejected])


def _torn(body: bytes) -> Iterator[bytes]:
    """A body of lines in pieces, torn between lines."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start + _PIECE) + 1 or len(body)
        yield body[start:end]
        start = end


def _useful(body: bytes, read: Read[Raw]) -> bool:
    """True where a line holds at least an object, as they all should."""
    return bool(read.records) or any(_is_object(line) for line in body.splitlines())


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
