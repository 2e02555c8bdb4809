"""What must hold while the house is lived in, as questions for the auditor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.auditor import Invariant
from bot.house import House
from bot.listening.asking import Asking
from bot.listening.vantages import Vantages
from bot.tending import Tending

_BEHIND = 300.0
"""Seconds that news may wait for a channel before that is a breach; a platform's own limits take less."""
_LATE = timedelta(seconds=5)
_ROOM = 200_000_000
"""Bytes; less free room than this on the disk is worth a word while there still is some."""
_OFF = timedelta(seconds=30)
_DEAF = 60.0
"""Seconds without a line to a chat; a fresh one is there sooner unless the platform is away."""


class Proofs:
    """Each public method is an invariant.

    `off` is how far the machine's clock is from the steady one; `deaf` for how many seconds a chat has not been heard.
    """

    def __init__(
        self,
        house: House,
        tending: Tending,
        asking: Asking,
        vantages: Vantages,
        *,
        beating: bool,
        off: Callable[[], timedelta],
        deaf: Callable[[], Mapping[str, float]],
    ) -> None:
        self._house = house
        self._tending = tending
        self._asking = asking
        self._vantages = vantages
        self._beating = beating
        self._off = off
        self._deaf = deaf
        self._began = house.clock.now()

    def all(self) -> Mapping[str, Invariant]:
        """Every invariant by the name that `/readyz` shows."""
        return {
            "tasks": self.tasks,
            "beat": self.beat,
            "store": self.store,
            "reports": self.reports,
            "threads": self.threads,
            "chats": self.chats,
            "sources": self.sources,
            "dead letters": self.letters,
            "disk": self.disk,
            "clock": self.clock,
            "connection": self.connection,
            "vantages": self.vantages,
        }

    async def tasks(self) -> str:
        """Every task goes on."""
        missing = self._tending.missing()
        return f"not going on: {', '.join(missing)}" if missing else ""

    async def beat(self) -> str:
        """Every service is judged each second."""
        beaten = self._house.engine.beaten_at or self._began
        late = self._house.clock.now() - beaten > _LATE
        return "no service was judged for more than 5 s" if self._beating and late else ""

    async def store(self) -> str:
        """What is decided can be kept: a write arrives."""
        await self._house.store.put("auditor", self._house.clock.now().isoformat().encode())
        return self._house.store.trouble or self._house.engine.trouble

    async def reports(self) -> str:
        """What people report can be kept."""
        return self._house.intake.trouble or next((d.trouble for d in self._house.databases if d.trouble), "")

    async def threads(self) -> str:
        """No thread waits for news past its deadline."""
        late = {name: relay.waiting() for name, relay in self._house.relays.items()}
        waiting = [f"{name} for {seconds / 60:.0f} min" for name, seconds in late.items() if seconds > _BEHIND]
        return f"not told what has happened: {', '.join(waiting)}" if waiting else ""

    async def chats(self) -> str:
        """People are heard where they write."""
        silent = [f"{name} for {seconds / 60:.0f} min" for name, seconds in self._deaf().items() if seconds > _DEAF]
        return (
            f"commands and buttons are not heard: {', '.join(silent)}; threads are told all the same" if silent else ""
        )

    async def sources(self) -> str:
        """Every source is asked within three of its intervals."""
        late = self._asking.late()
        return f"not asked when they should have been: {', '.join(late[:5])}" if late else ""

    async def letters(self) -> str:
        """Nothing waits for a person."""
        dead = await self._house.store.dead()
        untold = [i.name for i in {i.id: i for _, i in dead if i.alive}.values() if await self._untold(i.id)]
        if untold:
            return (
                f"nobody can be told of {', '.join(untold)}: every channel refuses; mend the cause, then `tocsin retry`"
            )
        return f"warning: {len(dead)} threads were refused; mend the cause, then `tocsin retry`" if dead else ""

    async def _untold(self, incident: str) -> bool:
        return all(thread.dead for thread in await self._house.store.threads(incident))

    async def disk(self) -> str:
        """There is room to write."""
        folder = self._house.folder
        if folder is None:
            return ""
        free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        return f"warning: only {free // 1_000_000} MB left on the disk of {folder}" if free < _ROOM else ""

    async def clock(self) -> str:
        """The machine's clock goes as time does."""
        away = self._off()
        return f"warning: the machine's clock has jumped by {away}" if abs(away) > _OFF else ""

    async def connection(self) -> str:
        """We see the world."""
        return (
            "warning: most unrelated hosts fail at once; our connection looks broken"
            if self._asking.sight.blind
            else ""
        )

    async def vantages(self) -> str:
        """Every place that should look is heard of."""
        silent = {place: gone.total_seconds() / 60 for place, gone in self._vantages.silent().items()}
        gone = ", ".join(f"{place} for {minutes:.0f} min" for place, minutes in list(silent.items())[:5])
        return f"warning: nothing from {gone}; is `tocsin probe` running there?" if gone else ""
