"""Puts the house together; the only module that knows every room."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, Self, cast

import structlog
from aiohttp.web import AppRunner, TCPSite
from msgspec.structs import replace

from bot.asking import Asking
from bot.board import Board
from bot.config.settings import ServiceSettings, Settings
from bot.core import chart
from bot.core.admission import Admission, Vocabulary
from bot.core.model import Evidence, Picture, Policy, Route, Service
from bot.core.places import platform, region, symptom
from bot.core.planned import Window
from bot.core.tally import Tally
from bot.database import MEMORY, Database
from bot.desk import Desk, Origin, Rooms
from bot.detectors.levels import Rule
from bot.easel import Easel
from bot.engine import Engine
from bot.hearing import Hearing
from bot.intake import Intake, reporter_key
from bot.ports import Chat, Clock, Hook, Place, Refused, Source, Watch
from bot.relay import Relay
from bot.stores.counts import CountStore
from bot.stores.deliveries import DeliveryStore
from bot.stores.sqlite import SqliteStore
from bot.streams.local import LocalStream
from bot.web.access import Access, Token
from bot.web.house import House as Shown
from bot.web.metrics import Metrics
from bot.web.site import runner, site
from bot.world.clock import WallClock
from bot.world.web import Web

log = structlog.get_logger(__name__)

_STALE = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_ARCHIVE_EVERY = 60.0
_OLDEST = timedelta(hours=24)


class Connection(Protocol):
    """A chat plugin as configured."""

    def connect(self, name: str, clock: Clock) -> Chat:
        """The chat it leads to."""
        ...


class House:
    """Every room, furnished from the settings.

    `clock` is what the house lives by; `folder` None keeps everything in memory, as a replay does, and then reports of
    any age are taken.
    """

    def __init__(self, settings: Settings, clock: Clock, folder: Path | None, *, public_url: str = "") -> None:
        self.settings = settings
        self.clock = clock
        self.public_url = (public_url or settings.web.public_url).rstrip("/")
        self.services = {s.id: _service(s) for s in settings.services.values()}
        self.watches = {s.id: cast("Mapping[str, Watch]", s.watches) for s in settings.services.values()}
        self.rules = {s.id: tuple(_rules(s)) for s in settings.services.values()}
        self._databases: list[Database] = []
        state = self._database(folder, "state.db")
        self.store = SqliteStore(state)
        self.ledger = DeliveryStore(state)
        self.stream = LocalStream(self._database(folder, "reports.db"))
        self.tally = Tally(width=settings.tick, voice={s.id: _voice(s) for s in settings.services.values()})
        self.engine = Engine(
            store=self.store,
            tally=self.tally,
            services=self.services,
            rules=self.rules,
            watches=self.watches,
            tick=settings.tick,
            changed=self._changed,
        )
        self.board = Board(self.engine, self.tally, self.store, clock, link=self.link, past=self._past)
        key = bytes(32) if folder is None else reporter_key(folder / "reporter.key")
        self.seal = blake2b(key, digest_size=32, person=b"forms").digest()
        self.intake = Intake(
            self.stream,
            self.tally,
            Admission(self._vocabulary(), key, oldest=None if folder is None else _OLDEST),
            clock,
            archive=CountStore(state),
        )
        self.origin = Origin(path=str(settings.path), read_at=clock.now())
        self.desk = Desk(self._rooms())
        self.relays: list[Relay] = []

    async def wake(self) -> None:
        """Take up where the last life left off."""
        await self.intake.recover()
        await self.desk.wake()
        await self.engine.wake(self.clock.now())

    def _rooms(self) -> Rooms:
        return Rooms(
            services=self.services,
            verdicts=self.engine.verdicts,
            board=self.board,
            store=self.store,
            intake=self.intake,
            clock=self.clock,
            act=self.engine.act,
            link=self.link,
            plan=self._plan,
            changed=self._changed,
            rules=self.rules,
            origin=lambda: self.origin,
            key=self.seal,
        )

    def _plan(self, service: str, windows: Sequence[Window]) -> None:
        self.services[service] = replace(self.services[service], windows=tuple(windows))

    async def aclose(self) -> None:
        """Keep what is known and let go of the files."""
        await self.intake.aclose()
        await self.engine.rest()
        for database in self._databases:
            await database.aclose()

    def link(self, incident: str) -> str:
        """Where an incident is shown; empty while no public address is configured."""
        return f"{self.public_url}/incident/{incident}" if self.public_url else ""

    async def _past(self, service: str, first: int, last: int) -> Sequence[float | None]:
        return await self.intake.past(service, first, last)

    def _changed(self, service: str) -> None:
        self.board.changed(service)
        for relay in self.relays:
            relay.wake()

    def _database(self, folder: Path | None, name: str) -> Database:
        if folder is None:
            database = Database(MEMORY)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            database = Database(folder / name)
        self._databases.append(database)
        return database

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(
            service=self.board.resolve, nearest=self.board.nearest, symptom=symptom, region=region, platform=platform
        )


class Serving:
    """A house with its doors open: the page, the chats, the sources. `real` paces what faces the real world."""

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
        self._asking = asking
        self._beating = beating
        self._chats = {name: _connect(model, name, self.real) for name, model in house.settings.chats.items()}
        house.relays += [self._relay(place) for place in _places(house.settings)]
        house.desk.reach({p.name: (self._chats[p.chat], p) for p in _places(house.settings)}, self._draw)
        self._web: AppRunner | None = None
        self._measure()

    async def __aenter__(self) -> Self:
        settings = self.house.settings.web
        await self.hearing.wake()
        self._web = runner(site(self._shown()))
        await self._web.setup()
        listener = TCPSite(self._web, settings.listen_host, settings.listen_port)
        try:
            await listener.start()
        except OSError as exc:
            await self._web.cleanup()
            where = f"{settings.listen_host}:{settings.listen_port}"
            raise Refused(f"cannot listen on {where}: {exc.strerror}. Change web.listen in the config.") from exc
        host, port = self._web.addresses[0][:2]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
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
        async with asyncio.TaskGroup() as group:
            for name, work in self._works().items():
                group.create_task(supervised(name, work, self.real), name=name)

    def _works(self) -> dict[str, Callable[[], Awaitable[None]]]:
        house = self.house
        works: dict[str, Callable[[], Awaitable[None]]] = {"archive": self._archive, "hooks": self.hearing.run}
        if self._beating:
            works["beat"] = lambda: house.engine.run(house.clock)
        for relay in house.relays:
            works[f"relay {relay.place.name}"] = relay.run
        for name, chat in self._chats.items():
            places = [p for p in _places(house.settings) if p.chat == name]
            works[f"chat {name}"] = _listening(chat, house.desk, places)
        if self._asking:
            for service in house.watches:
                for name, source in _sources(house, service).items():
                    works[f"watch {service}/{name}"] = _watching(self.asking, service, name, source)
        return works

    def _look(self, service: str) -> None:
        """A hook says that the vendor has news."""
        for name, source in _sources(self.house, service).items():
            if source.evidence is Evidence.VENDOR:
                self.asking.soon(service, name)

    async def _archive(self) -> None:
        while True:
            await self.real.sleep(_ARCHIVE_EVERY)
            await self.house.intake.keep()

    def _lively(self, service: str) -> bool:
        return self.house.board.living(service) is not None

    def ready(self) -> Mapping[str, str]:
        """Named conditions, each `ok` or what is wrong."""
        engine = self.house.engine
        beaten = engine.beaten_at
        late = beaten is None or (self.house.clock.now() - beaten).total_seconds() > _STALE
        conditions = {"store": engine.trouble or "ok", "beat": "late" if late and self._beating else "ok"}
        return conditions | {f"channel {r.place.name}": r.trouble or "ok" for r in self.house.relays}

    def _relay(self, place: Place) -> Relay:
        house = self.house
        page = house.settings.chats[place.chat].kind == "page"  # type: ignore[attr-defined]  # every plugin has one
        return Relay(
            place,
            self._chats[place.chat],
            house.store,
            self.real,
            policies={s.id: s.policy for s in house.services.values()},
            draw=_nothing if page else self._draw,
            link=house.link,
            troubled=house.board.troubled,
        )

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
            access=_access(house.settings),
            key=house.seal,
            public_url=house.public_url,
            policy=_common(house),
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


async def supervised(name: str, work: Callable[[], Awaitable[None]], clock: Clock) -> None:
    """Keep a task alive: one that raises or returns is said loudly, and started again after a growing pause."""
    pause = _FIRST_PAUSE
    while True:
        began = clock.monotonic()
        try:
            await work()
            log.error("task ended by itself, starting it again", task=name, pause=pause)
        except Refused as why:
            log.error("task cannot go on, trying again later", task=name, why=str(why))  # noqa: TRY400  # words suffice
            pause = _LONGEST_PAUSE
        except Exception:
            log.exception("task failed, starting it again", task=name, pause=pause)
        if clock.monotonic() - began > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        await clock.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _service(s: ServiceSettings) -> Service:
    return Service(
        id=s.id,
        policy=s.policy,
        aliases=s.aliases,
        routes=tuple(Route(channel=r.channel, level=r.from_level) for r in s.tell),
        depends_on=s.depends_on,
        windows=tuple(Window(lasts=w.lasts, start=w.start, cron=w.cron) for w in s.maintenance),
    )


def _rules(s: ServiceSettings) -> Sequence[Rule]:
    return [
        Rule(level=r.name, reports=r.reports, within=r.within, times=r.times, alarms=r.alarms_per_month, line=r.line)
        for r in s.levels
    ]


def _voice(s: ServiceSettings) -> timedelta:
    """One person is one voice for as long as any level looks back, so that counts are of people."""
    return max((s.one_voice, *(rule.within for rule in s.levels)))


def _common(house: House) -> Policy:
    """The ladder for the page's colours; without a service any pace will do."""
    pace = timedelta(0)
    bare = Policy(name="", levels=house.settings.levels, open_at="", confirm_for=pace, quiet_for=pace, reopen_for=pace)
    return next((s.policy for s in house.services.values()), bare)


