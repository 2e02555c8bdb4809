"""What a vendor's Statuspage says, with every trap such pages are known for."""

import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from doubles import pages as made
from doubles.clock import ManualClock
from doubles.pages import Pages, pages
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Evidence, Health, Notice, Signal
from bot.ports import Source
from bot.sources.statuspage import PLUGIN, Statuspage
from bot.world import Web

CAPTURES = Path(__file__).parent.parent / "captures" / "statuspage"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALM = json.loads((CAPTURES / "calm.json").read_text())


def said(name: str, *, incidents: bytes = b"", now: datetime = NOW, **fields: Any) -> Signal:
    return read(watch(**fields), (CAPTURES / name).read_bytes(), incidents, now)


def read(page: Statuspage, summary: bytes, incidents: bytes, now: datetime) -> Signal:
    return page.read((summary, incidents), now)


def watch(**fields: Any) -> Statuspage:
    return Statuspage.model_validate({"kind": "statuspage", "url": "https://status.example.com", **fields})


def pack(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("name", "health", "still_open", "quiet"),
    [
        ("calm.json", "operational", 0, False),
        ("open-but-only-watched.json", "operational", 1, False),
        ("open-without-impact.json", "degraded", 1, False),
        ("impact-worse-than-indicator.json", "major_outage", 1, False),
        ("green-components-open-incident.json", "degraded", 1, False),
        ("chronic-yellow.json", "degraded", 0, True),
        ("maintenance-under-way.json", "maintenance", 1, False),
        ("maintenance-planned.json", "operational", 0, False),
        ("maintenance-indicator.json", "maintenance", 0, False),
        ("words-nobody-knows.json", "degraded", 1, False),
        ("forgotten-incident.json", "degraded", 0, True),
        ("two-places.json", "partial_outage", 2, False),
        ("without-ids.json", "partial_outage", 2, False),
        ("german-with-offsets.json", "degraded", 1, False),
    ],
)
def test_a_page_is_graded(name: str, health: str, still_open: int, *, quiet: bool) -> None:
    signal = said(name)
    assert signal.health is not None
    assert (signal.health.word, sum(n.open for n in signal.notices), signal.quiet) == (health, still_open, quiet)
    assert signal.error == ""


@pytest.mark.parametrize(
    ("indicator", "health", "quiet"),
    [
        ("none", Health.OPERATIONAL, False),
        ("minor", Health.DEGRADED, True),
        ("major", Health.PARTIAL_OUTAGE, False),
        ("critical", Health.MAJOR_OUTAGE, False),
        ("maintenance", Health.MAINTENANCE, False),
        ("", Health.DEGRADED, True),
    ],
)
def test_a_raised_indicator_counts_before_there_is_an_incident(indicator: str, health: Health, *, quiet: bool) -> None:
    signal = read(watch(), pack({**CALM, "status": {"indicator": indicator}}), b"", NOW)
    assert (signal.health, signal.quiet) == (health, quiet)


BROKEN = {
    "no status": (pack({**CALM, "status": None}), "wrong_shape"),
    "status is a word": (pack({**CALM, "status": "none"}), "wrong_shape"),
    "indicator is null": (pack({**CALM, "status": {"indicator": None}}), "wrong_shape"),
    "indicator is a number": (pack({**CALM, "status": {"indicator": 0}}), "wrong_shape"),
    "no page": (pack({"status": {"indicator": "none"}}), "wrong_shape"),
    "components only": (pack({"page": {}, "components": []}), "wrong_shape"),
    "forbidden": (pack({"message": "Forbidden"}), "wrong_shape"),
    "a list": (b"[]", "wrong_shape"),
    "null": (b"null", "wrong_shape"),
    "a page for people": (b"<!doctype html><html><title>All systems operational</title>", "unparseable"),
    "a feed": (b'\xef\xbb\xbf<?xml version="1.0"?><catalog/>', "unparseable"),
    "cut off": ((CAPTURES / "calm.json").read_bytes()[:900], "unparseable"),
    "nothing": (b"", "unparseable"),
    "not a number": (b'{"page": {}, "status": {"indicator": "none"}, "x": NaN}', "unparseable"),
    "too big a number": (b'{"page": {}, "status": {"indicator": "none"}, "x": 1e999}', "unparseable"),
    "bottomless": (b'{"page":' * 100_000, "unparseable"),
    "half a pair": (b'{"page": {}, "status": {"indicator": "\\ud800"}}', "unparseable"),
    "half a character": (b'{"page": {}, "status": {"indicator": "none\xc3"}}', "unparseable"),
}


