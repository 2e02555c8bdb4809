"""The house: every room, furnished from the settings, and refurnished when they change."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from bot import furnishing
from bot.ailing import Ailing
from bot.backups import heal
from bot.board import Board
from bot.config.settings import Settings
from bot.core.admission import Admission, Vocabulary
from bot.core.model import Evidence, Health, Route
from bot.core.places import platform, region, symptom
from bot.core.planned import Window
from bot.core.tally import Tally
from bot.database import Database
from bot.desk import Desk, Origin, Rooms
from bot.engine import Engine
from bot.intake import Forgetting, Intake
from bot.ports import Clock, Feed, Refused, Retry, Stream, Wire
from bot.relay import Relay
from bot.sqlitefile import MEMORY
from bot.stores.afloat import Afloat
from bot.stores.counts import CountStore
from bot.stores.deliveries import DeliveryStore
from bot.stores.keyring import Keyring
from bot.stores.memory import MemoryStore
from bot.stores.sqlite import SqliteStore, unsound
from bot.streams.local import LocalStream
from bot.streams.memory import MemoryStream
from bot.together import Together

log = structlog.get_logger(__name__)

_OLDEST = timedelta(hours=24)
_FEEDS, _SINCE = "feeds", "since"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ANYWHERE = ".people"
"""Stands where a service would, in the mark of a person that is no reporter of one."""
_T = TypeVar("_T")


class _Feeds(msgspec.Struct, frozen=True, array_like=True):
    """The services that the configuration has feeds for, and when (Unix seconds) that ended for others."""

    feeding: list[str] = []
    ended: dict[str, float] = {}


class House:
    """Every room, furnished from the settings.

    `clock` is what the house lives by; `folder` None keeps everything in memory, as a replay does, and then reports of
    any age are taken.
    """

    def __init__(self, settings: Settings, clock: Clock, folder: Path | None, *, public_url: str = "") -> None:
        self.settings = settings
        self.clock = clock
        self.folder = folder
        self._named = public_url
        self.public_url = self.called(settings)
        self.services = furnishing.services(settings)
        self.policies = {name: service.policy for name, service in self.services.items()}
        self.watches = furnishing.watches(settings)
        self.rules = furnishing.rules(settings)
        self.calendars = furnishing.calendars(settings)
        self.databases: list[Database] = []
        state = self._database(folder, "state.db")
        self.store = Afloat(SqliteStore(state) if folder else MemoryStore())
        self.ledger = DeliveryStore(state)
        self.stream: Stream = LocalStream(self._database(folder, "reports.db")) if folder else MemoryStream()
        self.tally = Tally(width=settings.tick, voice=furnishing.voices(settings))
        self.engine = Engine(
            store=self.store,
            tally=self.tally,
            services=self.services,
            rules=self.rules,
            calendars=self.calendars,
            watches=self.watches,
            tick=settings.tick,
            changed=self._changed,
            lasting=folder is not None,
        )
        self.engine.crowd.jury.trust = settings.trust
        self.together = Together(self.store, self.services, self.engine.cases, says=self._says, changed=self._changed)
        self.together.rule = settings.grouping
        self.engine.company = self.together
        self.board = Board(self.engine, self.tally, self.store, clock, link=self.link, past=self._past)
        self.keyring = Keyring(folder and folder / "reporter.key", settings.new_key_every, clock.now())
        self.seal = blake2b(self.keyring.current, digest_size=32, person=b"forms").digest()
        self.admission = Admission(self._vocabulary(), self.keyring.current, oldest=None if folder is None else _OLDEST)
        self.intake = Intake(
            self.stream,
            self.tally,
            self.admission,
            clock,
            archive=None if folder is None else CountStore(state),
        )
        self.forgetting = Forgetting(self.intake.log, self.tally, self.admission, clock)
        self.origin = Origin(path=str(settings.path), read_at=clock.now())
        self.desk = Desk(self._rooms())
        self.ailing = Ailing(self.store, clock, self._stand_ins, lambda: self._changed(""))
        self.relays: dict[str, Relay] = {}

    def rekey(self) -> None:
        """Hide reporters with a new key when the present one is old, and let go of the former when it is time."""
        self.keyring.life = self.settings.new_key_every
        if self.keyring.turn(self.clock.now()):
            log.info("the key that hides reporters has changed", former=bool(self.keyring.former))
            self._hide()

    def _hide(self) -> None:
        self.admission.rekey(self.keyring.current, self.keyring.former, self.tally.voices.spoke)

    async def wake(self) -> None:
        """Take up where the last life left off."""
        self.rekey()
        self._hide()
        await self.intake.recover()
        await self._know_feeds()
        await self.desk.wake()
        await self.engine.wake(self.clock.now())
        self.board.began(await self._since())
        await self.together.wake(self.clock.now())

    async def adopt(self, settings: Settings) -> None:
        """Live by other settings from now on; what is open stays open, and a service that is gone closes with a word."""
        now = self.clock.now()
        gone = self.services.keys() - settings.services.keys()
        self.settings, self.public_url = settings, self.called(settings)
        _replace(self.services, furnishing.services(settings))
        self.together.rule = settings.grouping
        self.desk.refit()
        _replace(self.watches, furnishing.watches(settings))
        _replace(self.rules, furnishing.rules(settings))
        _replace(self.calendars, furnishing.calendars(settings))
        _replace(self.policies, {name: service.policy for name, service in self.services.items()})
        self.tally.voices.retime(furnishing.voices(settings))
        self.engine.crowd.jury.trust = settings.trust
        self.board.rename()
        self.admission.relearn()
        await self._know_feeds()
        await self.engine.refit(now)
        for service in sorted(gone):
            await self.engine.retire(service, now)
        self.origin = Origin(path=str(settings.path), read_at=now)

    async def _since(self) -> datetime:
        """When anybody first listened here; where a version that did not note it did, long ago."""
        kept = await self.store.get(_SINCE)
        if kept is not None:
            return datetime.fromisoformat(kept.decode())
        since = self.clock.now() if self.engine.newborn else _LONG_AGO
        await self.store.put(_SINCE, since.isoformat().encode())
        return since

    async def _know_feeds(self) -> None:
        """Where the configuration has a feed no more, silence is silence again: since the start that saw it gone."""
        kept = await self.store.get(_FEEDS)
        before = msgspec.msgpack.decode(kept, type=_Feeds) if kept else _Feeds()
        feeding = {
            s for s, several in self.watches.items() if any(isinstance(w, Feed | Wire) for w in several.values())
        }
        now = self.clock.now().timestamp()
        ended = {s: at for s, at in before.ended.items() if s not in feeding}
        after = _Feeds(sorted(feeding), ended | dict.fromkeys(set(before.feeding) - feeding, now))
        self.tally.attach(feeding)
        for service in feeding:
            self.tally.starve(service, math.inf)
        for service, at in after.ended.items():
            self.tally.starve(service, at)
        if after != before:
            await self.store.put(_FEEDS, msgspec.msgpack.encode(after))

    def misread(self, trouble: str) -> None:
        """Why the settings could not be read again; empty when they could."""
        self.origin = dataclasses.replace(self.origin, trouble=trouble)

    def _stand_ins(self, channel: str, service: str) -> Sequence[str]:
        """Who can say what a channel cannot: those in no trouble themselves before the others."""
        found = furnishing.stand_ins(self.settings, channel, service)
        return sorted(found, key=lambda name: bool(name in self.relays and self.relays[name].trouble))

    def _rooms(self) -> Rooms:
        return Rooms(
            services=self.services,
            verdicts=self.engine.crowd.verdicts,
            board=self.board,
            store=self.store,
            intake=self.intake,
            forgetting=self.forgetting,
            clock=self.clock,
            act=self.engine.act,
            link=self.link,
            plan=self._plan,
            changed=self._changed,
            rules=self.rules,
            calendars=self.calendars,
            origin=lambda: self.origin,
            marks=lambda identity: [mark.hex() for mark in self.admission.marks(_ANYWHERE, identity)],
            unmarked=lambda: self.keyring.until,
            trust=lambda: self.engine.crowd.jury.trust,
            route=self._route,
            spread=self.engine.spread,
            channels=lambda: self.settings.channels,
            calling=lambda: furnishing.calling(self.settings),
            groups=lambda: list(self.together.alive.values()),
            at_once=self.together.at_once,
        )

    def _route(self, service: str, routes: Sequence[Route]) -> None:
        self.services[service] = replace(self.services[service], routes=tuple(routes))

    def _plan(self, service: str, windows: Sequence[Window]) -> None:
        self.services[service] = replace(self.services[service], windows=tuple(windows))

    async def aclose(self) -> None:
        """Keep what is known, as far as the disk lets us, and let go of the files."""
        for keep in (self.intake.aclose, self.engine.rest, self.store.surface):
            with suppress(Retry, Refused):  # said by whoever met it first; the files are let go of all the same
                await keep()
        for database in self.databases:
            await database.aclose()

    def called(self, settings: Settings) -> str:
        """How people reach the page from outside, by these settings; empty where nobody said."""
        return (self._named or settings.web.public_url).rstrip("/")

    def link(self, incident: str) -> str:
        """Where an incident is shown; empty while no public address is configured."""
        return f"{self.public_url}/incident/{incident}" if self.public_url else ""

    async def _past(self, service: str, first: int, last: int) -> Sequence[float | None]:
        return await self.intake.past(service, first, last)

    def _says(self, service: str) -> str:
        """What speaks for the guilt of a service that others need, in words that follow its name."""
        if self.board.living(service):
            return ", which has an open incident"
        pages = (name for name, watch in self.watches.get(service, {}).items() if watch.evidence is Evidence.VENDOR)
        heard = (
            self.engine.witnesses.watched[service, name].health
            for name in pages
            if (service, name) in self.engine.witnesses.watched
        )
        worst = max((health for health in heard if health is not None), default=Health.OPERATIONAL)
        return f", whose page says {worst.word.replace('_', ' ')}" if worst > Health.MAINTENANCE else ""

    def _changed(self, service: str) -> None:
        self.board.changed(service)
        self.stir()

    def stir(self) -> None:
        """There may be something to tell."""
        for relay in self.relays.values():
            relay.wake()

    def _database(self, folder: Path | None, name: str) -> Database:
        if folder is None:
            database = Database(MEMORY)
        else:
            database = Database(folder / name, lambda file: self._heal(file, folder))
        self.databases.append(database)
        return database

    def _heal(self, file: Path, folder: Path) -> str:
        """Take up a backup where a file is damaged; answers what was done, or nothing."""
        check = unsound if file.name == "state.db" else lambda _: ""
        return heal(file, folder / "backups", self.clock.now(), check)

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(
            service=self.board.resolve, nearest=self.board.nearest, symptom=symptom, region=region, platform=platform
        )


def _replace(known: dict[str, _T], fresh: Mapping[str, _T]) -> None:
    """Change a mapping that many rooms hold."""
    known.clear()
    known.update(fresh)
