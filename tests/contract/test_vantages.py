"""Other places look too: what they send is checked look by look, counts once, and is judged with what we see."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from doubles.clock import ManualClock
from doubles.house import MORNING
from doubles.served import Served, bearer, serving, token
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.core.model import Health, Signal
from bot.listening.lookout import Lookout
from bot.listening.vantages import Vantages
from bot.ports import Forbidden, Receipt, Reply, Unreachable
from bot.sources.probe import Probe

HELLO = Signal(at=MORNING, health=Health.OPERATIONAL, note="answered 200 in 42 ms", url="https://example.com")
ALONE = {"kind": "probe", "url": "https://example.com"}


@dataclass
class Room:
    """Vantages over a clock of the test's own; `told` is what the engine heard."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(MORNING))
    told: list[Signal] = field(default_factory=list)

    def __post_init__(self) -> None:
        front = Probe.model_validate({**ALONE, "vantages": ["fra", "nyc"], "every": "30s"})
        self.watches = {"shop": {"front": front, "alone": Probe.model_validate(ALONE)}}
        self.vantages = Vantages(watches=self.watches, clock=self.clock, hear=self.hear)

    async def hear(self, service: str, watch: str, signal: Signal) -> None:
        self.told.append(signal)

    def send(self, place: str = "fra", *, skew: float = 0, ago: float = 0, speaker: str = "", **fields: Any) -> Receipt:
        sent = self.clock.now() + timedelta(seconds=skew)
        seen = {"at": (sent - timedelta(seconds=ago)).isoformat(), "health": "major_outage", "note": "answered 503"}
        look = {"service": "shop", "watch": "front", **seen, **fields}
        return self.vantages.take(body(place, sent, look), speaker)

    async def ours(self, **fields: Any) -> Signal:
        """What the engine hears when we have looked ourselves."""
        whole = {"at": self.clock.now(), "health": Health.OPERATIONAL, "note": "answered 200 in 42 ms"}
        await self.vantages.hear("shop", "front", Signal(**{**whole, **fields}))
        return self.told[-1]


def body(place: str, sent: datetime, *looks: Any) -> bytes:
    return json.dumps({"vantage": place, "sent_at": sent.isoformat(), "looks": looks}).encode()


async def test_a_watch_without_vantages_is_heard_as_it_is() -> None:
    room = Room()
    await room.vantages.hear("shop", "alone", HELLO)
    await room.vantages.hear("shop", "of another kind", HELLO)
    assert room.told == [HELLO, HELLO]


async def test_two_of_three_places_open_and_one_does_not() -> None:
    room = Room()
    room.send("nyc", health="operational", note="answered 200")
    room.send("fra")
    signal = await room.ours()
    assert (signal.health, signal.error) == (Health.OPERATIONAL, "")
    assert signal.note == "fails from 1 of 3 places: fra (answered 503); it takes 2"
    room.clock.jump(1)
    room.send("nyc")
    signal = await room.ours()
    assert signal.health is Health.MAJOR_OUTAGE
    assert signal.note == "fails from 2 of 3 places: fra, nyc (answered 503)"


async def test_a_stale_place_is_no_voice() -> None:
    room = Room()
    room.send("fra")
    room.send("nyc")
    assert (await room.ours()).health is Health.MAJOR_OUTAGE
    room.clock.jump(100)
    room.send("fra")
    assert (await room.ours()).health is Health.MAJOR_OUTAGE
    room.clock.jump(10)
    signal = await room.ours()
    assert (signal.health, signal.error) == (None, "no_quorum")
    assert "nothing from nyc" in signal.note


async def test_our_own_blindness_takes_our_voice_and_not_that_of_others() -> None:
    room = Room()
    room.send("fra")
    room.send("nyc")
    signal = await room.ours(health=None, error="blind", note="our own connection looks broken")
    assert signal.health is Health.MAJOR_OUTAGE
    assert "nothing from here" in signal.note


async def test_a_place_that_was_kept_from_looking_is_no_voice() -> None:
    room = Room()
    room.send("fra", health=None, error="blind")
    room.send("nyc", health="operational")
    assert "nothing from fra" in (await room.ours()).note


