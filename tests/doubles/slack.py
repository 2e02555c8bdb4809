"""Slack over loopback: the Web API, Socket Mode or signed requests, and what people do, as strict as the documentation.

In a test: `async with SlackDouble() as slack:` and point `api_url` at `slack.url`. As a process of its own:
`python tests/doubles/slack.py --port 8065` prints the base URL; `/_control/...` then does what the methods here do: GET `messages`, `calls`, `happenings`, `ephemerals` or `sockets` to
look, POST `slash`, `press`, `mention`, `pick`, `submit`, `fault`, `drop`, `point_at` or `channel` with JSON arguments to act.

It forgives nothing: tokens, scopes, membership, Block Kit limits, thread parents, triggers, response_urls and the
three seconds for an acknowledgement are all checked. A fault script says, per method and call, what goes wrong:
before the call was processed, or after it was, when only the answer is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import math
import socket
import struct
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

BOT_TOKEN = "xoxb-double"
SIGNING_SECRET = "signing-secret-of-the-double"
APP_TOKEN = "xapp-double"
TEAM, BOT_USER, BOT_ID, APP_ID = "T1", "UBOT", "B1", "A1"
EVERY_SCOPE = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "pins:write",
        "usergroups:read",
        "users:read",
    }
)
SCOPES = {
    "auth.test": (),
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "conversations.history": ("channels:history",),
    "conversations.replies": ("channels:history",),
    "conversations.join": ("channels:join",),
    "conversations.info": ("channels:read",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.info": ("files:read",),
    "pins.add": ("pins:write",),
    "pins.remove": ("pins:write",),
    "usergroups.users.list": ("usergroups:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
ACK_WITHIN = 3.0
MESSAGE_CHARACTERS = 13_200


class ApiError(Exception):
    """An answer of `ok: false`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


@dataclass
class Fault:
    """What goes wrong with a call: `kind` is `status`, `ratelimit`, `reset`, `hang`, `html` or `error`.

    `after` True: the call is processed, and only its answer is spoilt.
    """

    kind: str
    after: bool = False
    status: int = 500
    retry_after: str | None = "1"
    error: str = "internal_error"
    seconds: float = 60.0


@dataclass
class Call:
    """One request to the Web API, as it came."""

    method: str
    args: dict[str, Any]
    at: float


@dataclass
class Channel:
    id: str
    name: str = "ops"
    private: bool = False
    member: bool = True
    archived: bool = False
    restricted: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)

    def find(self, ts: str) -> dict[str, Any]:
        for message in self.messages:
            if message["ts"] == ts:
                return message
        raise ApiError("message_not_found")

    @property
    def live(self) -> list[dict[str, Any]]:
        return [m for m in self.messages if m.get("subtype") != "tombstone"]


@dataclass
class Happening:
    """An envelope that was sent, how long its acknowledgement took (None: none came), and what was answered."""

    envelope: dict[str, Any]
    sent: float
    acked_after: float | None = None
    ack: dict[str, Any] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    view: dict[str, Any] | None = None
    trigger_used: bool = False

    @property
    def trigger(self) -> str:
        return str(self.envelope["payload"].get("trigger_id", ""))


# Calls a minute for the whole workspace (https://docs.slack.dev/apis/web-api/rate-limits); tier 3 where nothing is said.
_TIERS = {
    "pins.add": 20,
    "pins.remove": 20,
    "usergroups.users.list": 20,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
}


