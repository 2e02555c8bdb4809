"""How things look in Discord: strangers' words inert on every surface, limits never passed."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from doubles.discord_rules import check_message, check_modal, length
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.chats import discord_looks as looks
from bot.chats.discord_forms import about, modal
from bot.core.model import Answer, Bold, Button, Fact, Field, Form, Head, Line, Said, Source, When

MOMENT = datetime(2022, 11, 4, 7, 5, tzinfo=UTC)

HOSTILE = [
    "@everyone",
    "@here",
    "<!channel>",
    "<!here|x>",
    "<!subteam^S1>",
    "<@123456789012345678>",
    "<@!1>",
    "<@&1>",
    "<#1>",
    "<t:1:R>",
    "</cmd:1>",
    "<id:customize>",
    "<:smile:1>",
    "<a:wave:1>",
    "[bank](https://evil.example/login)",
    "[a](https://evil.example) and [b](https://evil.example)",
    "[a](<https://evil.example>)",
    "<https://evil.example|bank>",
    "https://evil.example/a?b=c",
    "HTTP://EVIL.EXAMPLE",
    "hthttps://tps://evil.example",
    "steam://run/1",
    "discord.gg/free",
    "discord.com/invite/free",
    "https://discord.gg/free",
    "https://b\u0430nk.example",
    "a\u200b\u202eb\u2066c",
    "\u202ehttps://evil.example",
    "@\u200deveryone",
    "@every\u200bone",
    "@e\u0301veryone",
    "e" + "\u0301" * 2000,
    "x" * 4000,
    "line\n" * 50,
    "a\r\nb\rc",
    "\x1b[31mred\x1b[0m",
    "\x00nul",
    "```py\nprint()\n```",
    "`code`",
    "**b** __u__ ~~s~~ ||spoiler|| *i* _i_",
    "# head\n## head\n> quote\n>>> quote\n- list\n-# small",
    "\\@everyone \\<@1>",
    "=cmd()",
    "<script>alert(1)</script>",
    "\ud800 half",
    "\u2028\u2029 separators",
]

LIVE = re.compile(
    r"@(?:everyone|here)|<(?:@[!&]?\d|#\d|t:|/|id:|a?:\w)|\w://|discord(?:app)?\.(?:gg|com)|(?<!\\)\]\(",
    re.IGNORECASE,
)
LOOSE = re.compile(r"(?<!\\)(?:[*_~|`\[]|^\s*(?:#{1,3}|>>?>?|-#?)\s)", re.MULTILINE)
STRANGE = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


def head(**changes: Any) -> Head:
    given = {
        "incident": "twitter-20221104-0307",
        "service": "twitter",
        "rev": 1,
        "tone": "major",
        "state": "open",
        "level": "major",
        "push": "Major - Twitter",
        "title": "Twitter: trouble",
        "sentence": ("Trouble.",),
    }
    return Head(**given | changes)


def surfaces(words: str) -> list[str]:
    """Every place where a stranger's words can come to stand."""
    full = head(
        sentence=("By ", Said(words)),
        facts=(Fact(label="Acknowledged", value=(Said(words),)),),
        sources=(Source(name="page", word="major", tone="major", note=words),),
        foot=(Said(words),),
    )
    line = Line(seq=1, text=("Ada noted: ", Said(words)), tone="major", level="major", loud=True)
    answer = Answer(lines=((Said(words),), ("a", Said(words))), ok=False)
    cards = [looks.embed(full, picture=False), looks.reply(line), *looks.answered(answer)]
    texts = [card.description or "" for card in cards]
    texts += [field.value or "" for card in cards for field in card.fields]
    return texts


@pytest.mark.parametrize("words", HOSTILE)
def test_a_strangers_words_are_inert_wherever_they_stand(words: str) -> None:
    for shown in surfaces(words):
        assert not LIVE.search(shown)
        assert not [c for c in shown if c != "\n" and unicodedata.category(c) in STRANGE]
        assert "\u202e" not in shown
        assert "\u2066" not in shown


@pytest.mark.parametrize("words", HOSTILE)
def test_a_strangers_words_do_not_format_and_stay_short(words: str) -> None:
    shown = looks.said(words)
    assert not LOOSE.search(shown)
    assert shown.count("\n") <= 2
    assert len(re.sub(r"\\(?=\W|_)|\u200b", "", shown)) <= 210
    assert "\u0301" * 3 not in unicodedata.normalize("NFD", shown).replace("e\u0301\u0301\u0301", "")


def test_the_words_of_a_stranger_never_stand_in_the_content_of_a_message() -> None:
    line = Line(seq=1, text=(Bold("Worse"), " says ", Said("secret words")), tone="major", level="major", loud=True)
    assert "secret" not in looks.call(replace(line, mention="<@&1>"))
    text = (Bold("Worse: critical"), ". ", "The vendor's page (page): ", Said("secret words"), ". ")
    assert looks.call(replace(line, text=text, mention="<@&1>")) == "<@&1> **Worse: critical**."


@given(st.text(max_size=300))
def test_no_text_at_all_comes_out_alive(words: str) -> None:
    shown = looks.said(words)
    assert not LIVE.search(shown)
    assert looks.said(words) == shown


def test_a_link_of_a_stranger_shows_its_host_and_goes_nowhere() -> None:
    assert looks.said("see https://evil.example/path?q=1 now").replace("\u200b", "") == "see hxxps://evil.example now"


def test_plain_words_of_ours_keep_their_links_and_their_stars() -> None:
    assert looks.plain("2 * 3 at https://status.example.org/a_b") == "2 \\* 3 at https://status.example.org/a_b"


