"""Being called: a person is mentioned where an incident is told, a channel hears of a service it was not given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from bot.core.model import Answer, Bold, Incident, Policy, Request, Route, Said, Text
from bot.core.rights import enough
from bot.core.subscribing import ALL, Subscription, Wish, mentions, wished
from bot.desk.finding import Finder
from bot.desk.rooms import Rooms, Verb, no, yes

_KEY = "subscriptions"
_MOST = 40
"""People whom one service calls in one chat; a message holds no more mentions, and a group of the platform has no limit."""
_HOW = "subscribe <service or all> [level], subscribe <service> off, subscribe list; with here, the whole channel."


Mine = Callable[[Subscription], bool]
"""Whether a wish is one of those that may be taken back here."""


class Subscribing:
    """The verb subscribe. What was wished is kept in the store, beside the routes of the config."""

    def __init__(self, house: Rooms, finder: Finder) -> None:
        self._house = house
        self._finder = finder
        self._all: tuple[Subscription, ...] = ()
        self._configured: dict[str, tuple[Route, ...]] = {}
        self._turn = asyncio.Lock()

    def verbs(self) -> Mapping[str, Verb]:
        """The verbs of this room."""
        return {"subscribe": self._subscribe}

    async def wake(self) -> None:
        """Know again what was wished before the last stop."""
        kept = await self._house.store.get(_KEY)
        self._all = msgspec.json.decode(kept, type=tuple[Subscription, ...]) if kept else ()
        self.refit()

    def refit(self) -> None:
        """Take the routes of the config as they are now, and put what channels wished beside them."""
        self._configured = {name: service.routes for name, service in self._house.services.items()}
        for name in self._configured:
            self._house.route(name, self._routes(name))

    def calls(self, chat: str, incident: Incident, level: str, policy: Policy) -> tuple[str, ...]:
        """The mentions of those whom a line of an incident calls in a chat."""
        services = {incident.service, *(member.service for member in incident.members)}
        return mentions(self._all, chat, services, level, policy)

    async def _subscribe(self, request: Request) -> Answer:
        levels = {level for service in self._house.services.values() for level in service.policy.levels}
        said = " ".join(part for part in (request.target, request.level, request.text) if part)
        wish = wished(said, levels, self._house.board.resolve)
        if wish.words:
            return self._finder.no_service(msgspec.structs.replace(request, target=wish.words))
        if wish.list or not (wish.service or wish.level or wish.off or wish.here or request.incident):
            return self._listed(request)
        if not wish.service and request.incident and not wish.off:
            wish = msgspec.structs.replace(wish, service=await self._finder.service(request) or "")
        return await (self._channel(request, wish) if wish.here else self._person(request, wish))

    async def _person(self, request: Request, wish: Wish) -> Answer:
        who = request.who
        if who.chat not in self._house.calling():
            return no(("Nobody can be called here: subscribe in Slack or Discord, or read the feed, /feed.atom.",))
        if wish.off:
            return await self._off(wish, lambda one: one.by(who))
        if not wish.service:
            return no((f"Called for what? {_HOW}",))
        service = "" if wish.service == ALL else wish.service
        told = self._told(service, who.chat)
        if not told:
            return no((f"No channel of this chat hears of {self._name(service)}, so nobody could be called there.",))
        wanted = Subscription(chat=who.chat, person=who.id, name=who.name, service=service, level=wish.level)
        async with self._turn:
            others = tuple(one for one in self._all if not (one.by(who) and one.service == service))
            if sum(not one.channel and (one.chat, one.service) == (who.chat, service) for one in others) >= _MOST:
                return no((f"{_MOST} people are subscribed already; use a group of this chat under mention instead.",))
            await self._keep((*others, wanted))
        return yes((f"You are called for {self._what(wanted)}, in {', '.join(told)}.",))

    async def _channel(self, request: Request, wish: Wish) -> Answer:
        channel = request.channel
        if channel not in self._house.channels():
            return no(("This is none of the channels in the config; put it under channels first.",))
        if not enough(request.right, "declare"):
            return no(("You may not subscribe a whole channel: that needs the right 'act'.",))
        if wish.off:
            return await self._off(wish, lambda one: one.channel == channel)
        if not wish.service:
            return no((f"To what? {_HOW}",))
        service = "" if wish.service == ALL else wish.service
        wanted = Subscription(channel=channel, name=request.who.name, service=service, level=wish.level)
        async with self._turn:
            others = tuple(one for one in self._all if (one.channel, one.service) != (channel, service))
            await self._keep((*others, wanted))
        return yes((f"{channel} hears of {self._what(wanted)} from now on.",))

    async def _off(self, wish: Wish, mine: Mine) -> Answer:
        """Take back one wish, or all of them where no service was named."""
        service = "" if wish.service == ALL else wish.service
        async with self._turn:
            gone = [one for one in self._all if mine(one) and (not wish.service or one.service == service)]
            if not gone:
                return no(("There is no such subscription. subscribe list shows what there is.",))
            await self._keep(tuple(one for one in self._all if one not in gone))
        return yes(*((f"No longer: {self._what(one)}.",) for one in gone))

    def _listed(self, request: Request) -> Answer:
        mine: list[Text] = [(Bold("You: "), f"{self._what(one)}.") for one in self._all if one.by(request.who)]
        here = [one for one in self._all if one.channel and one.channel == request.channel]
        mine += [(Bold(f"{one.channel}: "), f"{self._what(one)}, wished by ", Said(one.name), ".") for one in here]
        return Answer(lines=(*mine,) or ((f"No subscriptions of yours. {_HOW}",),))

    async def _keep(self, wishes: tuple[Subscription, ...]) -> None:
        """Keep them, and let them rule; a channel hears at once of what is open."""
        await self._house.store.put(_KEY, msgspec.json.encode(wishes))
        changed = {one.service for one in set(wishes) ^ set(self._all) if one.channel}
        self._all = wishes
        for name in self._configured if "" in changed else changed & self._configured.keys():
            self._house.route(name, self._routes(name))
            await self._house.spread(name)

    def _routes(self, service: str) -> tuple[Route, ...]:
        known = self._house.channels()
        wished = [
            Route(channel=one.channel, level=one.level)
            for one in self._all
            if one.channel in known and one.service in ("", service)
        ]
        return (*self._configured[service], *wished)

    def _told(self, service: str, chat: str) -> list[str]:
        """The channels of a chat that hear of a service, or of any."""
        services = [self._house.services[service]] if service else self._house.services.values()
        inside = {name for name, (_, place) in self._house.chats.items() if place.chat == chat}
        return list(dict.fromkeys(route.channel for one in services for route in one.routes if route.channel in inside))

    def _name(self, service: str) -> str:
        return self._house.services[service].name if service in self._house.services else "any service"

    def _what(self, one: Subscription) -> str:
        return f"{self._name(one.service)}{f' at {one.level} or worse' if one.level else ''}"