class SlackDouble:
    """One workspace. `now` gives Unix seconds for message times; files are refused `file_lag` times when fresh."""

    def __init__(
        self, *, now: Callable[[], float] = time.time, scopes: frozenset[str] = EVERY_SCOPE, port: int = 0
    ) -> None:
        self.now = now
        self.scopes = scopes
        self.port = port
        self.channels = {"C1": Channel("C1")}
        self.files: dict[str, dict[str, Any]] = {}
        self.file_lag = 0
        self.ephemerals: list[dict[str, Any]] = []
        self.direct: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.homes: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        self.happenings: list[Happening] = []
        self.calls: list[Call] = []
        self.faults: dict[str, dict[int, Fault]] = defaultdict(dict)
        self.refused_tickets = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.frozen = False
        self.lag = 0.0
        self.minute = 0.0
        self.limited = 0
        self._recent: dict[str, deque[float]] = defaultdict(deque)
        self._room: dict[str, tuple[float, float]] = {}
        self.request_url = ""
        self.refusals: list[tuple[int, str]] = []
        self._calling: set[asyncio.Task[None]] = set()
        self._tickets: set[str] = set()
        self._ids = itertools.count(1)
        self._last_ts = 0.0
        self._runner: web.AppRunner | None = None

    # Life

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4_000_000)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_post("/respond/{number}", self._respond)
        app.router.add_get("/socket/{ticket}", self._socket)
        app.router.add_get("/_control/{what}", self._dump)
        app.router.add_post("/_control/{what}", self._control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for call in self._calling:
            call.cancel()
        for ws in self.sockets:
            transport = ws._req.transport if ws._req else None
            if transport:
                transport.abort()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    # What a test looks at

    def roots(self, channel: str = "C1") -> list[dict[str, Any]]:
        return [m for m in self.channels[channel].live if m.get("thread_ts", m["ts"]) == m["ts"]]

    def thread(self, ts: str, channel: str = "C1") -> list[dict[str, Any]]:
        return [m for m in self.channels[channel].live if m.get("thread_ts") == ts and m["ts"] != ts]

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def fault(self, method: str, *faults: Fault, skip: int = 0) -> None:
        """Let the next calls of a method go wrong, one fault each, after `skip` good ones."""
        first = len(self.called(method)) + skip
        self.faults[method].update(enumerate(faults, first))

    # What people do

    async def slash(self, command: str, text: str = "", *, user: str = "U1", channel: str = "C1") -> Happening:
        payload = {
            "command": command,
            "text": text,
            "team_id": TEAM,
            "team_domain": "double",
            "channel_id": channel,
            "channel_name": self.channels[channel].name,
            "user_id": user,
            "user_name": user.lower(),
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
        }
        return await self.send("slash_commands", payload)

    async def press(
        self,
        verb: str,
        value: str = "",
        *,
        ts: str = "",
        user: str = "U1",
        channel: str = "C1",
        ephemeral: bool = False,
        home: bool = False,
    ) -> Happening:
        container = {"type": "message", "channel_id": channel, "message_ts": ts, "is_ephemeral": ephemeral}
        container = {"type": "view", "view_id": "V0"} if home else container
        action = {"type": "button", "action_id": verb, "block_id": "b", "action_ts": "1"}
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": TEAM},
            "team": {"id": TEAM, "domain": "double"},
            "container": container,
            "channel": {"id": channel, "name": self.channels[channel].name},
            "actions": [action | ({"value": value} if value else {})],
        }
        return await self.send("interactive", payload, address=not home)

    async def pick(self, shortcut: str, ts: str, *, user: str = "U1", channel: str = "C1") -> Happening:
        """A shortcut in the menu of a message."""
        message = self.channels[channel].find(ts)
        payload = {
            "type": "message_action",
            "callback_id": shortcut,
            "user": {"id": user, "name": user.lower(), "team_id": TEAM},
            "team": {"id": TEAM, "domain": "double"},
            "channel": {"id": channel, "name": self.channels[channel].name},
            "message_ts": ts,
            "message": {key: message[key] for key in ("ts", "thread_ts", "text", "user") if key in message},
        }
        return await self.send("interactive", payload)

    def speak(self, text: str, *, user: str = "U2", thread: str = "", channel: str = "C1") -> str:
        """A person writes a message; answers its ts."""
        message = {"ts": self._ts(), "text": text, "user": user} | ({"thread_ts": thread} if thread else {})
        self.channels[channel].messages.append(message)
        return str(message["ts"])

    async def come_home(self, user: str = "U1", tab: str = "home") -> Happening:
        """A person opens the app's home."""
        event = {"type": "app_home_opened", "user": user, "channel": f"D{user}", "tab": tab}
        return await self.send("events_api", {"team_id": TEAM, "event_id": f"Ev{next(self._ids)}", "event": event})

    async def submit(self, opened: Happening, values: dict[str, str], *, user: str = "U1") -> Happening:
        """Fill in the form that `opened` led to, checked against the form, and send it."""
        view = opened.view
        assert view, "no form was opened"
        state = {}
        for block in [block for block in view["blocks"] if block["type"] == "input"]:
            name, element = block["block_id"], block["element"]
            first = element.get("initial_option", {}).get("value", element.get("initial_value"))
            given = values.get(name, first)
            if given is None and not block.get("optional"):
                raise AssertionError(f"the field {name} must be filled in")
            state[name] = {element["action_id"]: _field_state(element, given)}
        payload = {
            "type": "view_submission",
            "user": {"id": user, "username": user.lower(), "team_id": TEAM},
            "team": {"id": TEAM},
            "view": view | {"id": "V1", "state": {"values": state}},
        }
        return await self.send("interactive", payload)

    async def mention(self, text: str, *, thread: str = "", user: str = "U1", channel: str = "C1") -> Happening:
        event = {"type": "app_mention", "user": user, "text": f"<@{BOT_USER}> {text}", "channel": channel}
        event |= {"ts": self._ts()} | ({"thread_ts": thread} if thread else {})
        return await self.send("events_api", {"team_id": TEAM, "event_id": f"Ev{next(self._ids)}", "event": event})

    async def send(self, kind: str, payload: dict[str, Any], *, address: bool = True, **envelope: Any) -> Happening:
        """Send an envelope through the newest socket; slash commands and presses get a trigger and a response_url."""
        number = len(self.happenings)
        if kind != "events_api":
            payload |= {"trigger_id": f"trigger-{number}"}
            if address and payload.get("type") != "view_submission":
                payload["response_url"] = f"http://127.0.0.1:{self.port}/respond/{number}"
        message = {"envelope_id": f"envelope-{number}", "type": kind, "payload": payload, **envelope}
        happening = Happening(message, time.monotonic())
        self.happenings.append(happening)
        if self.request_url:
            self._begin(self._call(happening))
            return happening
        open_sockets = [ws for ws in self.sockets if not ws.closed]
        if not open_sockets:
            raise ApiError("dispatch_failed")
        await open_sockets[-1].send_json(message)
        return happening

    async def point_at(self, url: str) -> None:
        """Switch Socket Mode off, and call this address from now on; as Slack does, only once it has proved itself."""
        body = json.dumps({"type": "url_verification", "token": "old", "challenge": "3eZbrw1aB"}).encode()
        status, answer = await self.deliver(url, body, "application/json")
        if status != 200 or "3eZbrw1aB" not in answer:
            raise AssertionError(f"the address did not respond with the challenge: {status} {answer}")
        self.request_url = url

    async def _call(self, happening: Happening) -> None:
        """Send a happening to the address; events are tried again when no 200 comes within three seconds."""
        kind, payload = happening.envelope["type"], happening.envelope["payload"]
        if kind == "events_api":
            body, content = (
                json.dumps({"token": "old", "type": "event_callback", **payload}).encode(),
                "application/json",
            )
        else:
            form = {"payload": json.dumps(payload)} if kind == "interactive" else payload
            body, content = urlencode(form).encode(), "application/x-www-form-urlencoded"
        first = happening.envelope.get("retry_attempt", 0)
        for attempt in range(first, 4 if kind == "events_api" else 1):
            more = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": "http_error"} if attempt else {}
            later = self.now() + attempt  # each try is signed afresh
            status, answer = await self.deliver(self.request_url, body, content, at=later, **more)
            if status == 200:
                happening.acked_after = time.monotonic() - happening.sent
                happening.ack = json.loads(answer) if answer else {}
                return

    async def deliver(
        self, url: str, body: bytes, content: str, *, at: float | None = None, **headers: str
    ) -> tuple[int, str]:
        """One signed request; answers status (0: none within three seconds) and body."""
        signed = {"Content-Type": content, **self.signed(body, at), **headers}
        try:
            async with (
                asyncio.timeout(ACK_WITHIN),
                aiohttp.ClientSession() as web,
                web.post(url, data=body, headers=signed) as answer,
            ):
                told = answer.status, await answer.text()
        except (TimeoutError, aiohttp.ClientError):
            told = 0, ""
        if told[0] != 200:
            self.refusals.append(told)
        return told

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The two headers that prove a request."""
        stamp = str(int(self.now() if at is None else at))
        digest = hmac.new(SIGNING_SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest.hexdigest()}"}

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)

    async def drop(self, reason: str = "") -> None:
        """End every socket: with an announcement when a reason is given, else as a broken wire does."""
        for ws in self.sockets:
            if ws.closed or not ws._req:
                continue
            if reason:
                await ws.send_json({"type": "disconnect", "reason": reason})
            elif ws._req.transport:
                ws._req.transport.abort()

    # The Web API

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _arguments(request)
        number = len(self.called(method))
        self.calls.append(Call(method, args, self.now()))
        if self.lag:
            await asyncio.sleep(self.lag)
        if self.minute and (after := self._limited(method, args)):
            self.limited += 1
            return await _spoilt(request, Fault("ratelimit", retry_after=str(after)))
        fault = self.faults[method].get(number)
        if fault and not fault.after:
            return await _spoilt(request, fault)
        try:
            body = self._answered(method, args, request.headers.get("Authorization", ""))
        except ApiError as exc:
            body = exc.body
        return await _spoilt(request, fault) if fault else web.json_response(body)

    def _limited(self, method: str, args: dict[str, Any]) -> int:
        """The seconds to wait, where a method was called too often in the last minute; 0 where it was not.

        `minute` is how long a minute takes here. Posts: one a second in each channel, with bursts of five.
        """
        if method == "chat.postMessage":
            return self._poured(str(args.get("channel")))
        recent, now = self._recent[method], time.monotonic()
        while recent and now - recent[0] >= self.minute:
            recent.popleft()
        if len(recent) >= _TIERS.get(method, 50):
            return math.ceil((self.minute - (now - recent[0])) / self.minute * 60) or 1
        recent.append(now)
        return 0

    def _poured(self, channel: str) -> int:
        room, seen = self._room.get(channel, (5.0, 0.0))
        now = time.monotonic()
        room = min(5.0, room + (now - seen) / self.minute * 60)
        self._room[channel] = (room - 1 if room >= 1 else room, now)
        return 0 if room >= 1 else 1

    def _answered(self, method: str, args: dict[str, Any], authorization: str) -> dict[str, Any]:
        token = authorization.removeprefix("Bearer ") or args.get("token", "")
        if not token:
            raise ApiError("not_authed")
        if method == "apps.connections.open":
            return self._open_connection(token)
        if token != BOT_TOKEN:
            raise ApiError("not_allowed_token_type" if token == APP_TOKEN else "invalid_auth")
        handler = getattr(self, "_" + method.replace(".", "_").lower(), None)
        if handler is None or method not in SCOPES:
            raise ApiError("unknown_method", req_method=method)
        missing = set(SCOPES[method]) - self.scopes
        if missing:
            raise ApiError("missing_scope", needed=",".join(missing), provided=",".join(self.scopes))
        return {"ok": True, **handler(args)}

    def _auth_test(self, _args: dict[str, Any]) -> dict[str, Any]:
        return {"team": "Double", "team_id": TEAM, "user": "tocsin", "user_id": BOT_USER, "bot_id": BOT_ID}

    def _open_connection(self, token: str) -> dict[str, Any]:
        if token != APP_TOKEN:
            raise ApiError("not_allowed_token_type" if token == BOT_TOKEN else "invalid_auth")
        ticket = f"ticket-{next(self._ids)}"
        if self.refused_tickets > 0:
            self.refused_tickets -= 1
        else:
            self._tickets.add(ticket)
        return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/socket/{ticket}"}

    def _chat_postmessage(self, args: dict[str, Any]) -> dict[str, Any]:
        if str(args.get("channel", "")).startswith("U"):
            self.direct[args["channel"]].append(self._message(args))
            return {"channel": f"D{args['channel']}", "ts": self._ts()}
        channel = self._writable(args)
        message = self._message(args) | {"ts": self._ts(), "bot_id": BOT_ID, "app_id": APP_ID, "user": BOT_USER}
        if metadata := args.get("metadata"):
            message["metadata"] = _checked_metadata(metadata)
        if root := args.get("thread_ts"):
            parent = channel.find(root) if any(m["ts"] == root for m in channel.messages) else None
            if parent is None:
                raise ApiError("thread_not_found")
            # Slack says nothing when the parent was deleted: the reply just lands in the channel.
            if parent.get("subtype") != "tombstone":
                message |= {"thread_ts": root, "broadcast": bool(args.get("reply_broadcast"))}
                parent["thread_ts"] = root
        channel.messages.append(message)
        return {"channel": channel.id, "ts": message["ts"], "message": _shown(message, metadata=True)}

    def _chat_update(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args)
        message = channel.find(args["ts"])
        if message.get("bot_id") != BOT_ID or message.get("subtype") == "tombstone":
            raise ApiError("cant_update_message")
        if len(args.get("text") or "") > 4_000:
            raise ApiError("msg_too_long")
        fresh = self._message(args)
        message.setdefault("edits", []).append({key: message.get(key) for key in ("text", "blocks")})
        message.update(fresh)
        if "blocks" not in fresh:
            message.pop("blocks", None)
        return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": _shown(message)}

    def _chat_delete(self, args: dict[str, Any]) -> dict[str, Any]:
        self.delete(args["ts"], args["channel"])
        return {"channel": args["channel"], "ts": args["ts"]}

    def delete(self, ts: str, channel: str = "C1") -> None:
        """Remove a message; one with replies stays behind as a tombstone."""
        place = self.channels[channel]
        message = place.find(ts)
        if self.thread(ts, channel):
            message.update(subtype="tombstone", text="This message was deleted.")
            message.pop("blocks", None)
        else:
            place.messages.remove(message)
            place.messages.append({"ts": ts, "subtype": "tombstone", "text": ""})

    def _chat_postephemeral(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args)
        if not args.get("user"):
            raise ApiError("invalid_arguments")
        thread = args.get("thread_ts")
        message = self._message(args) | {"channel": channel.id, "user": args["user"], "thread_ts": thread}
        self.ephemerals.append(message)
        return {"message_ts": self._ts()}

    def _conversations_history(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._inside(args)
        shown = [m for m in channel.messages if m.get("thread_ts", m["ts"]) == m["ts"] or m.get("broadcast")]
        return _page(sorted(shown, key=_at, reverse=True), args)

    def _conversations_replies(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._inside(args)
        roots = [m for m in channel.messages if m["ts"] == args["ts"]]
        if not roots:
            raise ApiError("thread_not_found")
        replies = sorted(self.thread(args["ts"], channel.id), key=_at)
        page = _page(replies, args)
        first = [] if args.get("cursor") else [_shown(roots[0], metadata=_true(args.get("include_all_metadata")))]
        return page | {"messages": [*first, *page["messages"]]}

    def _conversations_join(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args)
        if channel.private:
            raise ApiError("method_not_supported_for_channel_type")
        channel.member = True
        return {"channel": {"id": channel.id}}

    def _conversations_info(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(args)
        return {"channel": {"id": channel.id, "name": channel.name, "is_member": channel.member}}

    def _files_getuploadurlexternal(self, args: dict[str, Any]) -> dict[str, Any]:
        number = f"F{next(self._ids)}"
        if int(args.get("length", 0)) <= 0 or not args.get("filename"):
            raise ApiError("invalid_arguments")
        self.files[number] = {"length": int(args["length"]), "done": False, "lag": self.file_lag}
        return {"file_id": number, "upload_url": f"http://127.0.0.1:{self.port}/upload/{number}"}

    async def _upload(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file"])
        data = await request.read()
        if file is None or len(data) != file["length"]:
            return web.Response(status=400, text="bad length")
        file["data"] = data
        return web.Response(text=f"OK - {len(data)}")

    def _files_completeuploadexternal(self, args: dict[str, Any]) -> dict[str, Any]:
        given = _decoded(args["files"])
        for item in given:
            file = self.files.get(item["id"])
            if file is None or "data" not in file:
                raise ApiError("file_not_found")
            file["done"] = True
        return {"files": given}

    def _files_info(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("file") not in self.files:
            raise ApiError("file_not_found")
        return {"file": {"id": args["file"], "shares": {}}}

    def _pins_add(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args)
        if channel.find(args["timestamp"])["ts"] in channel.pins:
            raise ApiError("already_pinned")
        if len(channel.pins) >= 100:
            raise ApiError("too_many_pins")
        channel.pins.append(args["timestamp"])
        return {}

    def _pins_remove(self, args: dict[str, Any]) -> dict[str, Any]:
        channel = self._writable(args)
        if args["timestamp"] not in channel.pins:
            raise ApiError("no_pin")
        channel.pins.remove(args["timestamp"])
        return {}

    def _usergroups_users_list(self, args: dict[str, Any]) -> dict[str, Any]:
        if args.get("usergroup") not in self.groups:
            raise ApiError("no_such_subteam")
        return {"users": self.groups[args["usergroup"]]}

    def _views_publish(self, args: dict[str, Any]) -> dict[str, Any]:
        view = _decoded(args["view"])
        faults = [] if view.get("type") == "home" else ["a home view is wanted"]
        faults += [] if 1 <= len(view.get("blocks", [])) <= 100 else ["1 to 100 blocks"]
        _check(
            faults + block_faults(view["blocks"][:50], {}) + block_faults(view["blocks"][50:], {}), "invalid_arguments"
        )
        if not args.get("user_id"):
            raise ApiError("invalid_arguments")
        self.homes[args["user_id"]] = view
        return {"view": view}

    def _users_info(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"user": {"id": args["user"], "name": args["user"].lower()}}

    def _views_open(self, args: dict[str, Any]) -> dict[str, Any]:
        for happening in self.happenings:
            if happening.trigger and happening.trigger == args.get("trigger_id"):
                break
        else:
            raise ApiError("invalid_trigger_id")
        if time.monotonic() - happening.sent > ACK_WITHIN:
            raise ApiError("expired_trigger_id")
        if happening.trigger_used:
            raise ApiError("exchanged_trigger_id")
        view = _decoded(args["view"])
        _check(view_faults(view), "invalid_arguments")
        happening.trigger_used, happening.view = True, view
        return {"view": view | {"id": "V1"}}

    async def _respond(self, request: web.Request) -> web.Response:
        happening = self.happenings[int(request.match_info["number"])]
        if len(happening.answers) >= 5:
            return web.Response(status=404, text="used_url")
        message = await request.json()
        faults = block_faults(message.get("blocks", []), self.files)
        if faults or not (message.get("text") or message.get("blocks")):
            return web.Response(status=400, text="; ".join(faults) or "no_text")
        happening.answers.append(message)
        return web.Response(text="ok")

    # Socket Mode

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.match_info["ticket"]
        if ticket not in self._tickets:
            return web.Response(status=408, text="ticket refused")
        self._tickets.remove(ticket)
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        self.sockets.append(ws)
        info = {"connection_info": {"app_id": APP_ID}, "num_connections": len(self.sockets)}
        await ws.send_json({"type": "hello", "debug_info": {"approximate_connection_time": 3600}, **info})
        async for message in ws:
            if message.type is WSMsgType.PING and not self.frozen:
                await ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acked(json.loads(message.data))
        return ws

    def _acked(self, ack: dict[str, Any]) -> None:
        for happening in self.happenings:
            if happening.envelope["envelope_id"] == ack.get("envelope_id") and happening.acked_after is None:
                happening.acked_after = time.monotonic() - happening.sent
                happening.ack = ack

    # The rules

    def _channel(self, args: dict[str, Any]) -> Channel:
        channel = self.channels.get(args.get("channel", ""))
        if channel is None or (channel.private and not channel.member):
            raise ApiError("channel_not_found")
        return channel

    def _inside(self, args: dict[str, Any]) -> Channel:
        channel = self._channel(args)
        if not channel.member:
            raise ApiError("not_in_channel")
        return channel

    def _writable(self, args: dict[str, Any]) -> Channel:
        channel = self._inside(args)
        if channel.archived:
            raise ApiError("is_archived")
        if channel.restricted:
            raise ApiError("restricted_action")
        return channel

    def _message(self, args: dict[str, Any]) -> dict[str, Any]:
        blocks = _decoded(args.get("blocks"))
        text = args.get("text") or ""
        if not text.strip() and not blocks:
            raise ApiError("no_text")
        if blocks is not None:
            _check(block_faults(blocks, self.files), "invalid_blocks")
            if len(json.dumps(blocks, ensure_ascii=False)) > MESSAGE_CHARACTERS:
                raise ApiError("msg_blocks_too_long")
        return {"text": text[:40_000]} | ({"blocks": blocks} if blocks is not None else {}) | {"args": args}

    def _ts(self) -> str:
        """Strictly growing, as Slack's are."""
        self._last_ts = max(self.now(), self._last_ts + 0.000_01)
        return f"{self._last_ts:.6f}"

    # Driving it from another process

    async def _dump(self, request: web.Request) -> web.Response:
        dumps: dict[str, Callable[[], Any]] = {
            "messages": lambda: {name: channel.messages for name, channel in self.channels.items()},
            "calls": lambda: [asdict(call) for call in self.calls],
            "happenings": lambda: [asdict(happening) for happening in self.happenings],
            "ephemerals": lambda: self.ephemerals,
            "sockets": lambda: {"open": sum(not ws.closed for ws in self.sockets)},
        }
        return web.json_response(dumps[request.match_info["what"]]())

    async def _control(self, request: web.Request) -> web.Response:
        what, given = request.match_info["what"], await request.json()
        match what:
            case "channel":
                self.channels[given["id"]] = Channel(**given)
            case "fault":
                method, skip, times = given.pop("method"), given.pop("skip", 0), given.pop("times", 1)
                self.fault(method, *[Fault(**given)] * times, skip=skip)
            case "drop":
                await self.drop(given.get("reason", ""))
            case "point_at":
                await self.point_at(given["url"])
            case "submit":
                return await self._controlled(self.submit(self.happenings[given.pop("of")], **given))
            case _:
                acts = {"slash": self.slash, "press": self.press, "mention": self.mention, "pick": self.pick}
                return await self._controlled(acts[what](**given))
        return web.json_response({"ok": True})

    async def _controlled(self, happening: Awaitable[Happening]) -> web.Response:
        try:
            return web.json_response(asdict(await happening) | {"number": len(self.happenings) - 1})
        except ApiError as exc:
            return web.json_response(exc.body, status=409)


