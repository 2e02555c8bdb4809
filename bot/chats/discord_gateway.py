"""The ear in Discord: commands, buttons and forms become requests, and the connection is rebuilt after every fault.

Every interaction is acknowledged before anything else is done, since Discord gives it three seconds. Buttons are told
apart by their id alone (`verb:incident`), so those of old messages work after any restart.
"""

from __future__ import annotations

import asyncio
import io
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
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
from bot.ports import Clock, Desk, Refused, Retry

log = structlog.get_logger(__name__)

_ON_MESSAGE = 3
_FIRST_WORD = 0.8
"""Seconds to find out in whose thread we are before a form must be shown; Discord waits three in all."""
_BROKEN = Answer(lines=(("Something broke here, and nothing was done. Try again in a minute.",),), ok=False)
_FIRST_PAUSE, _LONGEST_PAUSE, _REFUSED_PAUSE, _STABLE = 1.0, 60.0, 300.0, 120.0
_IDENTIFIES, _HOUR = 20, 3600.0
_DROPS, _DROP_WINDOW = 5, 60.0


class Identifies:
    """At most 20 new sessions an hour, whatever happens: Discord resets the token of a bot that starts 1000 a day."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._recent: deque[float] = deque(maxlen=_IDENTIFIES)

    def take(self) -> None:
        """Count one new session.

        Raises:
            Retry: there were too many; `after` is when the next may start.
        """
        now = self.clock.monotonic()
        if len(self._recent) == _IDENTIFIES and now - self._recent[0] < _HOUR:
            after = timedelta(seconds=_HOUR - (now - self._recent[0]))
            raise Retry("Discord ended 20 sessions within an hour; waiting before the next", after=after)
        self._recent.append(now)


class Gateway(discord.Client):
    """One connection to the gateway, used once and thrown away after a fault."""

    def __init__(
        self,
        name: str,
        desk: Desk,
        places: Mapping[str, str],
        incident: Callable[[int, int], Awaitable[str]],
        identifies: Identifies,
        *,
        guilds: Sequence[str],
        roles: Mapping[str, Sequence[str]],
        short: bool,
    ) -> None:
        super().__init__(
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
        self._identifies = identifies
        self._guilds = guilds
        self._roles = roles
        self._short = short
        self._drops: deque[float] = deque(maxlen=_DROPS)

    async def setup_hook(self) -> None:
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

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:
        """Five seconds between sessions, as Discord wants, and never too many of them."""
        if not initial:
            await self._identifies.clock.sleep(5)
        self._identifies.take()

    async def on_ready(self) -> None:
        """A new session is up."""
        log.info("listening", chat=self._name, bot=str(self.user))

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """As the library does, but a link that falls again and again is given up: it would redial at once, for ever."""
        if event == "disconnect":
            self._drops.append(self._identifies.clock.monotonic())
            if len(self._drops) == _DROPS and self._drops[-1] - self._drops[0] < _DROP_WINDOW:
                raise Retry("Discord's gateway hangs up again and again")
        super().dispatch(event, *args, **kwargs)

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
                verb, incident, _ = about(data)
                await self._asked(interaction, self._request(interaction, verb, incident=incident))
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
        incident = answer.head.incident if answer.head else request.incident
        buttons = answer.buttons or (answer.head.buttons if answer.head else ())
        await interaction.edit_original_response(
            embeds=looks.answered(answer),
            view=looks.view(buttons, incident),
            attachments=[discord.File(io.BytesIO(answer.png), looks.CHART, description=answer.alt[:1024] or None)]
            if answer.png
            else [],
        )

    def _request(self, interaction: discord.Interaction, verb: str, **said: str) -> Request:
        user = interaction.user
        who = Person(chat=self._name, id=str(user.id), name=user.display_name)
        parent = getattr(interaction.channel, "parent_id", None)
        places = (self._places.get(str(number)) for number in (interaction.channel_id, parent))
        held = [str(user.id), *(str(role.id) for role in getattr(user, "roles", ()))]
        right = granted(self._roles, held)
        return Request(verb=verb, who=who, channel=next(filter(None, places), ""), right=right, **said)

    async def _placed(self, interaction: discord.Interaction, request: Request) -> Request:
        """The request with the incident in whose thread it was made."""
        thread = interaction.channel
        if request.incident or request.target or not isinstance(thread, discord.Thread):
            return request
        return replace(request, incident=await self._incident(thread.parent_id, thread.id))


async def stay(fresh: Callable[[], Gateway], token: str, clock: Clock, name: str) -> None:
    """Keep one gateway client alive until cancelled: a minute between tries at most, five when a person must act.

    The library alone would wait up to 17 minutes between tries, and return for good on some closes.
    """
    pause, trouble = _FIRST_PAUSE, ""
    while True:
        began = clock.monotonic()
        why, wait = await _listened(fresh(), token)
        if clock.monotonic() - began > _STABLE:
            pause, trouble = _FIRST_PAUSE, ""
        if why != trouble:
            log.error("not listening", chat=name, why=why)
            trouble = why
        await clock.sleep(wait or pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _listened(client: Gateway, token: str) -> tuple[str, float]:
    """Listen until something breaks; answers why, and how long to wait if not the usual pause."""
    try:
        with troubles("gateway"):
            async with client:
                await client.login(token)
                await client.connect(reconnect=False)
    except Retry as why:
        return str(why), why.after.total_seconds() if why.after else 0.0
    except Refused as why:
        return str(why), _REFUSED_PAUSE
    except Exception as odd:
        log.exception("the gateway client failed")
        return f"the gateway client failed: {odd!r}", 0.0
    return "Discord's gateway let go of us", 0.0
