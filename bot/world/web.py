"""The real web: a polite, bounded, address-checked `ports.Http` over aiohttp.

A request goes: take the host's turn, ask (with the validators of the last answer), read at most `limit` bytes after
decompression, answer a 304 from memory, follow at most a few redirects, each checked like the first address.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from weakref import WeakValueDictionary

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.connector import AddrInfoType, Connection
from yarl import URL

from bot.ports import Clock, Reply, Unreachable
from bot.world.addresses import guarded_socket
from bot.world.knocking import Knocking
from bot.world.memory import Memory
from bot.world.trouble import named

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 65_536
_DAY = 86_400.0
_WIRE = aiohttp.ClientWSTimeout(ws_close=1.0)
_USER_AGENT = f"Tocsin/{version('tocsin')} (self-hosted incident alerting bot)"


@dataclass(frozen=True, kw_only=True)
class _Ask:
    method: str
    url: URL
    headers: Mapping[str, str]
    allow_private: bool
    limit: int
    conditional: bool
    body: bytes

    @property
    def memorable(self) -> bool:
        return self.conditional and self.method == "GET"

    @property
    def key(self) -> str:
        return repr((str(self.url), self.allow_private, sorted(self.headers.items())))


class _Response(aiohttp.ClientResponse):
    """Notes the server's certificate as the answer begins: a short answer gives its connection back at once."""

    certificate: Mapping[str, object] | None = None

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        transport = connection.transport
        self.certificate = transport.get_extra_info("peercert") if transport else None
        return await super().start(connection)


