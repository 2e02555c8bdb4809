"""A whole house with one channel, whose relay works after every minute: what a story of many services is played in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from doubles.living import NOON, Living
from doubles.oracle import no_picture

from bot.config.read import read
from bot.core.model import Head
from bot.holding import Holding
from bot.house import House
from bot.ports import Place
from bot.relay import Relay


class Town(Living):
    """Its channel is called `ops`, and has a mention for each of the three usual levels."""

    def __init__(self, path: Path, text: str, folder: Path | None = None, now: datetime = NOON) -> None:
        self.clock = ManualClock(now)
        self.chat, self.told = RememberingChat(), RememberingChat()
        self._people = 0
        self._stirred = False
        self.adopt(path, text, folder)

    def adopt(self, path: Path, text: str, folder: Path | None = None) -> None:
        """Begin a life of the house by this configuration."""
        (path / "config.yaml").write_text(text)
        house = self.house = House(read(path / "config.yaml", {}), self.clock, folder)
        self.desk = house.desk
        mention = {level: f"<@{level}>" for level in ("minor", "major", "critical")}
        quiet = house.settings.channels["ops"].quiet
        place = Place(name="ops", chat="any", address="ops", mention=mention, quiet=quiet)
        self.relay = Relay(
            place,
            self.told,
            house.store,
            self.clock,
            policies=house.policies,
            draw=no_picture,
            link=lambda _: "",
            troubled=house.board.troubled,
            hold=Holding(place, house.store, self.clock, house.policies, changed=self._stir),
        )

    async def minute(self, minutes: int = 1, **reports: int) -> None:
        """So many minutes, with so many people's reports of each service in each."""
        for _ in range(minutes):
            batch = []
            for service, number in reports.items():
                batch += [{"service": service, "reporter": f"p{self._people + n}"} for n in range(number)]
                self._people += number
            await self.house.intake.admit(batch, "test")
            await self.clock.advance(60)
            await self.house.engine.beat(self.clock.now())
            await self.tell()

    async def tell(self) -> None:
        """Let the channel catch up."""
        while True:
            self._stirred = False
            if await self.relay.round() > 20 and not self._stirred:
                return
            await self.clock.advance(0.5)

    @property
    def heads(self) -> list[Head]:
        """The channel's messages as they stand, in the order they came."""
        return [heads[-1] for heads in self.told.heads.values()]

    @property
    def threads(self) -> dict[str, list[str]]:
        """The lines of each thread, by what its head is about."""
        return {self.told.heads[ref][-1].incident: lines for ref, lines in self.told.lines.items()}

    @property
    def group(self) -> Head | None:
        """The message of the first group, if there is one."""
        return next((head for head in self.heads if head.incident.startswith("together-")), None)

    @property
    def lines(self) -> list[str]:
        """What the thread of that group says."""
        return self.threads[self.group.incident] if self.group else []

    def _stir(self) -> None:
        self._stirred = True
