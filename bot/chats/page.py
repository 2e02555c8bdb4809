"""The built-in page as a chat: it reads the store itself, so a thread there is always up to the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from bot.core.model import Head, Line
from bot.fields import Model
from bot.ports import Clock, Desk, Place


class PageConnection(Model):
    """The live page of this very program. Needs no account; one is enough."""

    kind: Literal["page"]

    def connect(self, name: str, clock: Clock) -> Page:  # noqa: ARG002  # every connection is made the same way
        """The chat behind the page."""
        return Page()


class Page:
    """Nothing to send: what was saved is what the page shows."""

    async def open(self, place: Place, key: str, head: Head, png: bytes | None, since: datetime | None) -> str:  # noqa: ARG002
        """The incident's own address on the page."""
        return f"/incident/{head.incident}"

    async def edit(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Shown already."""

    async def reply(self, place: Place, ref: str, key: str, line: Line, since: datetime | None) -> None:
        """Shown already."""

    async def close(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Shown already."""

    async def run(self, desk: Desk, places: Sequence[Place]) -> None:  # noqa: ARG002
        """The web server hears people; nothing to do here."""
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        """Nothing is held."""


PLUGIN = PageConnection
