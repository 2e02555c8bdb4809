"""What people say in a channel of your Discord (https://docs.discord.com/developers/resources/message#get-channel-messages)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field

from bot.core.posts import Post
from bot.fields import Secret
from bot.sources.pages import Unread
from bot.sources.posting import post
from bot.sources.talking import ChannelFeed
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_EPOCH = 1_420_070_400_000  # milliseconds: Discord's ids count from the first second of 2015
_PAGE = 100
_FROM_PEOPLE = (0, 19)  # a message, and one in answer to another
_BESIDES = ("attachments", "embeds", "sticker_items", "poll", "message_snapshots")


class DiscordChannel(ChannelFeed):
    """Messages in a channel of your own Discord that complain: a help channel, or the place where people ask first.

    The bot must be able to read the channel and its history, and needs the Message Content Intent, which is a switch on
    the Bot page of its application. The members should know that it listens.
    """

    agent: ClassVar[Mapping[str, str]] = {"User-Agent": "DiscordBot (tocsin, 0.1)"}

    kind: Literal["discord_channel"]
    """The word that says what this watch is."""
    token: Secret
    """The bot's token; that of the chat will do."""
    channel: Annotated[str, Field(pattern=r"^\d{15,21}$", examples=["112233445566778899"])]
    """The channel's id; Discord copies it from the channel's menu in developer mode."""
    url: WebAddress = "https://discord.com"
    """The address of the API."""

    def address(self, since: datetime, cursor: str) -> str:
        """A page of the channel: the oldest messages after an id."""
        first = str((int(since.timestamp() * 1000) - _EPOCH) << 22)
        asked = {"limit": _PAGE, "after": cursor or first}
        return f"{self.url}/api/v10/channels/{self.channel}/messages?{urlencode(asked)}"

    def read(self, body: bytes) -> tuple[Sequence[Post], str]:
        """The messages of people."""
        told = decoded(body)
        page = rows(told)
        if not isinstance(told, list) or len(page) < len(told):
            raise Unread("wrong_shape", "this is no page of a channel's messages")
        people = [one for one in page if _by_people(one)]
        if people and not any(one.get("content") or any(one.get(key) for key in _BESIDES) for one in people):
            raise Unread("wrong_shape", "messages come without words; switch on the Message Content Intent of the bot")
        ids = [int(said) for one in page if (said := word(one.get("id"), 25)).isdecimal()]
        return [made for one in people if (made := self._post(one))], str(max(ids)) if len(
            told
        ) >= _PAGE and ids else ""

    def _post(self, said: Mapping[str, Any]) -> Post | None:
        who = word(mapping(said.get("author")).get("id"), 25)
        voice = f"{self.chat}:{who}" if self.chat else ""
        return post(said.get("id"), who, moment(said.get("timestamp")), said.get("content"), voice=voice)

    def _token(self) -> str:
        return f"Bot {self.token.reveal()}"


PLUGIN = DiscordChannel


def _by_people(said: Mapping[str, Any]) -> bool:
    author = mapping(said.get("author"))
    return said.get("type") in _FROM_PEOPLE and not author.get("bot") and not said.get("webhook_id")
