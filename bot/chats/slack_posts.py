"""Posting to Slack at most once per key.

Slack knows no idempotency key. Each post carries its key as message metadata, and a retry whose first try may have
succeeded looks for it before posting again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.chats.slack_web import Outside, Web, body, trouble
from bot.ports import Clock, Place, Refused

EVENT_TYPE = "tocsin_delivery"
_LOOK_AGAIN = 5.0
_MARGIN = timedelta(seconds=60)
_PAGES = 10
_QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False, "parse": "none"}


class Posts:
    """The messages of this app, found by key and posted under one."""

    def __init__(self, web: Web, clock: Clock) -> None:
        self._web = web
        self._clock = clock

    async def post(self, place: Place, key: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Post under a key; join a public channel on the way, once. Answers Slack's own answer."""
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": key}}

        async def send() -> dict[str, Any]:
            with trouble(where(place)):
                post = self._web.client.chat_postMessage
                return body(await post(channel=place.address, metadata=metadata, **_QUIET, **message))

        return await self.inside(place, send)

    async def find(self, place: Place, root: str, key: str, since: datetime) -> str:
        """The ts of the message under a key, posted at `since` or later, or nothing; `root` names a thread.

        A message may take a moment to show in the history, so absence is believed only the second time.

        Raises:
            Scopeless: we may not read the channel's history.
        """
        found = await self._look(place, root, key, since)
        if not found:
            await self._clock.sleep(_LOOK_AGAIN)
            found = await self._look(place, root, key, since)
        return found

    async def _look(self, place: Place, root: str, key: str, since: datetime) -> str:
        me = await self._web.bot_id()
        oldest = f"{(since - _MARGIN).timestamp():.6f}"
        cursor = None
        for _ in range(_PAGES):
            page = await self._page(place, root, oldest=oldest, cursor=cursor)
            for message in page.get("messages", ()):
                if message.get("bot_id") == me and _key(message) == key:
                    return str(message["ts"])
            cursor = page.get("response_metadata", {}).get("next_cursor")
            if not cursor:
                break
        return ""

    async def _page(self, place: Place, root: str, **span: Any) -> dict[str, Any]:
        """A page of a channel's history, or of the thread under `root`."""
        limits: dict[str, Any] = {"inclusive": True, "include_all_metadata": True, "limit": 100}

        async def read() -> dict[str, Any]:
            with trouble(where(place)):
                client, channel = self._web.client, place.address
                if root:
                    return body(await client.conversations_replies(channel=channel, ts=root, **limits, **span))
                return body(await client.conversations_history(channel=channel, **limits, **span))

        return await self.inside(place, read)

    async def inside(self, place: Place, call: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Do something in a channel; join it on the way, once, if it is public and we are not in it."""
        try:
            return await call()
        except Outside as outside:
            await self._join(place, outside)
            return await call()

    async def _join(self, place: Place, outside: Outside) -> None:
        """Enter a public channel; whatever keeps us out, a person can let the bot in."""
        try:
            with trouble(where(place)):
                await self._web.client.conversations_join(channel=place.address)
        except Refused as refused:
            raise outside from refused


def where(place: Place) -> str:
    """The place in words, for messages."""
    return f"channel {place.name} ({place.address})"


def _key(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    ours = metadata.get("event_type") == EVENT_TYPE
    return str(metadata.get("event_payload", {}).get("key", "")) if ours else ""
