"""Knocking at other machines without asking for anything: a name looked up, a port opened, a certificate shown, an echo."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver

from bot.ports import Clock, Reached, Unreachable
from bot.world.addresses import public

_DAY = 86_400.0
_ECHO, _ECHO6 = 8, 128  # ICMP echo request, RFC 792 and RFC 4443
_WHY_NOT = "this machine lets nobody ping: widen net.ipv4.ping_group_range (sysctl) to our group"


class Knocking:
    """The part of `ports.Http` that needs no HTTP. `resolver` and `tls` stand in for the system's, as in `Web`."""

    def __init__(self, clock: Clock, resolver: AbstractResolver | None, tls: ssl.SSLContext | None) -> None:
        self._clock = clock
        self._resolver = resolver
        self._tls = tls

    async def addresses(self, host: str, *, timeout: float) -> Sequence[str]:
        """Every address of a name, those of the older protocol first, for every network has that.

        Raises:
            Unreachable: there is none, or no answer; `kind` is `dns` or `timeout`.
        """
        resolver = self._resolver or ThreadedResolver()
        try:
            async with asyncio.timeout(timeout):
                found = await resolver.resolve(host, 0, socket.AF_UNSPEC)
        except TimeoutError as exc:
            raise Unreachable("timeout", f"no answer about the name {host} within {timeout:g} s") from exc
        except (OSError, UnicodeError) as exc:
            raise Unreachable("dns", f"the name {host} cannot be looked up") from exc
        return sorted({entry["host"] for entry in found}, key=lambda address: (":" in address, address))

    async def reach(
        self, host: str, port: int, *, tls: bool = False, allow_private: bool = False, timeout: float = 10.0
    ) -> Reached:
        """Open a connection, with `tls` a proved one, and close it again; the first address that answers will do.

        Raises:
            Unreachable: none does; `kind` is `dns timeout tls connect blocked`.
        """
        began = self._clock.monotonic()
        trouble: Exception | None = None
        allowed = await self._allowed(host, allow_private=allow_private, timeout=timeout)
        for left, address in zip(range(len(allowed), 0, -1), allowed, strict=True):
            try:
                async with asyncio.timeout(max(timeout - (self._clock.monotonic() - began), 0.0) / left):
                    ends = await self._open(address, host, port, tls=tls)
            except (OSError, ssl.CertificateError) as exc:
                trouble = exc
                continue
            return Reached(address=address, elapsed=self._clock.monotonic() - began, certificate_days=ends)
        raise _named(trouble, f"{host}:{port}", timeout)

    async def echo(self, host: str, *, allow_private: bool = False, timeout: float = 2.0) -> Reached:
        """Send one ICMP echo and wait for it to come back, by a socket that needs no privilege.

        Raises:
            Unreachable: it does not; `blocked` also when this machine lets nobody ping.
        """
        address, *_ = await self._allowed(host, allow_private=allow_private, timeout=timeout)
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(timeout):
                await _echoed(address)
        except PermissionError as exc:
            raise Unreachable("blocked", _WHY_NOT) from exc
        except OSError as exc:
            raise _named(exc, host, timeout) from exc
        return Reached(address=address, elapsed=self._clock.monotonic() - began)

    async def _allowed(self, host: str, *, allow_private: bool, timeout: float) -> Sequence[str]:
        found = await self.addresses(host, timeout=timeout)
        allowed = [address for address in found if allow_private or public(address)]
        if not allowed:
            why = f"{host} is not on the public web; allow_private: true on this watch lets it through"
            raise Unreachable("blocked", why)
        return allowed

    async def _open(self, address: str, host: str, port: int, *, tls: bool) -> float | None:
        """Answers the days until the certificate ends, where there is one."""
        context = (self._tls or ssl.create_default_context()) if tls else None
        _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host if tls else None)
        certificate = writer.get_extra_info("peercert") or {}
        writer.transport.abort()
        ends = certificate.get("notAfter")
        return (ssl.cert_time_to_seconds(ends) - self._clock.now().timestamp()) / _DAY if ends else None


async def _echoed(address: str) -> None:
    """The kernel fills in checksum and identifier, and hands over only answers to this socket (Linux, ICMP sockets)."""
    six = ":" in address
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as wire:
        wire.setblocking(False)
        loop, mark = asyncio.get_running_loop(), os.urandom(16)
        await loop.sock_connect(wire, (address, 0))
        await loop.sock_sendall(wire, struct.pack("!BBHHH", _ECHO6 if six else _ECHO, 0, 0, 0, 1) + mark)
        while mark not in await loop.sock_recv(wire, 1_024):
            pass


def _named(exc: Exception | None, where: str, timeout: float) -> Unreachable:
    if isinstance(exc, TimeoutError):
        return Unreachable("timeout", f"{where} did not answer within {timeout:g} s")
    if isinstance(exc, ssl.SSLError | ssl.CertificateError):
        return Unreachable("tls", f"no secure connection to {where}: {getattr(exc, 'reason', None) or exc}")
    return Unreachable("connect", f"no connection to {where}: {getattr(exc, 'strerror', None) or exc}")
