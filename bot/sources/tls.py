"""A certificate that should be good, and be so for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from bot.core.model import Health, Signal
from bot.ports import Http, Reached
from bot.sources.knocks import Connection, Port


class Tls(Connection):
    """A port that should show a good certificate for its name, one that does not end soon.

    A certificate that is not trusted, for another name or over is a major outage; one that ends within
    `certificate_days` is degraded.
    """

    kind: Literal["tls"]
    """The word that says what this watch is."""
    port: Port = 443
    """The port; TLS must be spoken there from the first byte."""
    certificate_days: Annotated[float, Field(ge=0)] = 14.0
    """A certificate that ends within so many days is degraded."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Shake hands once, and hang up."""
        return await self.tried(self._reach(http), now)

    async def _reach(self, http: Http) -> tuple[Health, str]:
        timeout = self.timeout.total_seconds()
        reached = await http.reach(self.host, self.port, tls=True, allow_private=self.allow_private, timeout=timeout)
        return self.judge(reached)

    def judge(self, reached: Reached) -> tuple[Health, str]:
        """What a handshake means: the worse of its pace and what the certificate has left."""
        health, note = self.paced(reached.elapsed)
        days = reached.certificate_days
        if days is None:
            return health, note
        left = f"the certificate ends in {max(days, 0):.0f} days"
        return (Health.DEGRADED, left) if days < self.certificate_days else (health, f"{note}, {left}")


PLUGIN = Tls
