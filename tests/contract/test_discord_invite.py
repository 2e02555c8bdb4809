"""The invitation asks for what the adapter uses, and nothing more."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from bot.chats.discord_chat import PERMISSIONS
from bot.commands.discord_invite import invite, run


def test_the_link_carries_exactly_the_permissions_that_the_adapter_names() -> None:
    link = urlsplit(invite(" 1234567890 "))
    asked = parse_qs(link.query)
    assert (link.scheme, link.netloc, link.path) == ("https", "discord.com", "/oauth2/authorize")
    assert asked["client_id"] == ["1234567890"]
    assert set(asked["scope"][0].split()) == {"bot", "applications.commands"}
    assert discord.Permissions(int(asked["permissions"][0])) == PERMISSIONS


def test_the_permissions_are_the_least() -> None:
    assert {name for name, given in PERMISSIONS if given} == {
        "view_channel",
        "read_messages",
        "send_messages",
        "send_messages_in_threads",
        "create_public_threads",
        "manage_threads",
        "embed_links",
        "attach_files",
        "read_message_history",
        "pin_messages",
    } - ({"view_channel"} if "view_channel" not in dict(PERMISSIONS) else set())


@pytest.mark.parametrize("wrong", ["", "abc", "12 34", "\uff11\uff12", "-1"])
def test_what_is_not_an_id_is_explained(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wrong) == 2
    assert "General Information" in capsys.readouterr().err


def test_the_link_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("42") == 0
    assert capsys.readouterr().out == invite("42") + "\n"
