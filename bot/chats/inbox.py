"""What happens in a chat, by whatever way it comes: each thing once, and none waits for another."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Self

_REMEMBERED = 1_000


class Inbox:
    """Begins to work on what was acknowledged already; `hear` is given whatever was taken."""

    def __init__(self, hear: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self._hear = hear
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._working: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for work in self._working:
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    def take(self, name: str, *told: Any) -> None:
        """Take one thing in, unless it came under this name before."""
        if name in self._seen:
            return
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        work = asyncio.create_task(self._hear(*told))
        self._working.add(work)
        work.add_done_callback(self._working.discard)
