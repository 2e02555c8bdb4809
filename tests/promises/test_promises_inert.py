"""R44: what a stranger writes calls nobody, leads nowhere, runs nothing and breaks no layout, wherever it is shown."""

import io
import json
import re
from xml.etree import ElementTree as ET

import pytest
import structlog
from doubles import hostile
from doubles.discord_double import CHANNEL, TOKEN, DiscordDouble
from doubles.hostile import CORPUS
from doubles.house import INCIDENT, MORNING, entry
from doubles.served import serving
from doubles.slack import SlackDouble
from doubles.slack_rig import PLACE, Leap, connected, head, line

from bot.chats import discord_looks, slack_blocks, slack_forms
from bot.chats.discord import DiscordConnection
from bot.chats.discord_chat import DiscordChat
from bot.chats.discord_forms import modal
from bot.core import markdown
from bot.core.model import Answer, Bold, Fact, Field, Form, Kind, Line, Said, Source
from bot.fields import Secret
from bot.ports import Place
from bot.world.clock import WallClock
from bot.world.voice import legible

DISCORD = Place(name="community", chat="disco", address=CHANNEL)


def told(words, rev):
    """A head with a stranger's words wherever a head may have them."""
    return head(
        rev,
        sentence=("People say ", Said(words), "."),
        facts=(Fact(label="Acknowledged", value=(Said(words),)),),
        sources=(Source(name="page", word="operational", tone="calm", note=words[:200]),),
        foot=("first said by ", Said(words)),
    )


def test_the_corpus_is_three_hundred_different_things():
    assert len(set(CORPUS)) == 300


async def test_slack_shows_three_hundred_things_and_none_is_live(prove):
    wrong = []
    async with SlackDouble() as double, connected(double, Leap()) as chat:
        ref = await chat.open(PLACE, "k", told("calm", 1), None, None)
        for n, words in enumerate(CORPUS):
            await chat.reply(PLACE, ref, f"k{n}", line(n, Said(words), " wrote ", Said(words)), None)
            await chat.edit(PLACE, ref, told(words, n + 2), None)
        await chat.close(PLACE, ref, told(CORPUS[0], 999), None)
        calls = double.called("chat.postMessage") + double.called("chat.update")
        for call in calls:
            wrong += [f"{call.method}: {what}" for what in hostile.slack(decoded(call.args))]
            loud = [key for key in ("link_names", "unfurl_links", "unfurl_media") if call.args.get(key)]
            wrong += [f"{call.method}: {key}" for key in loud]
    prove("R44", len(calls), wrong, "calls to Slack with hostile words in thread and head, as its double heard them")


def decoded(args):
    return {k: json.loads(v) if k in ("blocks", "attachments") and isinstance(v, str) else v for k, v in args.items()}


async def test_discord_shows_three_hundred_things_and_none_is_live(prove):
    wrong = []
    async with DiscordDouble() as double:
        config = DiscordConnection(
            kind="discord", token=Secret(TOKEN), guild=["123"], api_url=double.url, gateway_url=double.gateway_url
        )
        clock = WallClock()
        config.connect("disco", clock)
        chat = DiscordChat(config, "disco", clock, patience=10.0)
        ref = await chat.open(DISCORD, "k", told("calm", 1), None, None)
        for n, words in enumerate(CORPUS):
            said = Line(seq=n, text=(Said(words), " wrote ", Said(words)), tone="major", level="major")
            await chat.reply(DISCORD, ref, f"k{n}", said, None)
            await chat.edit(DISCORD, ref, told(words, n + 2), None)
        await chat.aclose()
        messages = [*double.messages.values(), *(edit for edits in double.edits.values() for edit in edits)]
        for message in messages:
            shown = {key: message.get(key) for key in ("content", "embeds", "components")}
            wrong += hostile.discord(shown)
        wrong += [f"pinged {who}" for who in double.pings] + [f"unguarded {what}" for what in double.unguarded]
    prove("R44", len(messages), wrong, "messages in Discord with hostile words, none pinging as its double reads them")


def form(words):
    fields = (
        Field(name="text", label="In your own words", value=words[:3000]),
        Field(name="symptom", label="What?", options=(("a", words[:70] or "a"), ("b", "B")), value="a"),
    )
    about = (("Closes it, by ", Said(words), "."),)
    return Form(verb="resolve", title="Resolve", submit="Resolve", fields=fields, about=about, incident="i")


