"""Say what ails the house itself, in a channel that still works: kept and told as incidents are, so once and surely."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import structlog

from bot.core import ailment
from bot.core.model import Case, Incident
from bot.ports import Clock, Conflict, Retry, Store

log = structlog.get_logger(__name__)

CHANNEL, REPORTS = "channel ", "reports of "
"""And its name: the subject of a channel that refuses, and that of a service whose feed is silent."""

Decide = Callable[[Case], ailment.Outcome]

Others = Callable[[str, str], Sequence[str]]
"""Channels that can stand in for one, best first, for news of a service (either may be empty)."""


class Ailing:
    """The house's own troubles by subject; `said` holds the words of those that last.

    `others` names the channels to turn to; `changed` is called after something was saved.
    """

    def __init__(self, store: Store, clock: Clock, others: Others, changed: Callable[[], None]) -> None:
        self.said: dict[str, str] = {}
        self._store = store
        self._clock = clock
        self._others = others
        self._changed = changed
        self._unsaved: dict[str, tuple[Decide, Sequence[str]]] = {}
        self._turn = asyncio.Lock()

    async def say(self, subject: str, words: str, channels: Sequence[str] | None = None) -> None:
        """Something is wrong with us: told in these channels, or in the best one there is; said once."""
        if self.said.get(subject) != words:
            log.error("something ails the house", subject=subject, why=words)
        self.said[subject] = words
        told = self._others("", "")[:1] if channels is None else channels
        await self._keep(subject, lambda case: ailment.ailing(case, words, self._clock.now()), told)

    async def over(self, subject: str, words: str = "") -> None:
        """It works again."""
        if self.said.pop(subject, None) is not None:
            log.info("mended", subject=subject)
        await self._keep(subject, lambda case: ailment.mended(case, words, self._clock.now()), ())

    async def gone(self, subject: str) -> None:
        """It is configured no more, so that nobody will know whether it works again."""
        if self.said.pop(subject, None) is not None:
            log.info("not watched any longer", subject=subject)
        await self._keep(subject, lambda case: ailment.gone(case, self._clock.now()), ())

    async def listen(self, silent: Mapping[str, str], services: Collection[str]) -> None:
        """Feeds of reports that are silent now, in words by service: each is told once, and once when it is heard again.

        Of a service that is none of `services` any more nothing will be heard.
        """
        for service, words in silent.items():
            if service in services and f"{REPORTS}{service}" not in self.said:
                await self.say(f"{REPORTS}{service}", words)
        for subject in [subject for subject in self.said if subject.startswith(REPORTS)]:
            service = subject.removeprefix(REPORTS)
            if service not in services:
                await self.gone(subject)
            elif service not in silent:
                await self.over(subject, "Reports come in again.")

    async def refused(self, channel: str, incident: Incident, why: str) -> None:
        """A channel will not take what we say: another channel of that service hears why, else any other."""
        service = "" if ailment.ours(incident) else incident.service
        others = self._others(channel, service)
        if ailment.ours(incident):  # the stand-in does not work either: the next one hears of both
            await self._pass_on(incident, [other for other in others if other != channel][:1])
        await self.say(f"{CHANNEL}{channel}", why, others[:1])

    async def worked(self, channel: str) -> None:
        """A channel takes what we say again; what it refused meanwhile waits for a person's word."""
        waiting = len(await self._store.dead(channel))
        left = f"{waiting} of its threads were refused meanwhile: tocsin retry {channel}" if waiting else ""
        await self.over(f"{CHANNEL}{channel}", left)

    async def mend(self) -> None:
        """Save what could not be saved; called now and then."""
        for subject, (decide, channels) in list(self._unsaved.items()):
            await self._keep(subject, decide, channels)

    async def recall(self, still: Callable[[str], bool]) -> None:
        """At the start: of what an earlier life said, keep what may still be so, and call the rest over."""
        for case in await self._store.cases("."):
            subject, incident = case.service[1:], case.incident
            if incident is None or not incident.alive or not ailment.ours(incident):
                continue
            if still(subject):
                self.said[subject] = incident.closed_why
            elif subject.startswith((CHANNEL, REPORTS)):
                await self.gone(subject)
            else:
                await self.over(subject, "Tocsin was started again.")

    async def _pass_on(self, incident: Incident, channels: Sequence[str]) -> None:
        """Give a trouble's thread to another channel too."""
        case = await self._store.load(incident.service)
        if case.incident and case.incident.id == incident.id and channels:
            await self._store.save(case, (), channels)

    async def _keep(self, subject: str, decide: Decide, channels: Sequence[str]) -> None:
        async with self._turn:
            try:
                case = await self._store.load(ailment.service(subject))
                after, entries = decide(case)
                if after != case:
                    await self._store.save(after, entries, channels)
                self._unsaved.pop(subject, None)
            except (Retry, Conflict) as why:
                log.warning("cannot keep what ails the house, trying again", subject=subject, why=str(why))
                self._unsaved[subject] = decide, channels
        self._changed()
