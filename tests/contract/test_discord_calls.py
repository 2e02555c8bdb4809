"""Discord calls us over HTTP: only its own calls count, each once; forgeries get 401, and nothing is ever a failure of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from doubles.clock import ManualClock
from doubles.discord_double import CHANNEL, ROLE, DiscordDouble
from doubles.served import serving
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.chats.discord import DiscordConnection
from bot.chats.discord_calls import Calls
from bot.core.model import Answer, Request
from bot.ports import Forbidden, Letter, Missing, Place, Retry

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.generate()
PING = b'{"type": 1, "id": "1"}'


def letter(body: bytes = PING, *, off: int = 0, key: Ed25519PrivateKey = KEY, **headers: str | None) -> Letter:
    """A call as Discord signs it, but for what `headers` say otherwise; None leaves a header out."""
    stamp = str(int(AT.timestamp()) + off)
    given = {"x-signature-timestamp": stamp, "x-signature-ed25519": key.sign(stamp.encode() + body).hex()}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Letter(at=AT, body=body, headers={name: value for name, value in given.items() if value is not None})


def door() -> Calls:
    def nobody() -> None:
        raise AssertionError

    return Calls(KEY.public_key().public_bytes_raw().hex(), nobody)


GOOD = letter().headers
REFUSED = {
    "no signature": letter(x_signature_ed25519=None),
    "no time": letter(x_signature_timestamp=None),
    "no hex": letter(x_signature_ed25519="z" * 128),
    "half a signature": letter(x_signature_ed25519=GOOD["x-signature-ed25519"][:64]),
    "no letters of ours": letter(x_signature_ed25519="\u0661" * 128),
    "another key": letter(key=Ed25519PrivateKey.generate()),
    "another time": letter(x_signature_timestamp=str(int(AT.timestamp()) + 1)),
    "another body": Letter(at=AT, body=PING + b" ", headers=dict(GOOD)),
    "a time that is none": letter(x_signature_timestamp="soon"),
    "a time of 5,000 digits": letter(x_signature_timestamp="9" * 5_000),
    "301 s old": letter(off=-301),
    "301 s ahead": letter(off=301),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_signed_by_discord_is_refused(what: str) -> None:
    with pytest.raises(Forbidden):
        door().take(REFUSED[what])


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_a_ping_is_answered_in_place_even_before_we_have_signed_in(off: int) -> None:
    assert door().take(letter(off=off)).body == {"type": 1}


def test_a_copy_is_refused_and_what_was_not_proved_takes_no_place_among_the_copies() -> None:
    calls = door()
    with pytest.raises(Forbidden):
        calls.take(Letter(at=AT, body=b"another", headers=dict(GOOD)))
    calls.take(letter())
    with pytest.raises(Forbidden, match="taken already"):
        calls.take(letter())
    with pytest.raises(Forbidden, match="taken already"):
        calls.take(letter(x_signature_ed25519=GOOD["x-signature-ed25519"].upper()))


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_cannot_be_read_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        door().take(letter(body))


@given(st.binary(max_size=60), st.text(max_size=20), st.text(max_size=140))
def test_a_stranger_is_always_refused_in_words(body: bytes, stamp: str, signature: str) -> None:
    with pytest.raises(Forbidden):
        door().take(letter(body, x_signature_timestamp=stamp, x_signature_ed25519=signature))


def test_nobody_is_accepted_who_could_not_be_answered() -> None:
    with pytest.raises(Retry):
        door().take(letter(b'{"type": 2, "id": "7"}'))


class Desk:
    """Remembers what it was asked, and answers when let."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.let = asyncio.Event()

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        await self.let.wait()
        return Answer(lines=(("All is well.",),))

    def form(self, request: Request) -> None:
        return None

    def suggest(self, what: str, typed: str) -> list[tuple[str, str]]:
        return [("twitter", "Twitter")]


