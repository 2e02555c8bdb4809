"""The ear in Discord: commands, buttons and forms become requests to the desk, by whatever way they come.

Every interaction is acknowledged before anything else is done, since Discord gives it three seconds. Buttons are told
apart by their id alone (`verb:incident`), so those of old messages work after any restart.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import discord
import structlog
from msgspec.structs import replace

from bot.chats import discord_looks as looks
from bot.chats.discord_commands import commands, completed, differ, meant, picked, typed
from bot.chats.discord_forms import about, filled, modal
from bot.chats.discord_trouble import troubles
from bot.core.model import Answer, Person, Request
from bot.core.rights import granted
from bot.ports import Desk, Refused, Retry

log = structlog.get_logger(__name__)

_ON_MESSAGE = 3
_FIRST_WORD = 0.8
"""Seconds to find out in whose thread we are before a form must be shown; Discord waits three in all."""
_BROKEN = Answer(lines=(("Something broke here, and nothing was done. Try again in a minute.",),), ok=False)


class Ear(discord.Client):
    """A signed-in client that hears what people do, and offers the commands to do it with."""

    def __init__(
        self,
        name: str,
        desk: Desk,
        places: Mapping[str, str],
        incident: Callable[[int, int], Awaitable[str]],
        *,
        guilds: Sequence[str],
        roles: Mapping[str, Sequence[str]],
        short: bool,
        **client: Any,
    ) -> None:
        super().__init__(
            **client,
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self._name = name
        self._desk = desk
        self._places = places
        self._incident = incident
        self._guilds = guilds
        self._roles = roles
        self._short = short
        self._offering: asyncio.Task[None] | None = None

    async def setup_hook(self) -> None:
        """Begin to tell each server our commands; people are heard meanwhile, however long Discord has us wait."""
        self._offering = asyncio.create_task(self._offer_all())

    async def close(self) -> None:
        """Let go."""
        if self._offering is not None:
            self._offering.cancel()
        await super().close()

    async def _offer_all(self) -> None:
        """Tell each server our commands, if it does not know them as they are."""
        ours = commands(short=self._short)
        for guild in self._guilds:
            try:
                with troubles(f"server {guild}", verb="offer commands"):
                    await self._offer(int(guild), ours)
            except (Retry, Refused) as why:
                log.warning("commands are not up to date", chat=self._name, why=str(why))

    async def _offer(self, guild: int, ours: list[dict[str, Any]]) -> None:
        app = self.application_id or 0
        theirs: list[Any] = list(await self.http.get_guild_commands(app, guild))
        if differ(ours, theirs):
            await self.http.bulk_upsert_guild_commands(app, guild, ours)
            log.info("commands offered", chat=self._name, guild=guild)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Whatever a person did; an answer that comes too late for Discord is lost, the deed is not."""
        try:
            with troubles("an answer to a person"):
                await self._met(interaction)
        except (Retry, Refused) as why:
            log.warning("a person was not answered", chat=self._name, why=str(why))

    async def _met(self, interaction: discord.Interaction) -> None:
        data: Mapping[str, Any] = interaction.data or {}
        match interaction.type:
            case discord.InteractionType.autocomplete:
                await self._complete(interaction, data)
            case discord.InteractionType.application_command:
                await self._commanded(interaction, data)
            case discord.InteractionType.component:
                verb, incident, target = about(data)
                await self._asked(interaction, self._request(interaction, verb, incident=incident, target=target))
            case discord.InteractionType.modal_submit:
                verb, incident, target = about(data)
                said = {"target": target} | filled(data)
                await self._hand(interaction, self._request(interaction, verb, incident=incident, **said))

    async def _complete(self, interaction: discord.Interaction, data: Mapping[str, Any]) -> None:
        _, options, what = typed(data)
        found = self._desk.suggest(completed(what), options.get(what, ""))[:25]
        choices = [discord.app_commands.Choice(name=label[:100], value=value[:100]) for value, label in found]
        await interaction.response.autocomplete(choices)

    async def _commanded(self, interaction: discord.Interaction, data: Mapping[str, Any]) -> None:
        if data.get("type") == _ON_MESSAGE:
            await self._picked(interaction, data)
            return
        verb, options, _ = typed(data)
        await self._asked(interaction, self._request(interaction, verb, **meant(options)))

    async def _picked(self, interaction: discord.Interaction, data: Mapping[str, Any]) -> None:
        """An entry in the menu of a message: its words go where the entry says, with the name of who wrote them."""
        verb, words, author, name = picked(data)
        if verb == "note" and author != str(interaction.user.id):
            words = f"{name} wrote: {words}"
        await self._asked(interaction, self._request(interaction, verb, text=words))

    async def _asked(self, interaction: discord.Interaction, request: Request) -> None:
        """Show the form that the desk wants first, which Discord takes only as the first word; else have it answered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WORD):
                request = await self._placed(interaction, request)
        form = self._desk.form(request)
        if form:
            await interaction.response.send_modal(modal(form))
        else:
            await self._hand(interaction, request)

    async def _hand(self, interaction: discord.Interaction, request: Request) -> None:
        """Acknowledge at once, let the desk take its time, then fill in the answer."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        try:
            answer = await self._desk.answer(await self._placed(interaction, request))
        except Exception:
            log.exception("the desk failed", chat=self._name, verb=request.verb)
            answer = _BROKEN
        if answer.aloud:
            await interaction.edit_original_response(content="Shown to everybody here:")
            await interaction.followup.send(embeds=looks.answered(answer), files=_pictures(answer))
            return
        incident = answer.head.incident if answer.head else request.incident
        buttons = answer.buttons or (answer.head.buttons if answer.head else ())
        await interaction.edit_original_response(
            embeds=looks.answered(answer), view=looks.view(buttons, incident), attachments=_pictures(answer)
        )

    def _request(self, interaction: discord.Interaction, verb: str, **said: str) -> Request:
        user = interaction.user
        who = Person(
            chat=self._name,
            id=str(user.id),
            name=user.display_name,
            made_at=user.created_at,
            joined_at=getattr(user, "joined_at", None),
            place=str(interaction.guild_id or ""),
        )
        parent = getattr(interaction.channel, "parent_id", None)
        places = (self._places.get(str(number)) for number in (interaction.channel_id, parent))
        held = [str(user.id), *map(str, getattr(user, "_roles", ()))]  # `roles` leaves out what it knows no name of
        right = granted(self._roles, held)
        return Request(verb=verb, who=who, channel=next(filter(None, places), ""), right=right, **said)

    async def _placed(self, interaction: discord.Interaction, request: Request) -> Request:
        """The request with the incident in whose thread it was made."""
        thread = interaction.channel
        if request.incident or request.target or not isinstance(thread, discord.Thread):
            return request
        return replace(request, incident=await self._incident(thread.parent_id, thread.id))


def _pictures(answer: Answer) -> list[discord.File]:
    alt = answer.alt[:1024] or None
    return [discord.File(io.BytesIO(answer.png), looks.CHART, description=alt)] if answer.png else []