@pytest.mark.parametrize(("body", "error"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_feed_is_no_reading_and_never_green(body: bytes, error: str) -> None:
    signal = read(watch(), body, body, NOW)
    assert (signal.health, signal.error, signal.notices) == (None, error, ())
    assert signal.note


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"incidents": {}}', b'{"incidents": [1, null]}'])
def test_without_the_history_the_summary_is_still_a_reading(body: bytes) -> None:
    assert said("two-places.json", incidents=body) == said("two-places.json")


def test_a_missing_list_of_incidents_is_not_a_healthy_page() -> None:
    signal = read(watch(), pack({"page": {}, "status": {"indicator": "critical"}}), b"", NOW)
    assert (signal.health, signal.quiet) == (Health.MAJOR_OUTAGE, False)


def test_how_an_incident_ended_is_read_from_the_history() -> None:
    found = {n.key: n for n in said("calm.json", incidents=(CAPTURES / "incidents.json").read_bytes()).notices}
    assert found["inc1"].phase == "resolved"
    assert found["inc1"].words == "This incident has been resolved."
    assert found["inc1"].resolved_at == datetime(2026, 3, 1, 11, 45, tzinfo=UTC)
    assert "inc3" not in found, "what ended months ago is nobody's news"
    assert not any(n.open for n in found.values()), "filed afterwards and looked back upon: not open"


def version(status: str, updated: str, **fields: object) -> dict[str, object]:
    return {"id": "i", "name": "x", "status": status, "impact": "major", "updated_at": updated, **fields}


@pytest.mark.parametrize(
    ("in_summary", "in_history", "phase"),
    [
        (("monitoring", "11:00"), ("resolved", "11:30"), "resolved"),  # the summary is an old copy
        (("monitoring", "11:30"), ("resolved", "11:00"), "monitoring"),  # opened again
        (("monitoring", "11:30"), ("resolved", "11:30"), "resolved"),  # in the same minute it is over
        (None, ("investigating", "11:30"), "investigating"),  # gone, but nobody said that it is over
        (("identified", "11:30"), None, "identified"),
    ],
)
def test_of_two_versions_the_newest_counts(
    in_summary: tuple[str, str] | None, in_history: tuple[str, str] | None, phase: str
) -> None:
    summary, history = (
        [version(told[0], f"2026-03-01T{told[1]}:00Z")] if told else [] for told in (in_summary, in_history)
    )
    signal = read(watch(), pack({**CALM, "incidents": summary}), pack({"incidents": history}), NOW)
    assert [n.phase for n in signal.notices] == [phase]
    assert (signal.health is Health.OPERATIONAL) == (phase == "resolved")


def test_the_vendors_own_status_counts_and_not_what_an_update_says() -> None:
    update = {"status": "resolved", "body": "All good again.", "display_at": "2026-03-01T11:59:00Z"}
    summary = {**CALM, "incidents": [version("investigating", "2026-03-01T11:59:00Z", incident_updates=[update])]}
    [notice] = read(watch(), pack(summary), b"", NOW).notices
    assert (notice.open, notice.words) == (True, "All good again.")


def test_times_that_stay_set_after_a_reopening_do_not_close_it() -> None:
    summary = {
        **CALM,
        "incidents": [version("investigating", "2026-03-01T11:00:00Z", resolved_at="2026-03-01T10:00:00Z")],
    }
    [notice] = read(watch(), pack(summary), b"", NOW).notices
    assert (notice.open, notice.resolved_at) == (True, None)


def test_text_becomes_plain_words_and_times_become_utc() -> None:
    [notice] = said("german-with-offsets.json").notices
    assert notice.title == "Anmeldung gestört \N{EN DASH} „Fehler 500“"
    assert notice.words == "Die Ursache ist bekannt & wird behoben.\nNächste Meldung um 14 Uhr.\n- Web\n- App"
    assert notice.started_at == datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC)
    assert notice.updated_at == datetime(2026, 3, 1, 11, 30, 0, 123000, tzinfo=UTC)
    assert (notice.key, notice.url) == ("inc1", "https://stspg.example/inc1")


