"""Threads themselves: a marked TEST from open to close in one channel, and a lost thread built again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.core.heading import head
from bot.core.model import Answer, Bold, Head, Incident, Line, Numbers, Policy, Request, State, Text, Thread
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms, Verb, no, yes
from bot.ports import Chat, Place, Refused, Retry

_PATIENCE = 60.0
_WHY = "This is a test. Nothing is wrong, and nobody is called."
_POLICY = Policy(
    name="TEST",
    levels=("test",),
    open_at="test",
    confirm_for=timedelta(0),
    quiet_for=timedelta(0),
    reopen_for=timedelta(0),
)


class Threads:
    """The verbs test and replay."""

    def __init__(self, house: Rooms, finder: Finder) -> None:
        self._house = house
        self._finder = finder
        self._busy: set[str] = set()

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {"test": self._test, "replay": self._replay}

    async def _test(self, request: Request) -> Answer:
        channel = request.text.strip().lstrip("#") or request.channel
        if channel not in self._house.chats:
            names = ", ".join(self._house.chats) or "none are connected"
            return no((f"Test which channel? test <channel>. Channels: {names}.",))
        if channel in self._busy:
            return no((f"A test is under way in {channel} already.",))
        self._busy.add(channel)
        try:
            async with asyncio.timeout(_PATIENCE):
                await drill(*self._house.chats[channel], self._house.clock.now())
        except (Retry, Refused, TimeoutError) as why:
            return no((f"The test in {channel} failed: {str(why) or 'the chat did not answer in a minute'}.",))
        finally:
            self._busy.discard(channel)
        return yes((f"The test in {channel} went through: opened, updated and closed.",))

    async def _replay(self, request: Request) -> Answer:
        incident = await self._finder.incident(request)
        if incident is None:
            return self._finder.no_incident(request)
        threads = await self._house.store.threads(incident.id)
        chosen = _chosen(threads, request)
        if not chosen:
            names = ", ".join(thread.channel for thread in threads) or "no channel"
            return no((f"{incident.id} is told in {names}. Which? replay {incident.id} <channel>.",))
        for thread in chosen:
            await self._house.store.mark(Thread(incident=incident.id, channel=thread.channel))
        self._house.changed(incident.service)
        channels = ", ".join(thread.channel for thread in chosen)
        return yes((f"A fresh thread of {incident.id} is being built in {channels}. An old one is no longer kept up.",))


async def drill(chat: Chat, place: Place, now: datetime) -> None:
    """A whole life in one channel, marked as a test: open, a line, an edit, a line, close.

    Raises:
        Retry: the chat could not take it now.
        Refused: a person must act first; the words say how.
    """
    incident = _pretended(now)
    key = f"{incident.id}/{place.name}"
    ref = await chat.open(place, f"{key}/open", _shown(incident), None, None)
    await chat.reply(place, ref, f"{key}/1", _line(1, "Opened: test"), None)
    await chat.edit(place, ref, _shown(replace(incident, rev=2)), None)
    await chat.reply(place, ref, f"{key}/2", _line(2, "Over"), None)
    over = replace(incident, state=State.CLOSED, closed_at=now, eased_at=now, rev=3)
    await chat.close(place, ref, _shown(over), None)


def _chosen(threads: Sequence[Thread], request: Request) -> list[Thread]:
    """The copies meant: those named, else the one of this channel, else those that died, else the only one."""
    named = request.text.replace("#", "").replace(",", " ").split()
    if named:
        return [thread for thread in threads if thread.channel in named]
    here = [thread for thread in threads if thread.channel == request.channel]
    dead = [thread for thread in threads if thread.dead]
    return here or dead or (list(threads) if len(threads) == 1 else [])


def _pretended(now: datetime) -> Incident:
    return Incident(
        id=f"test-{now:%Y%m%d-%H%M%S}",
        service="test",
        name="TEST",
        state=State.OPEN,
        since=now,
        level="test",
        peak_level="test",
        started_at=now,
        opened_at=now,
        numbers=Numbers(count=0, within=timedelta(minutes=15)),
        rev=1,
    )


def _shown(incident: Incident) -> Head:
    """A head that looks like a real one and says that it is none; it has no buttons."""
    said: Text = (Bold("TEST. "), _WHY)
    title = "TEST: nothing is wrong" if incident.alive else "TEST: over, nothing was wrong"
    shown = head(incident, _POLICY)
    return replace(shown, push=f"TEST - {title[6:]}", title=title, sentence=said, facts=(), buttons=())


def _line(seq: int, words: str) -> Line:
    return Line(seq=seq, text=(Bold(f"TEST. {words}. "), _WHY), tone="calm", level="")
