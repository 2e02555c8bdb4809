"""`tocsin test-alert`: a whole life in every channel, marked as a test: open, one line, close."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime

from bot import furnishing
from bot.config.settings import Settings
from bot.core.model import Bold, Head, Line, When
from bot.ports import Chat, Clock, Place, Refused, Retry
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
            await _life(chat, place, clock)
            sys.stdout.write(f"{place.name}: told\n")
        except (Retry, Refused) as why:
            sys.stdout.write(f"{place.name}: {why}\n")
            worst = FINDINGS
        finally:
            await chat.aclose()
    return worst


async def _life(chat: Chat, place: Place, clock: Clock) -> None:
    now = clock.now()
    key = f"test-{now:%Y%m%d%H%M%S}"
    ref = await chat.open(place, f"{key}/{place.name}/open", _head(key, now, over=False), None, None)
    line = Line(seq=1, text=(Bold("A test. "), "Nothing is wrong; this thread closes itself."), tone="calm", level="")
    await chat.reply(place, ref, f"{key}/{place.name}/reply", line, None)
    await chat.close(place, ref, _head(key, now, over=True), None)


def _head(key: str, now: datetime, *, over: bool) -> Head:
    return Head(
        incident=key,
        service="test",
        rev=2 if over else 1,
        tone="over" if over else "calm",
        state="closed" if over else "open",
        level="test",
        push="TEST - Tocsin can post here",
        title="TEST: Tocsin can post, edit and close here",
        sentence=("A test that began at ", When(now), " and is over." if over else "."),
    )