async def _arguments(request: web.Request) -> dict[str, Any]:
    """slack-sdk sends JSON, forms, or everything in the query string, by method."""
    args: dict[str, Any] = dict(request.query)
    if request.method == "POST" and request.content_type == "application/json":
        args |= await request.json()
    elif request.method == "POST":
        args |= dict(await request.post())
    return args


async def _spoilt(request: web.Request, fault: Fault) -> web.StreamResponse:
    match fault.kind:
        case "status":
            return web.Response(status=fault.status, text="upstream error", content_type="text/plain")
        case "ratelimit":
            headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        case "html":
            return web.Response(text="<html>maintenance</html>", content_type="text/html")
        case "error":
            return web.json_response({"ok": False, "error": fault.error})
        case "hang":
            await asyncio.sleep(fault.seconds)
    return _reset(request)


def _reset(request: web.Request) -> web.Response:
    """Cut the wire: the client sees a connection reset, not a polite end."""
    if request.transport is not None:
        wire = request.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _true(value: Any) -> bool:
    return value in (True, "1", "true", "True")


def _at(message: dict[str, Any]) -> float:
    return float(message["ts"])


def _shown(message: dict[str, Any], *, metadata: bool = False) -> dict[str, Any]:
    hidden = {"edits", "args", "broadcast"} | (set() if metadata else {"metadata"})
    return {key: value for key, value in message.items() if key not in hidden}


