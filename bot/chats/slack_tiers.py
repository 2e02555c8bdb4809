"""Slack's limits by method, kept on our side: so many calls of each in a minute, for the whole workspace.

Tiers: https://docs.slack.dev/apis/web-api/rate-limits. Each method has a bucket that holds a small burst and fills evenly, so
that no minute sees more than its tier allows. Posts have a limit of their own, by channel, which the relay keeps.
"""

from __future__ import annotations

from bot.ports import Clock

_BURST = 4
_A_MINUTE = {"chat.update": 45, "pins.add": 15, "pins.remove": 15}
"""Calls a minute: tiers 3 (50) and 2 (20), less the burst and a little more."""


class Tiers:
    """When each method may be called next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: dict[str, float] = {}

    def free(self, method: str) -> bool:
        """True when a call need not wait; then it is counted as made."""
        if self._wait(method) > 0:
            return False
        self._spend(method)
        return True

    async def turn(self, method: str) -> None:
        """Wait until a call of this method may be made."""
        pause = self._wait(method)
        self._spend(method)
        if pause > 0:
            await self._clock.sleep(pause)

    def _wait(self, method: str) -> float:
        gap = 60.0 / _A_MINUTE[method]
        return self._spent.get(method, 0.0) - _BURST * gap - self._clock.monotonic()

    def _spend(self, method: str) -> None:
        gap = 60.0 / _A_MINUTE[method]
        self._spent[method] = max(self._spent.get(method, 0.0), self._clock.monotonic()) + gap
