"""Being called on one's own wish: who, for what, at which level, in which chat; and channels that ask to hear of more."""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.chat import RememberingChat
from doubles.living import BEN, Living, said
from doubles.oracle import no_picture, settle

from bot.config.read import read
from bot.core.model import Person, Policy
from bot.core.speech import VERBS
from bot.core.subscribing import Subscription, mentions, wished
from bot.holding import Holding
from bot.house import House
from bot.ports import Place
from bot.relay import Relay

CONFIG = """\
chats:
  page: {kind: page}
  slack: {kind: slack, bot_token: xoxb-1}
  disco: {kind: discord, token: abc, guild: "123"}
channels:
  wall: {chat: page}
  ops: {chat: slack, channel: C1, mention: {major: "<!subteam^S1>"}}
  shop: {chat: slack, channel: C2}
  community: {chat: disco, channel: "456"}
levels:
  minor: {reports: 10}
  major: {reports: 50}
policy: {confirm_for: 0s, quiet_for: 5m, reopen_for: 1h}
defaults: {tell: [wall, ops, community]}
services:
  twitter: {name: Twitter, aliases: [x]}
  cloud: {name: Google Cloud, aliases: [gcp]}
  calm: {name: Calm, tell: [wall]}
"""
SERVICES = {"twitter": "twitter", "x": "twitter", "google cloud": "cloud"}


class Called(Living):
    def __init__(self, path: Path, folder: Path | None = None) -> None:
        super().__init__(path)
        (path / "config.yaml").write_text(CONFIG)
        self.open(path, folder)

    def open(self, path: Path, folder: Path | None = None) -> None:
        self.house = House(read(path / "config.yaml", {}), self.clock, folder)
        self.desk = self.house.desk

    async def __aenter__(self):
        await self.house.wake()
        self.reach()
        return self

    def reach(self) -> None:
        places = {"ops": "slack", "shop": "slack", "community": "disco", "wall": "page"}
        self.desk.reach(
            {name: (self.chat, Place(name=name, chat=chat, address=name)) for name, chat in places.items()}, None
        )

    async def told(self, channel: str, chat: str) -> RememberingChat:
        """What a channel was told of all that is open."""
        told, house = RememberingChat(), self.house
        place = Place(name=channel, chat=chat, address=channel, mention=house.settings.channels[channel].mention)
        hold = Holding(place, house.store, self.clock, house.policies, changed=lambda: None, calls=self.desk.calls)
        teller = Relay(
            place, told, house.store, self.clock, policies=house.policies, draw=no_picture, link=house.link,
            troubled=house.board.troubled, hold=hold,
        )  # fmt: skip
        await settle(teller, self.clock)
        return told


@pytest.fixture
async def life(tmp_path: Path):
    async with Called(tmp_path) as life:
        yield life


async def test_who_subscribes_is_called_in_the_thread_in_their_own_chat(life: Called):
    answer = await life.say("subscribe twitter")
    assert said(answer) == "You are called for Twitter, in ops."
    await life.broken()
    assert (await life.told("ops", "slack")).mentions == ["<@U1>"]
    assert (await life.told("community", "disco")).mentions == []


async def test_both_platforms_call_by_the_id_of_the_person(life: Called):
    await life.say("subscribe all major", who=BEN)
    await life.beat(3, reports=60)
    assert (await life.told("community", "disco")).mentions == ["<@42>"]


async def test_a_subscription_at_a_level_waits_for_it_and_joins_the_people_of_the_config(life: Called):
    await life.say("subscribe x major")
    await life.broken()
    assert (await life.told("ops", "slack")).mentions == []
    await life.beat(2, reports=60)
    assert (await life.told("community", "disco")).mentions == []
    assert (await life.told("shop", "slack")).heads == {}


async def test_the_people_of_the_config_and_those_who_wished_are_called_in_one_line(life: Called):
    await life.say("subscribe x major")
    await life.beat(3, reports=60)
    assert (await life.told("ops", "slack")).mentions == ["<!subteam^S1> <@U1>"]


async def test_a_wish_can_be_changed_listed_and_taken_back(life: Called):
    await life.say("subscribe twitter")
    await life.say("subscribe twitter major")
    await life.say("subscribe gcp")
    assert said(await life.say("subscribe list")) == "You: Twitter at major or worse.\nYou: Google Cloud."
    assert said(await life.say("subscribe", who=BEN)).startswith("No subscriptions of yours.")
    assert said(await life.say("subscribe twitter off")) == "No longer: Twitter at major or worse."
    assert said(await life.say("unsubscribe")) == "No longer: Google Cloud."
    assert not (await life.say("subscribe off")).ok


