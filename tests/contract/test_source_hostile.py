"""Whatever comes from a status page, of any kind: no exception escapes, nothing broken is green, nothing grows without bounds."""

import codecs
import copy
import json
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from doubles.watches import CAPTURES, NOW, PAGES, bad, watch
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Health, Notice, Signal
from bot.sources.markup import tree
from bot.sources.times import moment

KINDS = sorted(PAGES)

NO_PAGE = {
    "a page for people": b"<!doctype html><html><title>All systems operational</title><p>Just a moment...",
    "well-formed HTML": b"<html><head><title>Azure Status: all systems operational</title></head><body/></html>",
    "forbidden": b'{"message": "Forbidden"}',
    "an error in XML": b"<?xml version='1.0'?><error><code>503</code></error>",
    "nothing": b"",
    "null": b"null",
    "an empty object": b"{}",
    "a word": b'"ok"',
    "a number": b"200",
    "a list of numbers": b"[1, 2, 3]",
    "a list of lists": b"[[], []]",
    "an object of another trade": b'{"items": [], "total": 0, "status": 200, "data": {}, "error": null}',
    "bottomless JSON": b"[" * 100_000,
    "bottomless objects": b'{"data":' * 100_000,
    "bottomless XML": b"<rss>" * 100_000,
    "half a character": b'{"page": {}, "status": {"indicator": "none\xc3"}}',
    "not a number": b'{"page": {}, "status": {"indicator": "none"}, "x": NaN}',
    "half of UTF-16": codecs.BOM_UTF16_BE + b"\x00[\x00",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", NO_PAGE.values(), ids=NO_PAGE.keys())
def test_what_is_no_page_is_no_reading(kind: str, body: bytes) -> None:
    signal = watch(kind).read([body] * 3, NOW)
    assert (signal.health, signal.notices) == (None, ())
    assert signal.error in ("unparseable", "wrong_shape")
    assert signal.note
    assert len(signal.note) <= 500


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_in_trouble_is_read_as_such(kind: str) -> None:
    health = watch(kind).read(bad(kind), NOW).health
    assert health is not None
    assert health > Health.MAINTENANCE


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_cut_anywhere_is_no_reading(kind: str) -> None:
    first, *others = bad(kind)
    whole = first.rstrip()
    for at in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        signal = watch(kind).read([whole[:at], *others], NOW)
        assert signal.health is None, (at, signal)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_another_kind_is_never_taken_for_a_healthy_one(kind: str) -> None:
    """Kinds that imitate each other may read one another, but then they agree that there is trouble."""
    for other in KINDS:
        health = watch(kind).read([*bad(other), b"", b""], NOW).health
        assert health is None or health > Health.MAINTENANCE or other == kind, other


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_page_stays_small_and_quick(kind: str) -> None:
    bodies = [_blown_up(body) for body in bad(kind)]
    tracemalloc.start()
    signal = watch(kind).read(bodies, NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60_000_000
    assert len(signal.notices) <= 20
    assert len(msgspec.json.encode(signal)) < 60_000


def _blown_up(body: bytes) -> bytes:
    """Every list of a document repeated until the whole has a few megabytes; feeds repeat their items."""
    if b"<item>" in body or b"<entry>" in body:
        tag = b"item" if b"<item>" in body else b"entry"
        start, end = body.index(b"<" + tag), body.rindex(b"</" + tag + b">") + len(tag) + 3
        return body[:start] + body[start:end] * (2_000_000 // (end - start)) + body[end:]
    try:
        document = json.loads(body.decode("utf-16" if body.startswith(codecs.BOM_UTF16_BE) else "utf-8"))
    except ValueError:
        return body
    times = max(1, 2_000_000 // max(len(body), 1) // 4)
    return json.dumps(_repeated(document, times)).encode()


def _repeated(value: object, times: int) -> object:
    if isinstance(value, dict):
        return {key: _repeated(each, times) for key, each in value.items()}
    return value * times if isinstance(value, list) else value


def _leaves(value: object, trail: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], object]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inside is None:
        yield trail, value
    else:
        for key, inner in inside:
            yield from _leaves(inner, (*trail, key))


def _put(document: Any, trail: tuple[Any, ...], value: object) -> Any:
    changed = inner = copy.deepcopy(document)
    for key in trail[:-1]:
        inner = inner[key]
    inner[trail[-1]] = value
    return changed


def _unknown(kind: str) -> Iterator[tuple[tuple[Any, ...], list[bytes]]]:
    """The documents of a page in trouble, with one word or number after the other made one that nobody knows."""
    bodies = bad(kind)
    for which, body in enumerate(bodies):
        if body:
            document = json.loads(body.decode("utf-16" if body.startswith(codecs.BOM_UTF16_BE) else "utf-8"))
            for trail, value in _leaves(document):
                if isinstance(value, str | int) and not isinstance(value, bool):
                    word = json.dumps(_put(document, trail, "quantum_flux" if isinstance(value, str) else 77)).encode()
                    yield trail, [*bodies[:which], word, *bodies[which + 1 :]]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("azure", "feed", "apple")])
def test_a_word_nobody_knows_makes_nothing_well(kind: str, prove: Any) -> None:
    tried, wrong = 0, []
    for trail, bodies in _unknown(kind):
        health = watch(kind).read(bodies, NOW).health
        tried += 1
        wrong += [(kind, trail)] if health is not None and health <= Health.MAINTENANCE else []
    prove("R27", tried, wrong, "pages in trouble with a word that nobody knows, none of them taken for well")


# Disorder

VALUES = (None, True, -1, 0, 3, 10**30, 1e308, "", "resolved", "MAJOR", "\x00", "\ud800", "<p", "2026-03-01T11:00:00Z")
VALUES += ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z", [], {}, [None], {"x": []}, "https://[", "x" * 10_000)


def mangled(value: object, chance: Random, rate: float) -> object:
    """A document whose values are now and then replaced by something else."""
    if chance.random() < rate:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        return {key: mangled(each, chance, rate) for key, each in value.items() if chance.random() > rate / 2}
    return [mangled(each, chance, rate) for each in value] if isinstance(value, list) else value


def sound(signal: Signal) -> None:
    assert (signal.health is None) == bool(signal.error)
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal
    assert len(signal.notices) <= 20
    for notice in signal.notices:
        assert isinstance(notice, Notice)
        assert notice.updated_at <= NOW
        assert notice.maintenance or notice.started_at <= notice.updated_at
        assert len(notice.key) <= 100
        assert len(notice.title) <= 200
        assert len(notice.words) <= 1000
        assert notice.url == "" or notice.url.startswith("http")


often = settings(max_examples=100, deadline=None)
very_often = settings(max_examples=5_000, deadline=None)
binaries = st.lists(st.binary(max_size=300), min_size=3, max_size=3)
choices = st.sampled_from([{}, {"components": ["none", "e*"]}])
JSON = [kind for kind in KINDS if kind not in ("azure", "feed", "apple")]


def read_bytes(kind: str, bodies: list[bytes]) -> None:
    signal = watch(kind).read(bodies, NOW)
    sound(signal)
    assert signal.health is None


def read_disorder(kind: str, seed: int, fields: dict[str, list[str]]) -> None:
    chance = Random(seed)
    bodies = []
    for body in bad(kind):
        text = body.decode("utf-16" if body.startswith(codecs.BOM_UTF16_BE) else "utf-8")
        document = mangled(json.loads(text), chance, chance.choice((0.02, 0.1, 0.4))) if text else None
        bodies.append(json.dumps(document).encode())
    sound(watch(kind, **fields).read(bodies, NOW))


@pytest.mark.parametrize("kind", KINDS)
@often
@given(bodies=binaries)
def test_no_bytes_break_a_reader(kind: str, bodies: list[bytes]) -> None:
    read_bytes(kind, bodies)


@pytest.mark.parametrize("kind", JSON)
@often
@given(seed=st.integers(0, 2**32), fields=choices)
def test_no_document_in_disorder_breaks_a_reader(kind: str, seed: int, fields: dict[str, list[str]]) -> None:
    read_disorder(kind, seed, fields)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_no_bytes_break_a_reader_for_long(kind: str, prove: Any) -> None:
    very_often(given(bodies=binaries)(lambda bodies: read_bytes(kind, bodies)))()
    prove("R27", 5_000, [], "bodies of any bytes for each reader of a page")


@pytest.mark.soak
@pytest.mark.parametrize("kind", JSON)
def test_no_document_in_disorder_breaks_a_reader_for_long(kind: str, prove: Any) -> None:
    tries = given(seed=st.integers(0, 2**32), fields=choices)
    very_often(tries(lambda seed, fields: read_disorder(kind, seed, fields)))()
    prove("R27", 5_000, [], "documents in disorder for each reader of a page")


PIECES = ("<rss>", "<channel>", "<item>", "<title>", "</title>", "</item>", "</channel>", "</rss>", "<feed>", "<entry>")
PIECES += ("<small>Mar <var>1</var>, <var>9:00</var> UTC</small><br><strong>Resolved</strong>", "&amp;", "&lt;", "]]>")
PIECES += ("<category>resolved</category>", "<pubDate>Sun, 01 Mar 2026 10:00:00 XYZ</pubDate>", "Azure", "\x01", "é")


@pytest.mark.parametrize("kind", ["azure", "feed"])
@often
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_feed_in_disorder_breaks_a_reader(kind: str, middle: str) -> None:
    body = f"<rss><channel><title>Azure Status</title>{middle}</channel></rss>".encode()
    sound(watch(kind, empty_is_healthy=True).read([body], NOW) if kind == "feed" else watch(kind).read([body], NOW))


@often
@given(st.integers(0, 500), st.binary(min_size=1, max_size=4))
def test_no_bite_out_of_a_call_breaks_apple(at: int, bite: bytes) -> None:
    [whole] = bad("apple")
    sound(watch("apple").read([whole[:at] + bite + whole[at + len(bite) :]], NOW))


# XML without its dangers

LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><title>Azure Status &b;</title></channel></rss>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<rss><channel><title>Azure Status &x;</title></channel></rss>"""
PARAMETER = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>
<rss><channel><title>Azure Status</title></channel></rss>"""
UNDECLARED = b'<?xml version="1.0"?><rss><channel><title>Azure&nbsp;Status</title></channel></rss>'


@pytest.mark.parametrize(
    "body", [LAUGHS, OUTSIDE, PARAMETER, UNDECLARED], ids=["laughs", "outside", "parameter", "undeclared"]
)
@pytest.mark.parametrize("kind", ["azure", "feed"])
def test_a_feed_with_entities_of_its_own_is_no_reading(kind: str, body: bytes) -> None:
    signal = watch(kind).read([body], NOW)
    assert (signal.health, signal.error) == (None, "unparseable")


def test_a_document_type_alone_is_harmless() -> None:
    body = b'<?xml version="1.0"?>\n<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd">\n<rss><channel><title>Azure Status</title></channel></rss>'
    assert watch("azure").read([body], NOW).health is Health.OPERATIONAL


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_a_feed_may_come_in_any_usual_encoding(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><rss><t>Störung</t></rss>'.encode(encoding)
    assert tree(body).said("t") == "Störung"


@pytest.mark.parametrize("encoding", ["utf-7", "no-such", "base64"])
def test_an_encoding_nobody_knows_is_refused(encoding: str) -> None:
    with pytest.raises(ValueError, match=r"XML|supported"):
        tree(f'<?xml version="1.0" encoding="{encoding}"?><rss/>'.encode())


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        tree(b"<rss>" + b"<a/>" * 100_001 + b"</rss>")


# Times

NOON = "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T06:00:00-06:00", NOON),
        ("2026-03-01T12:00:00+0000", NOON),
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456+00:00"),
        ("2026-03-01 12:00:00", NOON),
        ("2026-03-01 12:00:00.000", NOON),
        ("2026-03-01 12:00:00 UTC", NOON),
        ("Sun, 01 Mar 2026 12:00:00 GMT", NOON),
        ("Sun, 01 Mar 2026 12:00:00 Z", NOON),
        ("Sun, 1 Mar 2026 04:00:00 PST", NOON),
        ("Sun, 1 Mar 2026 05:00:00 PDT", NOON),
        ("Mon, 01 Mar 2026 14:00:00 +0200", NOON),  # the day of the week is wrong, the date counts
        ("Sun Mar 01 2026 13:00:00 GMT+0100 (Central European Standard Time)", NOON),
        ("1772366400", NOON),
        (1772366400, NOON),
        (1772366400.0, NOON),
        (1772366400000, NOON),
        (1772366400000000000, NOON),
    ],
)
def test_times_are_read_in_every_form(written: object, meant: str) -> None:
    found = moment(written)
    assert found is not None
    assert found.isoformat() == meant


@pytest.mark.parametrize(
    "written",
    [
        *("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-13-01", "12:30"),
        *("", "soon", "x" * 100, "9" * 19, "Sun, 99 Mar 2026 12:00:00 GMT"),
        *(None, True, [], 0, -1, 646430300, 10**30, 1e308),
    ],
)
def test_what_is_no_time_of_this_century_is_none(written: object) -> None:
    assert moment(written) is None


@settings(max_examples=2_000, deadline=None)
@given(st.one_of(st.text(max_size=90), st.floats(), st.integers()))
def test_no_time_breaks_the_reader(written: object) -> None:
    found = moment(written)
    assert found is None or 2000 <= found.year < 2100


def test_captures_are_small() -> None:
    assert max(path.stat().st_size for kind in KINDS for path in (CAPTURES / kind).iterdir()) < 20_000