def test_forms_and_errors_that_echo_three_hundred_things_are_inert(prove):
    wrong = []
    for words in CORPUS:
        lines = (("I do not know ", Said(words), ". Try help."), (Bold("Twitter"), ": ", Said(words)))
        error = Answer(lines=lines, ok=False)
        about = slack_forms.view(form(words), "{}")["blocks"]
        wrong += [f"slack form: {w}" for w in hostile.slack([b for b in about if b["type"] != "input"])]
        wrong += [f"slack error: {w}" for w in hostile.slack(slack_blocks.answer_message(error, ""))]
        wrong += [f"discord error: {w}" for e in discord_looks.answered(error) for w in hostile.discord(e.to_dict())]
        shown = modal(form(words)).to_dict()["components"]
        wrong += [f"discord form: {w}" for w in hostile.discord([c for c in shown if c["type"] == 10])]
    prove("R44", 4 * len(CORPUS), wrong, "forms and errors in both chats that echo hostile words")


@pytest.fixture
async def served():
    async with serving() as site:
        lines = [
            entry(n, MORNING, Kind.ACTED, "minor", Said("ann"), " wrote: ", Said(w)) for n, w in enumerate(CORPUS, 1)
        ]
        site.board.lines[INCIDENT] = lines
        site.board.heads[INCIDENT] = told("".join(CORPUS[:40]), 9)
        yield site


async def test_feeds_and_the_api_stay_whole_with_three_hundred_things_in_them(served, prove):
    wrong = []
    async with served.client.get("/feed.atom") as answer:
        root = ET.fromstring(await answer.text())
        links = [e.get("href", "") for e in root.iter("{http://www.w3.org/2005/Atom}link")]
        wrong += [link for link in links if not link.startswith("https://status.example.org")]
    for path in (f"/api/v1/incidents/{INCIDENT}", "/api/v2/incidents.json"):
        async with served.client.get(path) as answer:
            json.loads(await answer.text())
            held = answer.content_type == "application/json" and answer.headers["X-Content-Type-Options"] == "nosniff"
            wrong += [] if held else [path]
    async with served.client.get("/calendar.ics") as answer:
        rows = (await answer.text()).replace("\r\n ", "").split("\r\n")
        wrong += [row for row in rows if row and not re.match(r"[A-Z-]+[:;]", row)]
        wrong += ["an event too many"] if rows.count("BEGIN:VEVENT") != rows.count("END:VEVENT") else []
    prove("R44", 4, wrong, "feeds and answers with three hundred hostile lines, whole and without a foreign link")


async def test_a_page_with_three_hundred_things_has_no_foreign_link_and_no_script(served, prove):
    wrong = []
    for path in (f"/incident/{INCIDENT}", "/"):
        async with served.client.get(path) as answer:
            page = await answer.text()
        wrong += [tag for tag in re.findall(r"<(?:a|img|iframe|form)\b[^>]*>", page) if "evil" in tag]
        wrong += [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag]
        wrong += re.findall(r"<[^>]*\son\w+=[^>]*>", page)
        wrong += hostile.letters(page)
    for words in CORPUS[:120]:
        async with served.client.get(
            "/report/" + "".join(c for c in words if c.isprintable())[:300].replace("/", "%2F")
        ) as answer:
            echoed = await answer.text()
            wrong += [words] if answer.status >= 500 or "<script>" in echoed or "<img src=x" in echoed else []
    prove("R44", 122, wrong, "pages that show or echo hostile words")


def test_markdown_for_other_places_holds_them_in_code_spans(prove):
    wrong = []
    for words in CORPUS:
        text = markdown.markdown(("Ann wrote ", Said(words), "."))
        outside = re.sub(r"`[^`]*`", "", text)
        wrong += [text] if "\n" in text or outside not in ("Ann wrote .", "Ann wrote  .") else []
        wrong += hostile.letters(text.replace("\u0301", ""))
    prove("R44", len(CORPUS), wrong, "hostile words in Markdown that leaves the house, each within its code span")


@pytest.mark.parametrize("colours", [True, False])
def test_a_line_of_the_log_stays_one_line_whatever_it_holds(prove, colours):
    wrong = []
    shown = structlog.dev.ConsoleRenderer(colors=False) if colours else structlog.processors.JSONRenderer()
    for words in CORPUS:
        out = io.StringIO()
        log = structlog.wrap_logger(structlog.PrintLogger(out), processors=[legible, shown])
        log.info("a person acted", verb=words, who=words)
        line = out.getvalue()
        wrong += [words] if line.count("\n") != 1 or hostile.letters(line[:-1].replace("\u0301", "")) else []
    prove("R44", len(CORPUS), wrong, "lines of the log with hostile words, on a terminal and as JSON")
