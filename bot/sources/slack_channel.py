"""What people say in a channel of your Slack (https://docs.slack.dev/reference/methods/conversations.history)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field

from bot.core.posts import Post
from bot.fields import Secret
from bot.sources.pages import Unread
from bot.sources.posting import post
from bot.sources.talking import ChannelFeed
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, plain, rows, word

_FROM_PEOPLE = ("", "thread_broadcast", "file_share", "me_message")
_LABELLED = re.compile(r"<[^|<>]*\|([^<>]*)>")  # a link or a channel with its name, of which only the name was seen
_LONGEST = 40_000
_MENDED = {
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "the channel's id is wrong, or the app was not invited to a private channel",
    "missing_scope": "the app needs the scope channels:history, and groups:history for private channels",
    "invalid_auth": "the token is wrong; it begins with xoxb-",
    "token_revoked": "the token was revoked; install the app again",
    "account_inactive": "the app was removed; install it again",
}


class SlackChannel(ChannelFeed):
    """Messages in a channel of your own Slack that complain: a help desk, or the place where people ask first.

    The app must be in the channel, and its people should know that it listens. Replies inside threads are not looked
    through.
    """

    kind: Literal["slack_channel"]
    """The word that says what this watch is."""
    token: Secret
    """The bot token of an app with the scope `channels:history`; that of the chat will do."""
    channel: Annotated[str, Field(pattern=r"^[CG][A-Z0-9]{5,20}$", examples=["C0123ABCD"])]
    """The channel's id, as the channel's details show it at the bottom."""
    url: WebAddress = "https://slack.com/api"
    """The address of the API."""

    def address(self, since: datetime, cursor: str) -> str:
        """A page of the history."""
        asked = {"channel": self.channel, "oldest": f"{since.timestamp():.6f}", "limit": "200", "cursor": cursor}
        return f"{self.url}/conversations.history?{urlencode({k: v for k, v in asked.items() if v})}"

    def read(self, body: bytes) -> tuple[Sequence[Post], str]:
        """The messages of people; joins, bots and the bot's own threads are left out."""
        told = mapping(decoded(body))
        if told.get("ok") is not True:
            error = plain(told.get("error"), 60) or "no word why"
            raise Unread("wrong_shape", f"Slack refuses: {error}" + (f"; {_MENDED[error]}" if error in _MENDED else ""))
        if not isinstance(told.get("messages"), list):
            raise Unread("wrong_shape", "this is no page of a channel's history")
        found = []
        for said in rows(told["messages"]):
            if said.get("bot_id") or said.get("subtype", "") not in _FROM_PEOPLE:
                continue
            who, team = word(said.get("user"), 40), word(said.get("team"), 40)
            voice = f"{self.chat}:{team}:{who}" if self.chat else ""
            words = _LABELLED.sub(r"\1", word(said.get("text"), _LONGEST))
            found.append(post(said.get("ts"), who, moment(said.get("ts")), words, voice=voice))
        return [one for one in found if one], plain(mapping(told.get("response_metadata")).get("next_cursor"), 500)

    def _token(self) -> str:
        return f"Bearer {self.token.reveal()}"


PLUGIN = SlackChannel
