"""What the house does by itself now and then: archive, save what the disk did not take, listen for silence, back up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from bot.backups import back_up, backups, made, thin
from bot.house import House
from bot.ports import Clock, Retry
from bot.tending import Tending

STORE = "store"
"""The trouble that the disk takes nothing."""

_ARCHIVE_EVERY = 60.0
_BACK_UP_EVERY = timedelta(hours=6)
_BACK_UP_LOOK = 600.0
_SURFACE_EVERY = 5.0
_LISTEN_EVERY = 20.0


class Chores:
    """Each goes on for ever; `audit` proves again what a full disk had broken."""

    def __init__(self, house: House, clock: Clock, tending: Tending, audit: Callable[[], Awaitable[object]]) -> None:
        self._house, self._clock = house, clock
        self._tending, self._audit = tending, audit

    async def archive(self) -> None:
        """Keep the hours that changed, say what was mended, and change the key when it is old."""
        while True:
            await self._clock.sleep(_ARCHIVE_EVERY)
            for name in self._tending.mended():
                await self._house.ailing.over(name)
            await self._house.ailing.mend()
            with suppress(Retry):  # the hours stay due; that the disk takes nothing is said by the store
                await self._house.intake.keep()
            self._house.rekey()

    async def surface(self) -> None:
        """Save what the disk did not take, and say once that it does not, and once that it does again."""
        store, said = self._house.store, ""
        while True:
            if store.trouble and not said:
                said = store.trouble
                await self._house.ailing.say(STORE, said)
            elif await store.surface() and said:
                said = ""
                await self._house.ailing.over(STORE)
                await self._audit()
            await self._clock.sleep(_SURFACE_EVERY)

    async def listen(self) -> None:
        """Say which feeds of reports have fallen silent, and which are heard again."""
        while True:
            found = self._house.engine.crowd.silences.found
            said = {service: silence.words() for service, silence in found.items()}
            await self._house.ailing.listen(said, self._house.services)
            await self._clock.sleep(_LISTEN_EVERY)

    async def back_up(self) -> None:
        """Copy the databases every six hours, counted from the last backup whoever made it; four are kept."""
        folder, now = self._house.folder, self._house.clock.now
        while folder is not None:
            late = not any(made(backup) > now() - _BACK_UP_EVERY for backup in backups(folder / "backups")[:1])
            if late and not self._house.store.trouble:  # a copy would take the last room there is
                await asyncio.to_thread(back_up, folder, folder / "backups", now())
                thin(folder / "backups")
            await self._clock.sleep(_BACK_UP_LOOK)
        await asyncio.Event().wait()