def _page(messages: list[dict[str, Any]], args: dict[str, Any]) -> dict[str, Any]:
    oldest, latest = float(args.get("oldest") or 0), float(args.get("latest") or "inf")
    edges = _true(args.get("inclusive"))
    span = [m for m in messages if oldest < _at(m) < latest or (edges and _at(m) in (oldest, latest))]
    start, limit = int(args.get("cursor") or 0), int(args.get("limit") or 100)
    metadata = _true(args.get("include_all_metadata"))
    more = str(start + limit) if start + limit < len(span) else ""
    shown = [_shown(m, metadata=metadata) for m in span[start : start + limit]]
    return {"messages": shown, "has_more": bool(more), "response_metadata": {"next_cursor": more}}


def _checked_metadata(given: Any) -> dict[str, Any]:
    metadata = _decoded(given)
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    if len(json.dumps(metadata)) > 1_000:
        raise ApiError("metadata_too_large")
    return dict(metadata)


def _field_state(element: dict[str, Any], given: str | None) -> dict[str, Any]:
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": given}
    chosen = [option for option in element["options"] if option["value"] == given]
    if given is not None and not chosen:
        raise AssertionError(f"{given!r} is not among the options")
    return {"type": element["type"], "selected_option": chosen[0] if chosen else None}


