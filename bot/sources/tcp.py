"""A port that should be open."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot.core.model import Health, Signal
from bot.ports import Http
from bot.sources.knocks import Connection, Port


class Tcp(Connection):
    """A port that should take connections: a mail server, a database, a game server. Nothing is sent to it.

    No connection is a major outage, a slow one is degraded.
    """

    kind: Literal["tcp"]
    """The word that says what this watch is."""
    port: Annotated[Port, Field(examples=[25])]
    """The port."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Connect once, and hang up."""
        return await self.tried(self._reach(http), now)

    async def _reach(self, http: Http) -> tuple[Health, str]:
        reached = await http.reach(
            self.host, self.port, allow_private=self.allow_private, timeout=self.timeout.total_seconds()
        )
        return self.paced(reached.elapsed)


PLUGIN = Tcp
