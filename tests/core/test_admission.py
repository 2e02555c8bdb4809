from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import places
from bot.core.admission import Admission, Vocabulary
from bot.core.reading import Reader
from bot.core.reports import RawCount, RawReport

NOW = datetime(2022, 11, 4, 7, 0, tzinfo=UTC).timestamp()
SERVICES = {"twitter": "twitter", "x": "twitter"}
VOCABULARY = Vocabulary(
    service=lambda words: SERVICES.get(words.casefold()),
    nearest=lambda words: "twitter" if words.startswith("tw") else "",
    symptom=places.symptom,
    region=places.region,
    platform=places.platform,
)
ADMISSION = Admission(VOCABULARY, b"k" * 32)
READER = Reader(RawReport)
COUNTS = Reader(RawCount)


def said(record: dict[str, object]) -> str:
    """Why a report is not taken, or the empty string."""
    read = READER.body(json.dumps(record).encode(), "one")
    try:
        for raw in read.records:
            ADMISSION.report(raw, NOW, "api")
    except ValueError as exc:
        return str(exc)
    return read.rejected[0][1] if read.rejected else ""


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, "Object missing required field service"),
        ({"service": 5}, "service: Expected str, got int"),
        ({"service": "twiter"}, "unknown service 'twiter', did you mean 'twitter'?"),
        ({"service": "qqq"}, "unknown service 'qqq'"),
        ({"service": "s" * 201}, "service: Expected str of length <= 200"),
        ({"service": "x", "text": "t" * 1001}, "text: Expected str of length <= 1000"),
        ({"service": "x", "reporter": 7}, "reporter: Expected str | null, got int"),
        ({"service": "x", "at": "yesterday"}, "at: Invalid RFC3339 encoded datetime"),
        ({"service": "x", "at": "2022-11-04T07:00:00"}, "at: 2022-11-04T07:00:00 has no time zone; add Z or an offset"),
        ({"service": "x", "at": True}, "at: Expected int | float | datetime | null, got bool"),
        ({"service": "x", "at": NOW + 301}, "at: 2022-11-04T07:05:01Z is in the future; check the sender's clock"),
        ({"service": "x", "at": NOW - 86_401}, "at: 2022-11-03T06:59:59Z is too long ago; reports are taken for 24 h"),
        ({"service": "x", "at": NOW * 1000}, "are they milliseconds?"),
        ({"service": "x", "at": 10**400}, "at:"),
        ({"service": "x", "at": "9999-12-31T23:59:59Z"}, "at: 9999-12-31T23:59:59Z is in the future"),
        ({"service": "x", "at": "0001-01-01T00:00:00+14:00"}, "at:"),
        ({"service": "x", "region": "the moon"}, "unknown region 'the moon'; leave it out"),
        ({"service": "x", "platform": "abacus"}, "unknown platform 'abacus'; leave it out"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_words(record, words):
    assert words in said(record)


@pytest.mark.parametrize(
    "record",
    [
        {"service": "X", "at": NOW - 86_400},
        {"service": "x", "at": "2022-11-04T08:04:59+01:00"},
        {"service": "x", "at": None, "id": None, "reporter": None, "symptom": None, "text": None},
        {"service": "x", "more": {"of": ["anything"]}},
        {"service": "x", "reporter": "", "region": "", "text": ""},
    ],
)
def test_what_is_meant_well_is_taken(record):
    assert said(record) == ""


def test_words_become_codes_and_control_characters_go():
    raw = RawReport(
        service="X", region="Germany", platform="iPhone", symptom="gibberish", text="can't\x00 log\x1b[31m in\nagain"
    )
    kept = ADMISSION.report(raw, NOW, "web")
    assert (kept.service, kept.region, kept.platform, kept.symptom) == ("twitter", "DE", "ios", "other")
    assert (kept.at, kept.text, kept.door) == (NOW, "can't log[31m in\nagain", "web")


def test_a_reporter_is_the_same_voice_at_every_door_and_unknown_without_the_key():
    other = Admission(VOCABULARY, b"another key, kept elsewhere")
    api, web = (ADMISSION.report(RawReport(service="x", reporter="anna"), NOW, door) for door in ("api", "web"))
    assert api.reporter == web.reporter
    assert len(api.reporter) == 16
    assert b"anna" not in api.reporter
    assert other.reporter("twitter", "anna") != api.reporter
    assert (
        len({ADMISSION.reporter(*who) for who in (("twitter", "anna"), ("twitter", "anne"), ("github", "anna"))}) == 3
    )


def test_a_batch_is_admitted_as_its_records_would_be_one_by_one():
    lines = [
        {"service": "x", "reporter": "anna", "region": "JP", "id": "1"},
        {"service": "Twitter", "at": NOW - 60, "text": "it\x00 broke", "symptom": "login"},
        {"service": "nobody"},
        {"service": "x", "reporter": "\ud800", "platform": "web"},
        {"service": "x", "at": NOW * 1000},
        {"service": "x", "reporter": "", "symptom": "gibberish"},
    ]
    read = READER.values(lines)
    good = [raw for place, raw in enumerate(read.records) if place not in (2, 4)]
    assert list(ADMISSION.reports(read, NOW, "api")) == [ADMISSION.report(raw, NOW, "api") for raw in good]
    assert [place for place, _ in read.rejected] == [2, 4]
    assert list(ADMISSION.reports(read._replace(records=good), NOW, "api")) == [
        ADMISSION.report(raw, NOW, "api") for raw in good
    ]


def test_a_replay_may_lift_the_limit_of_age():
    kept = Admission(VOCABULARY, b"k", oldest=None).report(RawReport(service="x", at=1.0), NOW, "replay")
    assert kept.at == 1.0


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (NOW, NOW, "to: must be after from"),
        (NOW, NOW - 60, "to: must be after from"),
        (NOW - 86_400, NOW + 60, "by a day at most"),
        (NOW - 90_000, NOW, "from: "),
    ],
)
def test_a_window_must_be_a_window(since, until, words):
    good = RawCount(service="x", since=NOW - 60, until=NOW, count=1)
    read = COUNTS.values([good, RawCount(service="x", since=since, until=until, count=1), good])
    assert len(ADMISSION.windows(read, NOW)) == 2
    [(place, why)] = read.rejected
    assert (place, words in why) == (1, True)


