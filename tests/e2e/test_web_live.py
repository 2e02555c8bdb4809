"""Live changes: what is sent when something moves, what a returning page gets, and who is forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession
from doubles.house import INCIDENT, MORNING, entry
from doubles.served import Served, serving
from msgspec.structs import replace

from bot.core.model import Kind, Said
from bot.web.site import ROUTES


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        await site.clock.settle()
        yield site


async def test_a_row_that_moved_is_sent_alone(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        served.board.now["github"]["count"] = 9
        await _moved(served, "github")
        _, change = await _change(stream)
        assert [piece["id"] for piece in change["swap"]] == ["summary", "row-github"]
        assert "9 in 15 min, usually 6" in change["swap"][1]["html"]
        assert change["order"]["services"][:2] == ["row-twitter", "row-discord"]
        assert change["order"]["open"] == [f"incident-{INCIDENT}"]


async def test_what_did_not_change_is_not_sent_again(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        await _moved(served, "github")
        await _change(stream)
        await _moved(served, "github")  # nothing differs: no event
        served.board.now["github"]["count"] = 10
        await _moved(served, "github")
        _, change = await _change(stream)
        assert [piece["id"] for piece in change["swap"]] == ["row-github"]


async def test_many_moves_at_once_are_drawn_once(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        for count in range(50):
            served.board.now["github"]["count"] = count
            served.board.move("github")
        await served.clock.advance(1)
        first, _ = await _change(stream)
        served.board.now["github"]["count"] = 99
        await _moved(served, "github")
        second, _ = await _change(stream)
        assert _number(second) == _number(first) + 1


async def test_a_thread_grows_and_is_said_aloud_once(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        await _moved(served, "twitter")
        _, first = await _change(stream)
        assert first["say"] == "", "what was there before is no news"
        served.board.lines[INCIDENT].append(
            entry(5, MORNING, Kind.ACTED, "critical", "Acknowledged by ", Said(words="<i>Ann"))
        )
        await _moved(served, "twitter")
        _, second = await _change(stream)
        assert second["say"] == "Twitter: Acknowledged by <i>Ann"
        [piece] = [piece for piece in second["swap"] if piece["id"] == f"incident-{INCIDENT}"]
        assert piece["into"] == "open"
        assert "Acknowledged by <q>&lt;i&gt;Ann</q>" in piece["html"]


async def test_an_incident_that_closes_leaves_the_open_ones(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        served.board.levels["twitter"] = ("", None, None)
        served.board.heads[INCIDENT] = replace(served.board.heads[INCIDENT], state="closed", tone="over", buttons=())
        await _moved(served, "twitter")
        _, change = await _change(stream)
        pieces = {piece["id"]: piece for piece in change["swap"]}
        assert change["order"]["open"] == []
        assert change["title"] == "Trouble at Discord"
        assert pieces[f"incident-{INCIDENT}"]["into"] == "", "a page of that incident still gets its last state"
        assert ">Over</p>" in pieces[f"incident-{INCIDENT}"]["html"]
        assert "past" in pieces


async def test_a_page_that_comes_back_gets_what_it_missed(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        await _moved(served, "github")
        seen, _ = await _change(stream)
    for count in (11, 12):
        served.board.now["github"]["count"] = count
        await _moved(served, "github")
    async with served.client.get("/events", headers={"Last-Event-ID": seen}) as stream:
        await _opened(stream)
        missed = [(await _change(stream))[1]["swap"][0]["html"] for _ in range(2)]
        assert ["11 in 15 min" in missed[0], "12 in 15 min" in missed[1]] == [True, True]


@pytest.mark.parametrize("seen", ["0-5", "nonsense", "-1", "99", "\u0663-\u0663"])
async def test_a_page_from_before_a_restart_is_told_that_it_is_stale(served: Served, seen: str) -> None:
    async with served.client.get("/events", params={"after": seen}) as stream:
        await _opened(stream)
        assert (await _event(stream))["event"] == "stale"


async def test_a_page_that_missed_too_much_is_stale_too(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        await _moved(served, "github")
        seen, _ = await _change(stream)
    for count in range(70):
        served.board.now["github"]["count"] = count
        await _moved(served, "github")
    async with served.client.get("/events", headers={"Last-Event-ID": seen}) as stream:
        await _opened(stream)
        assert (await _event(stream))["event"] == "stale"


async def test_a_page_drawn_now_asks_for_what_comes_after_it(served: Served) -> None:
    await _moved(served, "github")
    async with served.client.get("/") as answer:
        after = (await answer.text()).partition('data-after="')[2].partition('"')[0]
    served.board.now["github"]["count"] = 77
    await _moved(served, "github")
    async with served.client.get("/events", params={"after": after}) as stream:
        await _opened(stream)
        assert "77 in 15 min" in (await _change(stream))[1]["swap"][0]["html"]


async def test_the_line_beats_and_who_left_is_forgotten(served: Served) -> None:
    stream = await served.client.get("/events")
    await _opened(stream)
    await served.clock.advance(15)
    assert [await _line(stream) for _ in range(2)] == ["", ": beat"]
    assert await _listening(served) == 1
    stream.close()
    for _ in range(20):
        await asyncio.sleep(0.01)  # a real socket has to notice
        await served.clock.advance(15)
        if await _listening(served) == 0:
            break
    assert await _listening(served) == 0


async def test_a_page_that_reads_too_slowly_is_let_go(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        [live] = [route.handler.__self__ for route in served.app[ROUTES] if route.path == "/events"]
        for _ in range(80):  # the loop never turns here, so the reader cannot keep up
            live._send(b": flood\n\n")
        await stream.content.read()
        assert await _listening(served) == 0


async def test_a_store_that_is_away_does_not_end_the_stream(served: Served) -> None:
    async with served.client.get("/events") as stream:
        await _opened(stream)
        served.board.broken = "the disk is away"
        served.board.levels["twitter"] = ("", None, None)
        await _moved(served, "twitter")
        served.board.broken = ""
        await _moved(served, "github")
        _, change = await _change(stream)
        assert "row-github" in [piece["id"] for piece in change["swap"]]


async def test_the_server_closes_though_pages_listen() -> None:
    async with ClientSession() as outsider:
        async with asyncio.timeout(20), serving() as served:
            stream = await outsider.get(f"{served.url}/events")
            await _opened(stream)
        assert (await stream.content.read()).strip() == b"", "the stream was ended, not left hanging"
        stream.close()


async def _moved(served: Served, service: str) -> None:
    await served.clock.settle()
    served.board.move(service)
    await served.clock.advance(1)


async def _opened(stream: ClientResponse) -> None:
    assert stream.content_type == "text/event-stream"
    assert await _line(stream) == "retry: 3000"


async def _change(stream: ClientResponse) -> tuple[str, dict[str, Any]]:
    event = await _event(stream)
    assert event["event"] == "change"
    return event["id"], json.loads(event["data"])


async def _event(stream: ClientResponse) -> dict[str, str]:
    event: dict[str, str] = {}
    while line := await _line(stream) or not event:
        if isinstance(line, str):
            name, _, value = line.partition(": ")
            event[name] = value
    return event


async def _line(stream: ClientResponse) -> str:
    async with asyncio.timeout(60):
        return (await stream.content.readline()).decode().rstrip("\n")


async def _listening(served: Served) -> int:
    async with served.client.get("/metrics") as answer:
        text = await answer.text()
    return int(float(text.partition("\ntocsin_live_pages ")[2].partition("\n")[0]))


def _number(id_: str) -> int:
    return int(id_.rpartition("-")[2])
