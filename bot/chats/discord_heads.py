"""Heads in Discord as they are shown again and again: with the chart they have, a newer one, or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
import structlog

from bot.chats import discord_looks as looks
from bot.chats import discord_wire as wire
from bot.chats.discord_trouble import PICTURELESS
from bot.core.model import Head

log = structlog.get_logger(__name__)

_Shown = TypeVar("_Shown")


class Heads:
    """Remembers which heads show a chart; after a restart that is read once from the message itself."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pictured: dict[int, bool] = {}
        self._bare = False

    def posted(self, message: discord.Message) -> None:
        """A head that was just posted, or found again."""
        self._pictured[message.id] = bool(message.attachments)

    def forget(self, message: int) -> None:
        """This head is at rest."""
        self._pictured.pop(message, None)

    async def show(self, client: discord.Client, ref: tuple[int, int], head: Head, png: bytes | None) -> None:
        """Make a head show the present; `png` None leaves its chart as it is."""
        channel, message = ref
        there = client.get_partial_messageable(channel).get_partial_message(message)
        if png is None and message not in self._pictured:
            self.posted(await there.fetch())
        kept = self._pictured.get(message, False)

        async def edit(shown: bytes | None) -> bool:
            await wire.awake(
                client,
                channel,
                lambda: there.edit(
                    content=looks.content(head),
                    embed=looks.embed(head, picture=bool(shown) or kept),
                    view=looks.view(head.buttons, head.incident),
                    attachments=wire.files(shown, head) if shown else discord.utils.MISSING,
                ),
            )
            return bool(shown) or kept

        self._pictured[message] = await self.with_or_without(png, edit)

    async def with_or_without(self, png: bytes | None, show: Callable[[bytes | None], Awaitable[_Shown]]) -> _Shown:
        """Show with the picture, but rather without it than not at all: it needs a permission and room of its own."""
        if png is None:
            return await show(None)
        try:
            shown = await show(png)
        except discord.HTTPException as refusal:
            if refusal.status not in PICTURELESS:
                raise
            shown = await show(None)
            self._say_bare(str(refusal))
        else:
            self._bare = False
        return shown

    def _say_bare(self, why: str) -> None:
        if not self._bare:
            self._bare = True
            log.warning("discord_goes_without", chat=self._name, what="charts", why=why)
