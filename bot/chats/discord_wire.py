"""The calls to Discord that stand on their own: posts under a nonce, threads made, woken and laid to rest, marks read."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import discord

from bot.chats import discord_looks as looks
from bot.chats.discord_trouble import ASLEEP, HAS_THREAD
from bot.core.model import Head, Line

WEEK: Literal[10080] = 10080
"""Minutes: the longest that Discord leaves a silent thread open."""
_ARCHIVED = 50
_MARGIN = timedelta(minutes=1)
_HISTORY = 1000
_ROLE, _USER = re.compile(r"<@&(\d+)>"), re.compile(r"<@!?(\d+)>")


async def send(client: discord.Client, thread: int, key: str, line: Line) -> None:
    """Post a line in a thread under a key; only whom its mention names is pinged, and only loud lines make a sound.

    The thread is part of the nonce: a thread that is built again is told its lines afresh.
    """
    await client.get_partial_messageable(thread).send(
        looks.call(line) or None,
        embed=looks.reply(line),
        nonce=nonce(f"{key}@{thread}"),
        allowed_mentions=allowed(line.mention),
        silent=not line.loud,
    )


def allowed(mention: str) -> discord.AllowedMentions:
    """Whom the config's own mention text may ping, and nobody else whatever the words hold."""
    return discord.AllowedMentions(
        everyone="@here" in mention or "@everyone" in mention,
        roles=[discord.Object(int(number)) for number in _ROLE.findall(mention)],
        users=[discord.Object(int(number)) for number in _USER.findall(mention)],
        replied_user=False,
    )


async def make_thread(message: discord.PartialMessage, name: str) -> None:
    """Make the thread of a head; its name never changes, since Discord lets a thread be renamed twice in ten minutes."""
    try:
        await message.create_thread(name=name[:100], auto_archive_duration=WEEK)
    except discord.HTTPException as refusal:
        if refusal.code != HAS_THREAD:
            raise


async def lay_to_rest(client: discord.Client, thread: int) -> None:
    """Archive and lock a thread, unless it is so already or was deleted."""
    try:
        found = await client.fetch_channel(thread)
    except discord.NotFound:
        return
    if isinstance(found, discord.Thread) and not (found.archived and found.locked):
        await found.edit(archived=True, locked=True)


async def awake(client: discord.Client, thread: int, call: Callable[[], Awaitable[object]]) -> None:
    """Do something in a thread, and once more when it was asleep."""
    try:
        await call()
    except discord.HTTPException as refusal:
        if refusal.code not in ASLEEP:
            raise
        await _wake(client, thread)
        await call()


async def _wake(client: discord.Client, thread: int) -> None:
    """Open a thread again that was archived or locked."""
    found = await client.fetch_channel(thread)
    if isinstance(found, discord.Thread):
        await found.edit(archived=False, locked=False)


async def starter(client: discord.Client, parent: int, thread: int) -> discord.Message | None:
    """The message that a thread hangs under: in the parent channel, or in a forum the first of the thread itself."""
    for channel in (parent, thread):
        try:
            return await client.get_partial_messageable(channel).fetch_message(thread)
        except discord.HTTPException as refusal:
            if refusal.status >= 500:
                raise
    return None


async def post_named(client: discord.Client, forum: discord.ForumChannel, name: str) -> discord.Thread | None:
    """Our post of that name in a forum, living or archived of late."""
    me = client.user.id if client.user else 0
    for thread in await forum.guild.active_threads():
        if thread.parent_id == forum.id and thread.name == name[:100] and thread.owner_id == me:
            return thread
    async for thread in forum.archived_threads(limit=_ARCHIVED):
        if thread.name == name[:100] and thread.owner_id == me:
            return thread
    return None


async def written(
    client: discord.Client, channel: discord.abc.Messageable, since: datetime
) -> AsyncIterator[discord.Message]:
    """What we wrote in a channel or thread since a moment, oldest first."""
    async for message in channel.history(after=since - _MARGIN, limit=_HISTORY):
        if ours(message, client):
            yield message


def files(png: bytes | None, head: Head) -> list[discord.File]:
    """The chart as an upload with its words for those who do not see it, or nothing."""
    return [discord.File(io.BytesIO(png), looks.CHART, description=head.alt[:1024] or None)] if png else []


def nonce(key: str) -> str:
    """The same 25 characters for the same key: as many as Discord takes."""
    return hashlib.sha256(key.encode()).hexdigest()[:25]


def parsed(ref: str) -> tuple[int, int]:
    """Channel and message of a ref."""
    channel, _, message = ref.partition(":")
    return int(channel), int(message)


def ours(message: discord.Message, client: discord.Client) -> bool:
    """True when the bot itself wrote it."""
    return client.user is not None and message.author.id == client.user.id


def marked(message: discord.Message) -> str:
    """The incident that a head's buttons carry, or the foot of one without buttons; else the empty string."""
    return next((custom.partition(":")[2] for custom in _customs(message) if ":" in custom), foot(message))


def _customs(message: discord.Message) -> Iterator[str]:
    for row in message.components:
        for item in getattr(row, "children", ()):
            yield getattr(item, "custom_id", "") or ""


def foot(message: discord.Message) -> str:
    """The words at the foot of a message's card, or the empty string."""
    return next((card.footer.text or "" for card in message.embeds), "")
