"""Who may do what: tokens with scopes, and this very machine while no token is configured."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import urlsplit

from bot.fields import Secret

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A named secret and what it opens: `read`, `report`, `admin`; `admin` opens the other two as well."""

    name: str
    secret: Secret
    scopes: frozenset[str]

    def opens(self, needs: str) -> bool:
        """True when this token is enough for `needs`."""
        return needs in self.scopes or "admin" in self.scopes


@dataclass(frozen=True, kw_only=True)
class Access:
    """The configured tokens, and the proxies whose word about a client's address is believed.

    Reading is open to whoever reaches the port until a token with the scope `read` exists: then reading needs one.
    """

    tokens: tuple[Token, ...] = ()
    proxies: tuple[Network, ...] = field(default=_HERE)

    @property
    def guarded(self) -> bool:
        """True when reading needs a token too."""
        return any("read" in token.scopes for token in self.tokens)

    def holder(self, secret: str) -> Token | None:
        """The token with this secret. Every token is compared, in constant time, whether or not one fits."""
        tried = _digest(secret)
        fitting = [token for token in self.tokens if compare_digest(tried, _digest(token.secret.reveal()))]
        return fitting[0] if fitting else None

    def client(self, peer: str, forwarded: str) -> str:
        """The address a request really came from: the rightmost one in X-Forwarded-For that is no proxy of ours.

        IPv6 addresses are cut to their /64, which is what one household or machine holds.
        """
        trail = [part.strip() for part in forwarded.split(",") if part.strip()] if self._proxied(peer) else []
        for address in reversed(trail):
            if not self._proxied(address):
                return _household(address)
        return _household(peer)

    def _proxied(self, address: str) -> bool:
        ip = _ip(address)
        return ip is not None and any(ip in network for network in self.proxies if ip.version == network.version)


def at_home(peer: str, host: str, headers: Mapping[str, str]) -> bool:
    """True for somebody at this very machine.

    The peer is loopback, the name asked for is loopback too (so that no stranger's name, pointed at 127.0.0.1, can
    borrow a browser), and nothing tells of a proxy in between.
    """
    for name in _FORWARDED:  # a plain loop: this runs for every report, and a generator costs as much as all the rest
        if name in headers:
            return False
    return _loopback(peer) and _named_loopback(host)


def same_site(origin: str, fetch_site: str, hosts: tuple[str, ...]) -> bool:
    """True unless a browser says that another site sent this; `hosts` are our own names, with their ports."""
    if fetch_site and fetch_site not in ("same-origin", "none"):
        return False
    return not origin or urlsplit(origin).netloc in hosts


@lru_cache(maxsize=256)
def _named_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name == "localhost" or _loopback(name)


@lru_cache(maxsize=256)
def _loopback(address: str) -> bool:
    ip = _ip(address)
    return ip is not None and ip.is_loopback


def _household(address: str) -> str:
    ip = _ip(address)
    if ip is None:
        return "unknown"
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else str(ip)


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if ip.version == 6 else ip


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()