def _access(settings: Settings) -> Access:
    return Access(tokens=tuple(Token(name=t.name, secret=t.secret, scopes=t.scopes) for t in settings.web.tokens))


def _places(settings: Settings) -> list[Place]:
    return [
        Place(name=name, chat=c.chat, address=c.channel, mention=c.mention) for name, c in settings.channels.items()
    ]


def _sources(house: House, service: str) -> Mapping[str, Source]:
    """The watches of a service that are asked; the others are hooks."""
    return {name: watch for name, watch in house.watches[service].items() if isinstance(watch, Source)}


def _hooks(house: House) -> Mapping[str, Mapping[str, Hook]]:
    return {
        service: {name: watch for name, watch in watches.items() if isinstance(watch, Hook)}
        for service, watches in house.watches.items()
    }


def _connect(model: object, name: str, clock: Clock) -> Chat:
    return cast("Connection", model).connect(name, clock)


def _listening(chat: Chat, desk: Desk, places: Sequence[Place]) -> Callable[[], Awaitable[None]]:
    return lambda: chat.run(desk, places)


def _watching(asking: Asking, service: str, name: str, source: Source) -> Callable[[], Awaitable[None]]:
    return lambda: asking.watch(service, name, source)


async def _nothing(_: str) -> bytes | None:
    return None


def _troubled(house: House) -> int:
    return sum(1 for relay in house.relays if relay.trouble)
