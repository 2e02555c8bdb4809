"""What a stranger writes cannot ping, link or format in Slack, and no message is ever too long for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from doubles.slack import MESSAGE_CHARACTERS, block_faults, view_faults
from doubles.slack_rig import AT, head
from hypothesis import given
from hypothesis import strategies as st

from bot.chats.slack_blocks import answer_message, head_message, home_view, line_message
from bot.chats.slack_forms import view
from bot.chats.slack_text import mrkdwn, tame
from bot.core.model import Answer, Bold, Button, Fact, Field, Form, Head, Line, Said, Source, When

HOSTILE = [
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S1>",
    "<!subteam^S1|@oncall>",
    "<@U1>",
    "<@U1|ana>",
    "<#C1>",
    "<#C1|general>",
    "<https://evil.example|bank>",
    "<mailto:a@evil.example|mail>",
    "<!date^0^{time}|now>",
    "&lt;!channel&gt;",
    "https://evil.example/login?x=1",
    "HTTPS://EVIL.EXAMPLE",
    "http://bank.example@evil.example/",
    "javascript://evil.example/%0aalert(1)",
    "h\u200bttps://evil.example/x",
    "*bold* _slanted_ ~struck~ `code`",
    "```\nblock\n```",
    "> quoted\n>>> all of it",
    ":rotating_light: :red_circle:",
    "\u202egnp.exe",
    "\u2066hidden\u2069 \ufeffmark",
    "a\u200d\u200c\u2060b",
    "Z" + "\u0300" * 2_000,
    "one\ntwo\nthree\nfour\r\nfive\u2028six\x0bseven",
    "\x1b[31mred\x1b[0m\x00\x07",
    "x" * 4_000,
    "\ud800 lone",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "@channel @here #general",
]


def texts(value: Any) -> list[tuple[str, str]]:
    """Every (kind, text) a message shows: mrkdwn, plain_text, or a bare field such as alt_text."""
    if isinstance(value, list):
        return [found for item in value for found in texts(item)]
    if not isinstance(value, dict):
        return []
    if "text" in value and value.get("type") in ("mrkdwn", "plain_text"):
        return [(value["type"], value["text"])]
    own = [("mrkdwn", value["text"])] if isinstance(value.get("text"), str) else []
    own += [("bare", value["alt_text"])] if "alt_text" in value else []
    return own + [found for item in value.values() for found in texts(item)]


def hostile_head(words: str) -> dict[str, Any]:
    fact = Fact(label="Symptoms", value=(Said(words),))
    source = Source(name=words, word=words, tone="major", note=words)
    shown = head(
        push=words,
        title=words,
        sentence=(Said(words),),
        facts=(fact,),
        sources=(source,),
        foot=(Said(words),),
        alt=words,
    )
    return head_message(shown, "F1")


def hostile_line(words: str) -> dict[str, Any]:
    return line_message(Line(seq=1, text=("Ana: ", Said(words)), tone="major", level="major"))


def hostile_answer(words: str) -> dict[str, Any]:
    return answer_message(Answer(lines=(("Unknown: ", Said(words)), (words,))), "INC-1")


def hostile_form(words: str) -> dict[str, Any]:
    field = Field(name="target", label=words or "x", options=(("value", words),), value=words)
    return view(Form(verb="report", title=words, submit=words, fields=(field,), about=((Said(words),),)), "{}")


def hostile_home(words: str) -> dict[str, Any]:
    return home_view([Answer(lines=((Said(words),), (words,)))], [Button(verb="report", label=words)])


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: ascii(words)[:40])
@pytest.mark.parametrize("surface", [hostile_head, hostile_line, hostile_answer, hostile_form, hostile_home])
def test_hostile_words_are_inert_on_every_surface(surface: Any, words: str) -> None:
    message = surface(words)
    message.pop("private_metadata", None)
    for kind, text in texts(message):
        assert not any(hidden in text for hidden in "\u202e\u2066\ufeff\x1b\x00\x07\ud800")
        assert "\u0300" * 4 not in text
        if kind == "mrkdwn":
            ours = text.replace("<https://status.example.org/incident/INC-42|Open the incident page>", "")
            assert "<" not in ours, ours
            assert "`" not in ours
            assert not ours.startswith(("&gt;", ">"))
            assert "\n&gt;" not in ours


def test_every_mrkdwn_text_is_verbatim_so_that_slack_links_nothing_by_itself() -> None:
    for message in (hostile_head("evil.example"), hostile_line("evil.example"), hostile_answer("evil.example")):
        mrkdwn_texts = json.dumps(message).count('"mrkdwn"')
        assert mrkdwn_texts == json.dumps(message).count('"verbatim": true') > 0


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("plain words", "plain words"),
        ("see https://evil.example/login?x=1 now", "see hxxps://evil.example now"),
        ("HTTP://Evil.example", "hxxp://Evil.example"),
        ("http://bank.example@evil.example/", "hxxp://evil.example"),
        ("ftp://evil.example/x", "ftp[:]//evil.example"),
        ("a\tb   c", "a b c"),
        ("one\n\ntwo\nthree\nfour", "one\ntwo\nthree"),
        ("x" * 300, "x" * 199 + "…"),
        ("at 12:30 sharp", "at 12:30 sharp"),
        ("family 👨\u200d👩\u200d👧 here", "family 👨\u200d👩\u200d👧 here"),
        ("a\u200db", "ab"),
        ("\u202eabc", "abc"),
        ("é" + "\u0301" * 10, "é" + "\u0301" * 3),
        ("", ""),
    ],
)
def test_a_strangers_words_are_tamed(words: str, shown: str) -> None:
    assert tame(words) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (("a & b < c",), "a &amp; b &lt; c"),
        ((Bold("much worse"), " now"), "*much worse* now"),
        ((Bold("  "),), ""),
        (("since ", When(AT)), "since <!date^1667545500^{time}|07:05 UTC>"),
        ((When(AT, "date"),), "<!date^1667545500^{date_short_pretty} {time}|2022-11-04 07:05 UTC>"),
        ((When(AT, "ago"),), "<!date^1667545500^{ago}|2022-11-04 07:05 UTC>"),
    ],
)
def test_our_words_carry_weight_and_time(text: Any, shown: str) -> None:
    assert mrkdwn(text, 500) == shown


def test_a_cut_never_falls_inside_an_escape_or_a_date() -> None:
    text = ("&" * 20, When(AT), "tail")
    for limit in range(1, 160):
        cut = mrkdwn(text, limit)
        assert len(cut) <= limit
        rest = cut.removesuffix("…").replace("&amp;", "").replace("<!date^1667545500^{time}|07:05 UTC>", "")
        assert "tail".startswith(rest)


def test_a_notification_begins_with_state_and_level() -> None:
    message = head_message(head(), None)
    assert message["text"].startswith("Major - Twitter")
    assert message["blocks"][0]["text"]["text"] == "🟠 Major · Twitter: many more problem reports than usual"


def test_sources_that_disagree_say_so_and_facts_stand_one_a_line() -> None:
    _, facts, sources = [b["text"]["text"] for b in head_message(head(), None)["blocks"] if b["type"] == "section"]
    assert facts == "*Reports* 301 in 15 min, usually 6"
    assert sources.startswith("*Sources disagree*\n🟠 *People* major since <!date^")


def test_the_last_head_has_neither_level_nor_alarm_in_its_title() -> None:
    message = head_message(head(tone="over", title="Twitter: over after 2 h", level=""), None)
    assert message["blocks"][0]["text"]["text"] == "🟢 Twitter: over after 2 h"


WORDS = st.text(max_size=400) | st.sampled_from(HOSTILE)
MOMENTS = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PARTS = (
    WORDS
    | st.builds(Said, WORDS)
    | st.builds(Bold, WORDS)
    | st.builds(When, MOMENTS, st.sampled_from(["time", "date", "ago", "?"]))
)
TEXT = st.lists(PARTS, max_size=8).map(tuple)
BUTTONS = st.lists(
    st.builds(
        Button,
        verb=st.sampled_from(["ack", "why", "note", "x" * 300, ""]),
        label=WORDS,
        style=st.sampled_from(["", "primary", "odd"]),
    ),
    max_size=30,
).map(tuple)
HEADS = st.builds(
    Head,
    incident=st.sampled_from(["INC-1", "", "I" * 3_000]),
    service=WORDS,
    rev=st.just(1),
    tone=st.sampled_from(["calm", "minor", "major", "critical", "over", "?"]),
    state=st.just("open"),
    level=WORDS,
    push=WORDS,
    title=WORDS,
    sentence=TEXT,
    facts=st.lists(st.builds(Fact, label=WORDS, value=TEXT), max_size=14).map(tuple),
    sources=st.lists(
        st.builds(
            Source,
            name=WORDS,
            word=WORDS,
            tone=st.sampled_from(["calm", "major"]),
            since=st.none() | MOMENTS,
            note=WORDS,
        ),
        max_size=20,
    ).map(tuple),
    foot=TEXT,
    buttons=BUTTONS,
    alt=WORDS,
    link=st.sampled_from(
        [
            "",
            "https://status.example.org/i/1?a=1&b=2",
            "javascript:alert(1)",
            "https://e|vil>",
            "https://" + "x" * 5_000,
        ]
    ),
)
FILES = {"F1": {"done": True, "lag": 0}}


def assert_taken(message: dict[str, Any]) -> None:
    assert block_faults(message["blocks"], FILES) == []
    assert message["blocks"]
    assert 1 <= len(message["text"]) <= 4_000
    assert len(json.dumps(message["blocks"], ensure_ascii=False)) <= MESSAGE_CHARACTERS


@given(HEADS)
def test_slack_takes_every_head(shown: Head) -> None:
    assert_taken(head_message(shown, "F1"))


def test_slack_takes_the_longest_head_there_can_be() -> None:
    words = '"' * 5_000
    assert_taken(
        head_message(
            head(
                push=words,
                title=words,
                sentence=(words,),
                facts=(Fact(label=words, value=(words,)),) * 20,
                sources=(Source(name=words, word=words, tone="major", note=words, since=AT),) * 20,
                foot=(words,),
                alt=words,
            ),
            "F1",
        )
    )


@given(TEXT, st.sampled_from(["", "<!subteam^S1>"]))
def test_slack_takes_every_line(text: Any, mention: str) -> None:
    assert_taken(line_message(Line(seq=1, text=text, tone="major", level="major", mention=mention)))


@given(st.lists(TEXT, max_size=60).map(tuple), st.none() | HEADS, BUTTONS)
def test_slack_takes_every_answer(lines: Any, shown: Head | None, buttons: Any) -> None:
    assert_taken(answer_message(Answer(lines=lines, head=shown, buttons=buttons), "INC-1"))


@given(st.lists(st.tuples(WORDS, WORDS), max_size=25), WORDS, WORDS)
def test_slack_takes_every_form(options: list[tuple[str, str]], words: str, about: str) -> None:
    value = options[-1][0] if options else words
    fields = (
        Field(name="target", label=words, options=tuple(options), value=value, needed=True),
        Field(name="text", label=words, value=words * 40),
    )
    form = Form(verb="note", title=words, submit=words, fields=fields, about=((Said(about),), (about,)))
    assert view_faults(view(form, "{}")) == []
