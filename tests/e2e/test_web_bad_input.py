"""Bad input to every route that takes a body, and to every address: a clear 4xx, never a 5xx, never a traceback."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator

import pytest
from doubles.house import INCIDENT
from doubles.served import Served, serving

from bot.web.routes import Route
from bot.web.site import ROUTES

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GZIP = {"Content-Encoding": "gzip"}
BOMB = gzip.compress(bytes(200_000_000))
RECORDS = ("/api/v1/reports", "/api/v1/counts")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


BAD = {
    "not json": (b"{", JSON, 400),
    "wrong type": (b"7", JSON, 400),
    "1 MB of text": (b'{"service": "' + b"a" * 1_000_000 + b'"}', JSON, 400),
    "10 MB": (b"[" + b" " * 10_000_000 + b"]", JSON, 413),
    "10 MB without a length": (None, JSON, 413),
    "invalid UTF-8": (b'{"service": "\xff\xfe"}', JSON, 400),
    "NUL": (b'{"service": "twit\x00ter"}', JSON, 400),
    "NUL, escaped": (b'{"service": "twit\\u0000ter"}', JSON, 400),
    "lone surrogate": (b'{"service": "\\ud800"}', JSON, 400),
    "100,000 deep": (b"[" * 100_000, JSON, 400),
    "number without end": (b'{"service": 1e999}', JSON, 400),
    "gzip bomb": (BOMB, JSON | GZIP, 413),
    "gzip cut short": (gzip.compress(b'{"service": "twitter"}')[:-9], JSON | GZIP, 400),
    "gzip with a tail": (gzip.compress(b"{}") + b"more", JSON | GZIP, 400),
    "not gzip at all": (b'{"service": "twitter"}', JSON | GZIP, 400),
    "packed twice": (b"x", JSON | {"Content-Encoding": "gzip, gzip"}, 415),
    "brotli": (b"x", JSON | {"Content-Encoding": "br"}, 415),
    "a form": (b"service=twitter", FORM, 415),
    "plain text": (b"twitter", {"Content-Type": "text/plain"}, 415),
    "no content type": (b'{"service": "twitter"}', {"Content-Type": ""}, 415),
    "latin-1": (b'{"service": "twitter"}', {"Content-Type": "application/json; charset=latin-1"}, 415),
    "lines, one broken": (b'{"service": "twitter"}\n{', LINES, 400),
}


@pytest.mark.parametrize("path", RECORDS)
@pytest.mark.parametrize("case", BAD)
async def test_a_bad_body_is_refused_in_words(served: Served, path: str, case: str) -> None:
    body, headers, status = BAD[case]
    data = _endless() if body is None else io.BytesIO(body)
    async with served.client.post(path, data=data, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (status, "application/json")
        assert len((await answer.json())["error"]) > 10
    assert served.intake.taken == []
    async with served.client.post(path, json={"service": "twitter"}) as answer:
        assert answer.status == 202, "the next one is not harmed"


async def test_an_honest_packed_body_is_taken(served: Served) -> None:
    body = gzip.compress(b'{"service": "twitter"}\n' * 1_000)
    async with served.client.post("/api/v1/reports", data=body, headers=LINES | GZIP) as answer:
        assert (await answer.json())["accepted"] == 1_000


ACTS = {
    "not an object": (b"[]", JSON, 400),
    "unknown key": (b'{"txt": "typo"}', JSON, 400),
    "wrong type": (b'{"text": 7}', JSON, 400),
    "too large": (b'{"text": "' + b"a" * 70_000 + b'"}', JSON, 413),
    "broken text": (b'{"text": "\xff"}', JSON, 400),
    "100 deep": (b'{"text": ' + b"[" * 20_000, JSON, 400),
    "a form": (b"text=hello", FORM, 415),
    "gzip bomb": (gzip.compress(bytes(10_000_000)), JSON | GZIP, 413),
}


@pytest.mark.parametrize("case", ACTS)
async def test_a_bad_act_changes_nothing(served: Served, case: str) -> None:
    body, headers, status = ACTS[case]
    async with served.client.post(f"/api/v1/incidents/{INCIDENT}/note", data=body, headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]
    assert served.desk.asked == []


FORMS = {
    "no form": (b'{"symptom": "login"}', JSON, 415),
    "no seal": (b"symptom=login", FORM, 403),
    "wrong seal": (b"symptom=login&seal=%F0%9F%94%94", FORM, 403),
    "broken text": (b"symptom=%ff", FORM, 400),
    "10 MB": (b"text=" + b"a" * 10_000_000, FORM, 413),
    "a thousand fields": (b"&".join(b"a%d=1" % n for n in range(1_000)), FORM, 400),
    "gzip bomb": (gzip.compress(bytes(10_000_000)), FORM | GZIP, 413),
}


@pytest.mark.parametrize("case", FORMS)
async def test_every_form_refuses_bad_fields_as_a_page(served: Served, case: str) -> None:
    body, headers, status = FORMS[case]
    for route in served.app[ROUTES]:
        if route.method == "POST" and route.face == "page":
            async with served.client.post(_path(route), data=io.BytesIO(body), headers=headers) as answer:
                assert (route.path, answer.status, answer.content_type) == (route.path, status, "text/html")
    assert served.desk.asked == []


QUERIES = (
    "?state=half",
    "?limit=0",
    "?limit=501",
    "?limit=-1",
    "?limit=%D9%A3",
    "?limit=1e3",
    "?theme=pink",
    "?size=huge",
)
NAMES = ("%00", "..%2f..%2fetc%2fpasswd", "a" * 4_000, "%ff%fe", "%F0%9F%94%94", "'%3B--", "{{7*7}}", "%3Cscript%3E")


async def test_no_address_breaks_whatever_stands_in_it(served: Served) -> None:
    for route in served.app[ROUTES]:
        if route.method != "GET" or route.path == "/events":
            continue
        for name in NAMES if "{" in route.path else QUERIES:
            path = _path(route, name) if "{" in route.path else route.path + name
            async with served.client.get(path) as answer:
                text = await answer.text()
                assert answer.status < 500, (path, text)
                assert answer.content_type != "text/html" or "<script>" not in text, path
                assert "Traceback" not in text


@pytest.mark.parametrize("query", ["?state=half", "?limit=0", "?limit=501", "?limit=%D9%A3", "?service=nope"])
async def test_a_question_that_cannot_be_meant_is_told_so(served: Served, query: str) -> None:
    async with served.client.get(f"/api/v1/incidents{query}") as answer:
        assert answer.status in (400, 404)
        assert (await answer.json())["error"]


async def test_a_fault_of_ours_is_told_without_its_inside(served: Served) -> None:
    served.board.now = {}
    async with served.client.get("/api/v1/services/twitter") as answer:
        assert (answer.status, await answer.json()) == (500, {"error": "this is our fault; it is in the log"})


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield b" " * 1_000_000


def _path(route: Route, name: str = "") -> str:
    return (
        route.path.replace("{service}", name or "twitter")
        .replace("{incident}", name or INCIDENT)
        .replace("{name}", name)
    )
