"""A web server on loopback that answers by script, well or badly, and remembers what it was asked.

async with pages() as web:
    web.script("/status", page(b"fine"), hang())     # the last answer repeats
    ... fetch web.url + "/status" ...
    assert web.asked[0].headers["user-agent"]
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

Answer = Callable[[asyncio.StreamWriter, "Asked"], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Pages:
    """The server's script and its memory."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.asked: list[Asked] = []
        self.connections = 0
        self.at_once = 0
        self._open = 0
        self._scripts: dict[str, list[Answer]] = {}

    def script(self, path: str, *answers: Answer) -> None:
        """Say what a path answers, request by request; the last answer repeats."""
        self._scripts[path] = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (asked := await _request(reader)) is not None:
                self.asked.append(asked)
                self._open += 1
                self.at_once = max(self.at_once, self._open)
                try:
                    await self._next(asked.path)(writer, asked)
                    await writer.drain()
                finally:
                    self._open -= 1
        writer.close()

    def _next(self, path: str) -> Answer:
        answers = self._scripts.get(path) or [page(b"", status=404)]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def pages(*, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Pages]:
    """Run the server until the block ends."""
    web = Pages()
    serving: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(asyncio.CancelledError):
            await web.serve(reader, writer)
        writer.close()
        serving.discard(task)

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    web.url = f"{'https' if tls else 'http'}://{host}:{web.port}"
    try:
        yield web
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def page(body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> Answer:
    """A whole answer; `retry_after="30"` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(writer: asyncio.StreamWriter, asked: Asked) -> None:
        writer.write(_head(status, {"Content-Type": kind, "Content-Length": str(len(body)), **named}))
        writer.write(b"" if asked.method == "HEAD" else body)

    return answer


def validated(body: bytes, etag: str) -> Answer:
    """A whole answer with an ETag, and 304 for whoever has it already."""

    async def answer(writer: asyncio.StreamWriter, asked: Asked) -> None:
        known = asked.headers.get("if-none-match") == etag
        await page(b"" if known else body, status=304 if known else 200, ETag=etag)(writer, asked)

    return answer


def redirect(to: str, status: int = 302) -> Answer:
    """Go elsewhere."""
    return page(b"", status=status, Location=to)


def html(body: bytes = b"<!doctype html><title>Just a moment...</title>", status: int = 200, **headers: str) -> Answer:
    """A page for people where data was expected."""
    return page(body, status=status, kind="text/html; charset=utf-8", **headers)


def zipped(body: bytes) -> Answer:
    """A whole answer, compressed."""
    return page(gzip.compress(body), Content_Encoding="gzip")


def bomb(size: int) -> Answer:
    """A few kilobytes that unpack to `size` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    return page(packed, Content_Encoding="gzip")


def truncated(body: bytes) -> Answer:
    """Half an answer, then the connection ends."""

    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(_head(200, {"Content-Length": str(len(body))}) + body[: len(body) // 2])
        await writer.drain()
        writer.close()

    return answer


def endless(piece: bytes = b" " * 65_536) -> Answer:
    """A body that never stops."""

    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(_head(200, {"Connection": "close"}))
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()

    return answer


def slow(pause: float = 0.02) -> Answer:
    """A body that drips one byte at a time, for ever."""

    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(_head(200, {"Connection": "close"}))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


def hang() -> Answer:
    """Nothing, for ever."""

    async def answer(_: asyncio.StreamWriter, __: Asked) -> None:
        await asyncio.Event().wait()

    return answer


def drop() -> Answer:
    """The connection ends without an answer."""

    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.close()

    return answer


def raw(text: bytes) -> Answer:
    """Exactly these bytes, whatever they are."""

    async def answer(writer: asyncio.StreamWriter, _: Asked) -> None:
        writer.write(text)
        await writer.drain()
        writer.close()

    return answer


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method=method, path=path, headers=headers, body=body)