def test_a_count_without_reporters_counts_every_report_as_a_person():
    body = {"service": "x", "from": NOW - 60, "to": NOW, "count": 9, "source": "desk"}
    bodies = [json.dumps(one).encode() for one in (body, body | {"reporters": 4})]
    windows = [ADMISSION.windows(COUNTS.body(one, "one"), NOW) for one in bodies]
    assert [window.reporters for [window] in windows] == [9, 4]


def test_strangers_cannot_fill_the_memory_of_words():
    admission = Admission(VOCABULARY, b"k")
    for n in range(30_000):
        admission.report(RawReport(service="x", symptom=f"word {n}"), NOW, "api")
    assert len(admission._symptoms) <= 20_000


GOOD, BAD = b'{"service": "x"}', b'{"service": 5}'


@pytest.mark.parametrize(
    ("body", "shape", "taken", "refused"),
    [
        (GOOD, "one", [0], []),
        (b" \n" + GOOD + b"\n", "one", [0], []),
        (b"[%b,%b]" % (GOOD, GOOD), "many", [0, 1], []),
        (b"[%b,%b,3,null,%b]" % (GOOD, BAD, GOOD), "many", [0, 4], [1, 2, 3]),
        (b"[]", "many", [], []),
        (b"%b\n%b\r\n\n%b\n" % (GOOD, GOOD, GOOD), "lines", [0, 1, 2], []),
        (b"%b\nnope\n%b\n%b" % (GOOD, BAD, GOOD), "lines", [0, 3], [1, 2]),
        (b'%b\n{"service": "\xff"}' % GOOD, "lines", [0], [1]),
        (b'%b\n{"service": "x", "z": %b}' % (GOOD, b"[" * 9999 + b"]" * 9999), "lines", [0], [1]),
        (BAD, "one", [], [0]),
        (b'{"service": }', "lines", [], [0]),
    ],
)
def test_records_are_read_one_by_one(body, shape, taken, refused):
    read = READER.body(body, shape)
    assert list(read.places) == taken
    assert len(read.records) == len(taken)
    assert [index for index, _ in read.rejected] == refused


@pytest.mark.parametrize(
    ("body", "shape", "words"),
    [
        (b"", "one", "empty"),
        (b" \n ", "lines", "empty"),
        (b"nope", "one", "not readable: JSON is malformed"),
        (b"3", "one", "neither an object nor an array"),
        (b"[1,", "many", "not readable"),
        (b"\xff\xfe{}", "one", "not readable"),
        (b'{"service":"\xff"}', "one", "not valid UTF-8"),
        (b'{"a":' + b"[" * 99_999, "one", "nested too deeply"),
        (b"just\nsome\nwords", "lines", "no line of the body is a JSON object"),
    ],
)
def test_garbage_is_refused_as_a_whole(body, shape, words):
    with pytest.raises(ValueError, match=words):
        READER.body(body, shape)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["one", "many", "lines"]))
def test_any_bytes_are_read_or_refused_with_words(body, shape):
    with suppress(ValueError):
        read = READER.body(body, shape)
        assert all(words for _, words in read.rejected)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(), st.text(), st.dictionaries(st.text(), st.text()))))
def test_values_of_other_doors_are_read_or_refused_one_by_one(values):
    read = READER.values(values)
    assert len(read.records) + len(read.rejected) == len(values)


def test_lateness_is_configurable():
    admission = Admission(VOCABULARY, b"k", oldest=timedelta(hours=1), newest=timedelta(0))
    with pytest.raises(ValueError, match="taken for 1 h"):
        admission.report(RawReport(service="x", at=NOW - 3601), NOW, "api")
