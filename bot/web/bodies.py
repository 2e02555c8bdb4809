"""Bodies from strangers: bounded in bytes, in time and in what they may unpack to."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from urllib.parse import parse_qsl

from aiohttp import web

from bot.web.routes import refuse, too_large

REPORTS = 5_000_000
FORM = 64_000
JSON = "application/json"
LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
_PATIENCE = 30.0


def _free(_: int) -> None:
    """Room for whatever comes."""


async def read(request: web.Request, limit: int, arrived: Callable[[int], None] = _free) -> bytes:
    """The whole body, unpacked, at most `limit` bytes both packed and unpacked; `arrived` hears of bytes as they come.

    Needs a server that leaves bodies packed (see `site.runner`), so that nobody unpacks a bomb before we look.

    Raises:
        web.HTTPError: 408, 413 or 415, or 400 when it does not unpack.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise refuse(web.HTTPUnsupportedMediaType, f"cannot unpack {encoding!r}; send the body plain or as gzip")
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    body = await _collect(request, limit, arrived)
    return _unpack(body, limit) if encoding == "gzip" else body


async def letter(request: web.Request) -> tuple[bytes, str]:
    """A body of records and its shape: `one` object, `many` in an array, or `lines`.

    Raises:
        web.HTTPError: as `read`, and 415 for a content type that holds no records.
    """
    lines = request.content_type in LINES
    if (not lines and request.content_type != JSON) or "Content-Type" not in request.headers:
        raise refuse(
            web.HTTPUnsupportedMediaType,
            f"set Content-Type to {JSON} for an object or an array, or to {LINES[0]} for one object per line",
        )
    if (request.charset or "utf-8").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise refuse(web.HTTPUnsupportedMediaType, f"JSON is written in UTF-8 here, not in {request.charset}")
    body = await read(request, REPORTS)
    if lines:
        return body, "lines"
    return body, shape(body)


def shape(body: bytes) -> str:
    """Of JSON: `many` for an array, `one` for anything else."""
    return "many" if body[:64].lstrip()[:1] == b"[" else "one"


async def form(request: web.Request) -> dict[str, str]:
    """The fields of a form as a browser posts it.

    Raises:
        web.HTTPError: as `read`, 415 for another content type, 400 for broken text or too many fields.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        raise refuse(web.HTTPUnsupportedMediaType, "this address takes a form: application/x-www-form-urlencoded")
    body = await read(request, FORM)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=30, errors="strict")
    except ValueError as exc:
        raise refuse(web.HTTPBadRequest, "the form cannot be read; reload the page and send it again") from exc
    return {name: value.replace("\r\n", "\n").replace("\0", "").strip() for name, value in pairs}


async def _collect(request: web.Request, limit: int, arrived: Callable[[int], None]) -> bytes:
    if request.content.is_eof() and (request.content_length or limit + 1) <= limit:
        return request.content.read_nowait()  # small bodies come with their head, and need no stopwatch
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_PATIENCE):
            while chunk := await request.content.readany():
                chunks.append(chunk)
                size += len(chunk)
                arrived(len(chunk))
                if size > limit:
                    raise too_large(limit)
    except TimeoutError as exc:
        raise refuse(web.HTTPRequestTimeout, f"the body did not arrive within {_PATIENCE:.0f} s") from exc
    except ConnectionError as exc:  # nobody is left to read this; it keeps the log clean
        raise refuse(web.HTTPBadRequest, "the connection broke before the body was whole") from exc
    return b"".join(chunks) if len(chunks) != 1 else chunks[0]


def _unpack(body: bytes, limit: int) -> bytes:
    """Unpack one gzip stream (RFC 1952), stopping one byte past the limit."""
    packed = zlib.decompressobj(wbits=31)
    try:
        plain = packed.decompress(body, limit + 1)
    except zlib.error as exc:
        raise refuse(web.HTTPBadRequest, "the body says gzip, but does not unpack as gzip") from exc
    if len(plain) > limit:
        raise too_large(limit)
    if not packed.eof or packed.unused_data:
        raise refuse(web.HTTPBadRequest, "the body must be exactly one whole gzip stream")
    return plain
