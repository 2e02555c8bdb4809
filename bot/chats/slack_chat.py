"""Slack: one thread per incident, told over the Web API; people are heard over Socket Mode, or as Slack calls us."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import structlog

from bot.chats.inbox import Inbox
from bot.chats.slack import SlackConnection
from bot.chats.slack_blocks import head_message, line_message
from bot.chats.slack_calls import Calls
from bot.chats.slack_people import People
from bot.chats.slack_posts import Posts, where
from bot.chats.slack_rights import Rights
from bot.chats.slack_socket import Socket
from bot.chats.slack_tiers import Tiers
from bot.chats.slack_web import Misfit, Scopeless, Web, body, trouble
from bot.core.model import Head, Line
from bot.ports import Clock, Desk, Gone, Letter, Missing, Place, Refused, Retry, Word

log = structlog.get_logger(__name__)

# Slack may not know a fresh file for a moment: the waits between tries with the picture.
_PICTURE_WAITS = (0.5, 1.5, 0.0)
_PINNED_SO = ("already_pinned", "not_pinned", "no_pin")


class _Root(msgspec.Struct, frozen=True):
    """What the head of a thread shows: whose incident, which uploaded file, and the digest of that picture.

    It is remembered while we run; after a restart it is read once from the message itself.
    """

    incident: str
    picture: str | None = None
    digest: bytes = b""


class SlackChat:
    """Threads in Slack. A ref is `channel:ts` of the head message."""

    every = 1.1
    """Seconds between posts to a channel once a short burst is spent: Slack takes about one a second."""

    def __init__(self, config: SlackConnection, name: str, clock: Clock) -> None:
        self._config = config
        self._name = name
        self._clock = clock
        self._web = Web(config.bot_token.reveal(), config.api_url)
        self._posts = Posts(self._web, clock)
        self._roots: dict[str, _Root] = {}
        self._tiers = Tiers(clock)
        self._pinned: dict[str, bool] = {}
        self._broken: set[str] = set()
        self._calls: Calls | None = None
        self._socket: Socket | None = None

    async def open(self, place: Place, key: str, head: Head, png: bytes | None, since: datetime | None) -> str:
        """Post the head, unless an earlier try already did; a thread needs nothing more in Slack."""
        found, _ = await self._earlier(place, "", key, since)
        if found:
            return f"{place.address}:{found}"
        root = await self._drawn(_Root(head.incident), head, png)

        async def send(picture: str | None) -> dict[str, Any]:
            return await self._posts.post(place, key, head_message(head, picture))

        posted, shown = await self._shown(send, root)
        ref = f"{posted['channel']}:{posted['ts']}"
        self._roots[ref] = shown
        await self._pin(ref, head)
        return ref

    async def edit(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Make the head show the present. An update without blocks would remove them, so all are sent each time."""
        channel, _, ts = ref.partition(":")
        root = self._roots.get(ref) or (_Root(head.incident) if png else await self._recall(channel, ts))
        root = await self._drawn(root, head, png)

        async def update(picture: str | None) -> dict[str, Any]:
            await self._tiers.turn("chat.update")
            with trouble(where(place)):
                return body(await self._web.client.chat_update(channel=channel, ts=ts, **head_message(head, picture)))

        async def send(picture: str | None) -> dict[str, Any]:
            return await self._posts.inside(replace(place, address=channel), lambda: update(picture))

        _, shown = await self._shown(send, root)
        self._roots[ref] = msgspec.structs.replace(shown, incident=head.incident)
        await self._pin(ref, head)

    async def reply(self, place: Place, ref: str, key: str, line: Line, since: datetime | None) -> None:
        """Say one line in the thread, unless an earlier try already did."""
        channel, _, root = ref.partition(":")
        there = replace(place, address=channel)
        found, blind = await self._earlier(there, root, key, since)
        if found:
            return
        message = line_message(line, " (may be a repeat)" if blind else "")
        aloud = line.loud and self._config.broadcast and line.seq > 1  # the opening stands in the channel already
        posted = await self._posts.post(there, key, message | {"thread_ts": root, "reply_broadcast": aloud})
        if posted.get("message", {}).get("thread_ts") != root:
            await self._take_back(channel, posted["ts"])
            raise Gone(f"Slack, {where(place)}: the thread's first message is deleted")

    async def close(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Show the last head; Slack has no lock to put on a thread."""
        await self.edit(place, ref, head, png)
        self._roots.pop(ref, None)
        self._pinned.pop(ref, None)

    async def run(self, desk: Desk, places: Sequence[Place]) -> None:
        """Listen until cancelled: over Socket Mode, or for Slack's calls; with neither there is nothing to hear."""
        rights = Rights(self._name, self._web, self._clock, self._config.roles)
        short = self._config.short_commands
        people = People(
            self._name, self._web, desk, places, self._incident, clock=self._clock, rights=rights, short=short
        )
        async with Inbox(people.hear) as inbox, asyncio.TaskGroup() as group:
            group.create_task(people.home.run())
            group.create_task(self._listen(inbox))

    @property
    def deaf_since(self) -> float | None:
        """When the socket was lost, in steady seconds; None while it is up, and where Slack calls us instead."""
        return self._socket.deaf_since if self._socket else None

    async def called(self, letter: Letter) -> Word:
        """Slack calls: taken in at once, worked on afterwards."""
        if not self._config.signing_secret:
            raise Missing(f"chats.{self._name} has no signing_secret, so Slack does not call it")
        if self._calls is None:
            raise Retry(f"chats.{self._name} does not listen yet")
        return self._calls.take(letter)

    async def _listen(self, inbox: Inbox) -> None:
        if secret := self._config.signing_secret:
            self._calls = Calls(secret.reveal(), inbox)
        if token := self._config.app_token:
            self._socket = Socket(self._name, lambda: self._web.ticket(token.reveal()), inbox.take, self._clock)
            await self._socket.run()
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._web.aclose()

    async def _earlier(self, place: Place, root: str, key: str, since: datetime | None) -> tuple[str, bool]:
        """The ts of an earlier try's message or nothing, and whether we were not allowed to look."""
        if since is None:
            return "", False
        try:
            return await self._posts.find(place, root, key, since), False
        except Scopeless as exc:
            self._breaks("history", str(exc))
            return "", True

    async def _shown(
        self, send: Callable[[str | None], Awaitable[dict[str, Any]]], root: _Root
    ) -> tuple[dict[str, Any], _Root]:
        """Send with the picture, but rather without it than not at all."""
        if root.picture:
            for wait in _PICTURE_WAITS:
                try:
                    return await send(root.picture), root
                except Misfit:
                    await self._clock.sleep(wait)
        return await send(None), _Root(root.incident)

    async def _drawn(self, root: _Root, head: Head, png: bytes | None) -> _Root:
        """The root with this picture uploaded; a picture that fails never holds up the words."""
        digest = hashlib.sha256(png).digest() if png else root.digest
        if png is None or (root.picture and digest == root.digest):
            return root
        try:
            picture = await self._web.upload(png, head.alt[:1_000] or "Chart")
        except (Retry, Refused) as exc:
            self._breaks("charts", str(exc))
            return root
        self._recovers("charts")
        return _Root(root.incident, picture, digest)

    async def _recall(self, channel: str, ts: str) -> _Root:
        """What a head message shows, read from the message itself; an empty root when we may not read it."""
        try:
            with trouble(f"channel {channel}"):
                read = self._web.client.conversations_history
                page = body(await read(channel=channel, latest=ts, oldest=ts, inclusive=True, limit=1))
        except Refused:
            return _Root("")
        return _seen([block for message in page.get("messages", ()) for block in message.get("blocks", ())])

    async def _pin(self, ref: str, head: Head) -> None:
        """Pinned while it lives; what keeps a pin from its place never holds up the words."""
        alive = head.state != "closed"
        if not self._config.pin or self._pinned.get(ref) is alive:
            return
        if alive and not self._tiers.free("pins.add"):
            return  # many open at once, and Slack takes few pins a minute: the next edit tries again
        if not alive:
            await self._tiers.turn("pins.remove")
        channel, _, ts = ref.partition(":")
        call = self._web.client.pins_add if alive else self._web.client.pins_remove
        self._pinned[ref] = alive
        try:
            with trouble(f"channel {channel}"):
                await call(channel=channel, timestamp=ts)
        except (Retry, Refused) as exc:
            if not any(word in str(exc) for word in _PINNED_SO):
                self._breaks("pins", str(exc))
        else:
            self._recovers("pins")

    async def _incident(self, channel: str, ts: str) -> str:
        """The incident whose thread hangs under a message, or nothing."""
        root = self._roots.get(f"{channel}:{ts}") or await self._recall(channel, ts)
        return root.incident

    async def _take_back(self, channel: str, ts: str) -> None:
        """Remove a reply that Slack put into the open channel because its thread is gone."""
        with suppress(Retry, Refused), trouble(f"channel {channel}"):  # a stray line is a blemish, not a failure
            await self._web.client.chat_delete(channel=channel, ts=ts)

    def _breaks(self, what: str, why: str) -> None:
        if what not in self._broken:
            self._broken.add(what)
            log.warning("slack_goes_without", chat=self._name, what=what, why=why)

    def _recovers(self, what: str) -> None:
        if what in self._broken:
            self._broken.remove(what)
            log.info("slack_has_again", chat=self._name, what=what)


def _seen(blocks: Sequence[Mapping[str, Any]]) -> _Root:
    """Read a head message backwards: the picture's file, and the incident that its buttons speak of."""
    files = [block["slack_file"].get("id") for block in blocks if block.get("slack_file")]
    values = [e.get("value", "") for block in blocks if block.get("type") == "actions" for e in block["elements"]]
    return _Root(values[0] if values else "", files[0] if files else None)
