"""Opens the doors of the house: the page, the chats, the sources; and changes them while it is lived in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from bot import furnishing
from bot.ailing import CHANNEL, REPORTS
from bot.auditor import Auditor
from bot.chores import STORE, Chores
from bot.config.settings import Settings
from bot.core import chart
from bot.core.model import Evidence, Picture
from bot.doorway import Doorway
from bot.easel import Easel
from bot.house import House
from bot.lines import Lines
from bot.listening.asking import Asking
from bot.listening.gathering import Gathering
from bot.listening.hearing import Hearing
from bot.listening.overhearing import Overhearing
from bot.listening.sight import Sight
from bot.listening.vantages import Vantages
from bot.ports import Called, Hook, Letter, Refused, Word
from bot.proving import Proofs
from bot.rereading import Rereading
from bot.tending import Tending
from bot.web.house import House as Shown
from bot.web.house import no_call
from bot.web.metrics import Metrics
from bot.web.site import site
from bot.world.clock import WallClock
from bot.world.stalls import Stalls
from bot.world.steady import SteadyClock
from bot.world.web import Web

__all__ = ["House", "Serving"]

_STALE = 5.0
_BLIND = (
    "most unrelated hosts cannot be reached at once, so our own line, name servers, proxy or clock are broken; "
    "probes are not believed until that is over"
)
_REVIVED = timedelta(days=7)
"""Refused threads of incidents that opened within this time are tried again after a restart."""


class Serving:
    """A house with its doors open. `real` paces what faces the real world."""

    def __init__(self, house: House, *, asking: bool = True, beating: bool = True) -> None:
        self.house = house
        self.real = WallClock()
        self.easel = Easel()
        self.metrics = Metrics()
        self.http = Web(self.real)
        self.vantages = Vantages(watches=house.watches, clock=house.clock, hear=house.engine.hear)
        self.sight = Sight(self.http, house.clock, canaries=house.settings.canaries, changed=self._blinded)
        self.asking = Asking(
            http=self.http, clock=house.clock, hear=self.vantages.hear, lively=self._lively, sight=self.sight
        )
        self.hearing = Hearing(
            hooks=_hooks(house),
            http=self.http,
            clock=house.clock,
            ledger=house.ledger,
            hear=house.engine.hear,
            ask=self._look,
        )
        self.tending = Tending(self.real, self._stuck)
        self.lines = self._lines(house, asks=asking)
        self.auditor = Auditor(
            Proofs(
                house,
                self.tending,
                self.asking,
                self.vantages,
                beating=beating,
                off=self._off,
                deaf=self.lines.deaf,
            ).all(),
            self.real,
            self.http,
            house.settings.deadman,
            lasting=self._lasting,
        )
        self.rereading = Rereading(house.settings, self.real, self.adopt, self._reread)
        self.chores = Chores(house, self.real, self.tending, self.auditor.audit)
        self.stalls = Stalls()
        self._beating = beating
        self.doorway = Doorway(lambda settings: site(self._shown(settings)))
        self._measure()

    def _lines(self, house: House, *, asks: bool) -> Lines:
        store, admit, admit_counts = house.store, house.intake.admit, house.intake.admit_counts
        return Lines(
            house,
            self.tending,
            self.asking,
            self.real,
            gathering=Gathering(store=store, admit=admit, admit_counts=admit_counts),
            overhearing=Overhearing(
                http=self.http,
                clock=house.clock,
                store=store,
                admit=admit,
                admit_counts=admit_counts,
                hear=house.engine.hear,
                tick=house.settings.tick,
            ),
            draw=self._draw,
            asks=asks,
        )

    async def __aenter__(self) -> Self:
        house = self.house
        await self.hearing.wake()
        await house.store.revive(since=house.clock.now() - _REVIVED)
        await house.ailing.recall(self._still)
        await self.lines.lay(self.lines.connect(house.settings))
        for healed in (database.healed for database in house.databases):
            if healed:
                await house.ailing.say("data", healed)
        for name, relay in house.relays.items():
            relay.suspect(house.ailing.said.get(f"{CHANNEL}{name}", ""))
        await self.doorway.open(house.settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stalls.stop()
        await self.doorway.close()
        await self.lines.aclose()
        await self.http.aclose()
        await self.easel.aclose()

    @property
    def address(self) -> str:
        """Where the page is reached."""
        return self.doorway.address

    async def run(self) -> None:
        """Everything that goes on for ever, each task restarted when it fails; until cancelled."""
        house, tending = self.house, self.tending
        tending.start("archive", self.chores.archive)
        tending.start("hooks", self.hearing.run)
        tending.start("audit", self.auditor.run)
        tending.start("saving", self.chores.surface)
        tending.start("silence", self.chores.listen)
        if self._beating:
            tending.start("beat", lambda: house.engine.run(house.clock))
            tending.start("reread", self.rereading.run)
            tending.start("stalls", self.stalls.run)
            tending.start("backup", self.chores.back_up)
        await tending.run()

    async def adopt(self, settings: Settings) -> None:
        """Live by other settings from now on, wholly; what can be refused is tried before anything is changed.

        Raises:
            Refused: it takes a restart, or the page cannot be served there; everything is as it was.
        """
        old = self.house.settings
        _same(old, settings)
        fresh = self.lines.connect(settings, old)
        await self.doorway.move(old, settings)
        await self.house.adopt(settings)
        await self.lines.lay(fresh, old)
        self.auditor.deadman = settings.deadman
        self.sight.canaries = settings.canaries
        self.hearing.adopt(_hooks(self.house))
        await self.retry()

    async def retry(self, channel: str = "") -> int:
        """Try dead letters again, of one channel or of all; answers how many there were."""
        revived = await self.house.store.revive(channel)
        for name, relay in self.house.relays.items():
            if channel in ("", name):
                relay.pace.anew()
                relay.wake()
        return revived

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

    async def _lasting(self, invariant: str, words: str) -> None:
        """What the auditor found twice in a row, or mended; what was said of something else already is one trouble."""
        said = self.house.ailing.said
        if words and invariant not in said and words in said.values():
            return
        await (self.house.ailing.say(invariant, words) if words else self.house.ailing.over(invariant))

    def _still(self, subject: str) -> bool:
        """True for troubles of an earlier life that this one will hear of again: of channels, and of silent feeds."""
        settings = self.house.settings
        return subject.removeprefix(CHANNEL) in settings.channels or subject.removeprefix(REPORTS) in settings.services

    def _lively(self, service: str) -> bool:
        return self.house.board.living(service) is not None

    @property
    def lively(self) -> bool:
        """True while every task goes on and the services are judged; what systemd's watchdog is told by."""
        beaten = self.house.engine.beaten_at
        late = beaten is None or (self.house.clock.now() - beaten).total_seconds() > _STALE
        return not self.tending.missing() and not late

    def ready(self) -> Mapping[str, str]:
        """Named conditions, each `ok` or what is wrong."""
        engine = self.house.engine
        beaten = engine.beaten_at
        late = beaten is None or (self.house.clock.now() - beaten).total_seconds() > _STALE
        found = self.auditor.found
        conditions = {
            STORE: self.house.store.trouble or engine.trouble or found.get(STORE, "ok"),
            "beat": "late" if late and self._beating else "ok",
            "configuration": f"warning: {self.rereading.trouble}" if self.rereading.trouble else "ok",
        }
        conditions |= {name: words for name, words in found.items() if name not in conditions}
        return conditions | {f"channel {name}": r.trouble or "ok" for name, r in self.house.relays.items()}

    @property
    def damaged(self) -> str:
        """Why the data folder cannot be lived with any longer; a fresh start mends it."""
        return next((f"{d.path} is damaged: {d.damaged}" for d in self.house.databases if d.damaged), "")

    async def letters(self) -> list[dict[str, str]]:
        """The dead letters, newest first: what could not be told where, and why."""
        dead = await self.house.store.dead()
        return [{"incident": i.id, "service": i.service, "channel": t.channel, "why": t.dead} for t, i in dead]

    def _off(self) -> timedelta:
        """How far the machine's clock is from the one the house lives by."""
        clock = self.house.clock
        return clock.off if isinstance(clock, SteadyClock) else timedelta(0)

    async def _blinded(self, blind: bool) -> None:  # noqa: FBT001 - what a listener is told
        """We cannot see the world, or see it again."""
        await (self.house.ailing.say("connection", _BLIND) if blind else self.house.ailing.over("connection"))

    async def _reread(self, trouble: str) -> None:
        """The configuration was read again."""
        self.house.misread(trouble)
        ailing = self.house.ailing
        await (ailing.say("configuration", trouble) if trouble else ailing.over("configuration"))

    async def _draw(self, service: str) -> bytes | None:
        picture = self.house.board.picture(service)
        return await self.easel.png(self._svg(picture)) if picture else None

    def _svg(self, picture: Picture) -> str:
        return chart.svg(picture)

    def _shown(self, settings: Settings) -> Shown:
        house = self.house
        return Shown(
            board=house.board,
            desk=house.desk,
            intake=house.intake,
            forgetting=house.forgetting,
            hearing=self.hearing,
            vantages=self.vantages,
            clock=house.clock,
            access=furnishing.access(settings),
            key=house.seal,
            public_url=house.called(settings),
            policy=furnishing.common(settings),
            ready=self.ready,
            chart=chart.svg,
            spark=chart.spark,
            png=self.easel.png,
            metrics=self.metrics,
            notices=lambda: house.ailing.said,
            letters=self.letters,
            retry=self.retry,
            call=self._called,
        )

    def _silent(self) -> float:
        return float(len(self.vantages.silent()))

    async def _called(self, name: str, letter: Letter) -> Word:
        chat = self.lines.chats.get(name)
        return await (chat.called(letter) if isinstance(chat, Called) else no_call(name, letter))

    def _measure(self) -> None:
        gauge, house = self.metrics.gauge, self.house
        gauge("tocsin_open_incidents", "Incidents that are open or easing.", lambda: float(len(house.board.open())))
        gauge("tocsin_watches_broken", "Watches that give no reading now.", lambda: float(_broken(house)))
        ages = "Seconds since the last good answer of a watch."
        self.metrics.gauges("tocsin_watch_age_seconds", ages, ("service", "watch"), house.board.ages)
        audit = self.auditor
        gauge("tocsin_invariants_broken", "Invariants that the last audit found broken.", lambda: len(audit.broken()))
        gauge("tocsin_audits", "Audits since the start; one a minute.", lambda: audit.audits)
        gauge("tocsin_loop_stalls", "Times the event loop stood still for 2 s.", lambda: self.stalls.seen)
        gauge("tocsin_vantages_silent", "Other places that should look and are not heard of.", self._silent)
        gauge("tocsin_channels_in_trouble", "Channels that cannot be told.", lambda: float(_troubled(house)))


def _hooks(house: House) -> Mapping[str, Mapping[str, Hook]]:
    return {service: furnishing.hooks(watches) for service, watches in house.watches.items()}


def _same(old: Settings, new: Settings) -> None:
    """What cannot change while the house is lived in.

    Raises:
        Refused: naming the key.
    """
    for key in ("data", "tick"):
        if getattr(old, key) != getattr(new, key):
            raise Refused(
                f"{new.path}: `{key}` has changed, and that takes a restart; nothing else is taken until then"
            )


def _broken(house: House) -> int:
    return sum(1 for watched in house.engine.witnesses.watched.values() if watched.error)


def _troubled(house: House) -> int:
    return sum(1 for relay in house.relays.values() if relay.trouble)
