"""The incidents that one message tells of together: as its members, and in its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.core.model import Fact, Incident, Member
from bot.core.phrases import listed

_SHOWN, _NAMED = 8, 3


def joined(incident: Incident) -> Member:
    """An incident as one of several; of what is over, how bad it was."""
    return Member(
        incident=incident.id,
        service=incident.service,
        name=named([m.name for m in incident.members]) or incident.name,
        level=incident.level if incident.alive else incident.peak_level,
        began=incident.started_at,
        ended=None if incident.alive else incident.eased_at or incident.closed_at or incident.since,
        heard=incident.seq,
    )


def facts(members: Sequence[Member], fact: Callable[[Member], Fact]) -> tuple[Fact, ...]:
    """The first of them with a fact each, and the rest by their names."""
    shown, rest = members[:_SHOWN], members[_SHOWN:]
    more = (Fact(label=f"And {len(rest)} more", value=(named([m.name for m in rest]),)),) if rest else ()
    return (*map(fact, shown), *more)


def named(several: Sequence[str], most: int = _NAMED) -> str:
    """`GitHub, npm and Vercel`, or with more than `most` of them `GitHub, npm, Vercel and 4 more`; each once."""
    few = list(dict.fromkeys(several))
    return listed([*few[:most], f"{len(few) - most} more"] if len(few) > most + 1 else few)