@pytest.mark.parametrize("skew", [0, 3_600, -3_600, 86_400 * 365, -86_400 * 365])
async def test_a_wrong_clock_elsewhere_changes_nothing(skew: float) -> None:
    room = Room()
    for place in ("fra", "nyc"):
        assert room.send(place, skew=skew, ago=5).accepted == 1
    assert (await room.ours()).health is Health.MAJOR_OUTAGE
    room.clock.jump(99)
    assert (await room.ours()).health is Health.MAJOR_OUTAGE
    room.clock.jump(2)
    assert (await room.ours()).error == "no_quorum"


def test_a_look_that_comes_twice_counts_once() -> None:
    room = Room()
    at = MORNING.isoformat()
    assert [room.send(at=at, ago=0).accepted for _ in range(3)] == [1, 0, 0]
    assert room.send(at=at).repeated == 1
    room.clock.jump(5)
    assert room.send(at=at).repeated == 1
    assert room.send().accepted == 1


def test_an_older_look_does_not_take_the_place_of_a_newer_one() -> None:
    room = Room()
    assert room.send().accepted == 1
    assert room.send(ago=20, health="operational").repeated == 1


def test_a_clock_set_back_elsewhere_is_believed_once_the_place_is_stale() -> None:
    room = Room()
    room.send(skew=3_600)
    assert room.send(skew=0).repeated == 1
    room.clock.jump(120)
    assert room.send(skew=0).accepted == 1


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"service": "nobody"}, "names no vantage"),
        ({"watch": "alone"}, "names no vantage"),
        ({"health": "fine"}, "Invalid enum value"),
        ({"at": "2022-11-04T07:30:00Z"}, "seen later than it was sent"),
        ({"at": "2022-11-04T07:00:00Z"}, "too old to count"),
        ({"at": "2022-11-04T07:20:00"}, "zone"),
        ({"at": 1e30}, "no moment"),
        ({"at": None}, "Expected"),
        ({"note": "x" * 3_000}, "length"),
        ({"service": ""}, "length"),
    ],
)
def test_a_bad_look_is_named_by_its_index_and_the_others_count(wrong: dict[str, Any], why: str) -> None:
    room = Room()
    good = {"service": "shop", "watch": "front", "at": MORNING.isoformat(), "health": "operational"}
    receipt = room.vantages.take(body("fra", MORNING, {**good, **wrong}, good, 7, good), "")
    assert (receipt.accepted, receipt.repeated) == (1, 1)
    [(first, said), (second, _)] = receipt.rejected
    assert (first, second) == (0, 2)
    assert why in said


def test_a_place_that_nobody_named_is_refused() -> None:
    receipt = Room().send("evil")
    assert receipt.rejected == ((0, "the watch 'shop/front' names no vantage 'evil' here"),)


def test_a_token_speaks_for_its_own_place_only() -> None:
    room = Room()
    with pytest.raises(Forbidden, match="a token of its own"):
        room.send("fra", speaker="nyc")
    assert room.send("fra", speaker="fra").accepted == 1


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"\xff", b'{"vantage": "fra", "sent_at": "now", "looks": []}', b"[" * 10_000]
)
def test_what_is_no_dispatch_is_refused_with_an_example(text: bytes) -> None:
    with pytest.raises(ValueError, match="sent_at"):
        Room().vantages.take(text, "")


def test_too_many_looks_are_refused_whole() -> None:
    with pytest.raises(ValueError, match="1000"):
        Room().vantages.take(body("fra", MORNING, *[{}] * 1_001), "")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["at", "health", "x"]), inner),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("service", "watch", "at", "health", "note", "error", "more"), values),
    )
)
def test_no_look_breaks_the_room(look: dict[str, Any]) -> None:
    good = {"service": "shop", "watch": "front", "at": MORNING.isoformat(), "health": "operational"}
    receipt = Room().vantages.take(body("fra", MORNING, {**good, **look}), "")
    assert receipt.accepted + len(receipt.rejected) == 1


async def test_strangers_words_stay_short_and_on_one_line() -> None:
    room = Room()
    for place in ("fra", "nyc"):
        room.send(place, note="a\nb\x00\u202e" + "c" * 1_900)
    note = (await room.ours()).note
    assert note.isprintable()
    assert len(note) < 300