def test_the_newest_update_speaks() -> None:
    [notice] = said("impact-worse-than-indicator.json").notices
    assert notice.words == 'The cause is known.\n\nWe are "working" on it.'


def test_an_incident_without_id_keeps_its_key_from_poll_to_poll() -> None:
    first = said("without-ids.json").notices
    later = said("without-ids.json", now=NOW + timedelta(hours=1)).notices
    assert {n.key for n in first} == {n.key for n in later}
    assert len({n.key for n in first}) == 3


@pytest.mark.parametrize(
    "times",
    [
        {"started_at": "1970-01-01T00:00:00Z"},
        {"started_at": "9999-12-31T23:59:59Z", "updated_at": "9999-12-31T23:59:59-23:59"},
        {"started_at": "0001-01-01T00:00:00Z", "updated_at": "0001-01-01T00:00:00+14:00"},
        {"started_at": "yesterday", "updated_at": 5},
        {"started_at": "2026-03-02T12:00:00Z", "updated_at": "2026-03-02T12:00:00Z"},
    ],
)
def test_impossible_times_stay_within_reason(times: dict[str, object]) -> None:
    summary = {**CALM, "incidents": [{"id": "i", "name": "x", "status": "identified", **times}]}
    [notice] = read(watch(), pack(summary), b"", NOW).notices
    assert notice.open
    assert datetime(2026, 1, 1, tzinfo=UTC) < notice.started_at <= notice.updated_at <= NOW


@pytest.mark.parametrize(
    ("chosen", "health"),
    [
        (["Dashboard"], "degraded"),
        (["dashboard"], "degraded"),
        (["c-hkg"], "major_outage"),
        (["Asia / Hong Kong - (HKG)"], "major_outage"),
        (["Asia"], "major_outage"),
        (["Europe"], "operational"),
        (["Europe", "Dashboard"], "degraded"),
    ],
)
def test_only_chosen_components_count(chosen: list[str], health: str) -> None:
    signal = said("two-places.json", components=chosen)
    assert signal.health is not None
    assert (signal.health.word, signal.quiet) == (health, False)


def test_an_incident_that_names_no_component_concerns_every_choice() -> None:
    signal = said("open-without-impact.json", components=["API"])
    assert signal.health is Health.DEGRADED


def test_a_component_that_is_gone_from_the_page_is_no_reading() -> None:
    signal = said("calm.json", components=["Billing"])
    assert (signal.health, signal.error) == (None, "wrong_shape")


@pytest.mark.parametrize(
    ("regions", "open_keys", "health"),
    [
        ([], {"inc-hk", "inc-dash"}, "partial_outage"),
        (["Europe"], {"inc-dash"}, "degraded"),
        (["Asia"], {"inc-hk", "inc-dash"}, "partial_outage"),
        (["hkg"], {"inc-hk", "inc-dash"}, "partial_outage"),
    ],
)
def test_an_incident_elsewhere_is_left_out_and_one_without_a_place_is_not(
    regions: list[str], open_keys: set[str], health: str
) -> None:
    signal = said("two-places.json", regions=regions)
    assert signal.health is not None
    assert ({n.key for n in signal.notices if n.open}, signal.health.word) == (open_keys, health)


