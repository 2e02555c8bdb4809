"""What Discord's double keeps and how it answers over REST: messages, threads, commands, interactions."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from doubles.discord_events import BOT, GUILD, PERSON, ROLE, user
from doubles.discord_rules import Wrong, check_choices, check_commands, check_message, check_modal, pings

CHANNEL = "456"
__all__ = ["CHANNEL", "ROLE", "Handler", "Interaction", "Server", "as_json"]
_EPOCH_MS = 1_420_070_400_000

PERMISSIONS = frozenset(
    {
        "attach_files",
        "create_public_threads",
        "embed_links",
        "manage_threads",
        "pin_messages",
        "read_message_history",
        "send_messages",
        "send_messages_in_threads",
        "view_channel",
    }
)
"""What the bot is allowed to do, unless a test takes it away."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Interaction:
    """Something a person did, and how the bot answered; times are `time.monotonic` seconds."""

    payload: dict[str, Any]
    sent_at: float
    answered_at: float = 0.0
    accepted: int = 0
    kind: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    original: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    followups: list[dict[str, Any]] = field(default_factory=list)
    responded: asyncio.Event = field(default_factory=asyncio.Event)
    edited: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def took(self) -> float:
        return self.answered_at - self.sent_at


class Server:
    """One server with text channels, and everything that was said in it."""

    def __init__(self, names: dict[str, str], nonce_window: float) -> None:
        self.names, self.nonce_window = names, nonce_window
        self.messages: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.edits: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.pings: list[str] = []
        self.unguarded: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.offered: dict[str, list[dict[str, Any]]] = {}
        self.guilds = [GUILD]
        self.pins: list[str] = []
        self.may = set(PERMISSIONS)
        self.renamed: list[str] = []
        self.interactions: dict[str, Interaction] = {}
        self._nonces: dict[str, tuple[float, str]] = {}
        self._serial = 0
        self.port = self.gateway_port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.gateway_port or self.port}/gateway"

    def said(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        """The messages of a channel or thread, in order."""
        return [m for _, m in sorted(self.messages.items(), key=lambda kv: int(kv[0])) if m["channel_id"] == channel]

    def routes(self) -> list[tuple[str, str, str, Handler]]:
        api, messages = "/api/v10", "/api/v10/channels/{channel}/messages"
        commands = api + "/applications/{app}/guilds/{guild}/commands"
        hook = api + "/webhooks/{app}/{token}"
        return [
            ("GET", api + "/users/@me", "me", self._me),
            ("GET", api + "/applications/@me", "app", self._app),
            ("GET", api + "/oauth2/applications/@me", "app", self._app),
            ("GET", api + "/gateway/bot", "gateway", self._gateway_bot),
            ("GET", api + "/channels/{channel}", "channel.get", self._get_channel),
            ("PATCH", api + "/channels/{channel}", "channel.patch", self._patch_channel),
            ("POST", api + "/channels/{channel}/typing", "typing", self._nothing),
            ("GET", messages, "message.list", self._list),
            ("POST", messages, "message.post", self._post),
            ("PUT", messages + "/pins/{message}", "pin", self._pin),
            ("DELETE", messages + "/pins/{message}", "unpin", self._unpin),
            ("POST", api + "/channels/{channel}/threads", "forum.post", self._forum),
            ("GET", api + "/guilds/{guild}/threads/active", "threads.active", self._active),
            ("GET", api + "/channels/{channel}/threads/archived/public", "threads.archived", self._archived),
            ("GET", messages + "/{message}", "message.get", self._get),
            ("PATCH", messages + "/{message}", "message.patch", self._patch),
            ("POST", messages + "/{message}/threads", "thread.create", self._thread),
            ("GET", commands, "commands.get", self._get_commands),
            ("PUT", commands, "commands.put", self._put_commands),
            ("POST", api + "/interactions/{id}/{token}/callback", "interaction", self._callback),
            ("PATCH", hook + "/messages/@original", "original.patch", self._edit_original),
            ("GET", hook + "/messages/@original", "original.get", self._get_original),
            ("POST", hook, "followup", self._followup),
        ]

    # REST

    async def _me(self, _request: web.Request) -> web.Response:
        return as_json(user(BOT, "Tocsin", bot=True))

    async def _app(self, _request: web.Request) -> web.Response:
        return as_json(
            {
                "id": BOT,
                "name": "Tocsin",
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "00",
                "flags": 0,
                "owner": user(PERSON, "ada"),
            }
        )

    async def _gateway_bot(self, _request: web.Request) -> web.Response:
        starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return as_json({"url": self.gateway_url, "shards": 1, "session_start_limit": starts})

    async def _nothing(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _get_channel(self, request: web.Request) -> web.Response:
        return as_json(self.channel(request.match_info["channel"]))

    def _needs(self, *names: str) -> None:
        if not set(names) <= self.may:
            raise Wrong(403, 50013, "Missing Permissions")

    def channel(self, number: str) -> dict[str, Any]:
        """A channel or thread as the bot may see it."""
        if "view_channel" not in self.may:
            raise Wrong(403, 50001, "Missing Access")
        if number in self.threads:
            return self.threads[number]
        if number not in self.names:
            raise Wrong(404, 10003, "Unknown Channel")
        name = self.names[number]
        kind = {"forum": 15, "category": 4}.get(name, 0)
        return {
            "id": number,
            "type": kind,
            "guild_id": GUILD,
            "name": name,
            "position": 0,
            "permission_overwrites": [],
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
        }

    async def _patch_channel(self, request: web.Request) -> web.Response:
        thread = self.channel(request.match_info["channel"])
        if thread["id"] not in self.threads:
            raise Wrong(403, 50013, "Missing Permissions")
        wanted, state = await request.json(), thread["thread_metadata"]
        if "locked" in wanted:
            self._needs("manage_threads")
        if state["archived"] and wanted.get("archived") is not False and set(wanted) - {"archived", "locked"}:
            raise Wrong(400, 50083, "Thread is archived")
        state.update({key: wanted[key] for key in ("archived", "locked") if key in wanted})
        self.renamed += [wanted["name"]] if "name" in wanted else []
        thread.update({key: wanted[key] for key in ("name",) if key in wanted})
        return as_json(thread)

    async def _list(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        self.channel(channel)
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise Wrong(400, 50035, "Invalid Form Body: limit")
        if "read_message_history" not in self.may:
            return as_json([])
        before = int(request.query.get("before", 1 << 63))
        found = [m for m in self.said(channel) if after < int(m["id"]) < before]
        page = found[:limit] if "after" in request.query else found[-limit:]
        return as_json([_without(m, "nonce") for m in reversed(page)])

    async def _get(self, request: web.Request) -> web.Response:
        return as_json(_without(self._message(request), "nonce"))

    def _message(self, request: web.Request) -> dict[str, Any]:
        self.channel(request.match_info["channel"])
        if request.method == "GET":
            self._needs("read_message_history")
        message = self.messages.get(request.match_info["message"])
        if message is None or message["channel_id"] != request.match_info["channel"]:
            raise Wrong(404, 10008, "Unknown Message")
        return message

    async def _post(self, request: web.Request) -> web.Response:
        channel = self.channel(request.match_info["channel"])
        payload, files = await _body(request)
        check_message(payload, files=len(files), kept=0)
        self._speakable(channel)
        self._needs("send_messages_in_threads" if channel["id"] in self.threads else "send_messages")
        self._needs(*(["attach_files"] if files else []))
        again = self._by_nonce(payload)
        if again is not None:
            return as_json(again)
        message = self._new(channel["id"], payload)
        self._attach(message, payload, files, kept=[])
        self._note(payload)
        self.messages[message["id"]] = message
        if payload.get("enforce_nonce"):
            self._nonces[payload["nonce"]] = (time.monotonic(), message["id"])
        return as_json(message)

    def _speakable(self, channel: dict[str, Any]) -> None:
        if channel["type"] == 15:
            raise Wrong(400, 50008, "Cannot send messages in a non-text channel")
        state = channel.get("thread_metadata")
        if state and state["archived"]:
            if state["locked"]:
                raise Wrong(400, 50083, "Thread is archived")
            state["archived"] = False

    def _by_nonce(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        at, number = self._nonces.get(payload.get("nonce", ""), (0.0, ""))
        if not payload.get("enforce_nonce") or not number or time.monotonic() - at > self.nonce_window:
            return None
        if number not in self.messages:
            raise Wrong(404, 10008, "Unknown Message")
        return self.messages[number]

    def _new(self, channel: str, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self.snowflake(),
            "channel_id": channel,
            "author": user(BOT, "Tocsin", bot=True),
            "content": payload.get("content") or "",
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": (payload.get("embeds") or []) if "embed_links" in self.may else [],
            "components": payload.get("components") or [],
            "pinned": False,
            "type": 0,
            "flags": payload.get("flags", 0),
            "nonce": payload.get("nonce"),
        }

    def _attach(
        self, message: dict[str, Any], payload: dict[str, Any], files: list[tuple[str, bytes]], kept: list[Any]
    ) -> None:
        meta = {str(a["id"]): a for a in payload.get("attachments") or []}
        for index, (name, data) in enumerate(files):
            number = self.snowflake()
            url = f"{self.url}/cdn/attachments/{message['channel_id']}/{number}/{name}"
            self.files[url] = data
            kept.append(
                {
                    "id": number,
                    "filename": name,
                    "size": len(data),
                    "url": url,
                    "proxy_url": url,
                    "content_type": "image/png",
                    "description": meta.get(str(index), {}).get("description"),
                }
            )
        message["attachments"] = kept
        _resolve_images(message)

    def _note(self, payload: dict[str, Any]) -> None:
        self.pings += pings(payload)
        if "content" in payload and payload.get("allowed_mentions") is None:
            self.unguarded.append(str(payload.get("content")))

    async def _patch(self, request: web.Request) -> web.Response:
        message = self._message(request)
        channel = self.channel(message["channel_id"])
        if (channel.get("thread_metadata") or {}).get("archived"):
            raise Wrong(400, 50083, "Thread is archived")
        if message["author"]["id"] != BOT:
            raise Wrong(403, 50005, "Cannot edit a message authored by another user")
        payload, files = await _body(request)
        self._needs(*(["attach_files"] if files else []))
        kept = message["attachments"]
        if "attachments" in payload:
            ids = {str(a["id"]) for a in payload["attachments"]}
            kept = [a for a in kept if a["id"] in ids]
        merged = {k: payload.get(k, message[k]) for k in ("content", "embeds", "components")}
        check_message(merged, files=len(files), kept=len(kept))
        changed = {**message, **merged}
        self._attach(changed, payload, files, kept=list(kept))
        changed["edited_timestamp"] = datetime.now(UTC).isoformat()
        self._note(payload)
        self.edits[message["id"]].append(payload)
        self.messages[message["id"]] = changed
        return as_json(changed)

    async def _thread(self, request: web.Request) -> web.Response:
        message, wanted = self._message(request), await request.json()
        self._needs("create_public_threads")
        if message["id"] in self.threads:
            raise Wrong(400, 160004, "A thread has already been created for this message")
        thread = self._new_thread(message["id"], message["channel_id"], wanted)
        return as_json(thread, status=201)

    def _new_thread(self, number: str, parent: str, wanted: dict[str, Any]) -> dict[str, Any]:
        if not 1 <= len(wanted["name"]) <= 100 or wanted["auto_archive_duration"] not in (60, 1440, 4320, 10080):
            raise Wrong(400, 50035, "Invalid Form Body: name or auto_archive_duration")
        now = datetime.now(UTC).isoformat()
        self.threads[number] = {
            "id": number,
            "type": 11,
            "guild_id": GUILD,
            "parent_id": parent,
            "owner_id": BOT,
            "name": wanted["name"],
            "last_message_id": None,
            "message_count": 0,
            "member_count": 1,
            "rate_limit_per_user": 0,
            "thread_metadata": {
                "archived": False,
                "locked": False,
                "auto_archive_duration": wanted["auto_archive_duration"],
                "archive_timestamp": now,
                "create_timestamp": now,
            },
        }
        return self.threads[number]

    async def _forum(self, request: web.Request) -> web.Response:
        """A post in a forum: a thread whose first message has the thread's own id. There is no nonce for it."""
        forum = self.channel(request.match_info["channel"])
        wanted, files = await _body(request)
        if forum["type"] != 15:
            raise Wrong(400, 50024, "Cannot execute action on this channel type")
        self._needs("send_messages", *(["attach_files"] if files else []))
        payload = wanted["message"]
        check_message(payload, files=len(files), kept=0)
        number = self.snowflake()
        thread = self._new_thread(number, forum["id"], wanted)
        message = self._new(number, payload) | {"id": number}
        self._attach(message, payload, files, kept=[])
        self._note(payload)
        self.messages[number] = message
        return as_json(thread | {"message": message}, status=201)

    async def _active(self, _request: web.Request) -> web.Response:
        found = [t for t in self.threads.values() if not t["thread_metadata"]["archived"]]
        return as_json({"threads": found, "members": []})

    async def _archived(self, request: web.Request) -> web.Response:
        parent = request.match_info["channel"]
        found = [t for t in self.threads.values() if t["thread_metadata"]["archived"] and t["parent_id"] == parent]
        return as_json({"threads": found, "members": [], "has_more": False})

    async def _pin(self, request: web.Request) -> web.Response:
        message = self._pinnable(request)
        if len(self.pins) >= 250:
            raise Wrong(400, 30003, "Maximum number of pins reached")
        if message["id"] not in self.pins:
            self.pins.append(message["id"])
        return web.Response(status=204)

    async def _unpin(self, request: web.Request) -> web.Response:
        message = self._pinnable(request)
        if message["id"] in self.pins:
            self.pins.remove(message["id"])
        return web.Response(status=204)

    def _pinnable(self, request: web.Request) -> dict[str, Any]:
        self._needs("pin_messages")
        return self._message(request)

    async def _get_commands(self, request: web.Request) -> web.Response:
        return as_json(self.offered.get(self._guild(request), []))

    def _guild(self, request: web.Request) -> str:
        if request.match_info["guild"] not in self.guilds:
            raise Wrong(403, 50001, "Missing Access")
        return request.match_info["guild"]

    async def _put_commands(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        check_commands(wanted)
        guild = self._guild(request)
        known = {c["name"]: c["id"] for c in self.offered.get(guild, [])}
        extra = {"application_id": BOT, "guild_id": guild}
        self.commands = self.offered[guild] = [
            {
                "description": "",
                **c,
                **extra,
                "id": known.get(c["name"]) or self.snowflake(),
                "version": self.snowflake(),
            }
            for c in wanted
        ]
        return as_json(self.commands)

    # Interactions

    async def _callback(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        body, _ = await _body(request)
        self.responded(deed, body)
        about = {"id": deed.payload["id"], "type": deed.payload["type"], "response_message_loading": body["type"] == 5}
        return as_json({"interaction": about, "resource": {"type": body["type"]}})

    def responded(self, deed: Interaction, body: dict[str, Any]) -> None:
        """The first answer to what a person did."""
        if time.monotonic() - deed.sent_at > 3.0:
            raise Wrong(404, 10062, "Unknown interaction")
        if deed.kind:
            raise Wrong(400, 40060, "Interaction has already been acknowledged.")
        _check_callback(deed, body)
        deed.kind, deed.data, deed.answered_at = body["type"], body.get("data") or {}, time.monotonic()
        deed.responded.set()

    def _deed(self, request: web.Request) -> Interaction:
        deed = self.interactions.get(request.match_info["token"])
        if deed is None:
            raise Wrong(404, 10062, "Unknown interaction")
        return deed

    async def _edit_original(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        if deed.kind not in (4, 5):
            raise Wrong(404, 10015, "Unknown Webhook")
        payload, files = await _body(request)
        check_message(payload, files=len(files), kept=0)
        self._note(payload)
        deed.original, deed.files = payload, dict(files)
        deed.edited.set()
        return as_json({**self._new(deed.payload["channel_id"], payload), "webhook_id": BOT})

    async def _get_original(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        return as_json({**self._new(deed.payload["channel_id"], deed.original), "webhook_id": BOT})

    async def _followup(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        payload, files = await _body(request)
        check_message(payload, files=len(files), kept=0)
        self._note(payload)
        deed.followups.append(payload)
        return as_json({**self._new(deed.payload["channel_id"], payload), "webhook_id": BOT})

    def snowflake(self) -> str:
        """An id that carries the present, as Discord's do."""
        self._serial += 1
        return str(((int(time.time() * 1000) - _EPOCH_MS) << 22) | (self._serial & 0x3FFFFF))


def _check_callback(deed: Interaction, body: dict[str, Any]) -> None:
    kind, data = body["type"], body.get("data") or {}
    if kind == 9:
        check_modal(data)
    elif kind == 8:
        check_choices(data)
    elif kind == 4:
        check_message(data, files=0, kept=0)
    if (kind == 8) != (deed.payload["type"] == 4) or (kind == 9 and deed.payload["type"] == 5):
        raise Wrong(400, 50035, "Invalid Form Body: type")


def as_json(data: object, *, status: int = 200) -> web.Response:
    """Exactly `application/json`: the client library takes nothing else for JSON."""
    answer = web.Response(status=status, body=json.dumps(data).encode())
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Via"] = "1.1 double"
    return answer


async def _body(request: web.Request) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    if request.content_type == "application/json":
        return await request.json(), []
    payload: dict[str, Any] = {}
    files: list[tuple[str, bytes]] = []
    async for part in await request.multipart():
        if part.name == "payload_json":
            payload = json.loads(await part.read())
        else:
            files.append((part.filename, bytes(await part.read())))
    return payload, files


def _resolve_images(message: dict[str, Any]) -> None:
    """Turn `attachment://name` into the address of the message's own attachment; an unknown name is refused."""
    urls = {a["filename"]: a["url"] for a in message["attachments"]}
    embeds = json.loads(json.dumps(message["embeds"]))
    for embed in embeds:
        url = (embed.get("image") or {}).get("url", "")
        if url.startswith("attachment://"):
            if url.removeprefix("attachment://") not in urls:
                raise Wrong(400, 50035, f"Invalid Form Body: embeds.image.url: no attachment for {url}")
            embed["image"]["url"] = urls[url.removeprefix("attachment://")]
    message["embeds"] = embeds


def _without(message: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in message.items() if k != key}
