"""A page that should answer, looked at from here."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from doubles import pages as made
from doubles.clock import ManualClock
from doubles.pages import Pages, pages
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Evidence, Health, Signal
from bot.detectors.graded import NETWORK, Watched, hear, reading
from bot.fields import document
from bot.ports import Reply, Source
from bot.sources.probe import PLUGIN, Probe, judge, statuses
from bot.world import Web

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def watch(**fields: Any) -> Probe:
    return Probe.model_validate({"kind": "probe", "url": "https://example.com", **fields})


def reply(body: bytes = b"<h1>Welcome</h1>", **fields: Any) -> Reply:
    whole = {"status": 200, "url": "https://example.com", "headers": {}, "elapsed": 0.042, "certificate_days": 60.0}
    return Reply(body=body, **{**whole, **fields})


@pytest.mark.parametrize(
    ("fields", "answer", "health", "note"),
    [
        ({}, reply(), "operational", "answered 200 in 42 ms"),
        ({}, reply(status=302), "operational", "answered 302 in 42 ms"),
        ({}, reply(status=404), "major_outage", "answered 404"),
        ({}, reply(status=500), "major_outage", "answered 500"),
        ({"expect_status": 404}, reply(status=404), "operational", "answered 404 in 42 ms"),
        ({"expect_status": [200, "401-403"]}, reply(status=403), "operational", "answered 403 in 42 ms"),
        ({"expect_status": "200-299"}, reply(status=301), "major_outage", "answered 301"),
        ({"expect_status": 429}, reply(status=429), "operational", "answered 429 in 42 ms"),
        ({"contains": "Welcome"}, reply(), "operational", "answered 200 in 42 ms"),
        ({"contains": "Hello"}, reply(), "partial_outage", "answered without the words 'Hello'"),
        (
            {"absent": "went wrong"},
            reply(b"Something went wrong"),
            "partial_outage",
            "answered with the words 'went wrong'",
        ),
        ({"absent": "went wrong"}, reply(), "operational", "answered 200 in 42 ms"),
        ({"contains": "é"}, reply(b"\xff\xfe"), "partial_outage", "answered without the words 'é'"),
        ({"slower_than": "2s"}, reply(elapsed=2.5), "degraded", "took 2.5 s to answer, more than 2.0 s"),
        ({"slower_than": "2s"}, reply(elapsed=1.9), "operational", "answered 200 in 1.9 s"),
        ({"certificate_days": 14.0}, reply(certificate_days=5.2), "degraded", "the certificate ends in 5 days"),
        ({"certificate_days": 14.0}, reply(certificate_days=None), "operational", "answered 200 in 42 ms"),
        ({"certificate_days": 14.0}, reply(), "operational", "answered 200 in 42 ms"),
        (
            {"slower_than": "1s", "contains": "x"},
            reply(b"", elapsed=3.0),
            "partial_outage",
            "answered without the words 'x'",
        ),
    ],
)
def test_an_answer_is_judged_by_its_worst_fault(fields: dict[str, Any], answer: Reply, health: str, note: str) -> None:
    signal = judge(watch(**fields), answer, NOW)
    assert signal.health is not None
    assert (signal.health.word, signal.note, signal.error) == (health, note, "")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(status=429), "http_429"),
        (reply(status=407), "http_407"),
        (reply(status=403, headers={"cf-mitigated": "challenge"}), "blocked"),
    ],
)
def test_being_kept_from_looking_tells_nothing_about_the_page(answer: Reply, error: str) -> None:
    signal = judge(watch(), answer, NOW)
    assert (signal.health, signal.error) == (None, error)


def test_a_rate_limit_says_how_long_to_stay_away() -> None:
    assert judge(watch(), reply(status=429, headers={"retry-after": "90"}), NOW).wait == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("written", "means"),
    [(200, ((200, 200),)), ("200-399", ((200, 399),)), (["200", "301 - 308"], ((200, 200), (301, 308)))],
)
def test_statuses_are_read_as_people_write_them(written: object, means: object) -> None:
    assert statuses(written) == means


@pytest.mark.parametrize("written", [99, 600, "ok", "2xx", "399-200", [], [200, "x"], None, True, 20.5])
def test_what_is_no_status_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="200-399"):
        statuses(written)


@settings(max_examples=1000, deadline=None)
@given(
    st.binary(max_size=200),
    st.integers(100, 599),
    st.floats(0, 1e6),
    st.none() | st.floats(-1e5, 1e5),
    st.dictionaries(st.sampled_from(["retry-after", "cf-mitigated"]), st.text(max_size=20)),
)
def test_no_answer_breaks_the_judge(
    body: bytes, status: int, elapsed: float, days: float | None, headers: dict[str, str]
) -> None:
    probe = watch(contains="a", absent="b", slower_than="1s", certificate_days=7.0)
    answer = reply(body, status=status, elapsed=elapsed, certificate_days=days, headers=headers)
    signal = judge(probe, answer, NOW)
    assert (signal.health is None) == bool(signal.error)
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal
    assert len(signal.note) < 100


def test_secret_headers_never_print() -> None:
    probe = watch(headers={"Authorization": "Bearer hush"})
    assert "hush" not in repr(probe)
    assert "hush" not in probe.model_dump_json()


def test_the_schema_speaks_as_people_write() -> None:
    document()
    fields = Probe.model_json_schema()["properties"]
    assert fields["expect_status"]["default"] == "200-399"
    assert all(field.get("description") or name == "kind" for name, field in fields.items())


# Over the wire


@pytest.fixture
async def page() -> AsyncIterator[Pages]:
    async with pages() as served:
        served.script("/", made.page(b"Welcome", kind="text/html"))
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(ManualClock(NOW))
    yield web
    await web.aclose()


async def asked(web: Web, page: Pages, **fields: Any) -> Signal:
    usual = {"kind": "probe", "url": page.url + "/", "allow_private": True, "timeout": "0.3s"}
    source: Source = PLUGIN.model_validate({**usual, **fields})
    assert source.evidence is Evidence.PROBE
    return await source.ask(web, NOW)


async def test_a_page_that_answers_is_well(web: Web, page: Pages) -> None:
    signal = await asked(web, page, contains="Welcome", headers={"X-Probe": "tocsin"})
    assert (signal.health, signal.error, signal.url) == (Health.OPERATIONAL, "", page.url)
    assert page.asked[0].headers["x-probe"] == "tocsin"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_the_method_is_the_configured_one(web: Web, page: Pages, method: str) -> None:
    await asked(web, page, method=method)
    assert page.asked[0].method == method


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (made.hang(), "timeout"),
        (made.slow(), "timeout"),
        (made.drop(), "connect"),
        (made.raw(b"\x15\x03\x01"), "connect"),
        (made.redirect("/"), "connect"),
    ],
)
async def test_no_answer_is_an_outage_that_says_it_may_be_our_own_line(
    web: Web, page: Pages, answer: made.Answer, error: str
) -> None:
    page.script("/", answer)
    signal = await asked(web, page)
    assert (signal.health, signal.error) == (Health.MAJOR_OUTAGE, error)
    assert error in NETWORK
    assert signal.note


async def test_a_private_address_is_no_reading_and_says_how_to_allow_it(web: Web, page: Pages) -> None:
    signal = await asked(web, page, allow_private=False)
    assert (signal.health, signal.error, page.connections) == (None, "blocked", 0)
    assert "allow_private" in signal.note


async def test_an_answer_without_end_is_no_reading(web: Web, page: Pages) -> None:
    page.script("/", made.bomb(20_000_000))
    signal = await asked(web, page, timeout="10s")
    assert (signal.health, signal.error) == (None, "too_large")


async def test_a_cache_cannot_hide_an_outage(web: Web, page: Pages) -> None:
    page.script("/", made.validated(b"Welcome", '"1"'), made.page(b"", status=500))
    assert [(await asked(web, page)).health for _ in range(2)] == [Health.OPERATIONAL, Health.MAJOR_OUTAGE]
    assert "if-none-match" not in page.asked[1].headers


async def test_three_failures_raise_and_two_good_answers_clear(web: Web, page: Pages) -> None:
    up, down = made.page(b"Welcome"), made.page(b"", status=503)
    page.script("/", up, down, up, down, down, down, up, down, up, up)
    probe, memory, levels = watch(), Watched(), []
    for _ in range(10):
        signal = await asked(web, page)
        memory = hear(memory, signal, raise_after=probe.fail_after, clear_after=probe.clear_after)
        read = reading(memory, NOW, source="front", kind=Evidence.PROBE, levels=("minor", "critical"))
        levels.append(read.level if read else None)
    assert levels == ["", "", "", "", "", "critical", "critical", "critical", "critical", ""]
