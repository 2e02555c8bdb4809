"""Hooks over HTTP: two thousand deliveries that are not quite right, and what each answer says."""

import asyncio
import gzip
import json
import random
import string
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, FormData
from aiohttp.web import HTTPTooManyRequests
from doubles.clock import ManualClock
from doubles.house import MORNING
from doubles.senders import (
    NEXT,
    SECRET,
    STRANGER,
    House,
    bearer,
    capture,
    grafana,
    pagerduty,
    sentry,
    signature,
    standard,
    watch,
)  # fmt: skip
from doubles.served import AWAY, Served, serving
from multidict import CIMultiDict

from bot.config.plugins import SOURCES
from bot.core.model import Health
from bot.web.mail import Room

SHIFT = timedelta(seconds=301)


def github(body: bytes, *, at: datetime = MORNING, secret: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={signature(body, secret)}"}


def event(body: bytes, *, at: datetime = MORNING, secret: str = SECRET) -> dict[str, str]:
    return {**bearer(body, secret=secret), "content-type": "application/cloudevents+json"}


# Kind: how it proves itself, a body, and whether the proof covers the body and the time.
SENDERS = {
    "std": (standard, "standard/opened.json", True, True),
    "grafana": (grafana, "grafana/one-fires.json", True, True),
    "sentry": (sentry, "sentry/metric-critical.json", True, False),
    "pager": (pagerduty, "pagerduty/triggered.json", True, False),
    "github": (github, "webhook/plain.json", True, False),
    "am": (bearer, "alertmanager/two-of-three-fire.json", False, False),
    "kuma": (bearer, "uptimekuma/down.json", False, False),
    "gatus": (bearer, "gatus/triggered.json", False, False),
    "datadog": (bearer, "datadog/triggered.json", False, False),
    "opsgenie": (bearer, "opsgenie/create.json", False, False),
    "gator": (bearer, "statusgator/warn.json", False, False),
    "events": (event, "cloudevents/firing.json", False, False),
    "hint": (bearer, "statuspage/incident.json", False, False),
}
TIMED = ("std", "grafana", "sentry")


def hooks() -> Mapping[str, Any]:
    both = [SECRET, NEXT]
    return {
        "std": watch("standard_webhooks", secret=both),
        "grafana": watch("grafana", secret=both),
        "sentry": watch("sentry", secret=both),
        "pager": watch("pagerduty", secret=both),
        "github": watch("webhook", secret=both, signature_header="X-Hub-Signature-256"),
        "am": watch("alertmanager", secret=both),
        "hint": watch("statuspage_hook", secret=both),
        "kuma": watch("uptimekuma_hook", secret=both),
        "gatus": watch("gatus_hook", secret=both),
        "datadog": watch("datadog", secret=both),
        "opsgenie": watch("opsgenie", secret=both),
        "gator": watch("statusgator", secret=both),
        "events": watch("cloudevents", secret=both),
    }


@dataclass
class Street:
    """Two tenants behind one site."""

    served: Served
    shop: House

    @property
    def client(self) -> ClientSession:
        return self.served.client

    async def post(self, name: str, body: bytes, headers: Any = None, query: str = "") -> tuple[int, dict[str, Any]]:
        async with self.client.post(f"/hooks/shop/{name}{query}", data=body, headers=headers) as answer:
            if answer.content_type != "application/json":  # the server itself refuses a content type that comes twice
                return answer.status, {"error": await answer.text()}
            return answer.status, await answer.json()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    others = {"am": watch("alertmanager", secret=STRANGER)}
    shop = House(tmp_path, {"shop": hooks(), "bank": others}, clock=ManualClock(MORNING))
    async with shop.awake() as hearing, serving(hearing=hearing) as served:
        yield Street(served, shop)


def body_of(name: str) -> bytes:
    """The capture, as if it had been sent this very morning."""
    return capture(SENDERS[name][1]).replace(b"2026-03-01", f"{MORNING:%Y-%m-%d}".encode()).replace(b"T11:", b"T06:")


# Ways to be not quite right: each answers the body and the headers, or None where it does not apply.


def one_letter(dice: random.Random, text: str) -> str:
    place = dice.randrange(len(text))
    return (
        text[:place]
        + dice.choice([c for c in string.ascii_letters + string.digits if c != text[place]])
        + text[place + 1 :]
    )


def body_flipped(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    if not SENDERS[name][2]:
        return None
    place = dice.randrange(len(body))
    return body[:place] + bytes([body[place] ^ dice.randrange(1, 256)]) + body[place + 1 :], headers


def body_written_anew(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    anew = json.dumps(json.loads(body), indent=dice.choice([None, 1, 2]), sort_keys=dice.choice([True, False])).encode()
    return (anew, headers) if SENDERS[name][2] and anew != body else None


def body_longer(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    return (body + dice.choice([b" ", b"\n", b"\0", b"{}"]), headers) if SENDERS[name][2] else None


def proof_flipped(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    which = max(headers, key=lambda header: len(headers[header]))
    return body, headers | {which: one_letter(dice, headers[which])}


def proof_cut(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    which = max(headers, key=lambda header: len(headers[header]))
    return body, headers | {which: headers[which][: dice.randrange(len(headers[which]))]}


def proof_in_another_case(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    which = max(headers, key=lambda header: len(headers[header]))
    other = dice.choice([str.upper, str.swapcase])(headers[which])
    return (body, headers | {which: other}) if other.split()[-1] != headers[which].split()[-1] else None


def proof_of_nonsense(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    nonsense = dice.choice(
        ["", "v1", "v1=", "v1,", "sha256=", "é" * 20, "a" * 4_000, "v1=,v1=,v1=" * 50, "Bearer", "null"]
    )
    return body, headers | {max(headers, key=lambda header: len(headers[header])): nonsense}


def header_missing(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    gone = dice.choice(sorted(headers))
    # Grafana may leave the time away, but not from what was signed with it.
    return body, {header: value for header, value in headers.items() if header != gone}


def header_twice(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    twice = CIMultiDict(headers)
    which = dice.choice(sorted(headers))
    twice.add(which, dice.choice([headers[which], "1", "x"]))
    return body, twice


def time_flipped(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    which = next((header for header in headers if header.endswith("timestamp")), None)
    return (body, headers | {which: one_letter(dice, headers[which])}) if which and SENDERS[name][3] else None


def time_of_nonsense(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    which = next((header for header in headers if header.endswith("timestamp")), None)
    nonsense = dice.choice(["", "now", "9" * 5_000, "-1", "1e9", "٣" * 10, "0x10", f"{MORNING:%Y-%m-%d}", "1.5", " "])
    return (body, headers | {which: nonsense}) if which else None


def time_off(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    at = MORNING + dice.choice([SHIFT, -SHIFT, 100 * SHIFT, -100 * SHIFT])
    return (body, SENDERS[name][0](body, at=at)) if name in TIMED else None


def key_of_another(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    others = [STRANGER, SECRET.upper(), SECRET[:-1], SECRET + "x", "x" + SECRET, "whsec_" + STRANGER]
    return body, SENDERS[name][0](body, at=MORNING, secret=dice.choice(others))


def key_empty(dice: random.Random, name: str, body: bytes, headers: dict[str, str]) -> Any:
    return body, SENDERS[name][0](body, at=MORNING, secret="")


WAYS = (
    body_flipped, body_written_anew, body_longer, proof_flipped, proof_cut, proof_in_another_case, proof_of_nonsense,
    header_missing, header_twice, time_flipped, time_of_nonsense, time_off, key_of_another, key_empty,
)  # fmt: skip


def spoiled(count: int) -> list[tuple[str, str, bytes, Any]]:
    dice = random.Random(36)
    made: list[tuple[str, str, bytes, Any]] = []
    while len(made) < count:
        name, way = dice.choice(list(SENDERS)), dice.choice(WAYS)
        body = body_of(name)
        found = way(dice, name, body, SENDERS[name][0](body, at=MORNING))
        if found is not None:
            made.append((name, way.__name__, *found))
    return made


def test_every_kind_of_hook_is_among_the_senders() -> None:
    ours = {hook.kind for hook in hooks().values()}
    there = {kind for kind, model in SOURCES.items() if hasattr(model, "hear")}
    assert there - ours == {"sns"}  # it is signed with a certificate, and has tests of its own


async def test_two_thousand_deliveries_that_are_not_quite_right_are_all_refused(street: Street, prove: Any) -> None:
    seen: set[tuple[str, str]] = set()
    wrong: list[Any] = []
    deliveries = spoiled(2_000)
    for first in range(0, len(deliveries), 50):
        batch = deliveries[first : first + 50]
        answers = await asyncio.gather(*(street.post(name, body, headers) for name, _, body, headers in batch))
        for (name, way, body, headers), (status, said) in zip(batch, answers, strict=True):
            wrong += [(name, way, body, headers)] if status not in (400, 401) or not said["error"] else []
            seen.add((name, way))
    assert len(seen) > 60
    wrong += street.shop.signals + street.shop.asked
    prove(
        "R36",
        len(deliveries),
        wrong,
        "deliveries not quite right, of every kind of hook but SNS, each answered 400 or 401",
    )


async def test_each_of_them_is_taken_when_it_is_right(street: Street) -> None:
    for name, (proof, *_) in SENDERS.items():
        for secret in (SECRET, NEXT):
            body = body_of(name)
            status, said = await street.post(name, body, proof(body, at=MORNING, secret=secret))
            assert status in (200, 202), (name, said)
            assert said == {"taken": status == 202}
    assert {name for _, name, _ in street.shop.signals} == set(SENDERS) - {"hint"}
    assert street.shop.asked


@pytest.mark.parametrize("off", [-300, -299, 0, 299, 300])
async def test_a_clock_may_be_five_minutes_wrong(street: Street, off: int) -> None:
    for name in TIMED:
        body = body_of(name)
        status, _ = await street.post(name, body, SENDERS[name][0](body, at=MORNING + timedelta(seconds=off)))
        assert status == 202


async def test_the_same_message_again_is_answered_but_not_taken(street: Street) -> None:
    body = body_of("std")
    headers = standard(body, at=MORNING)
    answers = await asyncio.gather(*(street.post("std", body, headers) for _ in range(100)))
    assert sorted(status for status, _ in answers) == [200] * 99 + [202]
    assert len(street.shop.signals) == 1


async def test_another_tenants_secret_opens_only_their_own_hook(street: Street) -> None:
    body = body_of("am")
    theirs = bearer(body, secret=STRANGER)
    assert (await street.post("am", body, theirs))[0] == 401
    async with street.client.post("/hooks/bank/am", data=body, headers=theirs) as answer:
        assert answer.status == 202


async def test_a_secret_in_the_address_is_enough_and_is_never_told_back(street: Street) -> None:
    body = body_of("am")
    assert (await street.post("am", body, query=f"?key={SECRET}"))[0] == 202
    for query in (
        "",
        "?key=",
        "?key=guess",
        f"?key={SECRET}&key={SECRET}",
        f"?KEY={SECRET}",
        f"?key={SECRET}%00",
        "?key=%ff",
    ):
        status, said = await street.post("am", body, query=query)
        assert status == 401, query
        assert SECRET not in str(said)


async def test_strangers_from_anywhere_may_post_with_the_secret_and_cookies_change_nothing(street: Street) -> None:
    body = capture("statuspage/incident.json")
    headers = {
        **AWAY,
        "Origin": "https://elsewhere.example",
        "Sec-Fetch-Site": "cross-site",
        "Cookie": "tocsin_session=x",
    }
    assert (await street.post("hint", body, headers, f"?key={SECRET}"))[0] == 202
    assert street.shop.asked == ["shop"]


BAD = {
    "too large": (b" " * 1_000_001, {}, 413),
    "too large without a length": (None, {}, 413),
    "too large once unpacked": (gzip.compress(b" " * 1_000_001), {"Content-Encoding": "gzip"}, 413),
    "packed badly": (b"x", {"Content-Encoding": "gzip"}, 400),
    "packed strangely": (b"x", {"Content-Encoding": "br"}, 415),
    "deep": (b"[" * 100_000, {}, 400),
    "not JSON": (b"it burns", {}, 400),
    "empty": (b"", {}, 400),
    "a list": (b"[]", {}, 400),
    "not UTF-8": (b'{"alerts": "\xff"}', {}, 400),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_body_beyond_the_limits_is_refused_with_a_reason(street: Street, case: str) -> None:
    body, headers, expected = BAD[case]
    status, said = await street.post("am", _endless() if body is None else body, headers, f"?key={SECRET}")
    assert (status, bool(said["error"])) == (expected, True)


async def _endless() -> AsyncIterator[bytes]:
    for _ in range(200):
        yield b" " * 10_000


async def test_a_hook_may_be_told_in_gzip_and_in_any_content_type(street: Street) -> None:
    body = body_of("am")
    packed = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    assert (await street.post("am", gzip.compress(body), packed, f"?key={SECRET}"))[0] == 202
    form = FormData({"payload": "x"})
    assert (await street.post("am", form, None, f"?key={SECRET}"))[0] == 400  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/hooks/shop/nope", "/hooks/nope/am", "/hooks/shop/%2e%2e", "/hooks/shop/am/more", "/hooks/%00/am"]
)
async def test_there_is_no_hook_of_another_name(street: Street, path: str) -> None:
    async with street.client.post(path, data=b"{}") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]


async def test_hooks_are_posted_to(street: Street) -> None:
    async with street.client.get("/hooks/shop/am") as answer:
        assert answer.status == 405
        assert (await answer.json())["error"]


async def test_an_event_sender_may_ask_first(street: Street) -> None:
    async with street.client.options("/hooks/shop/am", headers={"WebHook-Request-Origin": "events.example"}) as answer:
        assert (answer.status, answer.headers["WebHook-Allowed-Origin"]) == (200, "events.example")
    async with street.client.options("/hooks/shop/am") as answer:
        assert answer.status == 400


async def test_more_bodies_at_once_than_memory_is_meant_for_are_asked_to_wait(street: Street) -> None:
    hold = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{" + b" " * 900_000
        await hold.wait()
        yield b"}"

    held = [asyncio.create_task(street.post("am", slow(), None, f"?key={SECRET}")) for _ in range(18)]
    done, waiting = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
    assert [(await task)[0] for task in done][:1] == [429]
    async with street.client.post(f"/hooks/shop/am?key={SECRET}", data=body_of("am"), headers=AWAY) as answer:
        assert answer.status == 202  # whoever floods us from one address keeps no other from being heard
    hold.set()
    assert {(await task)[0] for task in waiting} <= {400, 429}
    assert (await street.post("am", body_of("am"), None, f"?key={SECRET}"))[0] == 202
    assert street.shop.last.health is Health.MAJOR_OUTAGE


async def test_two_hundred_who_send_nothing_keep_nobody_waiting(street: Street) -> None:
    host, port = street.served.url.removeprefix("http://").split(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(200)]
    for _, writer in idle:
        writer.write(b"POST /hooks/shop/am HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n{")
    assert (await street.post("am", body_of("am"), None, f"?key={SECRET}"))[0] == 202
    for _, writer in idle:
        writer.close()


def test_room_is_given_back_whatever_happens() -> None:
    room = Room(whole=10, each=6)
    with room.seat("a") as a, room.seat("b") as b:
        a(6)
        b(4)
        with pytest.raises(HTTPTooManyRequests):
            a(1)
        with pytest.raises(HTTPTooManyRequests):
            b(1)
    with room.seat("a") as a:
        a(6)
    assert not room._held
