"""Which incidents belong together: those that begin within minutes of each other, or of services that need the same one.

The first few open threads of their own, for nobody knows yet; the one that makes it enough begins a group, and from then
on the group speaks for all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from bot.core.model import Bold, Case, Entry, Incident, Kind, Text

_KIN = 2
"""Services that need the same one and break together are enough for a group, even where `services` asks for more."""

Needs = Mapping[str, Sequence[str]]
"""What each service depends on."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A group is `services` incidents that open within `within` of each other, or two that share what they depend on."""

    services: int = 3
    within: timedelta = timedelta(minutes=5)


def belongs(new: Incident, alive: Sequence[Incident], needs: Needs, rule: Rule) -> tuple[str, tuple[str, ...]]:
    """The group that an incident which just opened belongs to, and the services that join it there when it is a new one.

    The empty string: it stands alone. `alive` are the other open incidents.
    """
    near = [one for one in alive if _near(one, new, rule.within)]
    known = next((one.part_of for one in (*near, *_kin(new, alive, needs)) if one.part_of), "")
    if known:
        return known, ()
    free = [one for one in near if not one.part_of]
    mates = free if len(free) + 1 >= rule.services else _dependents(new, free, alive, needs)
    at = new.opened_at or new.since
    return (f"together-{at:%Y%m%d-%H%M%S}", tuple(one.service for one in mates)) if mates else ("", ())


def placed(case: Case, entries: tuple[Entry, ...], group: str) -> tuple[Case, tuple[Entry, ...]]:
    """A case whose incident just opened, as part of a group: the group calls people, and shows it to the channel."""
    incident = case.incident
    if incident is None or group == incident.part_of == "":
        return case, entries
    if not group:
        return replace(case, incident=replace(incident, part_of="")), entries
    quiet = tuple(replace(entry, loud=False, calls=False) for entry in entries)
    return replace(case, incident=replace(incident, part_of=group, aloud=0)), quiet


def begins(entries: Sequence[Entry]) -> bool:
    """True for the moments at which it is decided where an incident belongs."""
    return any(entry.kind in (Kind.OPENED, Kind.REOPENED) for entry in entries)


def joined(group: str) -> Text:
    """What a thread says that stood alone so far."""
    return (
        Bold("Part of something larger"),
        f": other services broke within minutes. What follows is told in {group}.",
    )


def cause(services: Sequence[str], needs: Needs) -> str:
    """The service that most of these depend on, where at least two do; the empty string where there is none."""
    wanted = Counter(name for service in services for name in needs.get(service, ()))
    for name, dependents in wanted.most_common():
        if dependents >= _KIN and 2 * (dependents + (name in services)) > len(services):
            return name
    return ""


def _near(one: Incident, other: Incident, within: timedelta) -> bool:
    opened, began = one.opened_at or one.since, other.opened_at or other.since
    return abs(opened - began) <= within


def _kin(new: Incident, alive: Sequence[Incident], needs: Needs) -> list[Incident]:
    """Those that share a need with it, or need it, or that it needs."""
    wants = {*needs.get(new.service, ()), new.service}
    return [one for one in alive if not wants.isdisjoint((*needs.get(one.service, ()), one.service))]


def _dependents(new: Incident, near: Sequence[Incident], alive: Sequence[Incident], needs: Needs) -> Sequence[Incident]:
    """Enough that broke together and need the same service, with that service's own incident; nothing where too few do."""
    for wanted in (*needs.get(new.service, ()), new.service):
        several = [one for one in near if wanted in needs.get(one.service, ())]
        if len(several) + (wanted != new.service) >= _KIN:
            return [*several, *(one for one in alive if one.service == wanted and not one.part_of)]
    return ()
