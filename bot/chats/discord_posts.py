"""Posting a head in Discord once: under a nonce in a text channel, by its name in a forum, which knows no nonce."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import discord

from bot.chats import discord_looks as looks
from bot.chats import discord_wire as wire
from bot.chats.discord_trouble import UNKNOWN_MESSAGE
from bot.core.model import Head
from bot.ports import Clock, Retry

_NONCE_LIVES = timedelta(minutes=2)


class Posts:
    """Finds what an earlier try may have posted, and posts what it did not."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def forgotten(self, since: datetime) -> bool:
        """True when Discord no longer knows the nonce of a try from then, so that we must look ourselves."""
        return self._clock.now() - since >= _NONCE_LIVES

    async def open(
        self,
        client: discord.Client,
        channel: discord.TextChannel | discord.ForumChannel,
        *,
        key: str,
        head: Head,
        png: bytes | None,
        since: datetime | None,
    ) -> discord.Message:
        """The head with its thread; `since` is when an earlier try began, if there was one."""
        if isinstance(channel, discord.ForumChannel):
            return await self._in_forum(client, channel, head, png, since)
        found = await self._found(client, channel, head.incident, since)
        message = found or await self._post(channel, key, head, png)
        await wire.make_thread(message, head.incident)
        return message

    async def _in_forum(
        self, client: discord.Client, forum: discord.ForumChannel, head: Head, png: bytes | None, since: datetime | None
    ) -> discord.Message:
        found = await wire.post_named(client, forum, head.incident) if since else None
        if found is not None:
            return await found.fetch_message(found.id)
        name = head.incident[:100]
        made = await forum.create_thread(name=name, auto_archive_duration=wire.WEEK, **_shown(head, png))
        return made.message

    async def _post(self, channel: discord.TextChannel, key: str, head: Head, png: bytes | None) -> discord.Message:
        """Post under a key. A message that was deleted while its nonce lives blocks that nonce; then a second one serves."""
        for nonce in (wire.nonce(key), wire.nonce(f"{key} again")):
            try:
                return await channel.send(nonce=nonce, **_shown(head, png))
            except discord.NotFound as missing:
                if missing.code != UNKNOWN_MESSAGE:
                    raise
        raise Retry("Discord still remembers messages that were deleted", after=_NONCE_LIVES)

    async def _found(
        self, client: discord.Client, channel: discord.TextChannel, incident: str, since: datetime | None
    ) -> discord.Message | None:
        """The head that an earlier try may have posted, once the nonce can no longer find it."""
        if since is None or not self.forgotten(since):
            return None
        async for message in wire.written(client, channel, since):
            if wire.marked(message) == incident:
                return message
        return None


def _shown(head: Head, png: bytes | None) -> dict[str, Any]:
    return {
        "content": looks.content(head),
        "embed": looks.embed(head, picture=bool(png)),
        "files": wire.files(png, head),
        "view": looks.view(head.buttons, head.incident) or discord.utils.MISSING,
    }
