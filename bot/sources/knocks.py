"""What all probes beneath HTTP have in common: a machine that should answer, and how often it is tried."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.core.model import Health, Signal
from bot.fields import Duration
from bot.ports import Unreachable
from bot.sources.looks import Looked
from bot.sources.wire import Interval, web_address

_OURS = frozenset({"blocked"})


def host(value: str) -> str:
    """The name or address of a machine.

    Raises:
        ValueError: saying what to write instead.
    """
    name = value.strip("[]")
    try:
        web_address(f"https://[{name}]" if ":" in name else f"https://{name}")
    except ValueError as exc:
        raise ValueError("this is not the name of a machine; write it like db.example.com, without a port") from exc
    if not name or any(sign in name for sign in "/?#@") or len(name) > 253:
        raise ValueError("this is not the name of a machine; write it like db.example.com, without a port")
    return name


Host = Annotated[str, AfterValidator(host), Field(examples=["example.com"])]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Knock(Looked):
    """A machine that should answer."""

    host: Host
    """The name or address of the machine."""
    every: Interval = timedelta(seconds=30)
    """How often to try."""
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=1))] = timedelta(seconds=10)
    """How long an answer may take before it counts as none."""

    @property
    def url(self) -> str:
        """Where it is, for people."""
        return f"{getattr(self, 'kind', 'tcp')}://{f'[{self.host}]' if ':' in self.host else self.host}"

    async def tried(self, trying: Awaitable[tuple[Health, str]], now: datetime) -> Signal:
        """What a try comes to; what keeps us from trying at all is a signal without health."""
        try:
            health, note = await trying
        except Unreachable as exc:
            failed = None if exc.kind in _OURS else Health.MAJOR_OUTAGE
            return Signal(at=now, url=self.url, health=failed, note=str(exc), error=exc.kind)
        return Signal(at=now, url=self.url, health=health, note=note)


class Connection(Knock):
    """A machine that is connected to."""

    slower_than: Duration | None = None
    """An answer that takes longer is degraded."""
    allow_private: bool = False
    """Let the name lead into a private network."""

    def paced(self, elapsed: float) -> tuple[Health, str]:
        """What an answer that took so many seconds means."""
        took = f"{elapsed * 1000:.0f} ms" if elapsed < 1 else f"{elapsed:.1f} s"
        if self.slower_than is not None and elapsed > self.slower_than.total_seconds():
            return Health.DEGRADED, f"took {took} to answer"
        return Health.OPERATIONAL, f"answered in {took}"
