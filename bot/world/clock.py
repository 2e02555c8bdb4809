"""The machine's own clock."""
# ruff: noqa: TID251  (everybody else is handed this clock instead of asking the machine)

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class WallClock:
    """Real time: `ports.Clock` for the running program."""

    def now(self) -> datetime:
        """The present, UTC; it may jump when somebody sets the machine's clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let real time pass."""
        await asyncio.sleep(seconds)