def test_a_choice_of_regions_never_hides_a_raised_indicator() -> None:
    summary = {**CALM, "status": {"indicator": "critical"}}
    assert read(watch(regions=["Europe"]), pack(summary), b"", NOW).health is Health.MAJOR_OUTAGE


def test_a_page_with_everything_on_it_stays_small_and_quick() -> None:
    nasty = ["<p>" * 2000, "<a " * 5000, "&#" * 9000, "<!" * 9000, "x" * 20_000]
    rows = [
        version("identified", "2026-03-01T11:00:00Z", id=f"i{n}", incident_updates=[{"body": nasty[n % 5]}] * 3)
        for n in range(60)
    ]
    body = pack({**CALM, "incidents": rows * 2})
    assert 4_000_000 < len(body) < 6_000_000
    tracemalloc.start()
    signal = read(watch(), body, body, NOW)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32_000_000
    assert len(signal.notices) == 20
    assert len(msgspec.json.encode(signal)) < 60_000


WORDS = (
    "none",
    "minor",
    "critical",
    "investigating",
    "resolved",
    "scheduled",
    "major_outage",
    "",
    "<b",
    "\u202e",
    "\x00",
)
TIMES = (
    "2026-03-01T11:00:00Z",
    "0001-01-01",
    "9999-12-31T23:59:59-12:00",
    "2026-13-01",
    "12:30",
    "20260301T110000,5+1400",
)
KEYS = (
    "id",
    "name",
    "status",
    "impact",
    "started_at",
    "updated_at",
    "resolved_at",
    "shortlink",
    "scheduled_for",
    "group",
)
LISTS = ("incident_updates", "components", "affected_components", "incidents", "scheduled_maintenances", "body")


def anything(chance: Random, depth: int = 3) -> object:
    """A value such as a page in disorder might hold."""
    flat = (None, True, -1, 10**30, 1e308, chance.choice(WORDS), chance.choice(TIMES))
    if depth == 0 or chance.random() < 0.5:
        return chance.choice(flat)
    if chance.random() < 0.4:
        return [anything(chance, depth - 1) for _ in range(chance.randrange(4))]
    keys = chance.sample(KEYS + LISTS, chance.randrange(10))
    return {key: anything(chance, depth - 1) for key in keys}


def disordered(seed: int) -> bytes:
    """A document that keeps its anchors and nothing else."""
    chance = Random(seed)
    lists = {key: [anything(chance) for _ in range(3)] for key in chance.sample(LISTS, 4)}
    return pack({"page": {}, "status": {"indicator": chance.choice(WORDS), "description": anything(chance)}, **lists})


often = settings(max_examples=1000, deadline=None)


def sound(signal: Signal) -> None:
    assert (signal.health is None) == bool(signal.error)
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal
    assert len(signal.notices) <= 20
    for notice in signal.notices:
        assert isinstance(notice, Notice)
        assert len(notice.title) <= 200
        assert len(notice.words) <= 1000
        assert notice.url == "" or notice.url.startswith("http")


@often
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_no_bytes_break_the_reader(summary: bytes, incidents: bytes) -> None:
    signal = read(watch(), summary, incidents, NOW)
    sound(signal)
    assert signal.health is None


@often
@given(st.integers(0, 2**32), st.sampled_from([{}, {"components": ["none"]}, {"regions": ["eu"]}]))
def test_no_json_of_about_the_right_shape_breaks_the_reader(seed: int, fields: Any) -> None:
    sound(read(watch(**fields), disordered(seed), disordered(seed + 1), NOW))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_page_cut_or_bitten_anywhere_is_never_greener_than_the_whole(data: st.DataObject) -> None:
    whole = (CAPTURES / "impact-worse-than-indicator.json").read_bytes().strip()
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = read(watch(), whole[:at], b"", NOW)
    assert cut.health is None


# Over the wire


@pytest.fixture
async def page() -> AsyncIterator[Pages]:
    async with pages() as served:
        served.script("/api/v2/summary.json", made.page((CAPTURES / "calm.json").read_bytes()))
        served.script("/api/v2/incidents.json", made.page((CAPTURES / "incidents.json").read_bytes()))
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(ManualClock(NOW))
    yield web
    await web.aclose()


