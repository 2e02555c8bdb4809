"""The API over loopback: what is taken, what is answered, and in which words it refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from doubles.house import INCIDENT
from doubles.served import Served, serving

from bot.ports import Retry

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"service": "twitter"}', {"Content-Type": "application/json"}),
        (b' \n [{"service": "twitter"}]', {"Content-Type": "application/json; charset=utf-8"}),
        (b'{"service": "twitter"}\n', NDJSON),
    ],
    ids=["object", "array", "lines"],
)
async def test_a_report_is_taken_in_three_shapes(served: Served, body: bytes, headers: dict[str, str]) -> None:
    async with served.client.post("/api/v1/reports", data=body, headers=headers) as answer:
        assert answer.status == 202
        assert await answer.json() == {"accepted": 1, "repeated": 0, "rejected": []}
    assert served.intake.taken == [{"service": "twitter", "door": "api"}]


async def test_good_records_count_though_their_neighbours_do_not(served: Served) -> None:
    lines = b'{"service": "twitter"}\n{"service": "twiter"}\n{"service": "twitter"}\n'
    async with served.client.post("/api/v1/reports", data=lines, headers=NDJSON) as answer:
        assert answer.status == 202
        said = await answer.json()
    assert said["accepted"] == 2
    assert said["rejected"] == [{"index": 1, "error": "no service 'twiter'; did you mean 'twitter'?"}]


async def test_a_body_without_one_good_record_is_refused_in_the_same_shape(served: Served) -> None:
    async with served.client.post("/api/v1/reports", json={"service": "twiter"}) as answer:
        assert answer.status == 400
        said = await answer.json()
    assert said["accepted"] == 0
    assert said["rejected"][0]["index"] == 0
    assert "did you mean 'twitter'" in said["error"]


async def test_counts_go_through_a_door_of_their_own(served: Served) -> None:
    count = {"service": "twitter", "from": 1667545200, "to": 1667545260, "count": 7}
    async with served.client.post("/api/v1/counts", json=count) as answer:
        assert answer.status == 202
    assert served.intake.taken == [{**count, "door": "counts"}]


async def test_a_disk_that_cannot_take_it_now_asks_to_come_back(served: Served) -> None:
    served.intake.busy = Retry("the disk is full", after=timedelta(seconds=30))
    async with served.client.post("/api/v1/reports", json={"service": "twitter"}) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert await answer.json() == {"error": "not now: the disk is full"}


async def test_the_present_is_read_by_id_name_or_alias(served: Served) -> None:
    for words in ("twitter", "Twitter", "x"):
        async with served.client.get(f"/api/v1/services/{words}") as answer:
            assert (await answer.json())["now"]["count"] == 312
    async with served.client.get("/api/v1/status") as answer:
        assert (await answer.json())["services"][0]["id"] == "twitter"
    async with served.client.get("/api/v1/services/twiter") as answer:
        assert (answer.status, await answer.json()) == (404, {"error": "no service 'twiter'; did you mean 'twitter'?"})


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [INCIDENT, "INC-41"]),
        ("?state=open", [INCIDENT]),
        ("?state=closed", ["INC-41"]),
        ("?service=x", [INCIDENT]),
        ("?limit=1", [INCIDENT]),
    ],
)
async def test_incidents_are_listed_by_state_and_service(served: Served, query: str, ids: list[str]) -> None:
    async with served.client.get(f"/api/v1/incidents{query}") as answer:
        assert [one["id"] for one in (await answer.json())["incidents"]] == ids


async def test_one_incident_has_its_timeline_and_threads(served: Served) -> None:
    async with served.client.get(f"/api/v1/incidents/{INCIDENT}") as answer:
        told = await answer.json()
    assert told["state"] == "open"
    assert [entry["kind"] for entry in told["entries"]] == ["opened", "raised", "scope", "acted"]
    assert told["threads"] == [{"channel": "wall", "ref": "1", "heard": 4}]


@pytest.mark.parametrize(
    ("verb", "body", "text"),
    [
        ("ack", None, ""),
        ("note", {"text": "the vendor knows", "who": "Ann"}, "the vendor knows"),
        ("mute", {"for": "2h"}, "2h"),
        ("resolve", {"text": "it was DNS"}, "it was DNS"),
        ("false-alarm", {}, ""),
    ],
)
async def test_a_verb_reaches_the_desk_with_its_words(
    served: Served, verb: str, body: dict[str, str] | None, text: str
) -> None:
    async with served.client.post(f"/api/v1/incidents/{INCIDENT}/{verb}", json=body) as answer:
        assert answer.status == 200
    [asked] = served.desk.asked
    assert (asked.verb, asked.incident, asked.text, asked.who.chat) == (verb, INCIDENT, text, "api")
    assert asked.who.name == (body or {}).get("who", "somebody at this machine")


async def test_what_the_desk_refuses_is_a_conflict_in_the_desks_words(served: Served) -> None:
    served.desk.refusal = "It is over already; declare a new one."
    async with served.client.post(f"/api/v1/incidents/{INCIDENT}/ack") as answer:
        assert (answer.status, await answer.json()) == (409, {"error": "It is over already; declare a new one."})


async def test_readiness_names_what_is_missing(served: Served) -> None:
    async with served.client.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (200, True)
    served.conditions["slack"] = "not connected since 07:01 UTC"
    async with served.client.get("/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["conditions"]["slack"] == "not connected since 07:01 UTC"
    async with served.client.get("/healthz") as answer:
        assert answer.status == 200


async def test_measures_count_reports_and_name_routes_not_paths(served: Served) -> None:
    await served.client.post("/api/v1/reports", json=[{"service": "twitter"}, {"service": "nope"}])
    await served.client.get("/incident/made-up-by-a-stranger")
    async with served.client.get("/metrics") as answer:
        text = await answer.text()
    assert 'tocsin_reports_total{result="accepted"} 1.0' in text
    assert 'tocsin_reports_total{result="rejected"} 1.0' in text
    assert 'route="/incident/{incident}",status="404"' in text
    assert "made-up" not in text


async def test_errors_of_the_api_are_json_even_where_there_is_nothing(served: Served) -> None:
    for method, path, status in (
        ("GET", "/api/v9", 404),
        ("DELETE", "/api/v1/reports", 405),
        ("POST", "/hooks/a/b", 404),
    ):
        async with served.client.request(method, path) as answer:
            assert (answer.status, answer.content_type) == (status, "application/json")
            assert set(json.loads(await answer.text())) == {"error"}
