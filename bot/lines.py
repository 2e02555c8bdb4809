"""The lines out: chats, the relays that tell them, and the watches that are asked; laid, and laid anew, by the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

from bot import furnishing
from bot.ailing import CHANNEL
from bot.config.settings import Settings
from bot.holding import Holding
from bot.house import House
from bot.listening.asking import Asking
from bot.listening.gathering import Gathering
from bot.listening.overhearing import Ear, Overhearing
from bot.ports import Chat, Clock, Listener, Place, Source
from bot.relay import Draw, Relay
from bot.tending import Tending, Work

Label = tuple[str, str]


class Lines:
    """Every connection of the house to others. `real` paces them; `asks` False leaves the watches unasked."""

    def __init__(
        self,
        house: House,
        tending: Tending,
        asking: Asking,
        real: Clock,
        *,
        gathering: Gathering,
        overhearing: Overhearing,
        draw: Draw,
        asks: bool = True,
    ) -> None:
        self.chats: dict[str, Chat] = {}
        self._house = house
        self._tending = tending
        self._asking = asking
        self._real = real
        self._gathering = gathering
        self._overhearing = overhearing
        self._draw = draw
        self._asks = asks
        self._asked: dict[Label, Source] = {}
        self._ears: Mapping[str, tuple[Ear, ...]] = {}

    def connect(self, settings: Settings, before: Settings | None = None) -> dict[str, Chat]:
        """The chats that are new or changed, not in use yet."""
        old = furnishing.connections(before) if before else {}
        new = furnishing.connections(settings)
        return {name: model.connect(name, self._real) for name, model in new.items() if old.get(name) != model}

    async def lay(self, fresh: Mapping[str, Chat], before: Settings | None = None) -> None:
        """Go over to the house's present settings; what stayed as it was is not disturbed."""
        old = furnishing.places(before) if before else {}
        new = furnishing.places(self._house.settings)
        await self._lay_chats(old, new, fresh)
        await self._lay_relays(old, new, fresh.keys())
        await self._lay_watches()
        await self._lay_wires()
        self._house.desk.reach({name: (self.chats[place.chat], place) for name, place in new.items()}, self._draw)

    def deaf(self) -> Mapping[str, float]:
        """For how many seconds each chat that should hear people has not."""
        now = self._real.monotonic()
        listeners = {name: chat for name, chat in self.chats.items() if isinstance(chat, Listener)}
        return {name: now - since for name, chat in listeners.items() if (since := chat.deaf_since) is not None}

    async def aclose(self) -> None:
        """Hang up."""
        for chat in self.chats.values():
            await chat.aclose()

    async def _lay_chats(self, old: Mapping[str, Place], new: Mapping[str, Place], fresh: Mapping[str, Chat]) -> None:
        """Hang up on chats that are gone or changed, and listen in those that are new or hold other channels."""
        for name in [n for n in self.chats if n in fresh or n not in self._house.settings.chats]:
            await self._tending.stop(f"chat {name}")
            await self.chats.pop(name).aclose()
        self.chats |= fresh
        for name, chat in self.chats.items():
            if name in fresh or _inside(old, name) != _inside(new, name):
                await self._tending.stop(f"chat {name}")
                self._tending.start(f"chat {name}", _listening(chat, self._house, _inside(new, name)))

    async def _lay_relays(self, old: Mapping[str, Place], new: Mapping[str, Place], fresh: Collection[str]) -> None:
        """Relays of channels that are gone stop; those of channels that are new, changed or in a new chat begin."""
        for name in [n for n, place in old.items() if new.get(n) != place or place.chat in fresh]:
            await self._tending.stop(f"relay {name}")
            del self._house.relays[name]
            subject, ailing = f"{CHANNEL}{name}", self._house.ailing
            await (ailing.over(subject, "The configuration has changed.") if name in new else ailing.gone(subject))
        for name, place in new.items():
            if name not in self._house.relays:
                relay = self._house.relays[name] = self._relay(place)
                self._tending.start(f"relay {name}", relay.run)

    async def _lay_watches(self) -> None:
        """Ask what is asked now; a watch that stayed as it was goes on in its rhythm."""
        wanted = self._sources()
        for label in [label for label, source in self._asked.items() if wanted.get(label) != source]:
            await self._tending.stop(f"watch {'/'.join(label)}")
            del self._asked[label]
        for label in wanted.keys() - self._asked.keys():
            self._tending.start(f"watch {'/'.join(label)}", _watching(self._asking, label, wanted[label]))
        self._asked = wanted

    def _sources(self) -> dict[Label, Source]:
        """Every watch that is asked, by service and name."""
        if not self._asks:
            return {}
        found: dict[Label, Source] = {}
        for service, watches in self._house.watches.items():
            words = self._house.settings.services[service].words
            found |= {(service, name): source for name, source in furnishing.sources(watches).items()}
            for name, feed in furnishing.feeds(watches).items():
                found[service, name] = self._gathering.source(service, name, feed, words)
        return found

    async def _lay_wires(self) -> None:
        """Listen on what people talk over; a wire that is listened to for the same as before is left alone."""
        wanted = furnishing.ears(self._house.settings, self._house.watches) if self._asks else {}
        for line in [line for line, ears in self._ears.items() if wanted.get(line) != ears]:
            await self._tending.stop(f"wire {line}")
        for line, ears in wanted.items():
            if self._ears.get(line) != ears:
                self._tending.start(f"wire {line}", _overhearing(self._overhearing, line, ears))
        self._ears = wanted

    def _relay(self, place: Place) -> Relay:
        house = self._house
        page = furnishing.connections(house.settings)[place.chat].kind == "page"
        return Relay(
            place,
            self.chats[place.chat],
            house.store,
            self._real,
            policies=house.policies,
            draw=_nothing if page else self._draw,
            link=house.link,
            troubled=house.board.troubled,
            ward=house.ailing,
            hold=Holding(place, house.store, house.clock, house.policies, changed=house.stir, calls=house.desk.calls),
            unsaved=house.store.unsaved,
        )


def _inside(places: Mapping[str, Place], chat: str) -> list[Place]:
    return [place for place in places.values() if place.chat == chat]


def _listening(chat: Chat, house: House, places: list[Place]) -> Work:
    return lambda: chat.run(house.desk, places)


def _watching(asking: Asking, label: Label, source: Source) -> Callable[[], Awaitable[None]]:
    return lambda: asking.watch(*label, source)


def _overhearing(overhearing: Overhearing, line: str, ears: tuple[Ear, ...]) -> Work:
    return lambda: overhearing.listen(line, ears)


async def _nothing(_: str) -> bytes | None:
    return None
