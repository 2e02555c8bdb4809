"""Large bodies are read in pieces, and mean the same as when they are read whole."""

from __future__ import annotations

import json

import pytest

from bot.core.reading import Read, Reader
from bot.core.reports import RawReport

READER = Reader(RawReport)
GOOD = [json.dumps({"service": "x", "id": f"r{n}", "text": "a line " * (n % 5)}).encode() for n in range(12_000)]


def in_parts(body: bytes, shape: str) -> tuple[Read[RawReport], int]:
    """All that the parts hold, and how many they are."""
    whole: Read[RawReport] = Read([], [], [])
    parts = list(READER.parts(body, shape))
    for places, records, rejected in parts:
        whole = Read([*whole.places, *places], [*whole.records, *records], [*whole.rejected, *rejected])
    return whole, len(parts)


def alike(one: Read[RawReport], other: Read[RawReport]) -> bool:
    """True for the same records at the same places, with the same complaints."""
    return (list(one.places), list(one.records), one.rejected) == (
        list(other.places),
        list(other.records),
        other.rejected,
    )


@pytest.mark.parametrize("wrong", [{}, {7_000: b"no json"}, {0: b'{"service": 3}', 11_999: b"[]"}])
@pytest.mark.parametrize("shape", ["lines", "many"])
def test_what_is_read_in_parts_is_what_is_read_whole(shape: str, wrong: dict[int, bytes]) -> None:
    if shape == "many":
        wrong = dict.fromkeys(wrong, b"[]")  # an array must be JSON throughout
    rows = [wrong.get(place, row) for place, row in enumerate(GOOD)]
    body = b"\n".join(rows) + b"\n\n" if shape == "lines" else b"[" + b",".join(rows) + b"]"
    found, parts = in_parts(body, shape)
    assert parts > 1
    assert len(found.rejected) == len(wrong)
    assert alike(found, READER.body(body, shape))


@pytest.mark.parametrize("body", [b'{"service": "x"}', b"[]"])
def test_a_small_body_is_one_part(body: bytes) -> None:
    found, parts = in_parts(body, "one" if body[:1] == b"{" else "many")
    assert parts == 1
    assert alike(found, READER.body(body, "one" if body[:1] == b"{" else "many"))


def test_pages_without_one_record_are_refused_as_a_whole() -> None:
    with pytest.raises(ValueError, match="no line of the body is a JSON object"):
        in_parts(b"nothing\n" * 60_000, "lines")


def test_one_good_line_at_the_end_is_taken_and_the_others_are_named() -> None:
    found, _ = in_parts(b"nothing\n" * 60_000 + GOOD[0], "lines")
    assert list(found.places) == [60_000]
    assert [place for place, _ in found.rejected] == list(range(60_000))
