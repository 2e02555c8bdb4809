"""Slack calls us over HTTP: only its own calls count, each once, and whatever else comes is refused, never a failure of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from doubles.slack import SIGNING_SECRET, SlackDouble
from doubles.slack_rig import PLACE, DeskDouble, called, connected, head, until
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.chats.inbox import Inbox
from bot.chats.slack import SlackConnection
from bot.chats.slack_calls import Calls
from bot.core.model import Answer
from bot.fields import Secret
from bot.ports import Forbidden, Letter, Missing, Retry

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
COMMAND = urlencode(
    {"command": "/incident", "text": "list", "channel_id": "C1", "user_id": "U1", "team_id": "T1"}
).encode()
DOUBLE = SlackDouble(now=AT.timestamp)


@pytest.fixture
async def slack() -> AsyncIterator[SlackDouble]:
    async with SlackDouble() as double:
        yield double


def letter(body: bytes = COMMAND, *, off: float = 0, content: str = FORM, **headers: str | None) -> Letter:
    """A call as Slack signs it, but for what `headers` say otherwise; None leaves a header out."""
    given = {"Content-Type": content, **DOUBLE.signed(body, AT.timestamp() + off)}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Letter(at=AT, body=body, headers={name.lower(): v for name, v in given.items() if v is not None})


def door(heard: list | None = None) -> Calls:
    class Heard(Inbox):
        def take(self, name: str, kind: str, payload: dict) -> None:
            heard.append((kind, payload)) if heard is not None else None

    async def nobody(kind: str, payload: dict) -> None:
        raise AssertionError

    return Calls(SIGNING_SECRET, Heard(nobody))


GOOD = DOUBLE.signed(COMMAND, AT.timestamp())
REFUSED = {
    "no signature": letter(X_Slack_Signature=None),
    "no time": letter(X_Slack_Request_Timestamp=None),
    "an empty signature": letter(X_Slack_Signature=""),
    "another version": letter(X_Slack_Signature=GOOD["X-Slack-Signature"].replace("v0=", "v1=")),
    "upper case": letter(X_Slack_Signature=GOOD["X-Slack-Signature"].upper()),
    "one letter off": letter(X_Slack_Signature=GOOD["X-Slack-Signature"][:-1] + "x"),
    "no letters of ours": letter(X_Slack_Signature="v0=\u00e9\udcff" * 9),
    "a time that is none": letter(X_Slack_Request_Timestamp="now"),
    "a time of 5,000 digits": letter(X_Slack_Request_Timestamp="9" * 5_000),
    "a time in other digits": letter(X_Slack_Request_Timestamp="\u0661\u0662"),
    "a negative time": letter(X_Slack_Request_Timestamp="-1"),
    "a time within a space": letter(X_Slack_Request_Timestamp=f" {GOOD['X-Slack-Request-Timestamp']}"),
    "301 s old": letter(off=-301),
    "301 s ahead": letter(off=301),
    "another body": Letter(at=AT, body=COMMAND + b" ", headers=dict(letter().headers)),
    "a body that is no text": Letter(at=AT, body=b"\xff\xfe", headers=dict(letter().headers)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_signed_by_slack_is_refused(what: str) -> None:
    heard: list = []
    with pytest.raises(Forbidden):
        door(heard).take(REFUSED[what])
    assert not heard


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_what_slack_signed_within_five_minutes_is_heard(off: int) -> None:
    heard: list = []
    assert door(heard).take(letter(off=off)).body is None
    [(kind, payload)] = heard
    assert (kind, payload["command"], payload["text"]) == ("slash_commands", "/incident", "list")


def test_a_copy_of_a_call_is_refused() -> None:
    heard: list = []
    calls = door(heard)
    calls.take(letter())
    for _ in range(3):
        with pytest.raises(Forbidden, match="taken already"):
            calls.take(letter())
    assert len(heard) == 1


def test_what_was_not_proved_takes_no_place_among_the_copies() -> None:
    heard: list = []
    calls = door(heard)
    with pytest.raises(Forbidden):
        calls.take(Letter(at=AT, body=b"another", headers=dict(letter().headers)))
    calls.take(letter())
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json; charset=utf-8"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "application/json"),
        (b"\xff=1", FORM),
        (b"payload=%7B", FORM),
        (b"payload=1", FORM),
        (b"&".join(b"a=1" for _ in range(2_000)), FORM),
    ],
)
def test_a_signed_body_that_cannot_be_read_is_a_bad_request(body: bytes, content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        door([]).take(letter(body, content=content))


@given(
    st.binary(max_size=60),
    st.sampled_from(["application/json", FORM, ""]),
    st.text(max_size=20),
    st.text(max_size=40),
)
def test_a_stranger_is_always_refused_in_words(body: bytes, content: str, stamp: str, signature: str) -> None:
    sent = letter(body, content=content, X_Slack_Request_Timestamp=stamp, X_Slack_Signature=signature)
    with pytest.raises(Forbidden):
        door([]).take(sent)


@given(st.binary(max_size=60), st.sampled_from(["application/json", FORM, ""]))
def test_what_slack_signs_is_answered_or_called_unreadable(body: bytes, content: str) -> None:
    try:
        word = door([]).take(letter(body, content=content))
    except ValueError:
        return
    assert word.status == 200


def test_the_challenge_is_returned_and_a_look_at_the_certificate_hears_nothing() -> None:
    heard: list = []
    challenge = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"}).encode()
    assert door(heard).take(letter(challenge, content="application/json")).body == {"challenge": "abc"}
    assert door(heard).take(letter(b"ssl_check=1&token=x")).body is None
    assert not heard


async def test_an_event_whose_answer_was_lost_is_repeated_and_heard_once(slack: SlackDouble) -> None:
    desk = DeskDouble()
    async with called(slack, desk):
        event = {"type": "app_mention", "user": "U1", "text": "<@UBOT> status", "channel": "C1", "ts": "1.1"}
        body = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev9", "event": event}).encode()
        for attempt in range(3):
            at = slack.now() + attempt
            status, _ = await slack.deliver(slack.request_url, body, "application/json", at=at)
            assert status == 200
        await until(lambda: slack.ephemerals)
    assert len(desk.asked) == 1


async def test_a_desk_that_is_stuck_delays_no_acknowledgement(slack: SlackDouble) -> None:
    desk = DeskDouble()
    async with called(slack, desk):
        desk.gate.clear()
        asked = [await slack.slash("/incident", f"note {n}") for n in range(30)]
        await until(lambda: all(one.acked_after is not None for one in asked))
        assert max(one.acked_after or 9 for one in asked) < 1.0
        desk.gate.set()
        await until(lambda: all(one.answers for one in asked))
    assert not slack.refusals


async def test_a_stranger_at_the_real_door_gets_401_and_words(slack: SlackDouble) -> None:
    async with called(slack, DeskDouble()):
        body = json.dumps({"type": "event_callback"}).encode()
        status, told = await slack.deliver(slack.request_url, body, "application/json", at=slack.now() - 3_600)
        assert status == 401
        assert "is a clock wrong?" in json.loads(told)["error"]


async def test_before_it_listens_slack_is_asked_to_come_again_and_without_a_secret_it_is_not_called(
    slack: SlackDouble,
) -> None:
    async with connected(slack, DOUBLE, app_token=None, signing_secret=Secret(SIGNING_SECRET)) as chat:
        with pytest.raises(Retry):
            await chat.called(letter())
    async with connected(slack, DOUBLE) as chat:
        with pytest.raises(Missing, match="signing_secret"):
            await chat.called(letter())


@pytest.mark.parametrize("given", [{"app_token": "xapp-1", "signing_secret": "s"}, {"signing_secret": " "}])
def test_two_ways_in_or_an_empty_secret_are_refused(given: dict) -> None:
    with pytest.raises(ValidationError, match="signing_secret"):
        SlackConnection.model_validate({"kind": "slack", "bot_token": "xoxb-1", **given})


async def test_the_answer_to_a_command_comes_as_in_socket_mode(slack: SlackDouble) -> None:
    desk = DeskDouble()
    desk.reply = Answer(lines=(("All is well.",),))
    async with called(slack, desk) as chat:
        asked = await slack.slash("/status", "twitter")
        await until(lambda: asked.answers)
        assert asked.answers[0]["text"] == "All is well."
        assert not slack.called("apps.connections.open")
        assert not slack.sockets
        assert await chat.open(PLACE, "k", head(), None, None)