@pytest.fixture
async def double() -> AsyncIterator[DiscordDouble]:
    async with DiscordDouble() as double:
        yield double


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def chat(double: DiscordDouble, desk: Desk) -> AsyncIterator[object]:
    clock = ManualClock(datetime.now(UTC))
    given = {"token": "double.token", "guild": "123", "api_url": double.url, "gateway_url": double.gateway_url}
    roles = {"act": [ROLE]}
    config = DiscordConnection.model_validate(
        {"kind": "discord", **given, "roles": roles, "public_key": double.public_key}
    )
    chat = config.connect("disco", clock)
    with pytest.raises(Retry):
        await chat.called(letter())
    running = asyncio.create_task(chat.run(desk, [Place(name="community", chat="disco", address=CHANNEL)]))
    async with serving(call=lambda _name, told: chat.called(told), clock=clock) as served, asyncio.timeout(60):
        while not double.offered:  # noqa: ASYNC110  # what is waited for has no event to hang on
            await asyncio.sleep(0.01)
        await double.point_at(f"{served.url}/chats/disco")
        yield chat
        running.cancel()
        await asyncio.wait([running])
        await chat.aclose()


async def test_an_interaction_is_accepted_at_once_deferred_and_answered_later(
    double: DiscordDouble, chat: object, desk: Desk
) -> None:
    deeds = [await double.command("incident", "status", service="twitter") for _ in range(20)]
    await asyncio.gather(*(asyncio.wait_for(deed.responded.wait(), 60) for deed in deeds))
    assert {deed.accepted for deed in deeds} <= {0, 202}
    assert max(deed.took for deed in deeds) < 2.0
    assert {(deed.kind, deed.data["flags"]) for deed in deeds} == {(5, 64)}
    desk.let.set()
    await asyncio.gather(*(asyncio.wait_for(deed.edited.wait(), 60) for deed in deeds))
    assert double.gateway.tally["links"] == 0


async def test_roles_that_were_never_seen_by_name_still_give_their_right(
    double: DiscordDouble, chat: object, desk: Desk
) -> None:
    desk.let.set()
    for roles, right in (((), "report"), ((ROLE,), "act"), (("999",), "report")):
        deed = await double.command("incident", "ack", roles=roles)
        await asyncio.wait_for(deed.edited.wait(), 60)
        assert desk.asked[-1].right == right


async def test_a_call_that_comes_twice_has_one_effect(double: DiscordDouble, chat: object, desk: Desk) -> None:
    desk.let.set()
    deed = await double.command("incident", "ack")
    await asyncio.wait_for(deed.edited.wait(), 60)
    body = json.dumps(deed.payload).encode()
    statuses = [(await double.deliver(double.endpoint, body, off=n))[0] for n in (-2, -2, 1)]
    assert statuses == [202, 401, 202]
    await asyncio.sleep(0.05)
    assert len(desk.asked) == 1


async def test_a_forgery_at_the_real_door_gets_401_and_words(double: DiscordDouble, chat: object, desk: Desk) -> None:
    status, told = await double.deliver(double.endpoint, b"{}", off=-3600)
    assert status == 401
    assert "is a clock wrong?" in json.loads(told)["error"]
    status, told = await double.deliver(double.endpoint, b"{}", key=Ed25519PrivateKey.generate())
    assert status == 401
    assert "public_key" in json.loads(told)["error"]
    assert not desk.asked


async def test_without_a_public_key_discord_does_not_call() -> None:
    config = DiscordConnection.model_validate({"kind": "discord", "token": "t", "guild": "1"})
    with pytest.raises(Missing, match="public_key"):
        await config.connect("disco", ManualClock(AT)).called(letter())


@pytest.mark.parametrize("wrong", ["", "abc", "z" * 64, "a" * 63])
def test_a_public_key_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        DiscordConnection.model_validate({"kind": "discord", "token": "t", "guild": "1", "public_key": wrong})
