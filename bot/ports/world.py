"""The world outside, as rooms may ask for it: the time, and the web made safe."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """The present, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer, whole and within its limits. `headers` has lower-case names; `elapsed` is in seconds."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    certificate_days: float | None = None

    def text(self) -> str:
        """The body as text; broken bytes are replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A machine that answered: at which address, after how many seconds, and how long its certificate is good."""

    address: str
    elapsed: float
    certificate_days: float | None = None


class Http(Protocol):
    """The web, made safe: no private address unless allowed, bounded bytes and time, few redirects, conditional."""

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
        """Fetch once. With `conditional`, a 304 is answered from the last body, so callers see a 200.

        A `body` goes along with methods that have one, and follows no redirect to another site.

        Raises:
            Unreachable: no usable answer; `kind` is `dns timeout tls connect blocked too_large`.
        """
        ...

    def messages(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limit: int = 1_000_000,
        silence: float = 60.0,
    ) -> AsyncGenerator[bytes, None]:
        """Every message of a WebSocket, one after the other; it never ends well.

        Raises:
            Unreachable: it cannot be reached, broke off, was closed, or nothing came for `silence` seconds.
        """
        ...

    async def addresses(self, host: str, *, timeout: float) -> Sequence[str]:
        """Every address of a name.

        Raises:
            Unreachable: there is none; `kind` is `dns` or `timeout`.
        """
        ...

    async def reach(
        self, host: str, port: int, *, tls: bool = False, allow_private: bool = False, timeout: float = 10.0
    ) -> Reached:
        """Open a connection, with `tls` a proved one, and close it again.

        Raises:
            Unreachable: it cannot be opened; `kind` is `dns timeout tls connect blocked`.
        """
        ...

    async def echo(self, host: str, *, allow_private: bool = False, timeout: float = 2.0) -> Reached:
        """Ping once.

        Raises:
            Unreachable: no echo; `kind` is `dns timeout connect blocked`, the last also where pinging is not allowed.
        """
        ...


class Unreachable(Exception):
    """No usable HTTP answer came; `kind` is the word a `Signal.error` uses."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind
