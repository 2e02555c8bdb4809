"""The moves that both sides of an incident's life make: begin, enter a state, say a line, come back, end."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from bot.core import wording
from bot.core.model import Case, Entry, Incident, Kind, Policy, State, Text

Lived = tuple[Incident, tuple[Entry, ...]]
"""An incident after a move, and what the timeline says of it."""
Outcome = tuple[Incident | None, tuple[Entry, ...]]
"""The same where there may be no incident any more."""


def suspect(case: Case, at: datetime, level: str, policy: Policy) -> Incident:
    """A new incident, not yet more than a suspicion."""
    return Incident(
        id=_name(case, at),
        service=case.service,
        name=policy.name,
        state=State.PENDING,
        since=at,
        level=level,
        peak_level=level,
        started_at=at,
    )


def _name(case: Case, at: datetime) -> str:
    """`twitter-20221104-0307`: readable, sortable, the same in every replay.

    Two within a minute are told apart by the second, and two within a second, or one just after the clock was put back,
    by the version of the case, which never comes twice.
    """
    taken = case.incident.id if case.incident else ""
    minute = f"{case.service}-{at:%Y%m%d-%H%M}"
    second = f"{minute}-{at:%S}"
    if taken < minute:
        return minute
    return second if taken < second else f"{second}-{case.version}"


def reopened(incident: Incident, at: datetime, level: str, policy: Policy) -> Lived:
    """Back from the closed, in the same thread."""
    incident = replace(incident, reopened=incident.reopened + 1, closed_at=None, closed_why="", quelled="")
    return back(incident, Kind.REOPENED, at, level, policy)


def back(incident: Incident, kind: Kind, at: datetime, level: str, policy: Policy) -> Lived:
    """Bad again: from easing (`RELAPSED`) or from the closed (`REOPENED`)."""
    worst = worse(incident.peak_level, level, policy)
    higher = policy.rank(worst) > policy.rank(incident.peak_level)
    incident = replace(
        enter(incident, State.OPEN, at),
        level=level,
        peak_level=worst,
        eased_at=None,
        lowering_since=None,
        told_scope=incident.scope,
    )
    text = wording.relapsed(incident, policy) if kind is Kind.RELAPSED else wording.reopened(incident, policy)
    return tell(incident, kind, at, text, loud=higher or kind is Kind.REOPENED)


def close(incident: Incident, at: datetime, why: str) -> Lived:
    """Over; `why` is `recovered` or the verb of the person who ended it."""
    ended = incident.eased_at or at
    incident = replace(
        enter(incident, State.CLOSED, at), closed_at=at, closed_why=why, eased_at=ended, muted_until=None, muted_by=""
    )
    return tell(incident, Kind.CLOSED, at, wording.closed(incident), loud=True)


def worse(a: str, b: str, policy: Policy) -> str:
    """The worse of two levels."""
    return max(a, b, key=policy.rank)


def enter(incident: Incident, state: State, at: datetime) -> Incident:
    """The incident in another state, since now."""
    return replace(incident, state=state, since=at)


def tell(incident: Incident, kind: Kind, at: datetime, text: Text, *, who: str = "", loud: bool = False) -> Lived:
    """Say one line; `loud` ones are for the whole channel, unless it is muted.

    Of these, what is bad calls people, once at each level; a reminder calls them again, for that is what it is for.
    """
    loud = loud and not incident.muted and not incident.part_of
    calls = loud and (kind is Kind.REMINDER or (kind is not Kind.CLOSED and incident.level not in incident.called))
    seq = incident.seq + 1
    incident = replace(
        incident,
        seq=seq,
        aloud=seq if loud else incident.aloud,
        called=tuple(dict.fromkeys((*incident.called, incident.level))) if calls else incident.called,
    )
    entry = Entry(
        incident=incident.id,
        seq=incident.seq,
        at=at,
        kind=kind,
        level=incident.level,
        text=text,
        who=who,
        loud=loud,
        calls=calls,
    )
    return incident, (entry,)


def also(entries: tuple[Entry, ...], outcome: Lived) -> Lived:
    """A move after lines that were said already."""
    return outcome[0], entries + outcome[1]
