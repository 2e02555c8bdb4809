"""The manifest asks for what the adapter uses: no more, and no less."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from doubles.slack import SCOPES, SlackDouble
from doubles.slack_rig import NOTE, PLACE, PNG, DeskDouble, Leap, connected, head, line, listening, until

from bot.chats.roles import Roles
from bot.chats.slack_people import COMMANDS, EVENTS, SHORTCUTS
from bot.chats.slack_web import METHODS
from bot.commands.slack_manifest import link, manifest, run
from bot.ports import Refused, Retry


def test_it_lists_the_commands_and_events_that_are_heard() -> None:
    described = manifest()
    assert {c["command"] for c in described["features"]["slash_commands"]} == set(COMMANDS)
    assert set(described["settings"]["event_subscriptions"]["bot_events"]) == EVENTS
    assert {s["callback_id"]: s["name"] for s in described["features"]["shortcuts"]} == SHORTCUTS
    assert described["features"]["app_home"]["home_tab_enabled"]
    assert described["settings"]["socket_mode_enabled"]
    assert described["settings"]["interactivity"]["is_enabled"]


def test_short_commands_can_be_left_to_another_app() -> None:
    described = manifest(short_commands=False)
    assert [c["command"] for c in described["features"]["slash_commands"]] == ["/incident"]


def test_an_app_that_calls_us_knows_the_one_address_for_everything() -> None:
    url = "https://status.example.org/chats/slack"
    described = manifest(url=url)
    settings = described["settings"]
    assert not settings["socket_mode_enabled"]
    assert settings["event_subscriptions"]["request_url"] == settings["interactivity"]["request_url"] == url
    assert {command["url"] for command in described["features"]["slash_commands"]} == {url}
    assert described["oauth_config"] == manifest()["oauth_config"]


@pytest.mark.parametrize("url", ["http://status.example.org/chats/slack", "https://status.example.org/", "slack"])
def test_an_address_that_slack_cannot_call_is_explained(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(url=url) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "https://HOST/chats/NAME" in err


def test_its_scopes_cover_each_method_as_slack_documents_it() -> None:
    asked = set(manifest()["oauth_config"]["scopes"]["bot"])
    for method in METHODS:
        assert set(SCOPES.get(method, ())) <= asked, method


async def everything(slack: SlackDouble) -> None:
    """Every way in which the adapter calls Slack."""
    clock = Leap()
    async with connected(slack, clock) as chat:
        slack.channels["C1"].member = False
        ref = await chat.open(PLACE, "k1", head(), PNG, clock.now())
        await chat.reply(PLACE, ref, "k2", line(), clock.now())
        await chat.close(PLACE, ref, head(2, state="closed"), None)
        slack.delete(ref.partition(":")[2])
        with pytest.raises(Refused):
            await chat.reply(PLACE, ref, "k3", line(), None)
    desk = DeskDouble()
    desk.forms["note"] = NOTE
    async with listening(slack, desk, roles=Roles(act=["S1"])):
        pressed = await slack.press("note", "INC-42")
        await until(lambda: pressed.view)
        await slack.mention("why")
        await slack.come_home()
        await until(lambda: slack.ephemerals and slack.homes)


async def test_with_just_these_scopes_everything_works_and_every_listed_method_is_used() -> None:
    async with SlackDouble(scopes=frozenset(manifest()["oauth_config"]["scopes"]["bot"])) as slack:
        await everything(slack)
        assert {call.method for call in slack.calls} == set(METHODS)


@pytest.mark.parametrize("scope", ["chat:write", "channels:join"])
async def test_without_one_of_these_scopes_posting_fails(scope: str) -> None:
    scopes = frozenset(manifest()["oauth_config"]["scopes"]["bot"]) - {scope}
    async with SlackDouble(scopes=scopes) as slack:
        with pytest.raises((Refused, Retry)):
            await everything(slack)


def test_the_link_carries_the_manifest() -> None:
    described = manifest("Bell")
    query = parse_qs(urlsplit(link(described)).query)
    assert json.loads(query["manifest_json"][0]) == described


@pytest.mark.parametrize("as_json", [True, False])
def test_the_manifest_is_data_and_the_advice_is_talk(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> None:
    run(as_json=as_json)
    out, err = capsys.readouterr()
    assert (json.loads(out) if as_json else yaml.safe_load(out)) == manifest()
    assert "https://api.slack.com/apps?new_app=1" in err


def test_it_keeps_slacks_limits() -> None:
    described = manifest()
    assert len(described["display_information"]["name"]) <= 35
    assert len(described["display_information"]["description"]) <= 140
    for shortcut in described["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    for command in described["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 100
