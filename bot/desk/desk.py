"""The desk: understands what was asked, sees whether the person may, and has the right room answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from msgspec.structs import replace

from bot.core.model import Answer, Form, Incident, Policy, Request, Said
from bot.core.places import COUNTRIES, PLATFORMS, SYMPTOMS, label
from bot.core.rights import enough, needed
from bot.core.speech import meant, understood
from bot.desk.audit import Audit
from bot.desk.ears import Ears
from bot.desk.finding import Finder
from bot.desk.forms import SPANS, Forms
from bot.desk.papers import Papers
from bot.desk.planning import Planning
from bot.desk.reads import Reads
from bot.desk.rooms import Rooms, Verb, no
from bot.desk.subscribing import Subscribing
from bot.desk.threads import Threads
from bot.desk.voices import Voices
from bot.desk.writes import Writes
from bot.ports import Chat, Place, Retry

log = structlog.get_logger(__name__)

_MOST = 25
_PATIENCE = 10.0
_SLOW = {"test": 90.0}
"""Verbs that wait for a chat, and for how many seconds at most."""
_AUDITED = frozenset({"maintenance", "test", "replay", "config"})


class Desk:
    """Answers people."""

    def __init__(self, house: Rooms) -> None:
        self._house = house
        self._audit = Audit(house.store, house.clock)
        finder = Finder(house)
        reads = Reads(house, finder)
        self._ears = Ears(house)
        self._planning = Planning(house, finder)
        self._subscribing = Subscribing(house, finder)
        self._forms = Forms(house, finder, self._options)
        self._verbs: dict[str, Verb] = {}
        for room in (
            reads,
            Writes(house, finder, reads),
            Voices(house, finder, self._ears),
            self._planning,
            self._subscribing,
            Threads(house, finder),
            Papers(house, self._audit, self._ears),
        ):
            self._verbs |= room.verbs()

    async def wake(self) -> None:
        """Know again what people planned before the last stop."""
        await self._audit.wake()
        await self._planning.wake()
        await self._subscribing.wake()
        await self._ears.wake()

    def refit(self) -> None:
        """The services are others now: put what people planned and wished over them again."""
        self._planning.refit()
        self._subscribing.refit()

    def calls(self, chat: str, incident: Incident, level: str, policy: Policy) -> tuple[str, ...]:
        """The mentions of those in a chat who wished to be called for an incident at this level."""
        return self._subscribing.calls(chat, incident, level, policy)

    def reach(
        self, chats: Mapping[str, tuple[Chat, Place]], draw: Callable[[str], Awaitable[bytes | None]] | None
    ) -> None:
        """Say which channels can be spoken in, and who draws charts; called once the doors are open."""
        self._house.chats, self._house.draw = chats, draw

    async def answer(self, request: Request) -> Answer:
        """Do what was asked, or say what to do instead."""
        asked = understood(request, self._house.board.resolve)
        verb = self._verbs.get(asked.verb)
        if verb is None:
            near = meant(asked.verb)
            hint = f" Did you mean {near}?" if near else " Try help."
            return no(("I do not know ", Said(asked.verb), f".{hint}"))
        if not enough(asked.right, asked.verb):
            log.info("refused a person", verb=asked.verb, who=asked.who.id, chat=asked.who.chat, right=asked.right)
            return _denied(asked)
        try:
            async with asyncio.timeout(_SLOW.get(asked.verb, _PATIENCE)):
                return await self._done(verb, asked)
        except TimeoutError:
            return no(("The store is busy: it may still happen. Look at the thread, and ask again in a minute.",))
        except Retry as why:
            return no((f"That could not be kept just now: {why}. Try again in a minute.",))

    async def _done(self, verb: Verb, asked: Request) -> Answer:
        answer = await verb(asked)
        if answer.ok and _changes(asked):
            who = asked.who
            log.info("a person acted", verb=asked.verb, who=who.id, chat=who.chat, channel=asked.channel)
            if asked.verb in _AUDITED:
                await self._audit.add(_nameless(asked))
        return answer

    def form(self, request: Request) -> Form | None:
        """The form to show before this request is answered, or None when it says enough or would be refused."""
        asked = understood(request, self._house.board.resolve)
        return self._forms.form(asked) if enough(asked.right, asked.verb) else None

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        """Up to 25 completions, those that begin alike first."""
        wanted = typed.casefold()
        options = self._options(what)
        hits = [o for o in options if wanted in o[0].casefold() or wanted in o[1].casefold()]
        hits.sort(key=lambda o: not (o[0].casefold().startswith(wanted) or o[1].casefold().startswith(wanted)))
        return hits[:_MOST]

    def _options(self, what: str) -> list[tuple[str, str]]:
        house = self._house
        if what == "service":
            return [(s.id, s.name) for s in house.services.values()]
        if what == "incident":
            return [(i.id, f"{i.name}: {i.level}") for i in house.board.open()]
        if what == "level":
            names = (level for s in house.services.values() for level in s.policy.levels)
            return [(level, level) for level in dict.fromkeys(names)]
        if what == "span":
            return list(SPANS)
        if what == "channel":
            return [(name, name) for name in house.chats]
        codes = {"symptom": SYMPTOMS, "platform": PLATFORMS, "region": COUNTRIES}.get(what, ())
        return [(code, label(code)) for code in codes]


def _changes(asked: Request) -> bool:
    """True for what changes the state of the house, and not only one person's own voice."""
    looks = (asked.verb == "config" and _first(asked) not in ("ignore", "heed")) or (
        asked.verb == "maintenance" and asked.text.strip() in ("", "list")
    )
    return needed(asked.verb) in ("act", "admin") and not looks


def _first(asked: Request) -> str:
    return asked.text.strip().partition(" ")[0]


def _nameless(asked: Request) -> Request:
    """What the trail keeps: who is ignored is kept nowhere by name."""
    return replace(asked, text=_first(asked)) if asked.verb == "config" else asked


def _denied(asked: Request) -> Answer:
    needs = needed(asked.verb)
    return no(
        (f"You may not {asked.verb} here: that needs the right {needs!r}, under roles of this chat in the config.",)
    )
