"""Whatever a feed is answered: no exception escapes, no nonsense is counted, and nothing grows without bounds."""

import json
import math
import tracemalloc
from collections.abc import Coroutine
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from doubles.feeds import NOON, captured, feed, reply, sent
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.plugins import SOURCES
from bot.core.model import Signal
from bot.ports import Gathered, Reply
from bot.sources.bluesky import read as overheard

RIGHT = {
    "prometheus": ("two-regions.json",),
    "loki": ("lines.json",),
    "elasticsearch": ("histogram.json", "by-platform.json"),
    "downdetector": ("reports.json", "indicators.json"),
    "hackernews": ("hits.json",),
    "mastodon": ("tag.json",),
    "reddit": ("listing.json",),
    "slack_channel": ("history.json",),
    "discord_channel": ("messages.json",),
    "x": ("counts.json",),
}
KINDS = sorted(RIGHT)
FIELDS: dict[str, dict[str, Any]] = {"downdetector": {"company": 1}, "elasticsearch": {"by": {"platform": "os"}}}
VALUES = (None, True, -1, 0, 3, 10**30, 1e308, "", "NaN", "-Inf", "7", "\x00", "\ud800", "<p", "2026-03-01T11:58:00Z")
VALUES += ("9999-12-31T23:59:59-12:00", [], {}, [None], {"x": []}, [[1, 2]], "https://[", "x" * 10_000)

ASIDE = {"sqlite", "postgres"}
"""Feeds that are not answered in documents."""

often = settings(max_examples=5_000 // len(KINDS), deadline=None)
very_often = settings(max_examples=5_000, deadline=None)


def done(work: Coroutine[Any, Any, Any]) -> Any:
    """The answer of something that waits for nobody."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def gathered(kind: str, body: bytes) -> Gathered:
    """What a feed makes of a body, whatever it asks for; a token is given to those that want one."""

    def answer(call: Any) -> Reply:
        return reply(captured("reddit", "token.json") if "token" in call.path else body)

    since = NOON - timedelta(hours=1)
    found, _ = done(sent(feed(kind, **FIELDS.get(kind, {})), answer, since=since, now=NOON + timedelta(minutes=1)))
    assert isinstance(found, Gathered)
    return found


def sound(found: Gathered) -> None:
    assert bool(found.error) == (found.until is None)
    assert not found.error or (found.note and not found.counts and not found.posts)
    assert len(found.note) <= 500
    assert len(found.counts) <= 60 * 102
    assert len(found.posts) <= 1_000
    for count in found.counts:
        assert math.isfinite(count.count)
        assert 0 <= count.count <= 1e9
        assert NOON - timedelta(hours=1) <= count.since < count.until <= NOON + timedelta(minutes=1)
    for post in found.posts:
        assert post.id
        assert post.author
        assert len(post.text) <= 2_000


def mangled(value: object, chance: Random, rate: float) -> object:
    """A document whose values are now and then replaced by something else."""
    if chance.random() < rate:
        return chance.choice(VALUES)
    if isinstance(value, dict):
        return {key: mangled(each, chance, rate) for key, each in value.items() if chance.random() > rate / 2}
    return [mangled(each, chance, rate) for each in value] if isinstance(value, list) else value


def test_every_feed_is_answered_here() -> None:
    assert {kind for kind, model in SOURCES.items() if hasattr(model, "gather")} == {*KINDS, *ASIDE}


def read_disorder(kind: str, seed: int) -> None:
    chance = Random(seed)
    document = json.loads(captured(kind, chance.choice(RIGHT[kind])))
    sound(gathered(kind, json.dumps(mangled(document, chance, chance.choice((0.02, 0.1, 0.4)))).encode()))


@pytest.mark.parametrize("kind", KINDS)
@often
@given(body=st.binary(max_size=300))
def test_no_bytes_break_a_feed(kind: str, body: bytes) -> None:
    found = gathered(kind, body)
    sound(found)
    assert found.error in ("unparseable", "wrong_shape")


@pytest.mark.parametrize("kind", KINDS)
@often
@given(seed=st.integers(0, 2**32))
def test_no_document_in_disorder_breaks_a_feed(kind: str, seed: int) -> None:
    read_disorder(kind, seed)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_no_document_in_disorder_breaks_a_feed_in_many_tries(kind: str, prove: Any) -> None:
    very_often(given(seed=st.integers(0, 2**32))(lambda seed: read_disorder(kind, seed)))()
    prove("R27", 5_000, [], "documents in disorder for each feed")


@often
@given(body=st.binary(max_size=300) | st.integers(0, 2**32))
def test_no_value_of_prometheus_breaks_a_threshold(body: bytes | int) -> None:
    made = feed("prometheus_value", url="https://p.example.com", query="x", when={"degraded": "> 1"})
    if isinstance(body, int):
        chance = Random(body)
        name = chance.choice(("vector.json", "scalar.json"))
        body = json.dumps(mangled(json.loads(captured("prometheus", name)), chance, 0.2)).encode()
    signal = made.read(body, NOON)
    assert (signal.health is None) == bool(signal.error)
    assert msgspec.json.decode(msgspec.json.encode(signal), type=Signal) == signal
    assert len(signal.note) <= 500


@often
@given(seed=st.integers(0, 2**32) | st.binary(max_size=300))
def test_no_message_breaks_the_stream(seed: int | bytes) -> None:
    message = seed if isinstance(seed, bytes) else b""
    if isinstance(seed, int):
        chance = Random(seed)
        event = json.loads(chance.choice(captured("bluesky", "events.jsonl").splitlines()))
        message = json.dumps(mangled(event, chance, 0.1)).encode()
    heard = overheard(message)
    assert heard is None or heard.cursor.isdecimal()


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_answer_stays_small(kind: str) -> None:
    document = _repeated(json.loads(captured(kind, RIGHT[kind][0])), 40)
    body = json.dumps(document).encode()
    tracemalloc.start()
    sound(gathered(kind, body))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 80_000_000


def _repeated(value: object, times: int) -> object:
    if isinstance(value, dict):
        return {key: _repeated(each, times) for key, each in value.items()}
    return [_repeated(each, times) for each in value] * times if isinstance(value, list) else value