# Block Kit's limits (https://docs.slack.dev/reference/block-kit): each function lists what is wrong.


def _check(faults: list[str], error: str) -> None:
    if faults:
        raise ApiError(error, errors=faults, response_metadata={"messages": [f"[ERROR] {fault}" for fault in faults]})


def block_faults(blocks: list[dict[str, Any]], files: dict[str, dict[str, Any]]) -> list[str]:
    """What Slack would refuse in a message's blocks."""
    faults = ["no more than 50 blocks"] if len(blocks) > 50 else []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        faults.append("block_id must be unique")
    for block in blocks:
        check = _BLOCKS.get(block.get("type", ""))
        faults += check(block) if check else [f"unsupported type: {block.get('type')}"]
        if block.get("type") == "image":
            faults += _file_faults(block, files)
    return faults


def view_faults(view: dict[str, Any]) -> list[str]:
    """What Slack would refuse in a modal."""
    faults = [] if view.get("type") == "modal" else ["a modal is wanted"]
    for part in ("title", "submit", "close"):
        faults += _text(view.get(part, {}), 24, plain=True)
    if len(view.get("private_metadata", "")) > 3_000:
        faults.append("private_metadata is too long")
    if not 1 <= len(view.get("blocks", [])) <= 100:
        faults.append("1 to 100 blocks")
    return faults + block_faults(view.get("blocks", []), {})


