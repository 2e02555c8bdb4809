"""A Jetstream on loopback: it plays its events from the cursor on, and misbehaves when told to.

async with jetstream() as stream:
    stream.say(event("did:plc:a", at, "twitter is down"))
    stream.breaks = [3]          # the first connection breaks after three messages
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from aiohttp import WSMsgType, web


class Jetstream:
    """`log` is what was ever said, in the order of the wire; `asked` are the queries of each connection."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.breaks: list[int] = []
        self.log: list[str] = []
        self.playing = 0
        self._more = asyncio.Condition()
        self._wires: set[web.WebSocketResponse] = set()

    async def say(self, *messages: dict[str, Any] | str) -> None:
        """Everybody who listens hears this."""
        async with self._more:
            self.log += [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in messages]
            self._more.notify_all()

    def cut(self) -> None:
        """Every line that is open goes dead, without a word."""
        for wire in self._wires:
            _abort(wire)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        self.asked.append(dict(request.query))
        wire = web.WebSocketResponse(autoping=True)
        await wire.prepare(request)
        self._wires.add(wire)
        reading = asyncio.create_task(_read(wire))
        try:
            await self._play(wire, int(request.query.get("cursor", -1)), self.breaks.pop(0) if self.breaks else -1)
        except ConnectionError:
            pass
        finally:
            reading.cancel()
            self._wires.discard(wire)
        return wire

    async def _play(self, wire: web.WebSocketResponse, cursor: int, budget: int) -> None:
        """From the cursor on, or from now without one; a budget of messages, and then the line goes dead."""
        place = 0 if cursor >= 0 else len(self.log)
        self.playing += 1
        while not wire.closed:
            async with self._more:
                while len(self.log) <= place:
                    await self._more.wait()
            for message in self.log[place:]:
                if _time(message) >= cursor:
                    if budget == 0:
                        _abort(wire)
                        raise ConnectionError
                    budget -= 1
                    await wire.send_str(message)
            place = len(self.log)


@asynccontextmanager
async def jetstream() -> AsyncIterator[Jetstream]:
    """Run it until the block ends."""
    stream = Jetstream()
    app = web.Application()
    app.router.add_get("/subscribe", stream.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stream.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/subscribe"
    try:
        yield stream
    finally:
        await runner.cleanup()


def event(did: str, at: datetime, text: str, key: str = "") -> dict[str, Any]:
    """Somebody's post, as the stream tells it."""
    time = round(at.timestamp() * 1_000_000)
    record = {"$type": "app.bsky.feed.post", "createdAt": "2024-01-01T00:00:00Z", "text": text, "langs": ["en"]}
    commit = {"rev": f"r{time}", "operation": "create", "collection": "app.bsky.feed.post", "rkey": key or f"k{time}"}
    return {"did": did, "time_us": time, "kind": "commit", "commit": {**commit, "record": record, "cid": "bafy"}}


def _abort(wire: web.WebSocketResponse) -> None:
    request = wire._req
    if request is not None and request.transport is not None:
        request.transport.abort()


async def _read(wire: web.WebSocketResponse) -> None:
    while (await wire.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
        pass


def _time(message: str) -> float:
    """The time of a message, for the cursor; what is none comes always."""
    try:
        return float(json.loads(message)["time_us"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return float("inf")
