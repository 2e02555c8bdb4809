"""Pins in Discord: a comfort that never holds up the words, and has a permission of its own."""

from __future__ import annotations

import asyncio

import discord
import structlog

from bot.chats.discord_trouble import troubles
from bot.ports import Refused, Retry

log = structlog.get_logger(__name__)

_PATIENCE = 5.0


class Pins:
    """What is pinned as far as we know; doing it again does no harm."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pinned: dict[int, bool] = {}
        self._broken = False

    async def put(self, message: discord.PartialMessage, *, alive: bool) -> None:
        """Pin the message of a living incident, and unpin that of one that is over."""
        if self._pinned.get(message.id) is alive:
            return
        self._pinned[message.id] = alive
        try:
            with troubles(f"channel {message.channel.id}", verb="pin a message"):
                async with asyncio.timeout(_PATIENCE):
                    await (message.pin() if alive else message.unpin())
        except (Retry, Refused) as why:
            self._say(str(why))
        else:
            self._broken = False
        if not alive:
            del self._pinned[message.id]

    def _say(self, why: str) -> None:
        if not self._broken:
            self._broken = True
            log.warning("discord_goes_without", chat=self._name, what="pins", why=why)