async def asked(web: Web, page: Pages, path: str = "") -> Signal:
    source: Source = PLUGIN.model_validate({"kind": "statuspage", "url": page.url + path, "allow_private": True})
    assert source.evidence is Evidence.VENDOR
    return await source.ask(web, NOW)


@pytest.mark.parametrize("path", ["", "/", "/api/v2", "/api/v2/summary.json"])
async def test_a_page_is_asked_for_its_summary_and_its_latest_incidents(web: Web, page: Pages, path: str) -> None:
    signal = await asked(web, page, path)
    assert signal.health is Health.OPERATIONAL
    assert {n.key for n in signal.notices} == {"inc0", "inc1", "inc2"}
    assert [a.path for a in page.asked] == ["/api/v2/summary.json", "/api/v2/incidents.json"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (made.html(), "unparseable"),
        (made.html(status=403), "http_403"),
        (made.html(status=403, cf_mitigated="challenge"), "blocked"),
        (made.page(b"", status=404), "http_404"),
        (made.page(b"", status=500), "http_500"),
        (made.page(b"{}"), "wrong_shape"),
        (made.bomb(9_000_000), "too_large"),
        (made.truncated((CAPTURES / "calm.json").read_bytes()), "connect"),
        (made.redirect("/api/v2/summary.json"), "connect"),
        (made.drop(), "connect"),
    ],
)
async def test_whatever_goes_wrong_is_no_reading(web: Web, page: Pages, answer: made.Answer, error: str) -> None:
    page.script("/api/v2/summary.json", answer)
    signal = await asked(web, page)
    assert (signal.health, signal.error) == (None, error)
    assert signal.note


async def test_being_asked_to_stay_away_is_passed_on(web: Web, page: Pages) -> None:
    page.script("/api/v2/summary.json", made.page(b"", status=429, Retry_After="120"))
    assert (await asked(web, page)).wait == timedelta(minutes=2)
    page.script("/api/v2/summary.json", made.page(b"", status=503, Retry_After="Sun, 01 Mar 2026 12:05:00 GMT"))
    assert (await asked(web, page)).wait == timedelta(minutes=5)


@pytest.mark.parametrize("answer", [made.page(b"", status=404), made.html(), made.drop(), made.bomb(9_000_000)])
async def test_a_page_without_history_is_still_read(web: Web, page: Pages, answer: made.Answer) -> None:
    page.script("/api/v2/incidents.json", answer)
    assert (await asked(web, page)).health is Health.OPERATIONAL


async def test_an_old_green_copy_from_a_cache_proves_nothing(web: Web, page: Pages) -> None:
    calm, bad = ((CAPTURES / name).read_bytes() for name in ("calm.json", "impact-worse-than-indicator.json"))
    page.script(
        "/api/v2/summary.json", made.page(calm, Age="30"), made.page(calm, Age="2400"), made.page(bad, Age="2400")
    )
    page.script("/api/v2/incidents.json", made.page(b"", status=404))
    fresh, old, still_bad = [await asked(web, page) for _ in range(3)]
    assert (fresh.health, old.health, old.error, still_bad.health) == (0, None, "timeout", 4)
    assert "40 min" in old.note


async def test_a_page_that_has_not_changed_is_a_reading_too(web: Web, page: Pages) -> None:
    body = (CAPTURES / "two-places.json").read_bytes()
    page.script("/api/v2/summary.json", made.validated(body, 'W/"a"'))
    first, second = [await asked(web, page) for _ in range(2)]
    assert first == second
    assert page.asked[2].headers["if-none-match"] == 'W/"a"'


@pytest.mark.parametrize(
    "url", ["ftp://x.example", "status.example.com", "https://", "https://me:secret@x.example", "https://a b"]
)
def test_an_address_that_cannot_work_is_refused_in_the_configuration(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        watch(url=url)
