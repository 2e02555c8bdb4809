"""What other programs read: Statuspage's shape, Atom, calendar, badge, chart, and the description of it all."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator

import pytest
from doubles.house import INCIDENT, MORNING, entry
from doubles.served import Served, serving

from bot.core.model import Kind, Said
from bot.web.calendar import calendar
from bot.web.drawings import badge
from bot.web.site import ROUTES

ATOM = "{http://www.w3.org/2005/Atom}"
NASTY = "\x00\x1b[31m]]> <b>&\u202e\x08 \u0301\u0301\u0301\u0301\u0301\u0301 ok"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


async def test_the_summary_has_a_statuspages_shape(served: Served) -> None:
    async with served.client.get("/api/v2/summary.json") as answer:
        told = await answer.json()
    assert told["status"] == {"indicator": "critical", "description": "Major Service Outage"}
    assert {one["id"]: one["status"] for one in told["components"]} == {
        "twitter": "major_outage",
        "github": "operational",
        "discord": "degraded_performance",
        "slack": "operational",
        "npm": "operational",
    }
    [incident] = told["incidents"]
    assert (incident["status"], incident["impact"]) == ("investigating", "critical")
    assert incident["shortlink"] == f"https://status.example.org/incident/{INCIDENT}"
    assert [one["created_at"] for one in incident["incident_updates"]][-1] == "2022-11-04T03:10:00Z"


async def test_past_incidents_are_resolved_there(served: Served) -> None:
    async with served.client.get("/api/v2/incidents.json") as answer:
        told = (await answer.json())["incidents"]
    assert [one["status"] for one in told] == ["investigating", "resolved"]
    assert told[1]["resolved_at"] == "2022-11-01T08:12:00Z"


async def test_the_feed_is_whole_whatever_people_write(served: Served) -> None:
    served.board.lines[INCIDENT].append(entry(5, MORNING, Kind.ACTED, "critical", Said(words=NASTY)))
    async with served.client.get("/feed.atom") as answer:
        assert answer.content_type == "application/atom+xml"
        feed = ET.fromstring(await answer.text())
    first, second = feed.findall(f"{ATOM}entry")
    assert first.findtext(f"{ATOM}title") == "Twitter: critical"
    assert first.findtext(f"{ATOM}updated") == "2022-11-04T07:20:00Z" == feed.findtext(f"{ATOM}updated")
    assert (first.findtext(f"{ATOM}content") or "").endswith("]]> <b>& \u0301\u0301\u0301 ok")
    assert second.findtext(f"{ATOM}title") == "GitHub: over"


async def test_the_calendar_folds_and_escapes(served: Served) -> None:
    async with served.client.get("/calendar.ics") as answer:
        assert answer.content_type == "text/calendar"
        body = await answer.read()
    lines = body.split(b"\r\n")
    assert max(len(line) for line in lines) <= 75
    whole = body.replace(b"\r\n ", b"").decode()
    assert "DTSTART:20221104T030500Z\r\nDTEND:20221104T072000Z" in whole
    assert r"Opened\; major\, \\ and more." in whole
    assert "UID:INC-41@status.example.org" in whole


def test_folding_never_cuts_a_letter() -> None:
    words = "\U0001f514" * 60 + "ü" * 60
    told = {"id": "1", "service": "a", "level": "minor", "started_at": MORNING, "closed_at": MORNING}
    drawn = calendar([{**told, "entries": [{"text": words}]}], {}, "https://x", MORNING)
    assert f"DESCRIPTION:{words}" in drawn.replace("\r\n ", "")
    assert max(len(line.encode()) for line in drawn.split("\r\n")) <= 75


@pytest.mark.parametrize(("service", "words"), [("twitter", "critical"), ("github", "as usual"), ("x", "critical")])
async def test_a_badge_says_name_and_state(served: Served, service: str, words: str) -> None:
    async with served.client.get(f"/badge/{service}.svg") as answer:
        assert answer.content_type == "image/svg+xml"
        drawn = ET.fromstring(await answer.text())
    assert "".join(drawn.itertext()).endswith(words)


def test_a_badge_cannot_be_broken_out_of() -> None:
    drawn = badge('"><script>\x00', "a & b", "#fff")
    assert "<script>" not in drawn
    ET.fromstring(drawn)


async def test_a_chart_comes_as_svg_in_both_themes_and_as_png(served: Served) -> None:
    papers = set()
    for theme in ("light", "dark"):
        async with served.client.get(f"/chart/twitter.svg?theme={theme}") as answer:
            ET.fromstring(body := await answer.text())
            papers.add(body)
    assert len(papers) == 2
    async with served.client.get("/chart/twitter.png") as answer:
        assert (answer.content_type, (await answer.read())[:4]) == ("image/png", b"\x89PNG")
    async with served.client.get("/chart/npm.svg") as answer:
        assert (answer.status, "no chart" in await answer.text()) == (404, True)


async def test_a_chart_is_drawn_once_in_ten_seconds(served: Served) -> None:
    async with served.client.get("/chart/github.svg") as answer:
        before = await answer.text()
    served.board.names["github"] = "Renamed"
    async with served.client.get("/chart/github.svg") as answer:
        assert await answer.text() == before
    await served.clock.advance(11)
    async with served.client.get("/chart/github.svg") as answer:
        assert "Renamed" in await answer.text()


async def test_every_route_is_described(served: Served) -> None:
    async with served.client.get("/openapi.json") as answer:
        told = await answer.json()
    described = {(method.upper(), path) for path, item in told["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in served.app[ROUTES]}
    schemas = told["components"]["schemas"]
    for route in served.app[ROUTES]:
        operation = told["paths"][route.path][route.method.lower()]
        assert operation["summary"].endswith(".")
        assert {one["name"] for one in operation["parameters"] if one["in"] == "path"} == {
            part[1:-1].partition("}")[0] for part in route.path.replace(".", "/").split("/") if part.startswith("{")
        }
        assert {route.body, route.result} - {""} <= set(schemas)
    assert told["paths"]["/api/v1/reports"]["post"]["security"] == [{"token": []}]
