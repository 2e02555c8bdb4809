"""Socket Mode kept alive: every envelope is answered at once, and a dead link is replaced, not revived.

The library's own reconnect repeats a refused ticket for ever and judges staleness by the wall clock. Here each link
is a fresh client on a fresh ticket, watched by the monotonic clock; a link that Slack announces to end is closed only
after its successor is up, so nothing falls into the gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.chats.slack_web import SILENT, proxy
from bot.ports import Clock, Refused, Retry

log = structlog.get_logger(__name__)

Take = Callable[[str, str, dict[str, Any]], None]

_HANDSHAKE = 10.0
_LOOK = 0.5
_SPACING = 5.0  # opening sockets is Slack's tightest tier of limits
_SLOWEST = 45.0  # so that events come again within a minute of Slack's return
_STEADY = 30.0
_SWITCHED_OFF = "link_disabled"
_REFUSED = 300.0


class Socket:
    """One connection to Slack's events, for as long as `run` runs.

    `ticket` gets an address for one connection; `take` is given a name for each envelope, under which
    Slack may repeat it, its type and its payload.
    `heartbeat` is the seconds between pings; half of it without a pong ends a link. `deaf_since` is when the last link
    was lost, or the first one begun, in steady seconds; None while there is one.
    """

    def __init__(
        self, name: str, ticket: Callable[[], Awaitable[str]], take: Take, clock: Clock, heartbeat: float = 5.0
    ) -> None:
        self._name = name
        self._ticket = ticket
        self._take = take
        self._clock = clock
        self._heartbeat = heartbeat
        self._dial_at = 0.0
        self._failures = 0
        self._broken = False
        self.deaf_since: float | None = clock.monotonic()
        self._links: set[_Link] = set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        try:
            link = await self._dialled()
            while True:
                await self._ended(link)
                link, old = await self._dialled(), link
                await self._retire(old)
        finally:
            for link in list(self._links):
                await self._retire(link)

    async def _ended(self, link: _Link) -> None:
        began = self._clock.monotonic()
        await self._until(lambda: link.tired or not link.alive, None)
        if link.reason == _SWITCHED_OFF:
            self.deaf_since = self._clock.monotonic()
            self._say_broken("Socket Mode was switched off in the app's settings: switch it on, or use signing_secret")
            self._dial_at = self._clock.monotonic() + _REFUSED
            return
        if not link.tired:  # an announced end is everyday life
            self.deaf_since = self._clock.monotonic()
            self._say_broken("the connection to Slack broke")
        if self._clock.monotonic() - began > _STEADY:
            self._failures = 0
            return
        self._failures += 1  # a link that ends at once is as good as none, and Slack counts the tickets
        self._dial_at = max(self._dial_at, began + _pause(Retry("it ended at once"), self._failures))

    async def _dialled(self) -> _Link:
        """A link that works, however long it takes."""
        while True:
            await self._clock.sleep(max(self._dial_at - self._clock.monotonic(), 0.0))
            began = self._clock.monotonic()
            self._dial_at = began + _SPACING
            try:
                link = await self._dial()
            except (Retry, Refused) as exc:
                self._failures += 1
                self._say_broken(str(exc))
                self._dial_at = began + _pause(exc, self._failures)
            else:
                self._say_back()
                self.deaf_since = None
                return link

    async def _dial(self) -> _Link:
        """One try with one ticket.

        Raises:
            Retry: no link came of it.
            Refused: Slack will not have us.
        """
        link = _Link(await self._ticket(), self._take, self._heartbeat)
        self._links.add(link)
        link.begin()
        await self._until(lambda: link.greeted, _HANDSHAKE)
        if not link.greeted:
            await self._retire(link)
            raise Retry("Slack's event socket did not open")
        return link

    async def _retire(self, link: _Link) -> None:
        await link.end()
        self._links.discard(link)

    async def _until(self, condition: Callable[[], bool], patience: float | None) -> None:
        began = self._clock.monotonic()
        while not condition() and (patience is None or self._clock.monotonic() - began < patience):
            await self._clock.sleep(_LOOK)

    def _say_broken(self, why: str) -> None:
        if not self._broken:
            log.warning("slack_not_listening", chat=self._name, why=why)
            self._broken = True

    def _say_back(self) -> None:
        if self._broken:
            log.info("slack_listening_again", chat=self._name)
            self._broken = False


class _Link(SocketModeClient):
    """One socket on one ticket; it reports its end and leaves the rest to `Socket`."""

    def __init__(self, ticket: str, take: Take, heartbeat: float) -> None:
        super().__init__("", logger=SILENT, auto_reconnect_enabled=False, ping_interval=heartbeat)
        self.wss_uri = ticket
        self.proxy = proxy(ticket)
        self.greeted = False
        self.tired = False
        self.reason = ""
        self._take = take
        self._connecting: asyncio.Future[None] | None = None
        self.message_listeners.append(self._greet)
        self.socket_mode_request_listeners.append(self._answer)

    @property
    def alive(self) -> bool:
        """True while the socket is open; the transport itself closes one whose pongs stay away."""
        return self.current_session is not None and not self.current_session.closed

    def begin(self) -> None:
        """Start connecting; `greeted` tells when that has worked."""
        self._connecting = asyncio.ensure_future(self.connect())  # type: ignore[no-untyped-call]  # the library's

    async def end(self) -> None:
        """Close the socket and everything the library started for it."""
        if self._connecting is not None:
            self._connecting.cancel()
        await self.close()  # type: ignore[no-untyped-call]  # the library's

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002  the library's signature
        """Where the library would replace its own socket: only tell that a successor is wanted."""
        self.tired = True

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """As the library does, which tells nobody why a link is to end."""
        if message.get("type") == "disconnect":
            self.reason = str(message.get("reason", ""))
        await super().run_message_listeners(message, raw_message)

    async def _greet(self, _client: AsyncBaseSocketModeClient, message: dict[str, Any], _raw: str | None) -> None:
        self.greeted = self.greeted or message.get("type") == "hello"

    async def _answer(self, _client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledge first: Slack shows people a failure after three seconds, whatever the work takes."""
        await self.send_socket_mode_response({"envelope_id": request.envelope_id})
        name = str(request.payload.get("event_id") or request.envelope_id)
        self._take(name, request.type, request.payload)


def _pause(why: Retry | Refused, failures: int) -> float:
    """Seconds from one try to the next: what Slack asked for, long after a refusal, else ever longer."""
    if isinstance(why, Refused):
        return _REFUSED
    asked = why.after or timedelta(0)
    return max(asked.total_seconds(), min(_SPACING * 2.0 ** min(failures - 1, 9), _SLOWEST))
