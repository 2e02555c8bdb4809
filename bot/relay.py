"""Tell: each thread is a copy that catches up; one relay per channel, so that one slow platform delays no other.

A step is written down before it is tried and after it is done. What was tried and never confirmed is tried again
under the same key, with word to the chat that it may be there already. Posts and edits go in two lanes, so that an
opening never waits for an edit; one thread is only ever in one of them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec.structs import replace

from bot.core.delivery import Step, key, lane, line, plan, told, urgency
from bot.core.heading import UNSAVED
from bot.core.model import Head, Incident, Line, Policy, Source, State, Thread
from bot.core.pacing import Pace
from bot.core.showing import ladder, shown
from bot.ports import Chat, Clock, Gone, Place, Refused, Retry, Store

log = structlog.get_logger(__name__)

Draw = Callable[[str], Awaitable[bytes | None]]
"""The chart of a service as PNG, or None when there is none to show."""

Waiting = tuple[Thread, Incident, Step]
"""A thread that has something to be told, and its next step."""

_LANES = ("news", "looks")
_CALL = 30.0
_DRAW_EVERY = 60.0
_IDLE = 30.0
_GONE_PAUSE, _GONE_MOST = 5.0, 3


class Ward(Protocol):
    """Where a channel says that it cannot tell, and that it can again."""

    async def refused(self, channel: str, incident: Incident, why: str) -> None:
        """A person must act before this incident can be told there."""
        ...

    async def worked(self, channel: str) -> None:
        """The channel was told something, after it had been refused."""
        ...


class Hold(Protocol):
    """What keeps some of it back for now."""

    async def sift(self, waiting: Sequence[Waiting]) -> Sequence[Waiting]:
        """Those that may be told now."""
        ...

    def addressed(self, line: Line, incident: Incident) -> Line:
        """A line as it may be said now, and to whom."""
        ...


class Relay:
    """Brings every thread of one channel up to the truth.

    `clock` paces retries and edits in real time, whatever clock the engine lives by. `trouble` says why the channel
    cannot be told now; `refused` is True where a person must act. `unsaved` tells of incidents that are in memory alone.
    """

    def __init__(
        self,
        place: Place,
        chat: Chat,
        store: Store,
        clock: Clock,
        *,
        policies: Mapping[str, Policy],
        draw: Draw,
        link: Callable[[str], str],
        troubled: Callable[[str], Sequence[Source]],
        ward: Ward | None = None,
        hold: Hold | None = None,
        unsaved: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.place = place
        self.trouble = ""
        self.refused = False
        self.pace = Pace(getattr(chat, "every", 0.0))
        self._chat = chat
        self._store = store
        self._clock = clock
        self._policies = policies
        self._draw = draw
        self._link = link
        self._troubled = troubled
        self._ward = ward
        self._hold = hold
        self._unsaved = unsaved
        self._wakes = {name: asyncio.Event() for name in _LANES}
        self._busy: set[str] = set()
        self._choosing = asyncio.Lock()
        self._drawn: dict[str, float] = {}
        self._gone: Counter[str] = Counter()
        self._behind: dict[str, float] = {}

    def wake(self) -> None:
        """Something may have changed; called after every save."""
        for event in self._wakes.values():
            event.set()

    def waiting(self) -> float:
        """For how many seconds the longest waiting thread has had something to be told; 0 where none has."""
        now = self._clock.monotonic()
        return max((now - since for since in self._behind.values()), default=0.0)

    def suspect(self, why: str) -> None:
        """An earlier life was refused here: it works again only when something is told. Nothing is suspected if empty."""
        self.trouble, self.refused = why, bool(why)

    async def run(self) -> None:
        """Catch up for ever, in both lanes."""
        async with asyncio.TaskGroup() as group:
            for name in _LANES:
                group.create_task(self._keep_up(name), name=f"{name} of {self.place.name}")

    async def round(self) -> float:
        """Take every step that is due now, the most urgent first; answers the seconds until the next may be due."""
        return min([await self._catch_up(name) for name in _LANES])

    async def _keep_up(self, name: str) -> None:
        wake = self._wakes[name]
        while True:
            wake.clear()
            pause = await self._catch_up(name)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):  # wait_for may swallow a cancellation before Python 3.12
                    await wake.wait()

    async def _catch_up(self, name: str) -> float:
        while True:
            chosen = await self._choose(name)
            if isinstance(chosen, float):
                return chosen
            thread, incident, step = chosen
            try:
                await self._advance(thread, incident, step)
            finally:
                self._busy.discard(incident.id)
                self.wake()

    async def _choose(self, name: str) -> Waiting | float:
        """The most urgent step of a lane that is due, or the seconds until one may be.

        A thread that the other lane held when the look began is left out: what was read of it is old by now.
        """
        async with self._choosing:
            busy = set(self._busy)
            waiting = [one for one in await self._waiting(busy) if lane(one[2]) == name]
            now = self._clock.monotonic()
            if name == "news":
                self._behind = {i.id: self._behind.get(i.id, now) for _, i, _ in waiting} | self._held(busy)
            due = [item for item in waiting if self.pace.due(item[1].id, item[2]) <= now]
            if not due:
                times = [self.pace.due(i.id, step) - now for _, i, step in waiting]
                return max(0.05, min(times, default=_IDLE))
            chosen = min(due, key=lambda item: self._order(item[1], item[2]))
            self._busy.add(chosen[1].id)
            return chosen

    async def _waiting(self, busy: set[str]) -> Sequence[Waiting]:
        behind = await self._store.behind(self.place.name)
        found = [(t, i, step) for t, i in behind if i.id not in busy and (step := plan(t, i))]
        return await self._hold.sift(found) if self._hold else found

    def _held(self, busy: set[str]) -> dict[str, float]:
        return {name: since for name, since in self._behind.items() if name in busy}

    def _policy(self, incident: Incident) -> Policy:
        return ladder(incident, self._policies)

    def _order(self, incident: Incident, step: Step) -> tuple[int, tuple[int, int]]:
        return self.pace.turn(incident.id), urgency(step, incident, self._policy(incident))

    async def _advance(self, thread: Thread, incident: Incident, step: Step) -> None:
        if step.do == "rest":
            await self._store.mark(told(thread, step, incident))
            return
        begun = replace(thread, trying=step.name, tried_at=thread.tried_at or self._clock.now())
        unsure = thread.trying == step.name and thread.tried_at is not None
        if lane(step) == "news" and not unsure:
            await self._store.mark(begun)
        self.pace.called(step, self._clock.monotonic())
        try:
            async with asyncio.timeout(_CALL):
                ref = await self._do(step, begun if unsure else replace(begun, tried_at=None), incident)
        except TimeoutError:
            await self._later(begun, step, Retry(f"{self.place.chat} did not answer in {_CALL:.0f} s", unsure=True))
        except Retry as why:
            await self._later(begun, step, why, forget=not unsure and not why.unsure)
        except Gone as why:
            await self._vanished(thread, incident, why)
        except Refused as why:
            await self._refuse(begun if unsure else thread, incident, why)
        else:
            await self._done(begun, step, incident, ref)

    async def _do(self, step: Step, thread: Thread, incident: Incident) -> str:
        since = thread.tried_at
        policy = self._policy(incident)
        if step.do == "reply":
            entries = (await self._store.entries(incident.id, step.first - 1))[: step.last - step.first + 1]
            said = self._addressed(line(entries, incident, policy), incident)
            await self._chat.reply(self.place, thread.ref, key(step, thread), said, since)
            return ""
        now = self.head(incident)
        png = await self._picture(step, incident)
        if step.do == "open":
            return await self._chat.open(self.place, key(step, thread), now, png, since)
        verb = self._chat.close if step.do == "close" else self._chat.edit
        await verb(self.place, thread.ref, now, png)
        return ""

    def _addressed(self, said: Line, incident: Incident) -> Line:
        said = replace(said, mention=self.place.mention.get(said.level, "")) if said.calls else said
        return self._hold.addressed(said, incident) if self._hold else said

    def head(self, incident: Incident) -> Head:
        """The head message as this channel shows it now."""
        troubled = self._troubled(incident.service) if incident.alive else ()
        now = shown(incident, self._policy(incident), link=self._link(incident.id), troubled=troubled)
        return replace(now, facts=(*now.facts, UNSAVED)) if self._unsaved(incident.id) else now

    async def _picture(self, step: Step, incident: Incident) -> bytes | None:
        """A fresh chart with the close and at most once a minute before; an opening never waits for one."""
        now = self._clock.monotonic()
        if (
            step.do == "open"
            or incident.service.startswith(".")
            or (step.do == "edit" and now - self._drawn.get(incident.id, -_DRAW_EVERY) < _DRAW_EVERY)
        ):
            return None
        self._drawn[incident.id] = now
        try:
            return await self._draw(incident.service)
        except Retry as why:
            log.warning("chart left out", incident=incident.id, why=str(why))
            return None

    async def _done(self, thread: Thread, step: Step, incident: Incident, ref: str) -> None:
        self.pace.worked(thread.incident, self._clock.monotonic())
        await self._store.mark(told(thread, step, incident, ref))
        if incident.state is State.CLOSED and step.do == "close":
            self.pace.forget(thread.incident)
            self._drawn.pop(thread.incident, None)
        await self._recovered()

    async def _recovered(self) -> None:
        if not self.trouble:
            return
        log.info("channel works again", channel=self.place.name)
        refused, self.trouble, self.refused = self.refused, "", False
        if refused and self._ward:
            await self._ward.worked(self.place.name)

    async def _later(self, thread: Thread, step: Step, why: Retry, *, forget: bool = False) -> None:
        """Come back later; `forget`: nothing was sent, so no look-up next time."""
        after = why.after.total_seconds() if why.after is not None else None
        self.pace.failed(thread.incident, step, self._clock.monotonic(), after)
        if forget:
            await self._store.mark(replace(thread, trying="", tried_at=None))
        self._say(str(why))

    async def _vanished(self, thread: Thread, incident: Incident, why: Gone) -> None:
        """The message we pointed at was deleted: post a fresh one; who deletes it again and again wants none."""
        self._gone[thread.incident] += 1
        if self._gone[thread.incident] > _GONE_MOST:
            words = f"{why}, for the {_GONE_MOST + 1}th time; post no more of it, or find out who deletes it"
            await self._refuse(replace(thread, ref="", shown=0), incident, Refused(words))
            return
        log.warning("thread is gone, posting a fresh one", channel=self.place.name, incident=thread.incident, why=why)
        self.pace.wait(thread.incident, self._clock.monotonic() + _GONE_PAUSE)
        await self._store.mark(Thread(incident=thread.incident, channel=thread.channel, heard=thread.heard))

    async def _refuse(self, thread: Thread, incident: Incident, why: Refused) -> None:
        """A person must act: keep the thread as a dead letter, and say so where it can be read."""
        self.pace.refused(self._clock.monotonic())
        self._say(str(why))
        self.refused = True
        await self._store.mark(replace(thread, dead=str(why)))
        if self._ward:
            await self._ward.refused(self.place.name, incident, str(why))

    def _say(self, why: str) -> None:
        if why != self.trouble:
            log.error("channel has trouble", channel=self.place.name, why=why)
            self.trouble = why
