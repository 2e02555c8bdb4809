"""The real clock and the real web; the only place that asks the time."""

from bot.world.clock import WallClock
from bot.world.web import Web

__all__ = ["WallClock", "Web"]
