"""The short way in for plain reports says what the long way says, and takes nothing that is not plain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from doubles.served import Served, serving, token
from multidict import CIMultiDict

from bot.ports import Retry
from bot.web.site import HATCH

GOOD, BAD = b'{"service":"twitter"}', b'{"service":"twiter"}'
JSON, LINES = "application/json", "application/x-ndjson"


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


def post(body: bytes, *more: str, kind: str = JSON, host: str = "localhost") -> bytes:
    fields = [f"Host: {host}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(["POST /api/v1/reports HTTP/1.1", *fields, "", ""]).encode() + body


class Wire:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, served: Served) -> Wire:
        return cls(*await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2])))

    async def answer(self) -> tuple[str, CIMultiDict[str], bytes]:
        """Status line, fields and body of the next answer."""
        start, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        fields = CIMultiDict(line.split(": ", 1) for line in lines)
        return start, fields, await self.reader.readexactly(int(fields["Content-Length"]))

    async def ask(self, *pieces: bytes) -> tuple[str, CIMultiDict[str], bytes]:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
        return await self.answer()

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def on_the_short_way(served: Served, wire: Wire) -> bool:
    ours = wire.writer.get_extra_info("sockname")
    return any(line._transport.get_extra_info("peername") == ours for line in served.app[HATCH]._lines)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (GOOD, JSON),
        (BAD, JSON),
        (b"{", JSON),
        (b"7", JSON),
        (b" " * 70 + b"[" + GOOD + b"]", JSON),
        (b"[%b,%b]" % (GOOD, BAD), JSON),
        (b"\n".join([GOOD, BAD, GOOD]), LINES),
        (b"nothing\nof this", LINES),
        (b"{\n}", JSON),
    ],
)
async def test_the_short_way_answers_as_the_long_way(served: Served, body: bytes, kind: str) -> None:
    wire = await Wire.to(served)
    short = await wire.ask(post(body, kind=kind))
    assert on_the_short_way(served, wire)
    long = await wire.ask(post(body, "X-More: 1", kind=kind))
    assert not on_the_short_way(served, wire)
    for _, fields, _ in (short, long):
        del fields["Date"]
    assert (short[0], sorted(short[1].items()), short[2]) == (long[0], sorted(long[1].items()), long[2])
    await wire.close()


@pytest.mark.parametrize("after", [None, timedelta(seconds=30)])
async def test_a_disk_that_refuses_is_told_alike(served: Served, after: timedelta | None) -> None:
    served.intake.busy = Retry("the disk is full", after=after)
    wire = await Wire.to(served)
    for body, kind in ((GOOD, JSON), (GOOD, LINES)):
        short = await wire.ask(post(body, kind=kind))
        assert short[0].startswith("HTTP/1.1 503")
        assert short[1]["Retry-After"] == ("30" if after else "5")
        assert short[2] == b'{"error":"not now: the disk is full"}'
    await wire.close()


async def test_a_fault_of_ours_is_told_without_its_insides(served: Served) -> None:
    served.intake.busy = RuntimeError("secret")  # type: ignore[assignment]
    wire = await Wire.to(served)
    start, _, body = await wire.ask(post(GOOD))
    assert (start, b"secret" in body) == ("HTTP/1.1 500 Internal Server Error", False)
    await wire.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(GOOD, "Expect: 100-continue"), "HTTP/1.1 100 Continue"),
        (post(GOOD, "Content-Length: 3"), "HTTP/1.0 400 Bad Request"),
        (post(GOOD, "Transfer-Encoding: chunked"), "HTTP/1.0 400 Bad Request"),
        (post(GOOD, " folded"), "HTTP/1.0 400 Bad Request"),
        (post(GOOD, "Host: other"), "HTTP/1.0 400 Bad Request"),
        (post(GOOD, "X-Forwarded-For: 203.0.113.7"), "HTTP/1.1 403 Forbidden"),
        (post(GOOD, "Origin: https://evil.example"), "HTTP/1.1 403 Forbidden"),
        (post(GOOD, "Sec-Fetch-Site: cross-site"), "HTTP/1.1 403 Forbidden"),
        (post(GOOD, host="rebound.example"), "HTTP/1.1 403 Forbidden"),
        (post(GOOD, "Authorization: Bearer no-such"), "HTTP/1.1 401 Unauthorized"),
        (post(GOOD, "Content-Encoding: gzip"), "HTTP/1.1 400 Bad Request"),
        (post(GOOD, kind="text/plain"), "HTTP/1.1 415 Unsupported Media Type"),
        (post(b""), "HTTP/1.1 400 Bad Request"),
        (post(GOOD, "Connection: close"), "HTTP/1.1 202 Accepted"),
        (post(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0"), "HTTP/1.0 202 Accepted"),
        (post(GOOD).replace(b"/reports", b"/reports?more=1"), "HTTP/1.1 202 Accepted"),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 OK"),
        (b"\x16\x03\x01", "HTTP/1.0 400 Bad Request"),
    ],
)
async def test_what_is_not_plain_goes_the_long_way(served: Served, request_: bytes, status: str) -> None:
    wire = await Wire.to(served)
    wire.writer.write(request_)
    assert (await wire.reader.readuntil(b"\r\n")).decode().strip() == status
    assert not on_the_short_way(served, wire)
    await wire.close()


async def test_a_token_opens_the_short_way_only_with_its_scope() -> None:
    async with serving([token("ci", "report"), token("eyes", "read")]) as served:
        for name, status, short in (("ci", "202 Accepted", True), ("eyes", "403 Forbidden", False)):
            wire = await Wire.to(served)
            start, _, _ = await wire.ask(
                post(GOOD, f"Authorization: Bearer secret-of-{name}", host="status.example.org")
            )
            assert start == f"HTTP/1.1 {status}"
            assert on_the_short_way(served, wire) == short
            await wire.close()
        wire = await Wire.to(served)
        assert (await wire.ask(post(GOOD)))[0] == "HTTP/1.1 401 Unauthorized"
        await wire.close()


async def test_a_body_may_come_in_pieces_and_requests_together(served: Served) -> None:
    wire = await Wire.to(served)
    request = post(GOOD)
    for cut in (len(request) - 1, len(request) - len(GOOD)):
        assert (await wire.ask(request[:cut], request[cut:]))[0] == "HTTP/1.1 202 Accepted"
    wire.writer.write(
        post(GOOD) + post(BAD) + post(GOOD, kind=LINES) + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    statuses = [(await wire.answer())[0].split()[1] for _ in range(4)]
    assert statuses == ["202", "400", "202", "200"]
    assert len(served.intake.taken) == 4
    await wire.close()


async def test_a_head_in_pieces_goes_the_long_way_and_is_answered(served: Served) -> None:
    wire = await Wire.to(served)
    request = post(GOOD)
    assert (await wire.ask(*(request[at : at + 1] for at in range(len(request)))))[0] == "HTTP/1.1 202 Accepted"
    assert not on_the_short_way(served, wire)
    await wire.close()


async def test_many_at_once_are_each_answered_on_their_own_line(served: Served) -> None:
    wires = [await Wire.to(served) for _ in range(40)]
    answers = await asyncio.gather(*(wire.ask(post(BAD if n % 3 else GOOD)) for n, wire in enumerate(wires)))
    assert [start.split()[1] for start, _, _ in answers] == ["400" if n % 3 else "202" for n in range(40)]
    await asyncio.gather(*(wire.close() for wire in wires))


async def test_strangers_cannot_fill_the_memory_of_heads(served: Served) -> None:
    hatch = served.app[HATCH]
    for n in range(3_000):
        hatch.look("127.0.0.1", post(GOOD, f"User-Agent: {n}").partition(b"\r\n\r\n")[0])
    assert len(hatch._known) <= 1_000