class Web(Knocking):
    """`ports.Http` for the running program: shared connections, one request per host at a time, bounded memory.

    `resolver` and `tls` stand in for the system's own name look-up and trusted certificates; `open_socket` makes the
    socket for a resolved address, or refuses.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        open_socket: Callable[[AddrInfoType], socket.socket] = guarded_socket,
    ) -> None:
        super().__init__(clock, resolver, tls)
        self._open_socket = open_socket
        # Two pools: a connection that one watch may have into a private network is never lent to another.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._memory = Memory()

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limit: int = 8_000_000,
        timeout: float = 20.0,
        conditional: bool = True,
        method: str = "GET",
        redirects: int = 3,
        body: bytes = b"",
    ) -> Reply:
        """Fetch once, within `limit` decompressed bytes and `timeout` seconds in all; waiting for the host's turn is free.

        Caller's headers and body never follow a redirect to another origin. With `redirects` 0 a redirect is the answer.

        Raises:
            Unreachable: no usable answer; `kind` is `dns timeout tls connect blocked too_large`.
        """
        ask = _Ask(
            method=method.upper(),
            url=_checked(url),
            headers=dict(headers or {}),
            allow_private=allow_private,
            limit=limit,
            conditional=conditional,
            body=body,
        )
        reply = await self._hop(ask, timeout)
        for _ in range(redirects):
            following = _following(ask, reply)
            if following is None:
                return reply
            ask, spent = following, reply.elapsed
            reply = await self._hop(ask, max(timeout - spent, 0.0))
            reply = replace(reply, elapsed=spent + reply.elapsed)
        if redirects and _following(ask, reply):
            raise Unreachable("connect", f"{url} redirects more than {redirects} times")
        return reply

    async def messages(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limit: int = 1_000_000,
        silence: float = 60.0,
    ) -> AsyncGenerator[bytes, None]:
        """Every message of a WebSocket (RFC 6455), at most `limit` bytes each; `wss` is written `https` here too.

        Raises:
            Unreachable: it cannot be reached, broke off, was closed, or nothing came for `silence` seconds.
        """
        address = _checked(re.sub(r"^ws(s?)://", r"http\1://", url))
        wire: aiohttp.ClientWebSocketResponse | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(silence):
                        wire = wire or await self._session(private=allow_private).ws_connect(
                            address, headers=headers, max_msg_size=limit, timeout=_WIRE, heartbeat=silence / 2
                        )
                        message = await wire.receive()
                except (aiohttp.ClientError, OSError, ValueError) as exc:
                    raise named(exc, address, silence) from exc
                yield _heard(message, address)
        finally:
            if wire is not None:
                await wire.close()

    async def aclose(self) -> None:
        """Let go of connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _hop(self, ask: _Ask, timeout: float) -> Reply:
        async with self._turn(ask.url):
            kept = self._memory.recall(ask.key) if ask.memorable else None
            asked_at = self._clock.monotonic()
            try:
                async with asyncio.timeout(timeout):
                    reply = await self._ask(ask, kept.validators if kept else {})
            except (aiohttp.ClientError, OSError, ValueError) as exc:
                raise named(exc, ask.url, timeout) from exc
        reply = replace(reply, elapsed=self._clock.monotonic() - asked_at)
        if kept and reply.status == 304:
            return kept.renew(reply)
        if ask.memorable:
            self._memory.keep(ask.key, reply)
        return reply

    async def _ask(self, ask: _Ask, validators: Mapping[str, str]) -> Reply:
        session = self._session(private=ask.allow_private)
        headers = {**ask.headers, **validators}
        asking = session.request(ask.method, ask.url, headers=headers, data=ask.body or None, allow_redirects=False)
        async with asking as response:
            body = b"" if response.status in _REDIRECTS else await _body(response, ask.limit)
            return Reply(
                status=response.status,
                url=str(ask.url),
                headers=_lower(response),
                body=body,
                elapsed=0.0,
                certificate_days=self._certificate_days(response),
            )

    def _turn(self, url: URL) -> asyncio.Lock:
        """One request at a time per host; the lock lives as long as somebody holds or awaits it."""
        return self._turns.setdefault(url.host or "", asyncio.Lock())

    def _session(self, *, private: bool) -> aiohttp.ClientSession:
        if private not in self._sessions:
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                ssl=self._tls or True,
                socket_factory=None if private else self._open_socket,
            )
            self._sessions[private] = aiohttp.ClientSession(
                connector=connector,
                connector_owner=True,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate"},
                timeout=aiohttp.ClientTimeout(total=None),
                response_class=_Response,
            )
        return self._sessions[private]

    def _certificate_days(self, response: aiohttp.ClientResponse) -> float | None:
        certificate = response.certificate if isinstance(response, _Response) else None
        ends = certificate.get("notAfter") if certificate else None
        if not isinstance(ends, str):
            return None
        return (ssl.cert_time_to_seconds(ends) - self._clock.now().timestamp()) / _DAY


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The decompressed body; aiohttp unpacks piecewise, so a bomb is dropped one piece past the limit."""
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(_CHUNK):
        size += len(piece)
        if size > limit:
            response.close()
            raise Unreachable("too_large", f"{response.url.host} sent more than {limit:,} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _heard(message: aiohttp.WSMessage, url: URL) -> bytes:
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data).encode()
    if message.type is aiohttp.WSMsgType.BINARY:
        return bytes(message.data)
    if message.type is aiohttp.WSMsgType.ERROR:
        raise Unreachable("connect", f"{url.host} sent what is no message, or a too large one ({message.data})")
    raise Unreachable("connect", f"{url.host} closed the connection")


def _lower(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        low = name.lower()
        headers[low] = f"{headers[low]}, {value}" if low in headers else value
    return headers


def _checked(address: str | URL) -> URL:
    """A web address without a user name, or a refusal in words."""
    try:
        url = URL(address)
        fit = url.scheme in ("http", "https") and bool(url.host) and bool(url.port)
    except ValueError:
        fit = False
    if not fit:
        raise Unreachable("blocked", f"{str(address)[:200]!r} is not a web address; write https://host/path")
    if url.raw_user or url.raw_password:
        raise Unreachable("blocked", f"the address of {url.host} carries a user name; give credentials as headers")
    return url.with_fragment(None)


def _following(ask: _Ask, reply: Reply) -> _Ask | None:
    """What a redirect asks for next, or None when the reply is an answer."""
    location = reply.headers.get("location", "")
    if reply.status not in _REDIRECTS or not location:
        return None
    try:
        target = _checked(ask.url.join(URL(location)))
    except ValueError as exc:
        raise Unreachable("blocked", f"{ask.url.host} redirects to something that is not a web address") from exc
    if ask.url.scheme == "https" and target.scheme != "https":
        raise Unreachable("blocked", f"{ask.url.host} redirects from https to http, which could be tampered with")
    keeps_method = ask.method in ("GET", "HEAD") or reply.status in (307, 308)
    at_home = target.origin() == ask.url.origin()
    return replace(
        ask,
        url=target,
        headers=ask.headers if at_home else {},
        method=ask.method if keeps_method else "GET",
        body=ask.body if keeps_method and at_home else b"",
    )
