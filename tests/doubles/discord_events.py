"""The gateway of Discord's double: sessions that can be resumed, and troubles on demand."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Protocol

from aiohttp import WSMsgType, web

TOKEN = "double.token"
BOT, GUILD, PERSON, ROLE = "100", "123", "555", "789"
_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _MEMBERS, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 7, 8, 9, 10, 11


class Guild(Protocol):
    """What the gateway must know of the server it speaks for."""

    names: dict[str, str]
    guilds: list[str]

    @property
    def gateway_url(self) -> str: ...

    def channel(self, number: str) -> dict[str, Any]: ...

    def snowflake(self) -> str: ...


class Gateway:
    """The websocket side: sessions that can be resumed, and troubles on demand."""

    def __init__(self, guild: Guild, heartbeat: float) -> None:
        self._guild = guild
        self._heartbeat = heartbeat
        self._links: dict[str, web.WebSocketResponse] = {}
        self._events: dict[str, list[dict[str, Any]]] = {}
        self.acking = True
        self.mute = False
        self.refuse = 0
        self.tally: dict[str, int] = {"identify": 0, "resume": 0, "heartbeat": 0, "links": 0, "members": 0}
        self.intents = 0
        self.ready = asyncio.Event()

    async def connected(self, request: web.Request) -> web.StreamResponse:
        """One link: HELLO, then IDENTIFY or RESUME, then heartbeats and events."""
        link = web.WebSocketResponse()
        await link.prepare(request)
        self.tally["links"] += 1
        await link.send_json({"op": _HELLO, "d": {"heartbeat_interval": int(self._heartbeat * 1000)}})
        async for message in link:
            if message.type is WSMsgType.TEXT:
                await self._heard(link, json.loads(message.data))
        return link

    async def _heard(self, link: web.WebSocketResponse, said: dict[str, Any]) -> None:
        if said["op"] == _HEARTBEAT:
            self.tally["heartbeat"] += 1
            if self.acking:
                await link.send_json({"op": _ACK})
        elif said["op"] == _IDENTIFY:
            await self._identify(link, said["d"])
        elif said["op"] == _RESUME:
            await self._resume(link, said["d"])
        elif said["op"] == _MEMBERS:
            await self._members(link, said["d"])

    async def _members(self, link: web.WebSocketResponse, data: dict[str, Any]) -> None:
        """Members by id, which needs no privileged intent; all of them would."""
        self.tally["members"] += 1
        wanted = data.get("user_ids")
        if str(data["guild_id"]) not in self._guild.guilds or not wanted or data.get("query"):
            await link.close(code=4002)
            return
        session = next((name for name, one in self._links.items() if one is link), None)
        if session is None:
            await link.close(code=4003)
            return
        given = {"guild_id": str(data["guild_id"]), "nonce": data.get("nonce"), "chunk_index": 0, "chunk_count": 1}
        known = [wanted] if isinstance(wanted, str | int) else wanted
        found = [member(user(BOT, "Tocsin", bot=True)) for number in known if str(number) == BOT]
        missing = [number for number in known if str(number) != BOT]
        await self._send(session, "GUILD_MEMBERS_CHUNK", {**given, "members": found, "not_found": missing})

    async def _identify(self, link: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.tally["identify"] += 1
        self.intents = data["intents"]
        refused = 4004 if data["token"] != TOKEN else self.refuse
        if refused:
            await link.close(code=refused)
            return
        session = f"session{self._guild.snowflake()}"
        self._links[session], self._events[session] = link, []
        hello = {
            "v": 10,
            "user": user(BOT, "Tocsin", bot=True),
            "session_id": session,
            "resume_gateway_url": self._guild.gateway_url,
            "guilds": [{"id": number, "unavailable": True} for number in self._guild.guilds],
            "application": {"id": BOT, "flags": 0},
        }
        await self._send(session, "READY", hello)
        for number in self._guild.guilds:
            await self._send(session, "GUILD_CREATE", self._described(number))
        self.ready.set()

    async def _resume(self, link: web.WebSocketResponse, data: dict[str, Any]) -> None:
        self.tally["resume"] += 1
        session = data["session_id"]
        if self.refuse:
            await link.close(code=self.refuse)
            return
        if session not in self._events:
            await link.send_json({"op": _INVALID, "d": False})
            return
        self._links[session] = link
        for event in self._events[session][data["seq"] :]:
            await link.send_json(event)
        await self._send(session, "RESUMED", {})
        self.ready.set()

    async def dispatch(self, name: str, data: dict[str, Any]) -> None:
        """An event to every session; sessions without a link get it when they resume."""
        for session in list(self._events):
            await self._send(session, name, data)

    async def _send(self, session: str, name: str, data: dict[str, Any]) -> None:
        events = self._events[session]
        events.append({"op": _DISPATCH, "t": name, "s": len(events) + 1, "d": data})
        link = self._links.get(session)
        if link is not None and not link.closed and not self.mute:
            with suppress(ConnectionError):
                await link.send_json(events[-1])

    def _described(self, guild: str) -> dict[str, Any]:
        roles = [(guild, "@everyone"), (ROLE, "ops")] if guild == GUILD else [(guild, "@everyone")]
        return {
            "id": guild,
            "name": "Operations",
            "owner_id": PERSON,
            "unavailable": False,
            "member_count": 2,
            "channels": [self._guild.channel(number) for number in self._guild.names if guild == GUILD],
            "threads": [],
            "members": [],
            "roles": [
                {"id": number, "name": name, "permissions": "0", "position": 0, "color": 0, "hoist": False}
                | {"managed": False, "mentionable": False, "flags": 0}
                for number, name in roles
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    async def trouble(self, what: str, code: int = 4000) -> None:
        """`drop` the sockets, ask to `reconnect`, say `invalid` (session lost), `close` with a code.

        `deaf` stops acking heartbeats, `mute` acks them and tells nothing else; `hear` ends both.
        `refuse` closes every coming session with the code; 0 stops that.
        """
        if what in ("deaf", "mute", "hear"):
            self.acking, self.mute = what != "deaf", what == "mute"
            return
        if what == "refuse":
            self.refuse = code
            return
        self.ready.clear()
        for session, link in list(self._links.items()):
            await self._harm(session, link, what, code)

    async def _harm(self, session: str, link: web.WebSocketResponse, what: str, code: int) -> None:
        if link.closed:
            return
        if what == "drop" and link._req is not None and link._req.transport is not None:
            link._req.transport.abort()
        elif what == "reconnect":
            await link.send_json({"op": _RECONNECT, "d": None})
        elif what == "invalid":
            del self._events[session], self._links[session]
            await link.send_json({"op": _INVALID, "d": False})
        elif what == "close":
            await link.close(code=code)

    def forget(self) -> None:
        """Nothing more is told to links of old, as after a fault of one machine; a new session is heard."""
        self._links.clear()

    async def stop(self) -> None:
        for link in self._links.values():
            await link.close()


def member(of: dict[str, Any], roles: tuple[str, ...] = (), nick: str | None = None) -> dict[str, Any]:
    since = {"joined_at": "2020-01-01T00:00:00+00:00", "premium_since": None}
    return {"user": of, "nick": nick, "roles": list(roles), **since, "deaf": False, "mute": False, "flags": 0}


def user(number: str, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {"id": number, "username": name, "global_name": None, "discriminator": "0", "avatar": None, "bot": bot}
