"""Opens the doors of the house: the page, the chats, the sources; and changes them while it is lived in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from aiohttp.web import AppRunner, TCPSite

from bot import furnishing
from bot.asking import Asking
from bot.config.settings import Web as WebSettings
from bot.core import chart
from bot.core.model import Evidence, Picture
from bot.easel import Easel
from bot.hearing import Hearing
from bot.house import House
from bot.ports import Chat, Hook, Place, Refused, Source
from bot.relay import Relay
from bot.tending import Tending, Work
from bot.web.house import House as Shown
from bot.web.metrics import Metrics
from bot.web.site import runner, site
from bot.world.clock import WallClock
from bot.world.web import Web

__all__ = ["House", "Serving"]

_STALE = 5.0
_ARCHIVE_EVERY = 60.0
_REVIVED = timedelta(days=7)
"""Refused threads of incidents that opened within this time are tried again after a restart."""


class Serving:
    """A house with its doors open. `real` paces what faces the real world."""

    def __init__(self, house: House, *, asking: bool = True, beating: bool = True) -> None:
        self.house = house
        self.real = WallClock()
        self.easel = Easel()
        self.metrics = Metrics()
        self.address = ""
        self.http = Web(self.real)
        self.asking = Asking(http=self.http, clock=house.clock, hear=house.engine.hear, lively=self._lively)
        self.hearing = Hearing(
            hooks=_hooks(house),
            http=self.http,
            clock=house.clock,
            ledger=house.ledger,
            hear=house.engine.hear,
            ask=self._look,
        )
        self.tending = Tending(self.real, self._stuck)
        self._asking = asking
        self._beating = beating
        self._chats: dict[str, Chat] = {}
        self._web: AppRunner | None = None
        for name, model in furnishing.connections(house.settings).items():
            self._chats[name] = model.connect(name, self.real)
        for place in furnishing.places(house.settings).values():
            self._relay(place)
        self._reach()
        for name, work in self._works().items():
            self.tending.start(name, work)
        self._measure()

    async def __aenter__(self) -> Self:
        house = self.house
        await self.hearing.wake()
        await house.store.revive(since=house.clock.now() - _REVIVED)
        await house.ailing.recall(lambda subject: subject.removeprefix("channel ") in house.relays)
        for name, relay in house.relays.items():
            relay.suspect(house.ailing.said.get(f"channel {name}", ""))
        self._web, self.address = await self._open(house.settings.web)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._web is not None:
            await self._web.cleanup()
        for chat in self._chats.values():
            await chat.aclose()
        await self.http.aclose()
        await self.easel.aclose()

    async def run(self) -> None:
        """Everything that goes on for ever, each task restarted when it fails; until cancelled."""
        await self.tending.run()

    async def _open(self, settings: WebSettings) -> tuple[AppRunner, str]:
        """Open the page; answers who serves it, and its address."""
        web = runner(site(self._shown()))
        await web.setup()
        listener = TCPSite(web, settings.listen_host, settings.listen_port)
        try:
            await listener.start()
        except OSError as exc:
            await web.cleanup()
            where = f"{settings.listen_host}:{settings.listen_port}"
            raise Refused(f"cannot listen on {where}: {exc.strerror}. Change web.listen in the config.") from exc
        host, port = web.addresses[0][:2]
        return web, f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def _works(self) -> dict[str, Work]:
        """Every task that goes on for ever, by name."""
        house = self.house
        works: dict[str, Work] = {"archive": self._archive, "hooks": self.hearing.run}
        if self._beating:
            works["beat"] = lambda: house.engine.run(house.clock)
        for name, relay in house.relays.items():
            works[f"relay {name}"] = relay.run
        for name, chat in self._chats.items():
            works[f"chat {name}"] = self._listening(name, chat)
        return works | self._watching()

    def _watching(self) -> dict[str, Work]:
        if not self._asking:
            return {}
        return {
            f"watch {service}/{name}": _asked(self.asking, service, name, source)
            for service, watches in self.house.watches.items()
            for name, source in furnishing.sources(watches).items()
        }

    def _listening(self, name: str, chat: Chat) -> Work:
        places = [p for p in furnishing.places(self.house.settings).values() if p.chat == name]
        return lambda: chat.run(self.house.desk, places)

    async def _stuck(self, name: str, why: str) -> None:
        """A task that only a person can help: said where it is read."""
        chat = name.removeprefix("chat ")
        inside = [c for c, place in furnishing.places(self.house.settings).items() if place.chat == chat]
        others = [
            c for c in furnishing.stand_ins(self.house.settings, inside[0] if inside else "", "") if c not in inside
        ]
        await self.house.ailing.say(name, why, others[:1])

    def _look(self, service: str) -> None:
        """A hook says that the vendor has news."""
        for name, source in furnishing.sources(self.house.watches[service]).items():
            if source.evidence is Evidence.VENDOR:
                self.asking.soon(service, name)

    async def _archive(self) -> None:
        while True:
            await self.real.sleep(_ARCHIVE_EVERY)
            await self.house.ailing.mend()
            await self.house.intake.keep()

    def _lively(self, service: str) -> bool:
        return self.house.board.living(service) is not None

    def ready(self) -> Mapping[str, str]:
        """Named conditions, each `ok` or what is wrong."""
        engine = self.house.engine
        beaten = engine.beaten_at
        late = beaten is None or (self.house.clock.now() - beaten).total_seconds() > _STALE
        conditions = {"store": engine.trouble or "ok", "beat": "late" if late and self._beating else "ok"}
        return conditions | {f"channel {name}": r.trouble or "ok" for name, r in self.house.relays.items()}

    def _relay(self, place: Place) -> Relay:
        house = self.house
        page = furnishing.connections(house.settings)[place.chat].kind == "page"
        relay = house.relays[place.name] = Relay(
            place,
            self._chats[place.chat],
            house.store,
            self.real,
            policies=house.policies,
            draw=_nothing if page else self._draw,
            link=house.link,
            troubled=house.board.troubled,
            ward=house.ailing,
        )
        return relay

    def _reach(self) -> None:
        """Let the desk know the channels there are."""
        places = furnishing.places(self.house.settings)
        self.house.desk.reach({name: (self._chats[place.chat], place) for name, place in places.items()}, self._draw)

    async def _draw(self, service: str) -> bytes | None:
        picture = self.house.board.picture(service)
        return await self.easel.png(self._svg(picture)) if picture else None

    def _svg(self, picture: Picture) -> str:
        return chart.svg(picture)

    def _shown(self) -> Shown:
        house = self.house
        return Shown(
            board=house.board,
            desk=house.desk,
            intake=house.intake,
            hearing=self.hearing,
            clock=house.clock,
            access=furnishing.access(house.settings),
            key=house.seal,
            public_url=house.public_url,
            policy=furnishing.common(house.settings),
            ready=self.ready,
            chart=chart.svg,
            spark=chart.spark,
            png=self.easel.png,
            metrics=self.metrics,
        )

    def _measure(self) -> None:
        gauge, house = self.metrics.gauge, self.house
        gauge("tocsin_open_incidents", "Incidents that are open or easing.", lambda: float(len(house.board.open())))
        gauge("tocsin_channels_in_trouble", "Channels that cannot be told.", lambda: float(_troubled(house)))


def _hooks(house: House) -> Mapping[str, Mapping[str, Hook]]:
    return {service: furnishing.hooks(watches) for service, watches in house.watches.items()}


def _asked(asking: Asking, service: str, name: str, source: Source) -> Work:
    return lambda: asking.watch(service, name, source)


async def _nothing(_: str) -> bytes | None:
    return None


def _troubled(house: House) -> int:
    return sum(1 for relay in house.relays.values() if relay.trouble)
