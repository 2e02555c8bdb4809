"""The gateway to Discord: a client that is used once, and thrown away and made afresh after every fault."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import discord
import structlog
from discord.gateway import KeepAliveHandler

from bot.chats.discord_ear import Ear
from bot.chats.discord_trouble import troubles
from bot.ports import Clock, Refused, Retry

log = structlog.get_logger(__name__)

_LONGEST, _REFUSED, _LONGEST_REFUSED, _STABLE = 15.0, 30.0, 300.0, 120.0
_MOST, _HOUR = 20, 3600.0
_APART = (5.0, 5.0, 10.0, 20.0, 40.0, 60.0, 60.0)
"""Seconds from one new session of an hour to the next, as long as there were few."""
_DROPS, _DROP_WINDOW = 5, 60.0
_BEGINNING, _EVERY, _PATIENCE, _MISSES = 20.0, 20.0, 15.0, 2
"""Seconds to begin in; then, between looks for life, for one look, and how many in vain make a link dead."""
_HEARTBEAT = 30.0
_GOODBYE = 3.0


class Identifies:
    """When the next session may begin: quickly at first, and never more than 20 an hour, whatever happens.

    Discord resets the token of a bot that begins 1000 a day. `deaf_since` is when the present session broke or the first
    was begun, by the clock's steady seconds, and None while one is up.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.deaf_since: float | None = None
        self._recent: deque[float] = deque(maxlen=_MOST)

    def wait(self) -> float:
        """For how many seconds to wait; what is left of the hour's allowance is spread over what is left of the hour."""
        now = self.clock.monotonic()
        while self._recent and now - self._recent[0] >= _HOUR:
            self._recent.popleft()
        begun = len(self._recent)
        if not begun:
            return 0.0
        left = self._recent[0] + _HOUR - now
        apart = _APART[begun - 1] if begun <= len(_APART) else max(_APART[0], left / max(_MOST - begun, 1))
        return max(self._recent[-1] + apart - now, left if begun == _MOST else 0.0)

    def take(self) -> None:
        """Count one that begins."""
        self._recent.append(self.clock.monotonic())

    def hear(self, *, up: bool) -> None:
        """A session is up, or is not."""
        now = self.clock.monotonic()
        self.deaf_since = None if up else now if self.deaf_since is None else self.deaf_since


class Gateway(Ear):
    """One connection to the gateway, used once and thrown away after a fault.

    A link may keep its heartbeat and tell nothing more, or be half open for minutes; and a quiet server is no fault. So
    the gateway is asked now and then for what only it can tell: whether we are a member of a server.
    """

    def __init__(self, identifies: Identifies, *given: Any, **more: Any) -> None:
        super().__init__(*given, **{"heartbeat_timeout": _HEARTBEAT} | more)
        self._identifies = identifies
        self._clock = identifies.clock
        self._drops: deque[float] = deque(maxlen=_DROPS)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Listen until the link breaks.

        Raises:
            Retry: it was found to be dead.
        """
        tasks = [asyncio.create_task(work) for work in (super().connect(reconnect=reconnect), self._pulse())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _ended(tasks)

    async def _pulse(self) -> None:
        """Look for signs of life, for ever.

        Raises:
            Retry: there are none.
        """
        if not await within(self._clock, self.wait_until_ready(), _BEGINNING):
            raise Retry("Discord's gateway does not say that it is ready")
        missed = 0
        while missed < _MISSES:
            await self._clock.sleep(0 if missed else _EVERY)
            missed = 0 if await within(self._clock, self._asked_back(), _PATIENCE) else missed + 1
        raise Retry("Discord's gateway is deaf: it does not answer any longer")

    async def _asked_back(self) -> None:
        """Return once the gateway has told something; a link that is just being replaced tells nothing."""
        me, guild = self.user, next((guild for guild in self.guilds if not guild.unavailable), None)
        if me is None or guild is None:
            return  # a bot that is in no server has nobody to hear
        try:
            await guild.query_members(user_ids=[me.id], cache=False)
        except (discord.DiscordException, aiohttp.ClientError, OSError, RuntimeError):
            await asyncio.Event().wait()

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:
        """Begin one session only; the next is for a fresh client, which may have to wait for it."""
        if not initial:
            raise Retry("Discord ended the session")
        self._identifies.take()

    async def on_ready(self) -> None:
        """A new session is up."""
        log.info("listening", chat=self._name, bot=str(self.user))

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """As the library does, but a link that falls again and again is given up: it would redial at once, for ever."""
        if event in ("ready", "resumed", "disconnect"):
            self._identifies.hear(up=event != "disconnect")
        if event == "disconnect":
            self._drops.append(self._clock.monotonic())
            if len(self._drops) == _DROPS and self._drops[-1] - self._drops[0] < _DROP_WINDOW:
                raise Retry("Discord's gateway hangs up again and again")
        if not self.is_closed():  # the library goes on telling for a moment, to a loop it has let go of
            super().dispatch(event, *args, **kwargs)


async def stay(fresh: Callable[[], Ear], token: str, identifies: Identifies, name: str) -> None:
    """Keep one client alive until cancelled: 15 s between tries at most, five minutes when a person must act.

    The library alone would wait up to 17 minutes between tries, and return for good on some closes.
    """
    clock, failures, trouble = identifies.clock, 0, ""
    while True:
        identifies.hear(up=False)
        await clock.sleep(identifies.wait())
        began = clock.monotonic()
        why = await _listened(fresh(), token, clock)
        if clock.monotonic() - began > _STABLE:
            failures, trouble = 0, ""
        if str(why) != trouble:
            trouble = str(why)
            log.error("not listening", chat=name, why=trouble)
        await clock.sleep(_pause(why, failures))
        failures += 1


def _pause(why: Retry | Refused, failures: int) -> float:
    """Seconds to the next try. A refusal may be Discord's own mistake, so the first one is not believed for long."""
    if isinstance(why, Refused):
        return min(_REFUSED * 2.0 ** min(failures, 9), _LONGEST_REFUSED)
    asked = why.after.total_seconds() if why.after else 0.0
    return max(asked, min(2.0 ** min(failures, 9), _LONGEST))


async def within(clock: Clock, work: Coroutine[Any, Any, object], seconds: float) -> bool:
    """Whether something was done in time; if not, it is given up. What it raises is raised."""
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(work), asyncio.create_task(clock.sleep(seconds))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
        return tasks[0].done()
    finally:
        await _ended(tasks)


async def _listened(client: Ear, token: str, clock: Clock) -> Retry | Refused:
    """Listen until something breaks; answers what it was."""
    try:
        with troubles("gateway"):
            await _signed_in(client, token, clock)
            await client.connect(reconnect=False)
    except (Retry, Refused) as why:
        return why
    except Exception as odd:
        log.exception("the gateway client failed")
        return Retry(f"the gateway client failed: {odd!r}")
    finally:
        await _thrown_away(client)
    return Retry("Discord's gateway let go of us")


async def _signed_in(client: Ear, token: str, clock: Clock) -> None:
    if not await within(clock, client.login(token), _BEGINNING):
        raise Retry("Discord did not answer when we signed in")


async def _thrown_away(client: Ear) -> None:
    """Let go of a client; a dead link would have us wait for its good-bye for half a minute."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await client.close()
    await client.http.close()
    for thread in threading.enumerate():  # a link that broke while it was made is left behind with its heart beating
        if isinstance(thread, KeepAliveHandler) and thread.ws._connection is client._connection:  # noqa: SLF001
            thread.stop()


async def _ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
