"""Tell: each thread is a copy that catches up; one relay per channel, so that one slow platform delays no other.

A step is written down before it is tried and after it is done. What was tried and never confirmed is tried again
under the same key, with word to the chat that it may be there already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import structlog
from msgspec.structs import replace

from bot.core.delivery import Step, key, line, plan, told, urgency
from bot.core.heading import head
from bot.core.model import Head, Incident, Policy, Source, State, Thread
from bot.ports import Chat, Clock, Gone, Place, Refused, Retry, Store

log = structlog.get_logger(__name__)

Draw = Callable[[str], Awaitable[bytes | None]]
"""The chart of a service as PNG, or None when there is none to show."""

_CALL = 30.0
_EDIT_EVERY = 2.0
_DRAW_EVERY = 60.0
_IDLE = 30.0
_LONGEST = 300.0


class Relay:
    """Brings every thread of one channel up to the truth.

    `clock` paces retries and edits in real time, whatever clock the engine lives by.
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
    ) -> None:
        self.place = place
        self.trouble = ""
        self._chat = chat
        self._store = store
        self._clock = clock
        self._policies = policies
        self._draw = draw
        self._link = link
        self._troubled = troubled
        self._wake = asyncio.Event()
        self._not_before: dict[str, float] = {}
        self._tries: dict[str, int] = {}
        self._edited: dict[str, float] = {}
        self._drawn: dict[str, float] = {}

    def wake(self) -> None:
        """Something may have changed; called after every save."""
        self._wake.set()

    async def run(self) -> None:
        """Catch up for ever."""
        while True:
            self._wake.clear()
            pause = await self.round()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=pause)

    async def round(self) -> float:
        """Take every step that is due now, the most urgent first; answers the seconds until the next may be due."""
        while True:
            waiting = [self._due(t, i) for t, i in await self._store.behind(self.place.name) if self._plan(t, i)]
            due = [item for item in waiting if item[0] <= self._clock.monotonic()]
            if not due:
                return self._pause([at for at, _, _ in waiting])
            _, thread, incident = min(due, key=lambda item: self._order(item[1], item[2]))
            await self._advance(thread, incident)

    def _pause(self, times: Sequence[float]) -> float:
        return max(0.05, min([t - self._clock.monotonic() for t in times], default=_IDLE))

    def _plan(self, thread: Thread, incident: Incident) -> Step | None:
        return plan(thread, incident) if incident.service in self._policies else None

    def _due(self, thread: Thread, incident: Incident) -> tuple[float, Thread, Incident]:
        """When this thread's next step may be taken: after its back-off, and edits no faster than people can read."""
        at = max(self._not_before.get(thread.incident, 0.0), self._not_before.get("", 0.0))
        step = self._plan(thread, incident)
        if step and step.do == "edit":
            at = max(at, self._edited.get(thread.incident, 0.0) + _EDIT_EVERY)
        return at, thread, incident

    def _order(self, thread: Thread, incident: Incident) -> tuple[int, int]:
        step = self._plan(thread, incident)
        return urgency(step, incident, self._policies[incident.service]) if step else (9, 0)

    async def _advance(self, thread: Thread, incident: Incident) -> None:
        step = self._plan(thread, incident)
        if step is None:
            return
        begun = replace(thread, trying=step.name, tried_at=thread.tried_at or self._clock.now())
        unsure = thread.trying == step.name and thread.tried_at is not None
        if step.do in ("open", "reply") and not unsure:
            await self._store.mark(begun)
        try:
            async with asyncio.timeout(_CALL):
                ref = await self._do(step, begun if unsure else replace(begun, tried_at=None), incident)
        except TimeoutError:
            await self._later(begun, Retry(f"{self.place.chat} did not answer in {_CALL:.0f} s", unsure=True))
        except Retry as why:
            await self._later(begun, why, forget=not unsure and not why.unsure)
        except Gone as why:
            await self._gone(thread, why)
        except Refused as why:
            await self._refused(thread, why)
        else:
            await self._done(begun, step, incident, ref)

    async def _do(self, step: Step, thread: Thread, incident: Incident) -> str:
        since = thread.tried_at
        policy = self._policies[incident.service]
        if step.do == "reply":
            entries = (await self._store.entries(incident.id, step.first - 1))[: step.last - step.first + 1]
            said = line(entries, incident, policy)
            await self._chat.reply(self.place, thread.ref, key(step, thread), said, since)
            return ""
        shown = self.head(incident)
        png = await self._picture(step, incident)
        if step.do == "open":
            return await self._chat.open(self.place, key(step, thread), shown, png, since)
        verb = self._chat.close if step.do == "close" else self._chat.edit
        await verb(self.place, thread.ref, shown, png)
        return ""

    def head(self, incident: Incident) -> Head:
        """The head message as this channel shows it now."""
        troubled = self._troubled(incident.service) if incident.alive else ()
        return head(incident, self._policies[incident.service], link=self._link(incident.id), troubled=troubled)

    async def _picture(self, step: Step, incident: Incident) -> bytes | None:
        """A fresh chart with the close and at most once a minute before; an opening never waits for one."""
        now = self._clock.monotonic()
        if step.do == "open" or (step.do == "edit" and now - self._drawn.get(incident.id, -_DRAW_EVERY) < _DRAW_EVERY):
            return None
        self._drawn[incident.id] = now
        try:
            return await self._draw(incident.service)
        except Retry as why:
            log.warning("chart left out", incident=incident.id, why=str(why))
            return None

    async def _done(self, thread: Thread, step: Step, incident: Incident, ref: str) -> None:
        self._tries.pop(thread.incident, None)
        self._not_before.pop(thread.incident, None)
        self._edited[thread.incident] = self._clock.monotonic()
        if self.trouble:
            log.info("channel works again", channel=self.place.name)
            self.trouble = ""
        await self._store.mark(told(thread, step, incident, ref))
        if incident.state is State.CLOSED and step.do == "close":
            self._edited.pop(thread.incident, None)
            self._drawn.pop(thread.incident, None)

    async def _later(self, thread: Thread, why: Retry, *, forget: bool = False) -> None:
        """Wait as long as we were asked to, else back off; `forget`: nothing was sent, so no look-up next time."""
        tries = self._tries[thread.incident] = self._tries.get(thread.incident, 0) + 1
        pause = why.after.total_seconds() if why.after else min(0.5 * 2**tries, _LONGEST)
        whole = "" if why.after else thread.incident
        self._not_before[whole] = self._clock.monotonic() + pause
        if forget:
            await self._store.mark(replace(thread, trying="", tried_at=None))
        self._say(str(why))

    async def _gone(self, thread: Thread, why: Gone) -> None:
        """The message we pointed at was deleted: post a fresh one, and let it say everything once more."""
        log.warning("thread is gone, posting a fresh one", channel=self.place.name, incident=thread.incident, why=why)
        self._not_before[thread.incident] = self._clock.monotonic() + timedelta(seconds=5).total_seconds()
        await self._store.mark(Thread(incident=thread.incident, channel=thread.channel, heard=thread.heard))

    async def _refused(self, thread: Thread, why: Refused) -> None:
        self._say(str(why))
        await self._store.mark(replace(thread, dead=str(why), trying="", tried_at=None))

    def _say(self, why: str) -> None:
        if why != self.trouble:
            log.error("channel has trouble", channel=self.place.name, why=why)
            self.trouble = why