def _text(text: dict[str, Any], limit: int, *, plain: bool = False) -> list[str]:
    faults = []
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if text.get("type") not in kinds:
        faults.append(f"text must be one of {kinds}")
    if not 1 <= len(text.get("text", "")) <= limit:
        faults.append(f"text must have 1 to {limit} characters, has {len(text.get('text', ''))}")
    if "verbatim" in text and text.get("type") != "mrkdwn":
        faults.append("verbatim belongs to mrkdwn")
    return faults


def _header(block: dict[str, Any]) -> list[str]:
    return _text(block.get("text", {}), 150, plain=True)


def _section(block: dict[str, Any]) -> list[str]:
    fields = block.get("fields")
    if fields is None:
        return _text(block.get("text", {}), 3_000)
    faults = [] if 1 <= len(fields) <= 10 else ["1 to 10 fields"]
    return faults + [fault for text in fields for fault in _text(text, 2_000)]


def _context(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements", [])
    faults = [] if 1 <= len(elements) <= 10 else ["1 to 10 elements"]
    return faults + [fault for text in elements for fault in _text(text, 3_000)]


def _actions(block: dict[str, Any]) -> list[str]:
    elements = block.get("elements", [])
    faults = [] if 1 <= len(elements) <= 25 else ["1 to 25 elements"]
    ids = [element.get("action_id") for element in elements]
    if len(ids) != len(set(ids)):
        faults.append("action_id must be unique")
    for element in elements:
        faults += _text(element.get("text", {}), 75, plain=True)
        if not 1 <= len(element.get("action_id", "")) <= 255:
            faults.append("action_id has 1 to 255 characters")
        if "value" in element and not 1 <= len(element["value"]) <= 2_000:
            faults.append("value has 1 to 2000 characters")
        if element.get("style", "primary") not in ("primary", "danger"):
            faults.append("style is primary or danger")
    return faults


def _image(block: dict[str, Any]) -> list[str]:
    return [] if 1 <= len(block.get("alt_text", "")) <= 2_000 else ["alt_text has 1 to 2000 characters"]


def _file_faults(block: dict[str, Any], files: dict[str, dict[str, Any]]) -> list[str]:
    file = files.get(block.get("slack_file", {}).get("id", ""))
    if file is None or not file["done"]:
        return ["invalid slack file"]
    if file["lag"] > 0:
        file["lag"] -= 1
        return ["slack file is not ready"]
    return []


def _input(block: dict[str, Any]) -> list[str]:
    faults = _text(block.get("label", {}), 2_000, plain=True)
    element = block.get("element", {})
    if element.get("type") == "static_select":
        options = element.get("options", [])
        if not 1 <= len(options) <= 100:
            faults.append("1 to 100 options")
        if element.get("initial_option", options[0] if options else None) not in options:
            faults.append("initial_option must be one of the options")
        for option in options:
            faults += _text(option.get("text", {}), 75, plain=True)
            if not 1 <= len(option.get("value", "")) <= 150:
                faults.append("an option's value has 1 to 150 characters")
    elif element.get("type") != "plain_text_input":
        faults.append(f"unsupported element: {element.get('type')}")
    return faults


_BLOCKS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "input": _input,
    "divider": lambda _block: [],
}


async def _serve(port: int) -> None:
    async with SlackDouble(port=port) as slack:
        print(slack.url, flush=True)  # noqa: T201  whoever started this process reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_serve(parser.parse_args().port))
