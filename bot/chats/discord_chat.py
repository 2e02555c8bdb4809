"""Discord: one thread per incident, under a message that always shows the present.

A post carries a nonce made from its key, so that Discord itself answers a repeat with the first message for some
minutes; after that the channel's history is read for the mark that every head and line carries. A thread made from a
message has the message's own id, so making it twice is harmless. REST and the gateway are two clients: people's
commands may be cut off while incidents are still told, and the other way round.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.chats import discord_looks as looks
from bot.chats import discord_wire as wire
from bot.chats.discord import DiscordConnection
from bot.chats.discord_calls import Calls, Doorstep
from bot.chats.discord_gateway import Gateway, Identifies, stay
from bot.chats.discord_heads import Heads
from bot.chats.discord_pins import Pins
from bot.chats.discord_posts import Posts
from bot.chats.discord_trouble import GONE, UNKNOWN_CHANNEL, troubles
from bot.core.model import Head, Line
from bot.ports import Clock, Desk, Letter, Missing, Place, Refused, Retry, Word

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    manage_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    pin_messages=True,
)
"""The least that the four verbs need, and the pin, which Discord parted from managing messages in 2026; a configured role is pinged when that role allows anyone to mention it."""

_PATIENCE = 25.0
"""Seconds for one verb, waits that Discord asked for included; the relay gives up after 30."""
_RATE_WAIT = 30.0
"""The library's least; a longer Retry-After comes back to us as an error."""


