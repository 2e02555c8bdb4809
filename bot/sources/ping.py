"""A machine that should echo."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from bot.core.model import Health, Signal
from bot.fields import Duration
from bot.ports import Http, Unreachable
from bot.sources.knocks import Connection


class Ping(Connection):
    """A machine that should answer a ping (ICMP echo).

    No echo at all is a major outage, some lost or late ones are degraded. It needs no privilege, but the machine must let
    us: `sysctl net.ipv4.ping_group_range`; where it does not, there is no reading.
    """

    kind: Literal["ping"]
    """The word that says what this watch is."""
    tries: int = Field(default=3, ge=1, le=10)
    """How many echoes to ask for, one after the other."""
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(seconds=10))] = timedelta(seconds=2)
    """How long an echo may take before it counts as lost."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Ping a few times."""
        return await self.tried(self._echoes(http), now)

    async def _echoes(self, http: Http) -> tuple[Health, str]:
        """The worst pace of those that came back; all lost is the last one's trouble."""
        back: list[float] = []
        lost: Unreachable | None = None
        for _ in range(self.tries):
            try:
                reached = await http.echo(
                    self.host, allow_private=self.allow_private, timeout=self.timeout.total_seconds()
                )
                back.append(reached.elapsed)
            except Unreachable as exc:
                if exc.kind in ("blocked", "dns"):
                    raise
                lost = exc
        if lost and not back:
            raise lost
        if lost:
            return Health.DEGRADED, f"{self.tries - len(back)} of {self.tries} echoes were lost"
        return self.paced(max(back))


PLUGIN = Ping
