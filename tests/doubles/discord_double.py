"""Discord over loopback: REST v10 and the gateway or signed interactions, strict about limits, with faults on demand.

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
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parent.parent))

from doubles.discord_events import BOT, GUILD, PERSON, TOKEN, Gateway, member, user
from doubles.discord_rules import Wrong
from doubles.discord_server import CHANNEL, ROLE, Handler, Interaction, Server, as_json

__all__ = ["CHANNEL", "PERSON", "ROLE", "TOKEN", "DiscordDouble", "Interaction"]


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


class DiscordDouble(Server):
    """A guild with text channels, one bot and one person, and everything that was said in it."""

    def __init__(
        self,
        *,
        channels: dict[str, str] | None = None,
        nonce_window: float = 180.0,
        rate: tuple[int, float] | None = None,
        heartbeat: float = 41.25,
    ) -> None:
        super().__init__(channels or {CHANNEL: "community"}, nonce_window)
        self.rate = rate
        self.limited = 0
        self.calls: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.faults: list[Fault] = []
        self.gateway = Gateway(self, heartbeat)
        self.endpoint = ""
        self.key = Ed25519PrivateKey.generate()
        self._calling: set[asyncio.Task[None]] = set()
        self._buckets: dict[str, tuple[float, int]] = {}
        self._runner: web.AppRunner | None = None

    # For tests

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

    async def act(
        self,
        kind: int,
        data: dict[str, Any],
        *,
        channel: str = CHANNEL,
        message: str = "",
        roles: tuple[str, ...] = (),
        guild: str = GUILD,
    ) -> Interaction:
        """A person does something: 2 a command, 3 a button, 4 is still typing, 5 a form."""
        number = self.snowflake()
        payload = {
            "id": number,
            "application_id": BOT,
            "type": kind,
            "token": f"tok{number}",
            "version": 1,
            "guild_id": guild,
            "guild": {"id": guild, "locale": "en-US", "features": []},
            "channel_id": channel,
            "channel": self.channel(channel),
            "member": _member(roles),
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
        if self.endpoint:
            self._begin(self._call(deed))
        else:
            await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return deed

    async def point_at(self, url: str) -> None:
        """Send interactions to this address from now on; as Discord does, only once it has answered a ping and refused a forgery."""
        ping = {"id": self.snowflake(), "application_id": BOT, "type": 1, "token": "ping", "version": 1}
        body = json.dumps(ping).encode()
        status, told = await self.deliver(url, body)
        forged, _ = await self.deliver(url, body, key=Ed25519PrivateKey.generate())
        if (status, forged) != (200, 401) or json.loads(told) != {"type": 1}:
            raise AssertionError(f"interactions_endpoint_url could not be verified: {status} {told}, forged {forged}")
        self.endpoint = url

    async def deliver(
        self, url: str, body: bytes, *, key: Ed25519PrivateKey | None = None, off: float = 0.0, **headers: str
    ) -> tuple[int, str]:
        """One signed request; answers status (0: none within three seconds) and body."""
        stamp = str(int(time.time() + off))
        signature = (key or self.key).sign(stamp.encode() + body).hex()
        signed = {"Content-Type": "application/json", "X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp}
        try:
            async with (
                asyncio.timeout(3.0),
                aiohttp.ClientSession() as session,
                session.post(url, data=body, headers=signed | headers) as answer,
            ):
                return answer.status, await answer.text()
        except (TimeoutError, aiohttp.ClientError):
            return 0, ""

    async def _call(self, deed: Interaction) -> None:
        """An interaction as a request: answered in place, or accepted with 202 and answered over REST."""
        status, told = await self.deliver(self.endpoint, json.dumps(deed.payload).encode())
        deed.accepted = status
        if status == 200 and told:
            self.responded(deed, json.loads(told))

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._calling.add(task)
        task.add_done_callback(self._calling.discard)

    async def command(
        self,
        *path: str,
        channel: str = CHANNEL,
        focus: str = "",
        roles: tuple[str, ...] = (),
        guild: str = GUILD,
        chosen: dict[str, str] | None = None,
        **options: str,
    ) -> Interaction:
        """A slash command such as `command("incident", "status", service="x")`; with `focus` it is still being typed.

        `chosen` are options more, for those whose names are taken here.
        """
        options |= chosen or {}
        given = [
            {"name": k, "type": 3, "value": v, **({"focused": True} if k == focus else {})} for k, v in options.items()
        ]
        for name in reversed(path[1:]):
            given = [{"name": name, "type": 1, "options": given}]
        data = {"id": "9000", "name": path[0], "type": 1, "guild_id": guild, "options": given}
        return await self.act(4 if focus else 2, data, channel=channel, roles=roles, guild=guild)

    async def pick(self, name: str, words: str, *, channel: str = CHANNEL, author: str = "556") -> Interaction:
        """An entry in the menu of a message that somebody wrote."""
        number = self.snowflake()
        message = self._new(channel, {"content": words}) | {"id": number, "author": user(author, "ben")}
        resolved = {"messages": {number: message}}
        data = {"id": "9001", "name": name, "type": 3, "guild_id": GUILD, "target_id": number, "resolved": resolved}
        return await self.act(2, data, channel=channel)

    async def press(self, custom_id: str, message: str) -> Interaction:
        """A press of a button under a message."""
        data = {"custom_id": custom_id, "component_type": 2, "id": 1}
        return await self.act(3, data, channel=self.messages[message]["channel_id"], message=message)

    async def submit(self, custom_id: str, words: str, *, channel: str = CHANNEL) -> Interaction:
        """A form sent off with words in its one input."""
        inner = {"type": 4, "id": 2, "custom_id": "text", "value": words}
        data = {"custom_id": custom_id, "components": [{"type": 18, "id": 1, "component": inner}]}
        return await self.act(5, data, channel=channel)

    async def fill(self, form: Interaction, *, channel: str = CHANNEL, **values: str) -> Interaction:
        """The form that a deed led to, sent off with these values; what is not said stays as it stood."""
        parts = []
        for label in [part for part in form.data["components"] if part["type"] == 18]:
            asked, name = label["component"], label["component"]["custom_id"]
            first = [o["value"] for o in asked.get("options", []) if o.get("default")]
            value = values.get(name, asked.get("value") or next(iter(first), ""))
            assert value or not asked.get("required"), f"{name} must be filled in"
            if asked["type"] == 3:
                assert value in [*(o["value"] for o in asked["options"]), ""], f"{value!r} is not among the options"
            held = {"values": [value] if value else []} if asked["type"] == 3 else {"value": value}
            parts.append({"type": 18, "id": 1, "component": {"type": asked["type"], "custom_id": name, **held}})
        return await self.act(5, {"custom_id": form.data["custom_id"], "components": parts}, channel=channel)

    # Life

    async def __aenter__(self) -> Self:
        await self.start(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int) -> None:
        app = web.Application(client_max_size=30_000_000)
        for method, path, name, handler in self.routes():
            app.router.add_route(method, path, self._served(name, handler))
        app.router.add_get("/gateway", self.gateway.connected)
        app.router.add_get("/_control/dump", self._dump)
        app.router.add_post("/_control/{what:faults|inject|gateway}", self._control)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    async def stop(self) -> None:
        for call in self._calling:
            call.cancel()
        await self.gateway.stop()
        if self._runner is not None:
            await self._runner.cleanup()

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
            if limited := self._limited(name, request):
                self.limited += 1
                return limited
            answer = await handler(request)
        except Wrong as wrong:
            return as_json({"code": wrong.code, "message": wrong.message}, status=wrong.status)
        answer.headers.update(self._left(name, request))
        return answer

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
        return as_json({"code": int(code or 0), "message": f"scripted {what}"}, status=int(status))

    def _limited(self, name: str, request: web.Request) -> web.Response | None:
        if self.rate is None or name not in ("message.post", "message.patch"):
            return None
        most, _ = self.rate
        began, used = self._bucket(name, request)
        if used >= most:
            return _too_many(self._resets(began))
        self._buckets[name + request.match_info["channel"]] = (began, used + 1)
        return None

    def _bucket(self, name: str, request: web.Request) -> tuple[float, int]:
        """When the present window of a bucket began, and how many calls it has seen; the next begins with the next call."""
        began, used = self._buckets.get(name + request.match_info["channel"], (0.0, 0))
        return (began, used) if self._resets(began) > 0 else (time.monotonic(), 0)

    def _resets(self, began: float) -> float:
        return began + (self.rate or (0, 0.0))[1] - time.monotonic()

    def _left(self, name: str, request: web.Request) -> dict[str, str]:
        """What is left of the bucket, as Discord says with every answer."""
        if self.rate is None or name not in ("message.post", "message.patch"):
            return {}
        began, used = self._bucket(name, request)
        after = max(self._resets(began), 0.0)
        return {
            "X-RateLimit-Limit": str(self.rate[0]),
            "X-RateLimit-Remaining": str(self.rate[0] - used),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": name,
        }

    # Control from outside

    async def _dump(self, _request: web.Request) -> web.Response:
        return as_json(
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
            return as_json({"faults": len(self.faults)})
        if what == "gateway":
            await self.gateway.trouble(**wanted)
            return as_json(self.gateway.tally)
        return as_json(_told(await self._inject(wanted)))

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


def _told(deed: Interaction) -> dict[str, Any]:
    took = deed.took if deed.answered_at else None
    return {"kind": deed.kind, "took": took, "data": deed.data, "original": deed.original, "followups": deed.followups}


def _authorised(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bot {TOKEN}":
        raise Wrong(401, 0, "401: Unauthorized")


def _too_many(retry_after: float) -> web.Response:
    answer = as_json(
        {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}, status=429
    )
    answer.headers["Retry-After"] = str(int(retry_after) + 1)
    return answer


def _reset(request: web.Request) -> None:
    """Cut the connection the hard way, so that the client reads ECONNRESET."""
    transport = request.transport
    if transport is not None:
        link = transport.get_extra_info("socket")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _member(roles: tuple[str, ...]) -> dict[str, Any]:
    return {**member(user(PERSON, "ada"), roles, "Ada"), "permissions": "0"}


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