class DiscordChat:
    """Threads in Discord. A ref is `channel:message` of the head; the thread's id is the message's."""

    def __init__(self, config: DiscordConnection, name: str, clock: Clock, *, patience: float = _PATIENCE) -> None:
        # The library keeps both addresses once per process, so two connections must share them.
        Route.BASE = f"{config.api_url.rstrip('/')}/api/v10"
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url)
        self._config = config
        self._name = name
        self._clock = clock
        self._patience = patience
        self._signing_in = asyncio.Lock()
        self._identifies: Identifies | None = None
        self._calls: Calls | None = None
        self._rest: discord.Client | None = None
        self._channels: dict[str, discord.TextChannel | discord.ForumChannel] = {}
        self._incidents: dict[int, str] = {}
        self._heads = Heads(name)
        self._pins = Pins(name)
        self._posts = Posts(clock)

    async def open(self, place: Place, key: str, head: Head, png: bytes | None, since: datetime | None) -> str:
        """Post the head, unless an earlier try already did, and make its thread, unless it is there."""
        async with self._calling(place, "open a thread", gone=GONE["post"]):
            client, channel = await self._client(), await self._channel(place)
            message = await self._heads.with_or_without(
                png, lambda shown: self._posts.open(client, channel, key=key, head=head, png=shown, since=since)
            )
        self._incidents[message.id] = head.incident
        self._heads.posted(message)
        await self._pin(message.channel.id, message.id, head)
        return f"{message.channel.id}:{message.id}"

    async def edit(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Make the head show the present."""
        channel, message = wire.parsed(ref)
        async with self._calling(place, "edit a message", gone=GONE["edit"]):
            await self._show(channel, message, head, png)
        await self._pin(channel, message, head)

    async def reply(self, place: Place, ref: str, key: str, line: Line, since: datetime | None) -> None:
        """Say one line in the thread, unless an earlier try already did."""
        _, thread = parsed = wire.parsed(ref)
        async with self._calling(place, "write in a thread", gone=GONE["reply"]):
            client = await self._client()
            if not await self._told(client, thread, line, since):
                await self._say(client, place, parsed, key, line)

    async def close(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Show the last head, then archive and lock the thread; a thread that was deleted needs no rest."""
        channel, message = wire.parsed(ref)
        async with self._calling(place, "close a thread", gone=GONE["edit"]):
            await self._show(channel, message, head, png)
            await self._pin(channel, message, head)
            await wire.lay_to_rest(await self._client(), message)
        self._heads.forget(message)

    async def run(self, desk: Desk, places: Sequence[Place]) -> None:
        """Hear people until cancelled, with a fresh client after every fault: over the gateway, or as Discord calls."""
        named = {place.address: place.name for place in places if place.chat == self._name}
        given: dict[str, Any] = {
            "guilds": self._config.guild,
            "roles": self._config.roles.ids(),
            "short": self._config.short_commands,
        }
        token, identifies = self._config.token.reveal(), Identifies(self._clock)
        if not self._config.public_key:
            self._identifies = identifies
            fresh = partial(Gateway, identifies, self._name, desk, named, self.incident, **given)
            await stay(fresh, token, identifies, self._name)
            return
        ear = partial(Doorstep, self._name, desk, named, self.incident, **given)
        self._calls = Calls(self._config.public_key, ear)
        await self._calls.run(token, identifies, self._name)

    @property
    def deaf_since(self) -> float | None:
        """When the gateway was lost, in steady seconds; None while it is up, and where Discord calls us instead."""
        return self._identifies.deaf_since if self._identifies else None

    async def called(self, letter: Letter) -> Word:
        """Discord calls: accepted at once, answered afterwards."""
        if not self._config.public_key:
            raise Missing(f"chats.{self._name} has no public_key, so Discord does not call it")
        if self._calls is None:
            raise Retry(f"chats.{self._name} does not listen yet")
        return self._calls.take(letter)

    async def aclose(self) -> None:
        """Let go of connections."""
        if self._rest is not None:
            await self._rest.close()
            self._rest = None

    async def incident(self, parent: int, thread: int) -> str:
        """The incident whose thread this is, asked of the head when we do not remember; empty if it is not ours."""
        if thread not in self._incidents:
            client = await self._client()
            head = await wire.starter(client, parent, thread)
            self._incidents[thread] = wire.marked(head) if head and wire.ours(head, client) else ""
        return self._incidents[thread]

    @asynccontextmanager
    async def _calling(self, place: Place, verb: str, *, gone: tuple[int, ...] = ()) -> AsyncIterator[None]:
        with troubles(f"channel {place.name} ({place.address})", verb=verb, gone=gone):
            async with asyncio.timeout(self._patience):
                yield

    async def _client(self) -> discord.Client:
        """The REST side, signed in when first needed; it never connects to the gateway."""
        async with self._signing_in:
            if self._rest is None:
                client = discord.Client(
                    intents=discord.Intents(guilds=True),  # without it the library warns; nothing is asked of a gateway
                    allowed_mentions=discord.AllowedMentions.none(),
                    max_ratelimit_timeout=_RATE_WAIT,
                    max_messages=None,
                )
                try:
                    await client.login(self._config.token.reveal())
                except BaseException:
                    await client.close()
                    raise
                self._rest = client
            return self._rest

    async def _channel(self, place: Place) -> discord.TextChannel | discord.ForumChannel:
        """The channel of a place, asked for once."""
        if place.address not in self._channels:
            if not place.address.isdecimal():
                raise Refused(
                    f"Discord, channel {place.name}: {place.address!r} is not a channel id, which is a number"
                )
            found = await (await self._client()).fetch_channel(int(place.address))
            if not isinstance(found, discord.TextChannel | discord.ForumChannel):
                raise Refused(
                    f"Discord, channel {place.name} ({place.address}): it is neither a text channel nor a forum; choose one"
                )
            self._channels[place.address] = found
        return self._channels[place.address]

    async def _show(self, channel: int, message: int, head: Head, png: bytes | None) -> None:
        self._incidents[message] = head.incident
        await self._heads.show(await self._client(), (channel, message), head, png)

    async def _told(self, client: discord.Client, thread: int, line: Line, since: datetime | None) -> bool:
        if since is None or not self._posts.forgotten(since):
            return False
        marks = [
            wire.foot(message) async for message in wire.written(client, client.get_partial_messageable(thread), since)
        ]
        return looks.number(line.seq) in marks

    async def _say(self, client: discord.Client, place: Place, ref: tuple[int, int], key: str, line: Line) -> None:
        """Say it; a thread that was deleted is made again under its head, if that is still there."""
        channel, thread = ref
        try:
            await wire.awake(client, thread, lambda: wire.send(client, thread, key, line))
        except discord.NotFound as missing:
            parent = await self._channel(place)
            if missing.code != UNKNOWN_CHANNEL or not isinstance(parent, discord.TextChannel) or parent.id != channel:
                raise
            await wire.make_thread(parent.get_partial_message(thread), key.partition("/")[0])
            await wire.send(client, thread, key, line)

    async def _pin(self, channel: int, message: int, head: Head) -> None:
        """Pinned while it lives; a forum's post stands by itself."""
        if self._config.pin and channel != message:
            there = (await self._client()).get_partial_messageable(channel).get_partial_message(message)
            await self._pins.put(there, alive=head.state != "closed")
