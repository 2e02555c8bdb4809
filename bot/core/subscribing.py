"""Who wants to be called for what: people in their own chat, and channels that asked to hear of a service."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import msgspec

from bot.core.model import Person, Policy

_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_FLAGS = frozenset({"off", "stop", "here", "list", "me", "to", "at", "from"})
ALL = "all"


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One wish: of a person in a chat, or of a `channel`. `service` empty is every service, `level` empty every incident."""

    chat: str = ""
    person: str = ""
    name: str = ""
    channel: str = ""
    service: str = ""
    level: str = ""

    def by(self, who: Person) -> bool:
        """True when it is this person's own."""
        return not self.channel and (self.chat, self.person) == (who.chat, who.id)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the words after `subscribe` ask for. `service` is an id, `all`, or empty; `words` are those nobody knows."""

    service: str = ""
    level: str = ""
    off: bool = False
    here: bool = False
    list: bool = False
    words: str = ""


def wished(text: str, levels: Collection[str], service: Callable[[str], str | None]) -> Wish:
    """Read the words in any order: a service or `all`, a level, `off`, `here` for the channel, `list`."""
    words = text.replace(",", " ").split()
    said = {word.lower() for word in words}
    level = next((word.lower() for word in words if word.lower() in levels), "")
    rest = " ".join(word for word in words if word.lower() not in _FLAGS and word.lower() != level)
    found = ALL if rest.lower() in (ALL, "everything") else service(rest) or "" if rest else ""
    return Wish(
        service=found,
        level=level,
        off=bool(said & {"off", "stop"}),
        here="here" in said,
        list="list" in said,
        words="" if found else rest,
    )


def mentions(
    subscriptions: Sequence[Subscription], chat: str, services: Collection[str], level: str, policy: Policy
) -> tuple[str, ...]:
    """The mentions of those whom a line of this level calls in a chat, each once; Slack and Discord write them alike."""
    called = (
        one.person.rpartition(":")[2]
        for one in subscriptions
        if one.chat == chat
        and not one.channel
        and (not one.service or one.service in services)
        and policy.rank(one.level) <= policy.rank(level)
    )
    return tuple(dict.fromkeys(f"<@{person}>" for person in called if _ID.fullmatch(person)))
