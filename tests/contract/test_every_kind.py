"""Every kind of watch there is, found by itself: whatever it is answered or sent, nothing escapes and nothing is taken for good news."""

import codecs
import json
import re
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from doubles.feeds import NOON, Scripted, reply
from doubles.senders import SECRET

from bot.config.plugins import SOURCES
from bot.core.model import Evidence, Signal
from bot.ports import Errand, Feed, Forbidden, Hook, Letter, Reply, Retry, Source, Unreachable, Wire

BOOK = Path(__file__).parents[2] / "docs/sources.md"
ELSEWHERE = {"postgres"}
"""Kinds that speak no web; each has tests of its own."""
EMPTY_IS_WELL = {"aws", "salesforce", "mastodon", "discord_channel"}
"""Kinds whose good news, or whose silence, is an empty list."""
UNREACHED = [Unreachable(kind, "no") for kind in ("dns", "timeout", "tls", "connect", "blocked", "too_large")]
STATUSES = [reply(b"<html>sorry</html>", status) for status in (204, 301, 400, 401, 403, 404, 407, 429, 500, 503, 511)]
ROBOTS = [
    reply(b"<html>are you a robot?</html>", 403, cf_mitigated="challenge"),
    reply(b"", 429, retry_after="nonsense"),
]


def examples() -> dict[str, dict[str, Any]]:
    """The least that each kind needs, as its manual shows it."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", BOOK.read_text(), re.DOTALL | re.MULTILINE)
    shown = [watch for block in blocks for watch in yaml.safe_load(re.sub(r"\$\{\w+\}", SECRET, block)).values()]
    return {watch["kind"]: watch for watch in shown}


EXAMPLES = examples()
MODELS = {model: kind for kind, model in reversed(SOURCES.items())}
MADE = {kind: SOURCES[kind].model_validate(EXAMPLES[kind]) for kind in sorted(EXAMPLES) if kind not in ELSEWHERE}
ASKED = {kind: made for kind, made in MADE.items() if isinstance(made, Source)}
SENT = {kind: made for kind, made in MADE.items() if isinstance(made, Feed)}
HEARD = {kind: made for kind, made in MADE.items() if isinstance(made, Hook)}
OVERHEARD = {kind: made for kind, made in MADE.items() if isinstance(made, Wire)}


def test_every_kind_is_tried_here() -> None:
    tried = {*ASKED, *SENT, *HEARD, *OVERHEARD, *ELSEWHERE}
    assert {SOURCES[kind] for kind in tried} == set(SOURCES.values())


def hostile() -> Iterator[bytes]:
    """What is no answer of anybody, and good words in places where nobody means them."""
    yield from (
        b"",
        b"\0",
        b"null",
        b"true",
        b"0",
        b"[]",
        b"{}",
        b'""',
        b"[[]]",
        b"[null]",
        b"NaN",
        b"1e999",
        b"\xff\xfe",
    )
    yield from (b"[" * 100_000, b'{"a":' * 5_000, b"<a>" * 10_000, b"<html><title>All systems operational</title>")
    yield from (codecs.BOM_UTF16_BE + b"\x00[\x00", codecs.BOM_UTF8, b'{"status": "ok"}', b'{"message": "Forbidden"}')
    yield b'{"page": {"status": 9}, "status": {"indicator": 7}, "data": [], "components": {}, "incidents": "none"}'
    yield b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><rss><channel><title>&a;</title></channel></rss>'
    yield json.dumps({"access_token": "x" * 20, "expires_in": 10**30, "token_type": "Bearer"}).encode()
    yield json.dumps(dict.fromkeys("abcdefgh", "x" * 100_000)).encode()


ANSWERS: list[Reply | Unreachable] = [*(reply(body) for body in hostile()), *UNREACHED, *STATUSES, *ROBOTS]


class Nowhere(Scripted):
    """A web that gives one answer to whatever is asked, knocks included."""

    async def reach(self, host: str, port: int, **_: Any) -> Any:
        raise UNREACHED[3]

    async def echo(self, host: str, **_: Any) -> Any:
        raise UNREACHED[4]

    async def addresses(self, host: str, **_: Any) -> Any:
        return []

    async def messages(self, url: str, **_: Any) -> AsyncGenerator[bytes, None]:
        for body in hostile():
            yield body
        raise UNREACHED[3]


def _nothing(kind: str, answer: Reply | Unreachable) -> bool:
    return kind in EMPTY_IS_WELL and isinstance(answer, Reply) and answer.body == b"[]"


def sound(signal: Signal) -> None:
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal
    assert len(signal.note) <= 1_000
    assert signal.health is not None or signal.error


@pytest.mark.parametrize("kind", ASKED)
async def test_no_answer_breaks_what_is_asked_or_is_good_news(kind: str, prove: Any) -> None:
    wrong = []
    for answer in ANSWERS:
        asked = SOURCES[kind].model_validate(EXAMPLES[kind])  # a fresh one: what it learnt of the page goes with it
        assert isinstance(asked, Source)
        signal = await asked.ask(Nowhere([answer]), NOON)
        sound(signal)
        if signal.health is not None and asked.evidence is not Evidence.PROBE and not _nothing(kind, answer):
            wrong.append((kind, answer, signal))
    prove("R27", len(ANSWERS), wrong, "answers that are none, to every kind that is asked")


@pytest.mark.parametrize("kind", SENT)
async def test_no_answer_breaks_a_feed_or_is_counted(kind: str, prove: Any) -> None:
    async def keep(_: bytes) -> None:
        pass

    wrong = []
    for answer in ANSWERS:
        feed = SOURCES[kind].model_validate(EXAMPLES[kind])
        assert isinstance(feed, Feed)
        errand = Errand(since=NOON - timedelta(hours=1), now=NOON, keep=keep, words=("shop down",))
        found = await feed.gather(Nowhere([answer]), errand)
        if (not found.error or found.counts or found.posts or found.until) and not _nothing(kind, answer):
            wrong.append((kind, answer, found))
    prove("R27", len(ANSWERS), wrong, "answers that are none, to every kind that counts")


@pytest.mark.parametrize("kind", HEARD)
async def test_no_letter_breaks_a_hook_or_fires(kind: str, prove: Any) -> None:
    wrong: list[Any] = []
    proof = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    bodies = list(hostile())
    for body in bodies:
        for headers in (proof, {}, proof | {"content-type": "multipart/form-data; boundary=x"}):
            letter = Letter(at=NOON, body=body, headers=headers, query={"key": SECRET})
            try:
                found = await HEARD[kind].hear(letter, Nowhere([reply(body)]))
            except (Forbidden, ValueError, Retry):
                continue
            wrong += [alert for alert in found.alerts if alert.firing and not alert.key]
    prove("R27", 3 * len(bodies), wrong, "letters that are none, to every kind of hook")


@pytest.mark.parametrize("kind", OVERHEARD)
async def test_no_message_breaks_a_wire_or_says_anything(kind: str) -> None:
    said = []
    try:
        async for heard in OVERHEARD[kind].listen(Nowhere([]), ""):
            said += heard.posts
    except Unreachable:
        pass  # every wire breaks some day, and this one said nothing before
    assert said == []
