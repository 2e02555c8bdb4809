"""One connection that begins at the hatch: bytes in, one plain request at a time, and what becomes of all others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol, cast

MOST = 256_000  # bytes of one request; larger ones are worth the long way
_PATIENCE = 5.0  # seconds without an answered request after which a connection goes the long way


class Plain(NamedTuple):
    """What a plain head announces: a body of so many bytes, JSON, or JSON on every line of it."""

    lines: bool
    length: int


class Keeper(Protocol):
    """Who judges heads, and takes bodies."""

    def look(self, peer: str, head: bytes) -> Plain | None:
        """What a head announces, or None when it must go the long way."""
        ...

    def take(self, line: Line, body: bytes, *, lines: bool) -> None:
        """Take a body, and call the line's `answer` later."""
        ...

    def opened(self, line: Line) -> None:
        """A line that begins here."""
        ...

    def closed(self, line: Line) -> None:
        """A line that ended, or was handed over."""
        ...


class Line(asyncio.Protocol):
    """Reads plain requests one after the other, and hands the connection over at the first byte that is not of one.

    `long` makes the protocol that it then becomes, for good. A body that is on its way is waited for, but not long;
    while a request is being answered, or the other side does not read its answers, no more is read than one request.
    """

    def __init__(self, keeper: Keeper, long: Callable[[], asyncio.Protocol]) -> None:
        self._keeper, self._long = keeper, long
        self._came = b""
        self._waiting = self._full = self._lively = self._ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin here."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._tire)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        """Take what arrived."""
        self._came = self._came + data if self._came else data
        if not (self._waiting or self._full):
            self._go_on()
        elif len(self._came) > MOST:
            self._transport.pause_reading()

    def answer(self, letter: bytes) -> None:
        """Send the answer to the request that was taken last, and go on."""
        self._waiting, self._lively = False, True
        if self._transport.is_closing():
            return
        self._transport.write(letter)
        if self._ending:
            self._transport.close()
        elif self._came and not self._full:
            self._transport.resume_reading()
            self._go_on()

    def end(self) -> None:
        """Close, once the request that is under way is answered."""
        self._ending = True
        if not self._waiting:
            self._transport.close()

    def pause_writing(self) -> None:
        """The other side does not read: take nothing more from it."""
        self._full = True

    def resume_writing(self) -> None:
        """The other side reads again."""
        self._full = False
        if not self._waiting:
            self._transport.resume_reading()
            self._go_on()

    def connection_lost(self, _: Exception | None) -> None:
        """The end."""
        self._leave()

    def _go_on(self) -> None:
        """Take the next request if all of it is here; wait for the rest of a body; hand over anything else."""
        if not self._came:
            return
        end = self._came.find(b"\r\n\r\n") + 4
        plain = self._keeper.look(self._peer, self._came[: end - 4]) if end > 3 else None
        if plain is None:
            self._hand_over()
        elif len(self._came) >= end + plain.length:
            body, self._came = self._came[end : end + plain.length], self._came[end + plain.length :]
            self._waiting = True
            self._keeper.take(self, body, lines=plain.lines)

    def _hand_over(self) -> None:
        self._leave()
        protocol = self._long()
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        self._transport.resume_reading()
        if self._came:
            protocol.data_received(self._came)

    def _tire(self) -> None:
        """Whoever is silent, or slow with a body, meets the patience of the long way; who never reads is let go."""
        if self._full and not self._lively:
            self._transport.abort()
        elif self._waiting or self._lively:
            self._lively = False
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._tire)
        else:
            self._hand_over()

    def _leave(self) -> None:
        self._timer.cancel()
        self._keeper.closed(self)