def test_times_are_the_readers_own() -> None:
    stamp = int(MOMENT.timestamp())
    styles = [looks.render(When(MOMENT, style)) for style in ("time", "date", "ago")]
    assert styles == [f"<t:{stamp}:t>", f"<t:{stamp}:f>", f"<t:{stamp}:R>"]


def test_a_family_of_emoji_stays_together() -> None:
    assert looks.said("👩\u200d👩\u200d👧 down") == "👩\u200d👩\u200d👧 down"


def test_sources_show_their_disagreement_in_words_and_shapes() -> None:
    rows = (
        Source(name="reports", word="major", tone="major", since=MOMENT),
        Source(name="page", word="operational", tone="calm", note="checked"),
    )
    [field] = looks.embed(head(sources=rows), picture=False).fields
    stamp = int(MOMENT.timestamp())
    assert field.value == f"▲ **reports** major, since <t:{stamp}:t>\n○ **page** operational · checked"


def test_state_and_level_are_the_first_words_of_the_notification() -> None:
    assert looks.content(head(push="Critical - Twitter: far more")).startswith("Critical - Twitter")


WORDS = st.text(st.characters(codec="utf-8") | st.sampled_from("*_`<@#[](:/\\\n😀\u0301"), max_size=400).map(
    lambda words: words * 12
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PARTS = st.one_of(
    WORDS, st.builds(Said, words=WORDS), st.builds(Bold, words=WORDS), st.builds(When, at=MOMENTS, style=st.just("ago"))
)
TEXTS = st.lists(PARTS, max_size=12).map(tuple)
HEADS = st.builds(
    head,
    push=WORDS,
    title=WORDS,
    sentence=TEXTS,
    facts=st.lists(st.builds(Fact, label=WORDS, value=TEXTS), max_size=40).map(tuple),
    sources=st.lists(
        st.builds(Source, name=WORDS, word=WORDS, tone=st.sampled_from(["calm", "odd"]), note=WORDS), max_size=30
    ).map(tuple),
    foot=TEXTS,
    link=st.sampled_from(["", "https://status.example.org/x", "javascript:alert(1)"]),
    buttons=st.just((Button(verb="ack", label="Acknowledge"), Button(verb="why", label="W" * 200))),
)


CODES = st.text(alphabet="abc-", max_size=120)
FIELDS = st.builds(
    Field,
    name=st.sampled_from(["text", "target", "span"]),
    label=WORDS,
    options=st.lists(st.tuples(CODES, WORDS), max_size=30, unique_by=lambda pair: pair[0]).map(tuple),
    value=WORDS,
)


@given(st.lists(FIELDS, min_size=1, max_size=6).map(tuple), WORDS, TEXTS)
def test_no_form_ever_passes_a_limit_of_discord(fields: tuple[Field, ...], title: str, about: tuple) -> None:
    form = Form(verb="note", title=title, submit="Add", fields=fields, about=(about, about), incident="twitter-1")
    check_modal(modal(form).to_dict())


@pytest.mark.parametrize("words", HOSTILE)
def test_a_strangers_words_are_inert_in_a_form(words: str) -> None:
    field = Field(name="target", label=f"Which? {words}", options=(("a", words), ("b", "B")), value="b")
    form = Form(verb="merge", title=words, submit="Merge", fields=(field,), about=((Said(words),), (words,)))
    shown = modal(form).to_dict()
    for part in shown["components"]:
        if part["type"] == 10:
            assert not LIVE.search(part["content"].replace(looks.plain(words), ""))
    labels = [shown["title"], *(o["label"] for o in shown["components"][-1]["component"]["options"])]
    assert not [c for text in labels for c in text if unicodedata.category(c) in STRANGE]


@pytest.mark.parametrize(
    ("custom", "parts"),
    [("ack:i-1", ("ack", "i-1", "")), ("note::a:b", ("note", "", "a:b")), ("help", ("help", "", ""))],
)
def test_what_a_press_is_about_is_read_from_its_id(custom: str, parts: tuple[str, str, str]) -> None:
    assert about({"custom_id": custom}) == parts


@given(HEADS)
def test_no_head_ever_passes_a_limit_of_discord(shown: Head) -> None:
    view = looks.view(shown.buttons, shown.incident)
    payload = {
        "content": looks.content(shown),
        "embeds": [looks.embed(shown, picture=True).to_dict()],
        "components": view.to_components() if view else [],
    }
    check_message(payload, files=0, kept=1)


@given(TEXTS, HEADS)
def test_no_answer_and_no_line_ever_passes_a_limit_of_discord(words: Any, shown: Head) -> None:
    answer = Answer(lines=(words, words), head=shown)
    check_message({"embeds": [card.to_dict() for card in looks.answered(answer)]}, files=0, kept=0)
    line = Line(seq=7, text=words, tone="major", level="major", loud=True)
    embeds = [looks.reply(line).to_dict()]
    check_message({"content": looks.call(replace(line, mention="<@&789>")), "embeds": embeds}, files=0, kept=0)


@given(TEXTS, st.integers(0, 400))
def test_a_text_is_cut_to_its_limit(words: Any, limit: int) -> None:
    assert length(looks.fit(words, limit)) <= limit


def test_facts_stand_one_a_line_below_the_sentence() -> None:
    facts = (Fact(label="Now", value=("312 reports",)), Fact(label="Peak", value=("340",)))
    assert looks.embed(head(sentence=("Log-in fails.",), facts=facts), picture=False).description == (
        "Log-in fails.\n\n**Now** 312 reports\n**Peak** 340"
    )
