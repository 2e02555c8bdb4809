"""`tocsin test-alert`: a whole life in every channel, marked as a test."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from bot import furnishing
from bot.config.settings import Settings
from bot.desk.threads import drill
from bot.ports import Place, Refused, Retry
from bot.world.clock import WallClock

FINE, FINDINGS, USAGE = 0, 1, 2


def run(settings: Settings, channels: Sequence[str] = ()) -> int:
    """Post to the channels named, or to all; answers 1 when one cannot be told, and says how to mend it."""
    known = furnishing.places(settings)
    unknown = [name for name in channels if name not in known]
    if unknown:
        sys.stderr.write(f"no channel {unknown[0]!r} in {settings.path}; there are: {', '.join(known)}\n")
        return USAGE
    return asyncio.run(_all(settings, [known[name] for name in channels or known]))


async def _all(settings: Settings, chosen: Sequence[Place]) -> int:
    clock, worst = WallClock(), FINE
    connections = furnishing.connections(settings)
    for place in chosen:
        chat = connections[place.chat].connect(place.chat, clock)
        try:
            await drill(chat, place, clock.now())
            sys.stdout.write(f"{place.name}: told\n")
        except (Retry, Refused) as why:
            sys.stdout.write(f"{place.name}: {why}\n")
            worst = FINDINGS
        finally:
            await chat.aclose()
    return worst