async def test_in_a_thread_the_service_need_not_be_said(life: Called):
    incident = await life.broken("cloud")
    assert said(await life.say("subscribe major", incident=incident.id)) == (
        "You are called for Google Cloud at major or worse, in ops."
    )


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("subscribe twiter", "Did you mean twitter?"),
        ("subscribe calm", "No channel of this chat hears of Calm"),
        ("subscribe major", "Called for what?"),
        ("subscribe here twitter", "none of the channels in the config"),
    ],
)
async def test_what_cannot_be_wished_is_answered_with_what_can(life: Called, words: str, why: str):
    answer = await life.say(words)
    assert not answer.ok
    assert why in said(answer)


@pytest.mark.parametrize("chat", ["page", "api"])
async def test_the_page_can_call_nobody_and_says_where_to_go(life: Called, chat: str):
    answer = await life.say("subscribe twitter", who=Person(chat=chat, id="1", name="A"))
    assert "subscribe in Slack or Discord" in said(answer)


async def test_a_channel_that_subscribes_hears_at_once_of_what_is_open_and_of_what_comes(life: Called):
    await life.broken()
    assert said(await life.say("subscribe here twitter", channel="shop")) == "shop hears of Twitter from now on."
    assert len((await life.told("shop", "slack")).heads) == 1
    assert "shop: Twitter, wished by Anna." in said(await life.say("subscribe list", channel="shop"))
    assert (await life.say("subscribe here twitter off", channel="shop")).ok
    assert [route.channel for route in life.house.services["twitter"].routes] == ["wall", "ops", "community"]


async def test_whoever_may_only_look_subscribes_themselves_and_no_channel(life: Called):
    assert (await life.say("subscribe twitter", right="read")).ok
    answer = await life.say("subscribe here twitter", channel="shop", right="read")
    assert "needs the right 'act'" in said(answer)


async def test_wishes_outlive_a_restart_and_a_reload(tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    life = Called(tmp_path, folder)
    await life.house.wake()
    life.reach()
    await life.say("subscribe twitter")
    await life.say("subscribe here all major", channel="shop")
    await life.house.adopt(read(tmp_path / "config.yaml", {}))
    assert life.house.services["calm"].routes[-1].channel == "shop"
    await life.house.aclose()
    life.open(tmp_path, folder)
    await life.house.wake()
    life.reach()
    assert [route.channel for route in life.house.services["cloud"].routes] == ["wall", "ops", "community", "shop"]
    assert "You: Twitter." in said(await life.say("subscribe list"))
    await life.house.aclose()


async def test_no_more_people_are_called_than_a_message_holds(life: Called):
    for n in range(40):
        assert (await life.say("subscribe twitter", who=Person(chat="slack", id=f"T1:U{n}", name="A"))).ok
    answer = await life.say("subscribe twitter", who=Person(chat="slack", id="T1:U40", name="A"))
    assert "40 people are subscribed already" in said(answer)
    assert (await life.say("subscribe twitter major", who=Person(chat="slack", id="T1:U7", name="A"))).ok


@pytest.mark.parametrize(
    ("text", "service", "level", "flags"),
    [
        ("", "", "", ()),
        ("twitter", "twitter", "", ()),
        ("to Google Cloud at Major", "cloud", "major", ()),
        ("major x", "twitter", "major", ()),
        ("all critical", "all", "critical", ()),
        ("off twitter", "twitter", "", ("off",)),
        ("x stop", "twitter", "", ("off",)),
        ("here everything", "all", "", ("here",)),
        ("list", "", "", ("list",)),
    ],
)
def test_words_are_read_in_any_order(text, service, level, flags):
    wish = wished(text, ("minor", "major", "critical"), lambda words: SERVICES.get(words.lower()))
    assert (wish.service, wish.level, wish.words) == (service, level, "")
    assert {name for name in ("off", "here", "list") if getattr(wish, name)} == set(flags)


def test_an_id_that_is_none_calls_nobody():
    hostile = [Subscription(chat="slack", person=id_) for id_ in ("T1:U1> <!channel", "!everyone", "", "U1|x", "T1:U9")]
    policy = Policy(
        name="X", levels=("minor",), open_at="minor", **dict.fromkeys(("confirm_for", "quiet_for", "reopen_for"))
    )
    assert mentions(hostile, "slack", {"x"}, "minor", policy) == ("<@U9>",)


def test_help_names_it():
    assert "subscribe" in VERBS
