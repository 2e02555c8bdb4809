"""Who may do what: the whole table of routes walked with every kind of caller, and the tricks that must not work."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import ClientResponse, ClientSession
from doubles.clock import ManualClock
from doubles.house import INCIDENT
from doubles.served import AWAY, Served, bearer, serving, token

from bot.web.access import Access, at_home, same_site
from bot.web.buckets import Buckets
from bot.web.routes import Route
from bot.web.site import ROUTES

Prove = Callable[..., None]
TOKENS = (token("reader", "read"), token("reporter", "report"), token("boss", "admin"))

# What each route needs. A route that is not written here, or needs something else, fails the test.
ALLOWED = {
    "open": {
        "GET /healthz", "GET /readyz", "GET /openapi.json", "GET /static/{name}", "GET /sign-in", "POST /sign-in",
        "POST /sign-out", "GET /report/{service}", "POST /report/{service}", "POST /incident/{incident}/report",
        "POST /incident/{incident}/works",
    },
    "read": {
        "GET /", "GET /incident/{incident}", "GET /incident/{incident}/why",
        "GET /incident/{incident}/postmortem.md", "GET /events", "GET /metrics",
        "GET /api/v1/status", "GET /api/v1/services/{service}", "GET /api/v1/incidents",
        "GET /api/v1/incidents/{incident}", "GET /api/v2/summary.json", "GET /api/v2/incidents.json", "GET /feed.atom",
        "GET /calendar.ics", "GET /chart/{service}.svg", "GET /chart/{service}.png", "GET /chart/incident/{incident}.svg", "GET /badge/{service}.svg",
    },
    "report": {"POST /api/v1/reports", "POST /api/v1/counts", "POST /api/v1/looks"},
    "admin": {
        *(f"POST /api/v1/incidents/{{incident}}/{verb}" for verb in ("ack", "note", "mute", "resolve", "real", "false-alarm")),
        *(
            f"POST /incident/{{incident}}/{verb}"
            for verb in ("ack", "unack", "take", "note", "mute", "unmute", "resolve", "reopen", "real", "false-alarm")
        ),
        "GET /incident/{incident}/resolve", "GET /api/v1/dead-letters", "POST /api/v1/retry",
        "POST /api/v1/reporters/export", "POST /api/v1/reporters/forget",
    },
    "proof": {"POST /hooks/{service}/{watch}", "OPTIONS /hooks/{service}/{watch}", "POST /chats/{chat}"},
}  # fmt: skip

# The status each caller gets where not let in; None is let in. A route that is open lets everybody in but a liar.
CALLERS: dict[str, tuple[dict[str, str], dict[str, int | None]]] = {
    "nobody": ({}, {"open": None, "read": 401, "report": 401, "admin": 401}),
    "a liar": ({"Authorization": "Bearer guess"}, {"open": 401, "read": 401, "report": 401, "admin": 401}),
    "basic": ({"Authorization": "Basic eDp5"}, {"open": 401, "read": 401, "report": 401, "admin": 401}),
    "reader": (bearer("reader"), {"open": None, "read": None, "report": 403, "admin": 403}),
    "reporter": (bearer("reporter"), {"open": None, "read": 403, "report": None, "admin": 403}),
    "boss": (bearer("boss"), {"open": None, "read": None, "report": None, "admin": None}),
}


async def test_every_route_stands_in_the_list_of_what_it_needs() -> None:
    async with serving() as served:
        needs = {(f"{route.method} {route.path}", route.needs) for route in served.app[ROUTES]}
    assert needs == {(route, scope) for scope, routes in ALLOWED.items() for route in routes}


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_route_lets_in_only_whom_it_should(caller: str, prove: Prove) -> None:
    headers, expected = CALLERS[caller]
    wrong = []
    async with serving(TOKENS) as served:
        for route in served.app[ROUTES]:
            async with _ask(served, route, headers) as answer:
                met = _met(answer, route, expected.get(route.needs))
                wrong += [] if met else [(route.method, route.path, answer.status)]
        prove("R48", len(served.app[ROUTES]), wrong, "routes, each tried by six kinds of caller")


async def test_a_session_that_has_ended_opens_nothing(prove: Prove) -> None:
    wrong = []
    async with serving(TOKENS) as served, served.browser() as browser:
        seal = await _seal(browser, "/sign-in")
        form = {"seal": seal, "token": "secret-of-boss", "back": "/"}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            cookie = {"Cookie": f"tocsin_session={answer.cookies['tocsin_session'].value}"}
        async with served.client.get("/api/v1/dead-letters", headers=cookie) as answer:
            assert answer.status == 200
        await served.clock.advance(12 * 3600 + 1)
        for route in served.app[ROUTES]:
            async with _ask(served, route, cookie) as answer:
                met = _met(answer, route, CALLERS["nobody"][1].get(route.needs))
                wrong += [] if met else [(route.method, route.path, answer.status)]
        prove("R48", len(served.app[ROUTES]), wrong, "routes tried with a session that has ended")


def _met(answer: ClientResponse, route: Route, refused: int | None) -> bool:
    """True when the caller was let in, or turned away as the list says."""
    if refused is None:
        sealed_off = answer.status == 403 and route.face != "page"  # a form without its seal is 403 on a page
        return answer.status not in (401, 500) and not sealed_off
    face = "text/html" if route.face == "page" else "application/json"
    challenged = refused != 401 or answer.headers["WWW-Authenticate"].startswith("Bearer")
    return answer.status == refused and challenged and answer.content_type == face


@pytest.mark.parametrize("away", [True, False])
async def test_without_tokens_reading_is_open_and_writing_is_for_this_machine(*, away: bool) -> None:
    async with serving() as served:
        for route in served.app[ROUTES]:
            async with _ask(served, route, AWAY if away else {}) as answer:
                shut = away and route.needs in ("report", "admin")
                why = await answer.text() if answer.status == 403 else ""
                assert (answer.status == 403 and "this very machine only" in why) is shut, (route.path, why)


async def test_without_a_reading_token_everybody_may_read() -> None:
    async with serving((token("boss", "admin"),)) as served:
        async with served.client.get("/api/v1/status", headers=AWAY) as answer:
            assert answer.status == 200
        async with served.client.post("/api/v1/reports", json={"service": "twitter"}) as answer:
            assert answer.status == 401


async def test_every_answer_wears_its_guard() -> None:
    async with serving() as served:
        for route in served.app[ROUTES]:
            async with _ask(served, route, {}) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy, route.path
                assert "unsafe" not in policy
                assert "frame-ancestors 'none'" in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert "Cache-Control" in answer.headers


HOME = {
    ("127.0.0.1", "localhost:8080"): True,
    ("127.0.0.1", "127.0.0.1"): True,
    ("::1", "[::1]:8080"): True,
    ("::ffff:127.0.0.1", "localhost"): True,
    ("127.0.0.1", "rebound.evil.example:8080"): False,
    ("127.0.0.1", "localhost.evil.example"): False,
    ("127.0.0.1", ""): False,
    ("192.168.1.7", "localhost"): False,
    ("", "localhost"): False,
    ("unix", "localhost"): False,
}


@pytest.mark.parametrize(("peer", "host"), HOME)
def test_only_this_machine_asking_for_this_machine_is_at_home(peer: str, host: str) -> None:
    assert at_home(peer, host, {}) is HOME[peer, host]
    assert not at_home(peer, host, {"X-Forwarded-For": "127.0.0.1"}), "a proxy stands in between"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "203.0.113.7, 127.0.0.2", "203.0.113.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "unknown"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
    ],
)
def test_only_a_known_proxy_is_believed_and_only_its_own_word(peer: str, forwarded: str, client: str) -> None:
    assert Access().client(peer, forwarded) == client


@pytest.mark.parametrize(
    ("origin", "fetch_site", "ours"),
    [
        ("", "", True),
        ("http://localhost:8080", "same-origin", True),
        ("https://status.example.org", "", True),
        ("https://evil.example", "", False),
        ("http://localhost:9999", "same-site", False),
        ("null", "", False),
        ("", "cross-site", False),
    ],
)
def test_a_form_of_another_site_is_noticed(origin: str, fetch_site: str, *, ours: bool) -> None:
    assert same_site(origin, fetch_site, ("localhost:8080", "status.example.org")) is ours


async def test_another_site_cannot_use_the_browser_of_somebody_at_home() -> None:
    async with serving() as served:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            async with served.client.post("/api/v1/reports", json={"service": "twitter"}, headers=headers) as answer:
                assert (answer.status, "another site" in await answer.text()) == (403, True)
        rebound = {"Host": "rebound.evil.example"}
        async with served.client.post("/api/v1/reports", json={"service": "twitter"}, headers=rebound) as answer:
            assert answer.status == 403
    assert served.intake.taken == []


@pytest.fixture
async def guarded() -> AsyncIterator[Served]:
    async with serving(TOKENS) as served:
        yield served


async def test_a_person_signs_in_acts_and_signs_out(guarded: Served) -> None:
    async with guarded.browser() as browser:
        seal = await _seal(browser, "/sign-in")
        form = {"seal": seal, "token": "secret-of-boss", "back": f"/incident/{INCIDENT}"}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, f"/incident/{INCIDENT}")
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite" in cookie
            assert "secret-of-boss" not in cookie
        async with browser.post(f"/incident/{INCIDENT}/ack", data={"seal": seal}, allow_redirects=False) as answer:
            assert answer.status == 303
        [asked] = guarded.desk.asked
        assert (asked.verb, asked.who.name) == ("ack", "boss")
        await browser.post("/sign-out", data={"seal": seal})
        async with browser.post(f"/incident/{INCIDENT}/ack", data={"seal": seal}) as answer:
            assert answer.status == 401


async def test_a_session_ends_by_itself(guarded: Served) -> None:
    async with guarded.browser() as browser:
        form = {"seal": await _seal(browser, "/sign-in"), "token": "secret-of-reader"}
        async with browser.post("/sign-in", data=form) as answer:
            assert answer.status == 200
        await guarded.clock.advance(12 * 3600)
        async with browser.get("/") as answer:
            assert (answer.status, "Sign in first" in await answer.text()) == (401, True)


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/incident/\\evil", "/report/a\r\nX: y", ""]
)
async def test_signing_in_leads_nowhere_else(guarded: Served, back: str) -> None:
    async with guarded.browser() as browser:
        form = {"seal": await _seal(browser, "/sign-in"), "token": "secret-of-boss", "back": back}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_guessing_tokens_is_slow(guarded: Served) -> None:
    async with guarded.browser() as browser:
        form = {"seal": await _seal(browser, "/sign-in"), "token": "guess"}
        seen = []
        for _ in range(12):
            async with browser.post("/sign-in", data=form) as answer:
                seen.append(answer.status)
        assert seen == [401] * 10 + [429] * 2
        await guarded.clock.advance(6)
        async with browser.post("/sign-in", data=form) as answer:
            assert answer.status == 401


async def test_a_seal_of_one_visitor_is_worth_nothing_to_another(guarded: Served) -> None:
    async with guarded.browser() as ann, guarded.browser() as eve:
        await _seal(eve, "/report/twitter")
        form = {"seal": await _seal(ann, "/report/twitter"), "symptom": "login"}
        async with eve.post("/report/twitter", data=form) as answer:
            assert answer.status == 403
        async with ann.post("/report/twitter", data=form) as answer:
            assert answer.status == 200


async def test_anybody_may_report_from_the_page_at_a_bounded_pace() -> None:
    async with serving() as served, served.browser() as browser:
        form = {"seal": await _seal(browser, "/report/twitter"), "symptom": "login"}
        for _ in range(30):
            async with browser.post("/report/twitter", data=form, headers=AWAY) as answer:
                assert answer.status == 200
        async with browser.post("/report/twitter", data=form, headers=AWAY) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
        other = {"X-Forwarded-For": "203.0.113.8"}
        async with browser.post("/report/twitter", data=form, headers=other) as answer:
            assert answer.status == 200, "another address is not held up"


async def test_buckets_fill_again_and_forget_who_is_gone() -> None:
    clock = ManualClock(datetime(2022, 11, 4, tzinfo=UTC))
    buckets = Buckets(clock, burst=2, per_second=0.5)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 2]
    await clock.advance(2)
    assert [buckets.take("a"), buckets.take("a")] == [0, 2]
    for n in range(20_000):
        buckets.take(str(n))
    assert len(buckets._held) <= 10_001
    await clock.advance(60)
    buckets.take("b")
    assert set(buckets._held) == {"b"}


def _ask(served: Served, route: Route, headers: dict[str, str]) -> object:
    path = route.path.replace("{service}", "twitter").replace("{incident}", INCIDENT).replace("{name}", "style.css")
    path = path.replace("{watch}", "alerts").replace("{chat}", "slack")
    json = {"service": "twitter"} if route.method == "POST" and route.needs == "report" else None
    data = "" if route.method == "POST" and route.face == "page" else None
    form = {"Content-Type": "application/x-www-form-urlencoded"} if data is not None else {}
    return served.client.request(route.method, path, headers=headers | form, json=json, data=data)


async def _seal(browser: ClientSession, path: str) -> str:
    async with browser.get(path) as answer:
        return sealed(await answer.text())


def sealed(page: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]{32})"', page)
    assert found, page
    return found[1]
