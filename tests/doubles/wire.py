"""A TCP wire over loopback that can go dead without a word, as a lost route or a sleeping firewall makes it."""

from __future__ import annotations

import asyncio
from typing import Self


class Wire:
    """Carries bytes to a port both ways, until told otherwise. Clients connect to `port`."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self._to = to
        self._whole = asyncio.Event()
        self._whole.set()
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for link in self._links:
            link.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._links, return_exceptions=True)

    def lose(self) -> None:
        """Half open: what is connected now stays so and carries nothing ever again; whoever connects anew gets through."""
        for link in self._links:
            link.cancel()

    def cut(self) -> None:
        """Swallow everything, new connections too, until `mend`."""
        self._whole.clear()
        self.lose()

    def mend(self) -> None:
        """Carry again what connects from now on."""
        self._whole.set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if not self._whole.is_set():
            return  # accepted by the kernel, and never answered
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers.add(back)
        for source, target in ((reader, back), (there, writer)):
            link = asyncio.create_task(self._carried(source, target))
            self._links.add(link)
            link.add_done_callback(self._links.discard)

    async def _carried(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
            target.close()
        except ConnectionError:
            target.transport.abort()
