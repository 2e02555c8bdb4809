"""Several ways to read one page: the one that fits is found by trying, and remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from bot.core.model import Signal

Ways = Mapping[str, Callable[[], Awaitable[Signal]]]
"""Ways to read a page, by name, best first."""

_ELSEWHERE = frozenset({"wrong_shape", "unparseable", "http_404", "http_410"})
_NO_ANSWER = frozenset({"dns", "timeout", "tls", "connect", "blocked", "http_429"})
_STRIKES = 3


@dataclass
class Learnt:
    """What a watch has learnt about its page: the way that fits, and how often in a row it did not.

    A source is asked anew each time and keeps nothing that a reading depends on; this only spares the page the ways
    that do not fit. It is lost with the process, and no part of what a watch is compared by.
    """

    way: str = field(default="", compare=False)
    strikes: int = field(default=0, compare=False)


async def fitted(ways: Ways, learnt: Learnt) -> Signal:
    """What the fitting way reads.

    The known way is left only when the page has been of another shape three times in a row: one broken answer is no
    move, and a poorer way would fit too easily. A host that does not answer, or wants to be left alone, is not asked in other ways.
    """
    if learnt.way in ways:
        signal = await ways[learnt.way]()
        learnt.strikes = learnt.strikes + 1 if misfit(signal) else 0
        if learnt.strikes < _STRIKES:
            return signal
    return await _searched(ways, learnt)


def misfit(signal: Signal) -> bool:
    """True when something answered that is not what was looked for."""
    return signal.error in _ELSEWHERE


async def _searched(ways: Ways, learnt: Learnt) -> Signal:
    """Try one way after the other; when none fits, the first one's trouble is told."""
    first: Signal | None = None
    for name, way in ways.items():
        signal = await way()
        if signal.health is not None:
            learnt.way, learnt.strikes = name, 0
            return signal
        first = first or signal
        if signal.error in _NO_ANSWER:
            return signal
    if first is None:
        raise LookupError("there must be a way to read a page")
    return first
