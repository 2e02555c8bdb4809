"""Hear: what others tell us by themselves becomes signals, once for each message, across restarts.

A delivery is first proved and read by its hook, then kept (memory and the names of its messages in one write), and only
then handed to the engine: whatever dies in between, the next life speaks from what was kept.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from bot.core.alerts import Alert, Alerts, forget, learn, together
from bot.core.model import Signal
from bot.ports import Clock, Forbidden, Heard, Hook, Http, Ledger, Letter, Missing, Retry

log = structlog.get_logger(__name__)

_SWEEP = 30.0
_REMEMBERED = timedelta(hours=24)  # more than twice what any sender's clock or retry may be late

_encode = msgspec.msgpack.encode
_alerts = msgspec.msgpack.Decoder(Alerts).decode


class Hearing:
    """Takes deliveries in. `hooks` are by service and watch; `ask` makes the other watches of a service look now."""

    def __init__(
        self,
        *,
        hooks: Mapping[str, Mapping[str, Hook]],
        http: Http,
        clock: Clock,
        ledger: Ledger,
        hear: Callable[[str, str, Signal], Awaitable[None]],
        ask: Callable[[str], None],
    ) -> None:
        self._hooks = _flat(hooks)
        self._http = http
        self._clock = clock
        self._ledger = ledger
        self._hear = hear
        self._ask = ask
        self._memory: dict[tuple[str, str], Alerts] = {}
        self._refusing: set[str] = set()
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def adopt(self, hooks: Mapping[str, Mapping[str, Hook]]) -> None:
        """Other hooks from now on; what those that stay remember is kept."""
        self._hooks = _flat(hooks)
        for gone in self._memory.keys() - self._hooks.keys():
            del self._memory[gone]

    async def wake(self) -> None:
        """Take up where the last life left off: what was firing still is, unless it has been forgotten meanwhile."""
        kept = await self._ledger.recall()
        for where in self._hooks:
            body = kept.get("/".join(where))
            if body is not None:
                self._memory[where] = _alerts(body)
                await self._forget(where)
                await self._say(where)

    async def take(self, service: str, watch: str, letter: Letter) -> bool:
        """Take one delivery in; False when all of it was known already. Returns only once it is durable.

        Raises:
            Missing: there is no such hook.
            Forbidden: the sender has not proved who it is.
            ValueError: the body cannot be read; the words say what would be right.
            Retry: not now; nothing of it counts.
        """
        heard = await self._read(service, watch, letter)
        if heard.ask:
            self._ask(service)
        async with self._turns[service, watch]:
            self._hook(service, watch)  # it may have gone while the letter was read
            return await self._learn((service, watch), heard)

    async def run(self) -> None:
        """Let go of old alerts and old names of messages, for ever."""
        while True:
            await self._clock.sleep(_SWEEP)
            await self._ledger.forget(self._clock.now() - _REMEMBERED)
            for where in list(self._memory):
                async with self._turns[where]:
                    if where in self._memory and await self._forget(where):
                        await self._say(where)

    async def _read(self, service: str, watch: str, letter: Letter) -> Heard:
        """What the letter means; say once that a hook refuses what it gets, and once that it takes it again."""
        label = f"{service}/{watch}"
        try:
            heard = await self._hook(service, watch).hear(letter, self._http)
        except (Forbidden, ValueError) as why:
            if label not in self._refusing:
                self._refusing.add(label)
                log.warning("hook refuses what it is sent", watch=label, why=str(why)[:200])
            raise
        if label in self._refusing:
            self._refusing.discard(label)
            log.info("hook takes what it is sent again", watch=label)
        return heard

    def _hook(self, service: str, watch: str) -> Hook:
        hook = self._hooks.get((service, watch))
        if hook is None:
            raise Missing(
                f"there is no hook {watch!r} of a service {service!r}; hooks stand under services.<service>.watch"
            )
        return hook

    async def _learn(self, where: tuple[str, str], heard: Heard) -> bool:
        fresh = await self._fresh(where, heard.alerts)
        if not fresh:
            return heard.ask or not heard.alerts
        now = self._clock.now()
        memory = learn(self._memory.get(where, Alerts()), fresh, now)
        await self._keep(where, memory, sorted({alert.id for alert in fresh if alert.id}), now)
        await self._say(where)
        return True

    async def _fresh(self, where: tuple[str, str], alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts whose message was not taken in before; a sender without names for messages may repeat itself."""
        known = await self._ledger.known("/".join(where), sorted({alert.id for alert in alerts if alert.id}))
        return [alert for alert in alerts if alert.id not in known]

    async def _forget(self, where: tuple[str, str]) -> bool:
        now = self._clock.now()
        memory = forget(self._memory[where], now, getattr(self._hooks[where], "forget_after", _REMEMBERED))
        if memory is self._memory[where]:
            return False
        gone = [a.title or a.key for a in self._memory[where].firing if a.key not in memory.held]
        if gone:
            log.warning(
                "alerts count as over, nothing was heard of them for too long", watch="/".join(where), alerts=gone[:5]
            )
        await self._keep(where, memory, (), now)
        return True

    async def _keep(self, where: tuple[str, str], memory: Alerts, ids: Sequence[str], now: datetime) -> None:
        await self._ledger.keep("/".join(where), _encode(memory), ids, now)
        self._memory[where] = memory

    async def _say(self, where: tuple[str, str]) -> None:
        """Tell the engine; what was kept stays true while the disk cannot take the decision, and is judged again."""
        try:
            await self._hear(*where, together(self._memory[where], self._clock.now()))
        except Retry as why:
            log.warning("an alert was kept, its judgement waits for the disk", watch="/".join(where), why=str(why))


def _flat(hooks: Mapping[str, Mapping[str, Hook]]) -> dict[tuple[str, str], Hook]:
    """The hooks by service and watch in one table."""
    return {(service, watch): hook for service, watches in hooks.items() for watch, hook in watches.items()}
