"""Whatever is sent to whatever address: an answer in words, never a 5xx or a traceback, and no memory that stays."""

from __future__ import annotations

import random
import resource
import string
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from doubles.hostile import CORPUS

from bot.app import House, Serving
from bot.config.read import read
from bot.web.site import ROUTES
from bot.world.clock import WallClock

CONFIG = """\
web: {listen: "127.0.0.1:0"}
channels: {wall: {chat: page}}
services:
  twitter: {name: Twitter, watch: {alerts: {kind: alertmanager, secret: s3cret}}}
"""
_SCALARS = (
    None,
    True,
    False,
    0,
    -1,
    1e308,
    -1e308,
    2**63,
    1.5,
    "",
    "twitter",
    "2026-01-05T12:00:00Z",
    "2h",
    "\ud7ff\U0001f600",
)
_KINDS = (
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data",
)


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    (tmp_path / "config.yaml").write_text(CONFIG)
    house = House(read(tmp_path / "config.yaml", {}), WallClock(), tmp_path / "data")
    await house.wake()
    async with Serving(house, asking=False) as serving:
        yield serving
    await house.aclose()


class Fuzz:
    """Requests by the description of the API: mostly near what it asks for, and far from it now and then."""

    def __init__(self, described: dict[str, Any], seed: int) -> None:
        self._chance = random.Random(seed)
        self._schemas = described["components"]["schemas"]
        self.operations = [
            (method, path, operation)
            for path, methods in described["paths"].items()
            for method, operation in methods.items()
            if path != "/events"  # never ends
        ]

    def request(self, number: int) -> tuple[str, str, dict[str, Any]]:
        """The next one; every operation has its turn."""
        method, path, operation = self.operations[number % len(self.operations)]
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", self._segment(parameter["name"]))
        asked = [p["name"] for p in operation["parameters"] if p["in"] == "query"]
        query = [(name, self._word()) for name in asked if self._chance.random() < 0.5]
        query += [(self._word(), self._word())] if self._chance.random() < 0.2 else []
        more: dict[str, Any] = {"params": query, "allow_redirects": False}
        if content := operation.get("requestBody", {}).get("content"):
            kind = self._chance.choice([*content, *content, *content, *_KINDS])
            more |= {"data": self._body(content.get(kind, {})), "headers": {"Content-Type": kind}}
        return method, path, more

    def _segment(self, name: str) -> str:
        known = {"service": "twitter", "watch": "alerts", "name": "style.css"}.get(name, "INC-1")
        return known if self._chance.random() < 0.6 else self._word().replace("/", "%2F")[:200] or "x"

    def _word(self) -> str:
        if self._chance.random() < 0.5:
            return "".join(
                c for c in self._chance.choice(CORPUS)[:300] if c.isprintable() and not "\ud800" <= c <= "\udfff"
            )
        return "".join(self._chance.choices(string.printable[:95], k=self._chance.randint(0, 40)))

    def _body(self, content: dict[str, Any]) -> bytes:
        roll = self._chance.random()
        if roll < 0.1:
            return self._chance.randbytes(self._chance.randint(0, 500))
        if roll < 0.15:
            return b"[" * 10_000
        made = msgspec.json.encode(self._value(content.get("schema", {}), 0))
        return made if roll < 0.9 else made[: self._chance.randint(0, len(made))]

    def _value(self, schema: dict[str, Any], depth: int) -> Any:
        if self._chance.random() < 0.15 or depth > 6:
            return self._chance.choice((*_SCALARS, [], {}, self._word()))
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rpartition("/")[2]], depth)
        if "oneOf" in schema:
            return self._value(self._chance.choice(schema["oneOf"]), depth)
        kind = schema.get("type")
        if kind == "array":
            return [self._value(schema.get("items", {}), depth + 1) for _ in range(self._chance.randint(0, 4))]
        if kind == "object":
            return {name: self._value(of, depth + 1) for name, of in schema.get("properties", {}).items()}
        return self._chance.choice((*_SCALARS, self._word()))


async def described(client: aiohttp.ClientSession) -> dict[str, Any]:
    async with client.get("/openapi.json") as answer:
        return await answer.json()


async def fuzzed(serving: Serving, count: int, seed: int) -> list[str]:
    wrong = []
    async with aiohttp.ClientSession(serving.address) as client:
        fuzz = Fuzz(await described(client), seed)
        for number in range(count):
            method, path, more = fuzz.request(number)
            async with client.request(method, path, **more) as answer:
                said = await answer.text(errors="replace")
            ready = path == "/readyz"  # is 503 where a condition fails, and says so
            wrong += [f"{method} {path} {more}: {answer.status}"] if answer.status >= 500 and not ready else []
            wrong += [f"{method} {path}: a traceback"] if "Traceback" in said else []
    return wrong


def held() -> float:
    """Megabytes of memory that this process holds (proc(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


async def test_whatever_is_sent_is_answered_in_words(serving: Serving) -> None:
    assert await fuzzed(serving, 600, seed=8) == []


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_a_long_fuzz_breaks_nothing_and_leaves_memory_flat(serving: Serving) -> None:
    assert await fuzzed(serving, 3_000, seed=1) == []
    before = held()
    assert await fuzzed(serving, 60_000, seed=2) == []
    assert held() - before < 64


async def test_the_description_has_every_route_and_nothing_hangs_in_the_air(serving: Serving) -> None:
    async with aiohttp.ClientSession(serving.address) as client:
        api = await described(client)
    app = serving.doorway.served.app  # type: ignore[union-attr]
    described_ones = {(method.upper(), path) for path, methods in api["paths"].items() for method in methods}
    assert described_ones == {(route.method, route.path) for route in app[ROUTES]}
    for path, methods in api["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == {part[1:-1].partition(".")[0].rstrip("}") for part in _parts(path)}, path
            assert operation["summary"], path
    known = api["components"]["schemas"].keys()
    assert {ref.rpartition("/")[2] for ref in _references(api)} <= known


async def test_answers_have_what_their_description_requires(serving: Serving) -> None:
    async with aiohttp.ClientSession(serving.address) as client:
        api = await described(client)
        for path, methods in api["paths"].items():
            ok = (
                methods.get("get", {})
                .get("responses", {})
                .get("200", {})
                .get("content", {})
                .get("application/json", {})
            )
            if not ok.get("schema") or "{incident}" in path:
                continue
            async with client.get(path.replace("{service}", "twitter")) as answer:
                body = await answer.json()
            schema = api["components"]["schemas"][ok["schema"]["$ref"].rpartition("/")[2]]
            assert set(schema["required"]) <= body.keys(), path


def _parts(path: str) -> list[str]:
    return [f"{{{piece.partition('}')[0]}}}" for piece in path.split("{")[1:]]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []
