"""Discord over loopback: REST v10 and the gateway, strict about limits, with faults on demand.

Inside a test: `async with DiscordDouble() as double`. As a program: `python tests/doubles/discord_double.py --port N`,
driven by `GET /_control/dump`, `POST /_control/faults`, `POST /_control/inject` and `POST /_control/gateway`.

A fault breaks one call of one route: before Discord did anything (`500`, `503`, `429`, `403:50013`, `html`, `reset`,
`hang`) or after it did (`accept-reset`, `accept-hang`, `accept-500`, `accept-html`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))

from doubles.discord_events import BOT, GUILD, PERSON, TOKEN, Gateway, user
from doubles.discord_rules import (
    Wrong,
    check_choices,
    check_commands,
    check_message,
    check_modal,
    pings,
)

CHANNEL, ROLE = "456", "789"
_EPOCH_MS = 1_420_070_400_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """Breaks the `call`th call (from 0) of a route and the `times - 1` after it; `times` 0 is for ever."""

    route: str
    what: str
    call: int
    times: int = 1
    retry_after: float = 0.2

    def hits(self, call: int) -> bool:
        return call >= self.call and (not self.times or call < self.call + self.times)


@dataclass
class Interaction:
    """Something a person did, and how the bot answered; times are `time.monotonic` seconds."""

    payload: dict[str, Any]
    sent_at: float
    answered_at: float = 0.0
    kind: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    original: dict[str, Any] = field(default_factory=dict)
    followups: list[dict[str, Any]] = field(default_factory=list)
    responded: asyncio.Event = field(default_factory=asyncio.Event)
    edited: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def took(self) -> float:
        return self.answered_at - self.sent_at


class DiscordDouble:
    """A guild with text channels, one bot and one person, and everything that was said in it."""

    def __init__(
        self,
        *,
        channels: dict[str, str] | None = None,
        nonce_window: float = 180.0,
        rate: tuple[int, float] | None = None,
        heartbeat: float = 41.25,
    ) -> None:
        self.names = channels or {CHANNEL: "community"}
        self.nonce_window, self.rate = nonce_window, rate
        self.messages: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.edits: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.pings: list[str] = []
        self.unguarded: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.faults: list[Fault] = []
        self.interactions: dict[str, Interaction] = {}
        self.gateway = Gateway(self, heartbeat)
        self._nonces: dict[str, tuple[float, str]] = {}
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._serial = 0
        self._runner: web.AppRunner | None = None
        self.port = 0

    # For tests

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    def said(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        """The messages of a channel or thread, in order."""
        return [m for _, m in sorted(self.messages.items(), key=lambda kv: int(kv[0])) if m["channel_id"] == channel]

    def fault(
        self, route: str, what: str, *, call: int | None = None, times: int = 1, retry_after: float = 0.2
    ) -> None:
        """Break the next call of a route, or the `call`th counted from now."""
        at = len(self.calls[route]) + (call or 0)
        self.faults.append(Fault(route, what, at, times, retry_after))

    def delete_message(self, message: str) -> None:
        """A moderator deletes a message; its thread stays behind."""
        del self.messages[message]

    def delete_thread(self, thread: str) -> None:
        """A moderator deletes a thread with all that was said in it."""
        del self.threads[thread]
        for number in [m["id"] for m in self.said(thread)]:
            del self.messages[number]

    async def act(self, kind: int, data: dict[str, Any], *, channel: str = CHANNEL, message: str = "") -> Interaction:
        """A person does something: 2 a command, 3 a button, 4 is still typing, 5 a form."""
        number = self.snowflake()
        payload = {
            "id": number,
            "application_id": BOT,
            "type": kind,
            "token": f"tok{number}",
            "version": 1,
            "guild_id": GUILD,
            "guild": {"id": GUILD, "locale": "en-US", "features": []},
            "channel_id": channel,
            "channel": self.channel(channel),
            "member": _member(),
            "data": data,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {"0": GUILD},
            "context": 0,
            "attachment_size_limit": 10_485_760,
        }
        if message:
            payload["message"] = self.messages[message]
        self.interactions[f"tok{number}"] = deed = Interaction(payload, time.monotonic())
        await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return deed

    async def command(self, *path: str, channel: str = CHANNEL, focus: str = "", **options: str) -> Interaction:
        """A slash command such as `command("incident", "status", service="x")`; with `focus` it is still being typed."""
        given = [
            {"name": k, "type": 3, "value": v, **({"focused": True} if k == focus else {})} for k, v in options.items()
        ]
        for name in reversed(path[1:]):
            given = [{"name": name, "type": 1, "options": given}]
        data = {"id": "9000", "name": path[0], "type": 1, "guild_id": GUILD, "options": given}
        return await self.act(4 if focus else 2, data, channel=channel)

    async def press(self, custom_id: str, message: str) -> Interaction:
        """A press of a button under a message."""
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        return await self.act(3, data, channel=self.messages[message]["channel_id"], message=message)

    async def submit(self, custom_id: str, words: str, *, channel: str = CHANNEL) -> Interaction:
        """A form sent off with words in its one input."""
        inner = {"type": 4, "id": 2, "custom_id": "text", "value": words}
        data = {"custom_id": custom_id, "components": [{"type": 18, "id": 1, "component": inner}]}
        return await self.act(5, data, channel=channel)

    # Life

    async def __aenter__(self) -> Self:
        await self.start(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int) -> None:
        app = web.Application(client_max_size=30_000_000)
        for method, path, name, handler in self._routes():
            app.router.add_route(method, path, self._served(name, handler))
        app.router.add_get("/gateway", self.gateway.connected)
        app.router.add_get("/_control/dump", self._dump)
        app.router.add_post("/_control/{what:faults|inject|gateway}", self._control)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def _routes(self) -> list[tuple[str, str, str, Handler]]:
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

    def _served(self, name: str, handler: Handler) -> Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            call = len(self.calls[name])
            self.calls[name].append({"at": time.monotonic(), "path": request.path})
            fault = next((f for f in self.faults if f.route == name and f.hits(call)), None)
            if fault and not fault.what.startswith("accept-"):
                return await self._break(request, fault.what, fault)
            answer = await self._answer(name, request, handler)
            if fault and answer.status < 300:
                return await self._break(request, fault.what.removeprefix("accept-"), fault)
            return answer

        return serve

    async def _answer(self, name: str, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if name not in ("interaction", "original.patch", "original.get", "followup"):
                _authorised(request)
            limited = self._limited(name, request)
            return limited or await handler(request)
        except Wrong as wrong:
            return _json({"code": wrong.code, "message": wrong.message}, status=wrong.status)

    async def _break(self, request: web.Request, what: str, fault: Fault) -> web.StreamResponse:
        if what == "reset":
            _reset(request)
            return web.Response(status=500)
        if what == "hang":
            await asyncio.sleep(3600)
        if what == "html":
            return web.Response(text="<html>Just a moment</html>", content_type="text/html")
        if what == "429":
            return _too_many(fault.retry_after)
        if what == "429-cloudflare":
            return web.Response(
                status=429, text="error code: 1015", headers={"Retry-After": str(int(fault.retry_after))}
            )
        status, _, code = what.partition(":")
        return _json({"code": int(code or 0), "message": f"scripted {what}"}, status=int(status))

    def _limited(self, name: str, request: web.Request) -> web.Response | None:
        if self.rate is None or name not in ("message.post", "message.patch"):
            return None
        most, seconds = self.rate
        recent, now = self._recent[name + request.match_info["channel"]], time.monotonic()
        while recent and now - recent[0] >= seconds:
            recent.popleft()
        if len(recent) >= most:
            return _too_many(seconds - (now - recent[0]))
        recent.append(now)
        return None

    # REST

    async def _me(self, _request: web.Request) -> web.Response:
        return _json(user(BOT, "Tocsin", bot=True))

    async def _app(self, _request: web.Request) -> web.Response:
        return _json(
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
        return _json({"url": self.gateway_url, "shards": 1, "session_start_limit": starts})

    async def _nothing(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _get_channel(self, request: web.Request) -> web.Response:
        return _json(self.channel(request.match_info["channel"]))

    def channel(self, number: str) -> dict[str, Any]:
        if number in self.threads:
            return self.threads[number]
        if number not in self.names:
            raise Wrong(404, 10003, "Unknown Channel")
        name = self.names[number]
        kind = 15 if name.startswith("forum") else 0
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
        if state["archived"] and wanted.get("archived") is not False and set(wanted) - {"archived", "locked"}:
            raise Wrong(400, 50083, "Thread is archived")
        state.update({key: wanted[key] for key in ("archived", "locked") if key in wanted})
        thread.update({key: wanted[key] for key in ("name",) if key in wanted})
        return _json(thread)

    async def _list(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        self.channel(channel)
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        if not 1 <= limit <= 100:
            raise Wrong(400, 50035, "Invalid Form Body: limit")
        before = int(request.query.get("before", 1 << 63))
        found = [m for m in self.said(channel) if after < int(m["id"]) < before]
        page = found[:limit] if "after" in request.query else found[-limit:]
        return _json([_without(m, "nonce") for m in reversed(page)])

    async def _get(self, request: web.Request) -> web.Response:
        return _json(_without(self._message(request), "nonce"))

    def _message(self, request: web.Request) -> dict[str, Any]:
        self.channel(request.match_info["channel"])
        message = self.messages.get(request.match_info["message"])
        if message is None or message["channel_id"] != request.match_info["channel"]:
            raise Wrong(404, 10008, "Unknown Message")
        return message

    async def _post(self, request: web.Request) -> web.Response:
        channel = self.channel(request.match_info["channel"])
        payload, files = await _body(request)
        check_message(payload, files=len(files), kept=0)
        self._speakable(channel)
        again = self._by_nonce(payload)
        if again is not None:
            return _json(again)
        message = self._new(channel["id"], payload)
        self._attach(message, payload, files, kept=[])
        self._note(payload)
        self.messages[message["id"]] = message
        if payload.get("enforce_nonce"):
            self._nonces[payload["nonce"]] = (time.monotonic(), message["id"])
        return _json(message)

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
            "embeds": payload.get("embeds") or [],
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
        payload, files = await _body(request)
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
        return _json(changed)

    async def _thread(self, request: web.Request) -> web.Response:
        message, wanted = self._message(request), await request.json()
        if message["id"] in self.threads:
            raise Wrong(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(wanted["name"]) <= 100 or wanted["auto_archive_duration"] not in (60, 1440, 4320, 10080):
            raise Wrong(400, 50035, "Invalid Form Body: name or auto_archive_duration")
        now = datetime.now(UTC).isoformat()
        self.threads[message["id"]] = {
            "id": message["id"],
            "type": 11,
            "guild_id": GUILD,
            "parent_id": message["channel_id"],
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
        return _json(self.threads[message["id"]], status=201)

    async def _get_commands(self, _request: web.Request) -> web.Response:
        return _json(self.commands)

    async def _put_commands(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        check_commands(wanted)
        known = {c["name"]: c["id"] for c in self.commands}
        extra = {"application_id": BOT, "guild_id": request.match_info["guild"]}
        self.commands = [
            {**c, **extra, "id": known.get(c["name"]) or self.snowflake(), "version": self.snowflake()} for c in wanted
        ]
        return _json(self.commands)

    # Interactions

    async def _callback(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        if time.monotonic() - deed.sent_at > 3.0:
            raise Wrong(404, 10062, "Unknown interaction")
        if deed.kind:
            raise Wrong(400, 40060, "Interaction has already been acknowledged.")
        body, _ = await _body(request)
        _check_callback(deed, body)
        deed.kind, deed.data, deed.answered_at = body["type"], body.get("data") or {}, time.monotonic()
        deed.responded.set()
        about = {"id": deed.payload["id"], "type": deed.payload["type"], "response_message_loading": body["type"] == 5}
        return _json({"interaction": about, "resource": {"type": body["type"]}})

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
        deed.original = payload
        deed.edited.set()
        return _json({**self._new(deed.payload["channel_id"], payload), "webhook_id": BOT})

    async def _get_original(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        return _json({**self._new(deed.payload["channel_id"], deed.original), "webhook_id": BOT})

    async def _followup(self, request: web.Request) -> web.Response:
        deed = self._deed(request)
        payload, files = await _body(request)
        check_message(payload, files=len(files), kept=0)
        self._note(payload)
        deed.followups.append(payload)
        return _json({**self._new(deed.payload["channel_id"], payload), "webhook_id": BOT})

    # Control from outside

    async def _dump(self, _request: web.Request) -> web.Response:
        return _json(
            {
                "messages": [{**m, "edits": len(self.edits[m["id"]])} for m in self.messages.values()],
                "threads": list(self.threads.values()),
                "commands": self.commands,
                "pings": self.pings,
                "calls": self.calls,
                "interactions": [_told(deed) for deed in self.interactions.values()],
                "gateway": self.gateway.tally,
            }
        )

    async def _control(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        what = request.match_info["what"]
        if what == "faults":
            for fault in wanted if isinstance(wanted, list) else [wanted]:
                self.fault(**fault)
            return _json({"faults": len(self.faults)})
        if what == "gateway":
            await self.gateway.trouble(**wanted)
            return _json(self.gateway.tally)
        return _json(_told(await self._inject(wanted)))

    async def _inject(self, wanted: dict[str, Any]) -> Interaction:
        """`{"command": ["incident", "status"], "options": {...}}`, `{"press": id, "message": id}` or `{"submit": id, "text": ...}`."""
        where = wanted.get("channel", CHANNEL)
        if "command" in wanted:
            options = wanted.get("options", {})
            deed = await self.command(*wanted["command"], channel=where, focus=wanted.get("focus", ""), **options)
        elif "press" in wanted:
            deed = await self.press(wanted["press"], wanted["message"])
        else:
            deed = await self.submit(wanted["submit"], wanted.get("text", ""), channel=where)
        async with asyncio.timeout(wanted.get("wait", 5.0)):
            await deed.responded.wait()
            if deed.kind == 5:
                await deed.edited.wait()
        return deed

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


def _told(deed: Interaction) -> dict[str, Any]:
    took = deed.took if deed.answered_at else None
    return {"kind": deed.kind, "took": took, "data": deed.data, "original": deed.original, "followups": deed.followups}


def _authorised(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bot {TOKEN}":
        raise Wrong(401, 0, "401: Unauthorized")


def _json(data: object, *, status: int = 200) -> web.Response:
    """Exactly `application/json`: the client library takes nothing else for JSON."""
    answer = web.Response(status=status, body=json.dumps(data).encode())
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Via"] = "1.1 double"
    return answer


def _too_many(retry_after: float) -> web.Response:
    answer = _json({"message": "You are being rate limited.", "retry_after": retry_after, "global": False}, status=429)
    answer.headers["Retry-After"] = str(int(retry_after) + 1)
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


def _reset(request: web.Request) -> None:
    """Cut the connection the hard way, so that the client reads ECONNRESET."""
    transport = request.transport
    if transport is not None:
        link = transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _without(message: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in message.items() if k != key}


def _member() -> dict[str, Any]:
    return {
        "user": user(PERSON, "ada"),
        "nick": "Ada",
        "roles": [],
        "joined_at": "2020-01-01T00:00:00+00:00",
        "premium_since": None,
        "permissions": "0",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


async def _serve(port: int) -> None:
    double = DiscordDouble()
    await double.start(port)
    told = {"api_url": double.url, "gateway_url": double.gateway_url, "token": TOKEN}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Discord for tests, over loopback.")
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_serve(parser.parse_args().port))
