"""Channels of one's own Slack and Discord: what people complain of counts, nobody else's words do, and none are kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from doubles.feeds import NOON, Call, captured, feed, reply, sent

from bot.core.posts import report
from bot.ports import Gathered, Reply

CAPTURES = {"slack_channel": "history.json", "discord_channel": "messages.json"}
KINDS = sorted(CAPTURES)


def said(gathered: Gathered, kind: str) -> list[Any]:
    return [made for post in gathered.posts if (made := report(post, "discord", kind))]


@pytest.mark.parametrize(
    ("kind", "symptoms"), [("slack_channel", ["login", None]), ("discord_channel", [None, "login"])]
)
async def test_complaints_of_people_count_and_those_of_bots_do_not(kind: str, symptoms: list[str]) -> None:
    gathered, _ = await sent(feed(kind), reply(captured(kind, CAPTURES[kind])))
    made = said(gathered, kind)
    assert [one.symptom if one.symptom == "login" else None for one in made] == symptoms
    assert all(one.text is None for one in made)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_quiet_channel_is_listened_to_and_not_a_gap(kind: str) -> None:
    empty = b'{"ok": true, "messages": []}' if kind == "slack_channel" else b"[]"
    gathered, _ = await sent(feed(kind), reply(empty))
    assert gathered.error == ""
    assert [count.count for count in gathered.counts] == [0.0]


@pytest.mark.parametrize("kind", KINDS)
async def test_in_a_channel_about_the_service_a_message_need_not_name_it(kind: str) -> None:
    gathered, calls = await sent(feed(kind, own=True, words=[]), reply(captured(kind, CAPTURES[kind])))
    assert len(gathered.posts) > 2
    assert len(calls) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_without_words_it_says_what_is_missing(kind: str) -> None:
    gathered, calls = await sent(feed(kind, words=[]), reply(captured(kind, CAPTURES[kind])))
    assert "no words to look for" in gathered.note
    assert not calls


@pytest.mark.parametrize(
    ("kind", "chat", "voice"),
    [("slack_channel", "slack", "slack:T01:U01ANNA"), ("discord_channel", "disco", "disco:200000000000000001")],
)
async def test_who_also_reports_by_a_command_is_one_voice(kind: str, chat: str, voice: str) -> None:
    gathered, _ = await sent(feed(kind, chat=chat), reply(captured(kind, CAPTURES[kind])))
    assert said(gathered, kind)[0].reporter == voice
    gathered, _ = await sent(feed(kind), reply(captured(kind, CAPTURES[kind])))
    assert said(gathered, kind)[0].reporter.startswith(f"{kind}:")


async def test_slacks_pages_are_followed_and_asked_for_with_the_token() -> None:
    page = json.loads(captured("slack_channel", "history.json"))
    first = page | {"messages": page["messages"][:1], "response_metadata": {"next_cursor": "next"}}
    second = page | {"messages": page["messages"][1:]}
    gathered, calls = await sent(
        feed("slack_channel"), reply(json.dumps(first).encode()), reply(json.dumps(second).encode())
    )
    assert len(said(gathered, "slack_channel")) == 2
    assert [call.query.get("cursor") for call in calls] == [None, "next"]
    assert {call.headers["Authorization"] for call in calls} == {"Bearer hush"}
    assert float(calls[0].query["oldest"]) == (NOON - timedelta(minutes=4)).timestamp()


async def test_discords_pages_go_on_after_the_newest_message() -> None:
    page = json.loads(captured("discord_channel", "messages.json"))
    full = [dict(page[0], id=str(10**17 + n)) for n in range(100)]

    def answer(call: Call) -> Reply:
        return reply(json.dumps(page if call.query["after"] == str(10**17 + 99) else full).encode())

    _, calls = await sent(feed("discord_channel"), answer)
    assert [call.query["limit"] for call in calls] == ["100", "100"]
    assert {call.headers["Authorization"] for call in calls} == {"Bot hush"}
    since = NOON - timedelta(minutes=4)
    assert int(calls[0].query["after"]) >> 22 == int(since.timestamp() * 1000) - 1_420_070_400_000


async def test_a_channel_that_never_ends_is_left_after_a_few_pages() -> None:
    page = json.loads(captured("slack_channel", "history.json")) | {"response_metadata": {"next_cursor": "again"}}
    _, calls = await sent(feed("slack_channel"), reply(json.dumps(page).encode()))
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("kind", "answer", "words"),
    [
        ("slack_channel", reply(b'{"ok": false, "error": "not_in_channel"}'), "invite the app"),
        ("slack_channel", reply(b'{"ok": false, "error": "missing_scope"}'), "channels:history"),
        ("slack_channel", reply(b'{"ok": false, "error": "something_new"}'), "something_new"),
        ("discord_channel", reply(b'{"message": "Missing Access", "code": 50001}', status=403), "Missing Access"),
    ],
)
async def test_a_refusal_says_what_to_do(kind: str, answer: Reply, words: str) -> None:
    gathered, _ = await sent(feed(kind), answer)
    assert gathered.error
    assert words in gathered.note


async def test_messages_without_words_ask_for_the_intent() -> None:
    page = [
        dict(one, content="")
        for one in json.loads(captured("discord_channel", "messages.json"))
        if not one["attachments"]
    ]
    gathered, _ = await sent(feed("discord_channel"), reply(json.dumps(page).encode()))
    assert gathered.error == "wrong_shape"
    assert "Message Content Intent" in gathered.note


@pytest.mark.parametrize("kind", KINDS)
async def test_a_rate_limit_is_waited_for(kind: str) -> None:
    gathered, _ = await sent(feed(kind), reply(b"{}", status=429, retry_after="40"))
    assert gathered.wait == timedelta(seconds=40)


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_is_never_shown(kind: str) -> None:
    assert "hush" not in repr(feed(kind)) + feed(kind).model_dump_json()
