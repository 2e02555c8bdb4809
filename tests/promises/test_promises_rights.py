"""R49: a command is for those who may give it, on both platforms, and whatever changes something says who did it."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from doubles.clock import Elastic
from doubles.discord_double import CHANNEL, TOKEN, DiscordDouble
from doubles.living import Living, said
from doubles.slack import SlackDouble
from doubles.slack_rig import listening, until

from bot.chats.discord import DiscordConnection
from bot.chats.roles import Roles
from bot.core.phrases import plain
from bot.core.rights import RIGHTS, needed
from bot.core.speech import VERBS
from bot.ports import Place

STORY = (
    *("status", "list", "show", "chart twitter", "share twitter", "why", "help", "works twitter", "report twitter"),
    *("ack", "unack", "take", "note hello", "mute 1h", "unmute", "subscribe twitter", "config show", "test ops"),
    *("maintenance add calm 1h", "replay twitter ops", "declare cloud", "merge twitter into cloud", "reopen twitter"),
    *("resolve twitter", "real twitter", "false-alarm twitter"),
)
"""Every verb once, in an order in which each of them makes sense."""
QUIET = ("report", "works", "subscribe", "share", "config")
"""Verbs that change one person's own voice, or nothing: they leave no name behind, and must not."""


@pytest.fixture
async def life(tmp_path):
    async with Living(tmp_path) as life:
        await life.broken()
        yield life


def test_the_story_has_every_verb():
    assert sorted(words.split()[0] for words in STORY) == sorted(VERBS)


async def trail(life):
    """Everything that says who did what: the timelines, and the rows beside them."""
    found = await life.house.store.incidents()
    lines = [plain(e.text) for i in found for e in await life.house.store.entries(i.id)]
    return [*lines, *said(await life.say("config audit", right="admin")).splitlines()]


@pytest.mark.parametrize("right", ["", *RIGHTS])
async def test_a_right_opens_its_own_verbs_and_no_others_and_each_change_is_signed(life, right, prove):
    wrong = []
    for words in STORY:
        verb = words.split()[0]
        may = right in RIGHTS and RIGHTS.index(right) >= RIGHTS.index(needed(verb))
        before, state = await trail(life), life.house.board.open()
        answer = await life.say(words, right=right, channel="ops")
        after = await trail(life)
        denied = "needs the right" in said(answer)
        if denied is may or (not may and (answer.ok or after != before or life.house.board.open() != state)):
            wrong.append(f"{right or 'nobody'}: {words}: {said(answer)}")
        signed = any("Anna" in line for line in after if line not in before)
        if answer.ok and needed(verb) in ("act", "admin") and verb not in QUIET and not signed:
            wrong.append(f"{right}: {words} left no name")
    prove("R49", len(STORY), wrong, "rights tried on every verb, each change signed")


COMMANDS = {
    "status": "read",
    "why": "read",
    "report twitter": "report",
    "works twitter": "report",
    "ack": "act",
    "note hello": "act",
    "config show": "admin",
    "maintenance list": "admin",
}
HOLDERS = {"U0": "", "U1": "read", "U2": "report", "U3": "act", "U4": "admin"}


def judged(answers):
    """The cases that went another way than the roles of the config say."""
    wrong = []
    for (right, words), answer in answers.items():
        may = right in RIGHTS and RIGHTS.index(right) >= RIGHTS.index(COMMANDS[words])
        wrong += [] if ("needs the right" in answer) is not may else [f"{right or 'nobody'}: {words}: {answer[:60]}"]
    return wrong


async def test_in_slack_the_groups_of_the_workspace_decide(life, prove):
    answers = {}
    async with SlackDouble() as slack:
        slack.groups = {f"S{n}": [f"U{n}"] for n in range(1, 5)}
        roles = Roles(read=["S1"], report=["S2"], act=["S3"], admin=["S4"])
        async with listening(slack, life.desk, roles=roles):
            for user, right in HOLDERS.items():
                for words in COMMANDS:
                    asked = await slack.slash("/incident", words, user=user)
                    await until(lambda asked=asked: asked.answers)
                    answers[right, words] = asked.answers[0]["text"]
    prove("R49", len(answers), judged(answers), "cases of group and command in Slack")


@asynccontextmanager
async def in_discord(double, desk, roles):
    given = {"token": TOKEN, "guild": "123", "api_url": double.url, "gateway_url": double.gateway_url, "roles": roles}
    chat = DiscordConnection.model_validate({"kind": "discord", **given}).connect("disco", Elastic(1))
    run = asyncio.create_task(chat.run(desk, [Place(name="community", chat="disco", address=CHANNEL)]))
    await asyncio.wait_for(double.gateway.ready.wait(), 60)
    yield
    run.cancel()
    await asyncio.wait([run])
    await chat.aclose()


async def test_in_discord_the_roles_of_the_server_decide(life, prove):
    answers = {}
    numbers = {right: str(700 + n) for n, right in enumerate(RIGHTS)}
    async with DiscordDouble() as double, in_discord(double, life.desk, {r: [n] for r, n in numbers.items()}):
        for right in HOLDERS.values():
            held = (numbers[right],) if right else ()
            for words in COMMANDS:
                verb, _, rest = words.partition(" ")
                named = {"report": "service", "works": "service", "note": "text"}.get(verb, "do")
                deed = await double.command("incident", verb, roles=held, chosen={named: rest} if rest else {})
                await asyncio.wait_for(deed.edited.wait(), 60)
                answers[right, words] = str(deed.original["embeds"][0]["description"])
    prove("R49", len(answers), judged(answers), "cases of role and command in Discord")
