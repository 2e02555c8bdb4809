"""What the settings mean to the rooms: services, rules, places, tokens. Pure but for connecting to the chats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_network
from typing import Protocol, cast

from bot.config.settings import LevelRule, ServiceSettings, Settings
from bot.core.holidays import Calendar
from bot.core.model import Evidence, Policy, Route, Service
from bot.core.planned import Window
from bot.detectors.levels import Rule
from bot.listening.overhearing import Ear
from bot.ports import Chat, Clock, Feed, Hook, Place, Source, Watch, Wire
from bot.web.access import Access, Token

Watches = Mapping[str, Watch]


class Connection(Protocol):
    """A chat plugin as configured."""

    kind: str

    def connect(self, name: str, clock: Clock) -> Chat:
        """The chat it leads to."""
        ...


def service(s: ServiceSettings) -> Service:
    """A service as the house knows it."""
    return Service(
        id=s.id,
        policy=s.policy,
        aliases=s.aliases,
        routes=tuple(
            Route(channel=r.channel, level=r.from_level, evidence=frozenset(map(Evidence, r.evidence))) for r in s.tell
        ),
        depends_on=s.depends_on,
        windows=tuple(Window(lasts=w.lasts, start=w.start, cron=w.cron, zone=w.zone) for w in s.maintenance),
    )


def services(settings: Settings) -> dict[str, Service]:
    """All of them by id."""
    return {s.id: service(s) for s in settings.services.values()}


def calendars(settings: Settings) -> dict[str, Calendar]:
    """The holidays of each service."""
    return {s.id: s.holidays for s in settings.services.values()}


def rules(settings: Settings) -> dict[str, tuple[Rule, ...]]:
    """The levels of each service, mildest first."""
    return {s.id: tuple(_rule(r) for r in s.levels) for s in settings.services.values()}


def _rule(r: LevelRule) -> Rule:
    return Rule(level=r.name, reports=r.reports, within=r.within, times=r.times, alarms=r.alarms_per_month, line=r.line)


def watches(settings: Settings) -> dict[str, Watches]:
    """The plugins of each service, by the names they were given."""
    return {s.id: cast("Watches", s.watches) for s in settings.services.values()}


def sources(watches: Watches) -> Mapping[str, Source]:
    """Those that are asked; the others are hooks."""
    return {name: watch for name, watch in watches.items() if isinstance(watch, Source)}


def feeds(watches: Watches) -> Mapping[str, Feed]:
    """Those that are sent for numbers, or for what people say."""
    return {name: watch for name, watch in watches.items() if isinstance(watch, Feed)}


def ears(settings: Settings, watches: Mapping[str, Watches]) -> Mapping[str, tuple[Ear, ...]]:
    """What is listened for, by the wire that it may come over; a watch without words of its own uses its service's."""
    found: dict[str, tuple[Ear, ...]] = {}
    for service, several in watches.items():
        for name, wire in several.items():
            if isinstance(wire, Wire):
                words = tuple(wire.words) or settings.services[service].words
                ear = Ear(service=service, name=name, wire=wire, words=words)
                found[wire.line] = (*found.get(wire.line, ()), ear)
    return found


def hooks(watches: Watches) -> Mapping[str, Hook]:
    """Those that tell us by themselves."""
    return {name: watch for name, watch in watches.items() if isinstance(watch, Hook)}


def voices(settings: Settings) -> dict[str, timedelta]:
    """One person is one voice for as long as any level looks back, so that counts are of people."""
    return {s.id: max((s.one_voice, *(rule.within for rule in s.levels))) for s in settings.services.values()}


def common(settings: Settings) -> Policy:
    """The ladder for the page's colours; without a service any pace will do."""
    pace = timedelta(0)
    bare = Policy(name="", levels=settings.levels, open_at="", confirm_for=pace, quiet_for=pace, reopen_for=pace)
    return next((s.policy for s in settings.services.values()), bare)


def access(settings: Settings) -> Access:
    """The tokens and what each may do, and whose word about addresses is believed."""
    return Access(
        tokens=tuple(Token(name=t.name, secret=t.secret, scopes=t.scopes) for t in settings.web.tokens),
        proxies=tuple(ip_network(network, strict=False) for network in settings.web.trusted_proxies),
    )


def places(settings: Settings) -> dict[str, Place]:
    """The channels as the chats know them."""
    return {
        name: Place(name=name, chat=c.chat, address=c.channel, mention=c.mention, quiet=c.quiet)
        for name, c in settings.channels.items()
    }


def connections(settings: Settings) -> Mapping[str, Connection]:
    """The chats as configured, not yet connected."""
    return cast("Mapping[str, Connection]", settings.chats)


def calling(settings: Settings) -> Sequence[str]:
    """The chats in which people can be called: all but the page."""
    return [name for name, chat in connections(settings).items() if chat.kind != "page"]


def stand_ins(settings: Settings, channel: str, service: str) -> Sequence[str]:
    """Channels that can say what `channel` cannot: those of the service first, other chats first, the page last."""
    routes = settings.services[service].tell if service in settings.services else ()
    told = [route.channel for route in routes]
    chat = settings.channels[channel].chat if channel in settings.channels else ""

    def order(name: str) -> tuple[bool, bool, bool]:
        other = settings.channels[name].chat
        return connections(settings)[other].kind == "page", other == chat, name not in told

    return sorted((name for name in settings.channels if name != channel), key=order)
