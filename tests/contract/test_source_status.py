"""Whose page it is, is found by asking, remembered, and looked for anew when the page has moved."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from doubles import pages as made
from doubles.clock import ManualClock
from doubles.pages import Pages, pages
from doubles.watches import NOW, captured

from bot.config.plugins import SOURCES
from bot.core.model import Health, Signal
from bot.ports import Source
from bot.sources.fitting import Learnt, fitted
from bot.sources.status import PLUGIN, Status
from bot.world import Web


@pytest.fixture
async def served() -> AsyncIterator[Pages]:
    async with pages() as served:
        yield served


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(ManualClock(NOW))
    yield web
    await web.aclose()


def status(served: Pages, path: str = "", **fields: object) -> Status:
    return PLUGIN.model_validate({"kind": "status", "url": served.url + path, "allow_private": True, **fields})


def serve(served: Pages, kind: str, **documents: str) -> None:
    for path, name in documents.items():
        served.script(path, made.page(captured(kind, name)[0]))


VENDORS = {
    "incidentio front": ("incidentio", {"/proxy/{host}": "front-calm.json"}),
    "incidentio widget": ("incidentio", {"/api/v1/summary": "widget-calm.json"}),
    "incidentio shim": ("incidentio", {"/api/v2/summary.json": "shim-yellow.json"}),
    "instatus": ("instatus", {"/summary.json": "up.json"}),
    "betterstack": ("betterstack", {"/index.json": "calm.json"}),
    "rootly": ("rootly", {"/api/v1/status.json": "status-none.json"}),
    "checkly": ("checkly", {"/api/status-page/127/unresolved-incidents": "calm.json"}),
    "cachet": ("cachet", {"/api/v1/components?per_page=1000": "components-v1-calm.json", "/api/v1/incidents?sort=id&order=desc&per_page=50": "incidents-v1-none.json"}),
    "cachet 3": ("cachet", {"/api/components?per_page=1000": "components-v3.json", "/api/incidents?sort=id&order=desc&per_page=50": "incidents-v3.json"}),
    "gatus": ("gatus", {"/api/v1/endpoints/statuses?page=1&pageSize=100": "up.json"}),
    "heroku": ("heroku", {"/api/v4/current-status": "green.json"}),
    "upptime": ("upptime", {"/history/summary.json": "up.json"}),
    "a feed": ("feed", {"/history.atom": "work-completed.atom"}),
    "another feed": ("feed", {"/rss": "german.xml"}),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "documents"), VENDORS.values(), ids=VENDORS.keys())
async def test_the_maker_of_a_page_is_found(web: Web, served: Pages, kind: str, documents: dict[str, str]) -> None:
    serve(
        served, kind, **{path.replace("{host}", served.url.removeprefix("http://")): n for path, n in documents.items()}
    )
    watch = status(served)
    signal = await watch.ask(web, NOW)
    assert signal.health is not None, signal.note
    assert watch._learnt.way == kind
    searched = len(served.asked)
    again = await watch.ask(web, NOW)
    assert again.health == signal.health
    assert len(served.asked) - searched <= searched, "what fits is asked first from now on"


async def test_a_true_statuspage_is_read_as_such(web: Web, served: Pages) -> None:
    serve(served, "statuspage", **{"/api/v2/summary.json": "maintenance-planned.json"})
    signal = await status(served).ask(web, NOW)
    assert signal.health is Health.OPERATIONAL
    assert signal.note.endswith("(read as statuspage)")


async def test_a_feed_that_the_page_links_to_is_followed_on_its_own_host_only(web: Web, served: Pages) -> None:
    html = (
        b'<html><link rel="alternate" type="application/rss+xml" href="https://elsewhere.example/feed">'
        b"<LINK rel=alternate type=application/atom+xml href=/deep/incidents.atom></html>"
    )
    served.script("/", made.html(html))
    served.script("/deep/incidents.atom", made.page(captured("feed", "xhtml.atom")[0]))
    signal = await status(served).ask(web, NOW)
    assert signal.health is Health.DEGRADED
    assert "/deep/incidents.atom" in [asked.path for asked in served.asked]


async def test_a_feed_that_was_found_is_asked_alone_until_it_is_gone(web: Web, served: Pages) -> None:
    serve(served, "feed", **{"/feed.xml": "german.xml"})
    watch = status(served)
    await watch.ask(web, NOW)
    searched = len(served.asked)
    await watch.ask(web, NOW)
    assert [asked.path for asked in served.asked[searched:]] == ["/feed.xml"]
    served.script("/feed.xml", made.page(b"", status=404))
    serve(served, "feed", **{"/rss": "german.xml"})
    healths = [(await watch.ask(web, NOW)).health for _ in range(3)]
    assert Health.DEGRADED in healths


async def test_a_page_that_wants_to_be_left_alone_is_not_asked_in_other_ways(web: Web, served: Pages) -> None:
    front = f"/proxy/{served.url.removeprefix('http://')}"
    served.script(front, made.html(status=403, cf_mitigated="challenge"))
    assert (await status(served).ask(web, NOW)).error == "blocked"
    assert [asked.path for asked in served.asked] == [front]


@pytest.mark.parametrize(
    ("kind", "path", "fields", "documents"),
    [
        ("uptimekuma", "/status/main", {}, {"/api/status-page/main": "page.json", "/api/status-page/heartbeat/main": "beats-up.json"}),
        ("statusio", "", {"page": "0123456789abcdef01234567"}, {"/1.0/status/0123456789abcdef01234567": "calm.json"}),
        ("statuspal", "", {"page": "example"}, {"/api/v2/status_pages/example/summary": "calm.json"}),
        ("sorry", "", {}, {"/api/v1/page": "page.json", "/api/v1/components?per_page=100": "components.json"}),
        ("aws", "/health/status", {}, {"/public/currentevents": "calm.json"}),
        ("azure", "/en-us/status", {}, {"/en-us/status/feed/": "calm.xml"}),
        ("apple", "/support", {}, {"/support/data/system_status_en_US.js": "calm.json"}),
        ("gcp", "", {}, {"/incidents.json": "calm.json"}),
        ("slack_status", "", {}, {"/api/v2.0.0/current": "ok.json"}),
        ("salesforce", "", {}, {"/v1/incidents/active": "calm.json"}),
    ],
)  # fmt: skip
async def test_a_kind_is_asked_over_the_wire(
    web: Web, served: Pages, kind: str, path: str, fields: dict[str, str], documents: dict[str, str]
) -> None:
    serve(served, kind, **documents)
    source = SOURCES[kind].model_validate({"kind": kind, "url": served.url + path, "allow_private": True, **fields})
    assert isinstance(source, Source)
    assert (await source.ask(web, NOW)).health is Health.OPERATIONAL
    first = next(iter(documents))
    served.script(first, made.page(b"", status=503, Retry_After="90"))
    signal = await source.ask(web, NOW)
    assert (signal.health, signal.error, signal.wait) == (None, "http_503", timedelta(seconds=90))


async def test_a_choice_of_parts_is_handed_on(web: Web, served: Pages) -> None:
    serve(served, "betterstack", **{"/index.json": "one-of-eight-down.json"})
    assert (await status(served, components=["Mail"]).ask(web, NOW)).health is Health.OPERATIONAL
    assert (await status(served, components=["Login"]).ask(web, NOW)).health is Health.MAJOR_OUTAGE


async def test_no_page_at_all_says_so(web: Web, served: Pages) -> None:
    signal = await status(served).ask(web, NOW)
    assert (signal.health, signal.error) == (None, "http_404")
    assert "no kind of status page" in signal.note


async def test_a_host_that_does_not_answer_is_asked_once(web: Web, served: Pages) -> None:
    for path in (f"/proxy/{served.url.removeprefix('http://')}", "/api/v1/summary"):
        served.script(path, made.drop())
    signal = await status(served).ask(web, NOW)
    assert (signal.health, signal.error) == (None, "connect")
    assert len({asked.path for asked in served.asked}) == 1


async def test_a_page_that_moved_is_found_again_and_the_operator_is_told(web: Web, served: Pages) -> None:
    serve(served, "instatus", **{"/summary.json": "up.json"})
    watch = status(served)
    assert (await watch.ask(web, NOW)).note == "(read as instatus)"
    served.script("/summary.json", made.html())
    serve(served, "betterstack", **{"/index.json": "calm.json"})
    broken = [await watch.ask(web, NOW + timedelta(minutes=m)) for m in (1, 2)]
    assert [s.health for s in broken] == [None, None], "one broken answer is no move"
    assert (await watch.ask(web, NOW + timedelta(minutes=3))).note == "(was instatus, is betterstack now)"
    assert (await watch.ask(web, NOW + timedelta(minutes=4))).note == "(read as betterstack)"


@pytest.mark.parametrize("kind", ["statuspage", "instatus", "incidentio", "cachet", "feed"])
async def test_a_kind_that_does_not_fit_any_more_says_how_to_find_the_one_that_does(
    web: Web, served: Pages, kind: str
) -> None:
    source = SOURCES[kind].model_validate({"kind": kind, "url": served.url, "allow_private": True})
    assert isinstance(source, Source)
    signal = await source.ask(web, NOW)
    assert (signal.health, signal.error) == (None, "http_404")
    assert "the kind `status` finds out" in signal.note


async def test_a_page_that_is_down_for_a_while_has_not_moved(web: Web, served: Pages) -> None:
    serve(served, "instatus", **{"/summary.json": "up.json"})
    serve(served, "betterstack", **{"/index.json": "calm.json"})
    watch = status(served)
    await watch.ask(web, NOW)
    served.script("/summary.json", made.page(b"", status=503))
    for _ in range(5):
        assert (await watch.ask(web, NOW)).error == "http_503"
    serve(served, "instatus", **{"/summary.json": "up.json"})
    assert (await watch.ask(web, NOW)).note == "(read as instatus)"


def test_what_a_watch_has_learnt_is_no_part_of_what_it_is_compared_by() -> None:
    one, other = (PLUGIN.model_validate({"kind": "status", "url": "https://status.example.com"}) for _ in range(2))
    one._learnt.way = "statuspage"
    assert one == other
    assert Learnt(way="a") == Learnt(way="b")


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://status.cloud.google.com", "gcp"),
        ("https://www.google.com/appsstatus/dashboard", "gcp"),
        ("https://health.aws.amazon.com/health/status", "aws"),
        ("https://azure.status.microsoft/en-us/status", "azure"),
        ("https://www.apple.com/support/systemstatus", "apple"),
        ("https://slack-status.com", "slack_status"),
        ("https://status.heroku.com", "heroku"),
        ("https://github.com/example/uptime", "upptime"),
    ],
)
def test_vendors_with_a_page_of_their_own_are_known_by_their_host(web: Web, url: str, kind: str) -> None:
    watch = PLUGIN.model_validate({"kind": "status", "url": url})
    assert list(watch._ways(web, NOW)) == [kind]


async def test_when_nothing_fits_the_best_ways_trouble_is_told() -> None:
    async def says(error: str) -> Signal:
        return Signal(at=NOW, error=error, note=error)

    found = await fitted({"a": lambda: says("wrong_shape"), "b": lambda: says("http_404")}, Learnt())
    assert found.error == "wrong_shape"
