"""What can go wrong on the way to a page, in the house's words; aiohttp's exceptions stop here."""

from __future__ import annotations

import ssl

import aiohttp
from yarl import URL

from bot.ports import Unreachable
from bot.world.addresses import Inside

# The first row that fits: the classes, `Unreachable.kind` (also a `Signal.error`), and the sentence.
_TROUBLES: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((Inside,), "blocked", "{host} is not on the public web; allow_private: true on this watch lets it through"),
    ((aiohttp.InvalidURL, UnicodeError), "blocked", "{url!r} is not a well-formed web address"),
    ((TimeoutError,), "timeout", "{host} gave no whole answer within {timeout:g} s"),
    ((aiohttp.ClientConnectorDNSError,), "dns", "the name {host} cannot be looked up"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "tls", "no secure connection to {host}: {why}"),
    ((aiohttp.ClientOSError,), "connect", "no connection to {host}: {why}"),
    ((Exception,), "connect", "{host} broke off or sent a broken answer ({name})"),
)


def named(exc: Exception, url: URL, timeout: float) -> Unreachable:
    """Name what went wrong when `url` was asked within `timeout` seconds."""
    inner = getattr(exc, "os_error", exc)
    why = getattr(inner, "strerror", None) or inner
    kind, words = next(
        (kind, words) for classes, kind, words in _TROUBLES if isinstance(exc, classes) or isinstance(inner, classes)
    )
    words = words.format(host=url.host, url=str(url)[:200], timeout=timeout, why=why, name=type(exc).__name__)
    return Unreachable(kind, words)
