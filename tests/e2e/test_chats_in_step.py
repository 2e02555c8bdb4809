"""Two chats and the page, in step: what is done in one shows in the others at once; what one refuses, another says."""

import asyncio
import time

import aiohttp
import pytest
from doubles.discord_events import GUILD
from doubles.program import Program, until
from doubles.slack import Fault

pytestmark = pytest.mark.slow
AT_ONCE = 2.0


@pytest.fixture
async def program(tmp_path, slack, discord):
    running = await Program(tmp_path, slack, discord, GUILD).start()
    await until(lambda: slack.sockets and discord.gateway.ready.is_set())
    yield running
    await running.stop()


class Room:
    """The thread of one incident on all three."""

    def __init__(self, program, slack, discord):
        self.program, self.slack, self.discord = program, slack, discord
        self.incident = ""

    async def open(self):
        asked = await self.slack.slash("/incident", "declare twitter critical nobody can log in")
        await until(lambda: asked.answers)
        await until(lambda: len(self.in_discord()) and len(self.in_slack()))
        [found] = await self.program.incidents()
        self.incident = found["id"]
        return self

    @property
    def thread(self):
        return next(m["id"] for m in self.discord.said() if self.incident in str(m))

    def in_slack(self):
        return [m["text"] for m in self.slack.channels["C1"].live if m.get("thread_ts", m["ts"]) != m["ts"]]

    def in_discord(self):
        return [e.get("description", "") for m in self.discord.messages.values() for e in m["embeds"]]

    async def on_page(self):
        url = f"{self.program.address}/api/v1/incidents/{self.incident}"
        async with aiohttp.ClientSession() as web, web.get(url) as answer:
            return [entry["text"] for entry in (await answer.json())["entries"]]

    async def everywhere(self, words):
        """How long it takes until a line with these words stands in all three."""
        began = time.monotonic()

        def said(lines):
            return any(words in line for line in lines)

        async def there():
            return said(self.in_slack()) and said(self.in_discord()) and said(await self.on_page())

        await until(there)
        return time.monotonic() - began

    async def in_slack_do(self, words):
        return await self.slack.slash("/incident", words)

    async def in_discord_do(self, verb, **chosen):
        deed = await self.discord.command("incident", verb, channel=self.thread, chosen=chosen)
        await asyncio.wait_for(deed.responded.wait(), 60)
        if deed.kind == 9:
            await self.discord.fill(deed, channel=self.thread)

    async def on_page_do(self, verb, **body):
        url = f"{self.program.address}/api/v1/incidents/{self.incident}/{verb}"
        async with aiohttp.ClientSession() as web, web.post(url, json=body) as answer:
            assert answer.status == 200, await answer.text()


async def test_an_act_in_one_shows_in_all_within_two_seconds_with_who_and_where(program, slack, discord):
    room = await Room(program, slack, discord).open()
    took = {}
    await room.in_slack_do("ack looking at it")
    took["ack in Slack"] = await room.everywhere("u1 acknowledged, from slack: looking at it")
    await room.in_discord_do("take")
    took["take in Discord"] = await room.everywhere("Ada took it, from disco")
    await room.in_discord_do("note", text="the vendor is asleep")
    took["note in Discord"] = await room.everywhere("Ada noted, from disco: the vendor is asleep")
    await room.on_page_do("note", text="seen on the page")
    took["note on the page"] = await room.everywhere("seen on the page")
    pressed = await slack.press("unack", room.incident, ts=slack.roots()[0]["ts"])
    await until(lambda: pressed.answers)
    took["button in Slack"] = await room.everywhere("u1 took the acknowledgement back, from slack")
    await room.in_discord_do("resolve", text="fixed by vendor")
    took["resolve in Discord"] = await room.everywhere("Ada resolved it, from disco: fixed by vendor")
    await until(lambda: "Over" in slack.roots()[0]["text"] and not slack.channels["C1"].pins)
    reopened = await discord.press(f"reopen:{room.incident}", room.thread)
    await asyncio.wait_for(reopened.edited.wait(), 60)
    took["reopen by a button of a closed head"] = await room.everywhere("Ada reopened it, from disco")
    assert {what: seconds for what, seconds in took.items() if seconds > AT_ONCE} == {}


def archived(slack, discord):
    slack.channels["C1"].archived = True
    return "the channel is archived: un-archive it", lambda: setattr(slack.channels["C1"], "archived", False)


def put_out(slack, discord):
    slack.channels["C1"].private, slack.channels["C1"].member = True, False
    return "type /invite @tocsin in it", lambda: setattr(slack.channels["C1"], "member", True)


def revoked(slack, discord):
    slack.fault("chat.postMessage", *[Fault("error", error="token_revoked")] * 200)
    slack.fault("chat.update", *[Fault("error", error="token_revoked")] * 200)
    return "reinstall the app", slack.faults.clear


def forbidden(slack, discord):
    for route in ("message.post", "message.patch"):
        discord.fault(route, "403:50013", times=0)
    return "Send Messages in Threads", discord.faults.clear


def full(slack, discord):
    discord.fault("thread.create", "400:160006", times=0)
    return "archive some", discord.faults.clear


async def test_what_one_chat_refuses_the_other_says_with_the_fix_until_it_is_mended(program, slack, discord, prove):
    faults, late = (archived, put_out, revoked, forbidden, full), []
    for number, broken in enumerate(faults):
        fix, mend = broken(slack, discord)
        here, channel = (_slack_words, slack), "community"
        if broken not in (forbidden, full):
            here, channel = (_discord_words, discord), "ops"
        began = time.monotonic()
        await program.report(20, service=f"s{number}")
        await until(lambda here=here, fix=fix: any(fix in words for words in _notices(*here)))
        late += [broken.__name__] if time.monotonic() - began > 30 else []
        mend()
        where = f"{program.address}/api/v1/retry"
        async with aiohttp.ClientSession() as web, web.post(where, json={"channel": channel}) as answer:
            assert answer.status == 200, await answer.text()
        await until(lambda here=here: all("works again" in words for words in _notices(*here)))
        await until(
            lambda number=number: all(f"S{number}" in str(words(it)) for words, it in _both(slack, discord)), 60
        )
    prove("R10", len(faults), late, "refusals of one real adapter said by the other within 30 s, and told once mended")


async def test_a_deleted_head_is_posted_afresh_and_a_locked_thread_is_opened(program, slack, discord):
    room = await Room(program, slack, discord).open()
    slack.delete(slack.roots()[0]["ts"])
    lost = room.thread
    discord.threads[lost]["thread_metadata"].update(archived=True, locked=True)
    await room.in_slack_do("note still here")
    await until(lambda: any("still here" in line for line in room.in_discord()))
    assert not discord.threads[lost]["thread_metadata"]["archived"]
    await until(lambda: any("Twitter" in root["text"] for root in slack.roots()))
    await until(lambda: any("still here" in line for line in room.in_slack()))
    discord.delete_thread(lost)
    await room.in_slack_do("note and again")
    await until(lambda: any("and again" in line for line in room.in_discord()))
    assert [m["id"] for m in discord.said()] == [lost], "in a new thread under the same head"
    assert lost in discord.threads


def _notices(words, chat):
    return [told for told in words(chat) if "Tocsin, channel" in told]


def _both(slack, discord):
    return (_slack_words, slack), (_discord_words, discord)


def _slack_words(slack):
    return [f"{root['text']} {root['blocks']}" for root in slack.roots()]


def _discord_words(discord):
    return [f"{m['content']} {m['embeds']}" for m in discord.said()]