async def test_a_silent_place_is_said_once_and_so_is_its_return() -> None:
    room = Room()
    with capture_logs() as logs:
        assert room.vantages.silent() == {}
        room.send("nyc")
        room.clock.jump(100)
        room.send("nyc")
        room.clock.jump(10)
        assert [list(room.vantages.silent()) for _ in range(3)] == [["fra"]] * 3
        room.send("fra")
        assert room.vantages.silent() == {}
    assert [(log["event"], log["vantage"]) for log in logs] == [
        ("a vantage is silent", "fra"),
        ("a vantage is heard again", "fra"),
    ]


# Over HTTP

TOKENS = (token("fra", "report"), token("boss", "admin"), token("reader", "read"))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    room = Room()
    async with serving(TOKENS, vantages=room.vantages) as served:
        yield served


async def post(served: Served, place: str, who: str) -> tuple[int, dict[str, Any]]:
    look = {"service": "shop", "watch": "front", "at": MORNING.isoformat(), "health": "major_outage"}
    headers = {"Content-Type": "application/json", **(bearer(who) if who else {})}
    async with served.client.post("/api/v1/looks", data=body(place, MORNING, look), headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("place", "who", "status"),
    [("fra", "fra", 202), ("nyc", "fra", 403), ("nyc", "boss", 202), ("fra", "reader", 403), ("fra", "", 401)],
)
async def test_the_door_knows_a_place_by_its_token(served: Served, place: str, who: str, status: int) -> None:
    found, said = await post(served, place, who)
    assert found == status
    assert said.get("error") or said == {"accepted": 1, "repeated": 0, "rejected": []}


async def test_a_resend_over_http_changes_nothing(served: Served) -> None:
    assert (await post(served, "fra", "fra"))[1]["accepted"] == 1
    assert (await post(served, "fra", "fra"))[1] == {"accepted": 0, "repeated": 1, "rejected": []}


async def test_only_bad_looks_are_a_bad_request_with_the_reason(served: Served) -> None:
    status, said = await post(served, "elsewhere", "boss")
    assert status == 400
    assert "names no vantage" in said["error"]


# The other side


class Line:
    """A way to the bot that answers as told; `sent` is what arrived."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[Any] = []

    async def get(self, url: str, **asked: Any) -> Reply:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.sent.append(json.loads(asked["body"]))
        status, said = answer
        return Reply(status=status, url=url, headers={}, body=json.dumps(said).encode(), elapsed=0.0)


TAKEN = (202, {"accepted": 1, "repeated": 0, "rejected": []})


async def test_only_the_newest_look_is_sent_and_nothing_is_lost_while_the_bot_is_away() -> None:
    clock, line = ManualClock(MORNING), Line(Unreachable("connect", "nobody there"), (500, {}), TAKEN)
    lookout = Lookout(line, clock, url="https://bot.test/", vantage="fra", token="t")  # type: ignore[arg-type]
    running = asyncio.create_task(lookout.run())
    with capture_logs() as logs:
        for note in ("first", "second"):
            await lookout.hear("shop", "front", Signal(at=clock.now(), health=Health.OPERATIONAL, note=note))
            await clock.advance(1)
        await clock.advance(60)
    assert [look["note"] for look in line.sent[-1]["looks"]] == ["second"]
    assert line.sent[-1]["vantage"] == "fra"
    assert [log["event"] for log in logs] == [
        "the bot does not take what is seen from here",
        "the bot takes what is seen from here again",
    ]
    sent = len(line.sent)
    await clock.advance(600)
    assert len(line.sent) == sent
    running.cancel()


async def test_what_the_bot_rejects_is_said_and_not_sent_again() -> None:
    clock = ManualClock(MORNING)
    line = Line((400, {"accepted": 0, "repeated": 0, "rejected": [{"index": 0, "error": "names no vantage"}]}))
    lookout = Lookout(line, clock, url="https://bot.test", vantage="fra")  # type: ignore[arg-type]
    await lookout.hear("shop", "front", HELLO)
    assert await lookout.send() == {("shop", "front"): "names no vantage"}
    assert await lookout.send() == {}
