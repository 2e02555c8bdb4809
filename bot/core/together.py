"""The life of a group: a cursor on the timelines of its members, as a thread is a cursor on the timeline of one incident.

It opens with the first of them and closes with the last; it is as bad as the worst of those that are open, and calls
people when that gets worse than it ever was. Its service is two dots and its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from bot.core.heading import tone
from bot.core.life import Lived, also, enter, tell, worse
from bot.core.members import facts, joined, named
from bot.core.model import (
    Bold,
    Button,
    Case,
    Confidence,
    Entry,
    Fact,
    Head,
    Incident,
    Kind,
    Member,
    Policy,
    State,
    Text,
    When,
)
from bot.core.phrases import lasted, listed
from bot.core.wording import duration

_MIRRORED = frozenset(
    {Kind.OPENED, Kind.RAISED, Kind.VENDOR, Kind.RELAPSED, Kind.REOPENED, Kind.ACTED, Kind.REMINDER, Kind.CLOSED}
)
_WORSE = frozenset({Kind.OPENED, Kind.RAISED, Kind.RELAPSED, Kind.REOPENED})
_LEVELS = 8  # of as many services the first line says how bad each is
_ACK = Button(verb="ack", label="Acknowledge all", style="primary")
_LIST = Button(verb="list", label="Open incidents")
_MUTE = Button(verb="mute", label="Mute all")
_RESOLVE = Button(verb="resolve", label="Resolve all", style="danger")

News = Mapping[str, Sequence[Entry]]
"""By incident, the lines of its timeline that the group has not heard."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a group comes to know at once: its members as they are, what is new of them, and what most of them need.

    `says` is what is known of that service, in words that follow its name; empty where nothing speaks for its guilt.
    """

    group: str
    members: Sequence[Incident]
    news: News
    at: datetime
    cause: str = ""
    says: str = ""


def service(group: str) -> str:
    """The name that a group's case is kept under."""
    return f"..{group}"


def ours(incident: Incident) -> bool:
    """True for a group."""
    return incident.service.startswith("..together")


def gathered(case: Case, turn: Turn, policy: Policy) -> tuple[Case, tuple[Entry, ...]]:
    """The group's case as its members now are, and what it has to say of it."""
    before = case.incident
    incident = replace(before or _begun(turn), members=_members(turn.members, policy))
    incident = replace(incident, name=f"{len(incident.members)} services", causes=_causes(incident, turn))
    incident, entries = _moved(incident, before, turn, policy)
    if incident.alive and all(one.state is State.CLOSED for one in turn.members):
        incident, entries = also(entries, _closed(incident, turn.at))
    if before is not None and incident == before:
        return case, ()
    return replace(case, incident=replace(incident, rev=incident.rev + 1)), entries


def unheard(case: Case, members: Sequence[Incident]) -> dict[str, int]:
    """From which line on the timeline of each member is news; when a group begins, only of those without a thread."""
    known = {member.incident: member.heard for member in (case.incident.members if case.incident else ())}
    if case.incident is None:
        return {one.id: one.seq if one.aloud else 0 for one in members}
    return {one.id: known.get(one.id, 0) for one in members}


def head(incident: Incident, policy: Policy, *, link: str = "") -> Head:
    """The group as one message: how many, how bad, why perhaps, and who is still in it."""
    alive = [m for m in incident.members if m.ended is None]
    title = _title(incident)
    over = incident.state is State.CLOSED
    return Head(
        incident=incident.id,
        service=incident.service,
        rev=incident.rev,
        tone="over" if over or incident.state is State.EASING else tone(incident.level, policy),
        state=incident.state.value,
        level=incident.level,
        push=f"{'Over' if over else incident.level.capitalize()} - {title}",
        title=title,
        sentence=(_sentence(incident),),
        facts=(_began(incident), *facts(incident.members, _fact)),
        foot=(incident.id,),
        buttons=(_ACK, _LIST, _MUTE, _RESOLVE) if alive else (),
        alt=title,
        link=link,
    )


def preview(incident: Incident, what: str) -> Text:
    """What an act on the group does: `Closes 3 incidents: GitHub, npm and Vercel.` and such."""
    alive = [m.name for m in incident.members if m.ended is None]
    return (f"{what} {len(alive)} {'incident' if len(alive) == 1 else 'incidents'}: {listed(alive)}.",)


def _begun(turn: Turn) -> Incident:
    return Incident(
        id=turn.group,
        service=service(turn.group),
        name=turn.group,
        state=State.PENDING,
        since=turn.at,
        level="",
        peak_level="",
        confidence=Confidence.CONFIRMED,
        started_at=min(one.started_at for one in turn.members),
        opened_at=turn.at,
    )


def _causes(incident: Incident, turn: Turn) -> tuple[str, ...]:
    """What is likely behind it, in words; once something speaks for its guilt, that stands."""
    if not turn.cause or (incident.causes and not turn.says):
        return incident.causes
    return (f"{turn.cause}{turn.says}",)


def _members(now: Sequence[Incident], policy: Policy) -> tuple[Member, ...]:
    """Those in trouble first, the worst of them before the others, then the longest."""
    found = [joined(one) for one in now]
    return tuple(sorted(found, key=lambda m: (m.ended is not None, -policy.rank(m.level), m.began, m.name)))


def _moved(incident: Incident, before: Incident | None, turn: Turn, policy: Policy) -> Lived:
    """The group at its present level and state, with the lines that say how it came to be so."""
    at = turn.at
    alive = [one for one in turn.members if one.alive]
    level = max((one.level for one in alive), key=policy.rank, default=incident.level)
    worst = worse(incident.peak_level, level, policy)
    risen = policy.rank(worst) > policy.rank(incident.peak_level)
    incident = replace(_entered(incident, alive, at), level=level, peak_level=worst)
    entries: tuple[Entry, ...] = ()
    if before is None:
        incident, entries = tell(incident, Kind.OPENED, at, _opened(incident), loud=True)
        risen = False
    elif incident.causes != before.causes:
        incident, entries = tell(incident, Kind.SCOPE, at, _likely(incident))
    ended = {one.id: one for one in turn.members}
    for line, names in _mirrored(turn):
        called = risen and line.level == worst and line.kind in _WORSE
        risen = risen and not called
        loud = called or line.kind is Kind.REMINDER
        brief: Text = (Bold("Over"), f" after {lasted(duration(ended[line.incident]))}.")
        text = (Bold(f"{named(names)}."), " ", *(brief if line.kind is Kind.CLOSED else line.text))
        incident, entries = also(entries, tell(incident, line.kind, at, text, who=line.who, loud=loud))
    return incident, entries


def _entered(incident: Incident, alive: Sequence[Incident], at: datetime) -> Incident:
    if not alive:
        return incident
    bad = any(one.state is State.OPEN for one in alive)
    state = State.OPEN if bad else State.EASING
    muted = "everybody" if all(one.muted for one in alive) else ""
    acked = alive[0].acked_by if all(one.acked_by for one in alive) else ""
    incident = replace(incident, muted_by=muted, acked_by=acked)
    return incident if incident.state is state else enter(incident, state, at)


def _mirrored(turn: Turn) -> list[tuple[Entry, list[str]]]:
    """The lines of the members by time, with whose they are; what one person did to several of them is one line."""
    names = {one.id: one.name for one in turn.members}
    lines = [entry for one in turn.members for entry in turn.news.get(one.id, ()) if entry.kind in _MIRRORED]
    said: dict[tuple[object, ...], tuple[Entry, list[str]]] = {}
    for entry in sorted(lines, key=lambda entry: entry.at):
        one = (entry.who, entry.text) if entry.kind is Kind.ACTED else (entry.incident, entry.seq)
        said.setdefault(one, (entry, []))[1].append(names[entry.incident])
    return list(said.values())


def _closed(incident: Incident, at: datetime) -> Lived:
    ended = max((m.ended for m in incident.members if m.ended), default=at)
    over = replace(enter(incident, State.CLOSED, at), closed_at=at, eased_at=ended, closed_why="recovered")
    text = (
        Bold("All over"),
        f" after {lasted(duration(over))}: ",
        When(over.started_at, "date"),
        " to ",
        When(ended),
        ".",
    )
    return tell(replace(over, muted_by=""), Kind.CLOSED, at, text, loud=True)


def _opened(incident: Incident) -> Text:
    levels = named([f"{m.name} ({m.level})" for m in incident.members], _LEVELS)
    return (Bold(f"Together: {_broke(incident)}"), f". {levels}. ", *_likely(incident), "What follows is told here.")


def _likely(incident: Incident) -> Text:
    return (Bold("Likely cause:"), f" {incident.causes[0]}. Most of them depend on it. ") if incident.causes else ()


def _broke(incident: Incident) -> str:
    spread = max(m.began for m in incident.members) - min(m.began for m in incident.members)
    minutes = max(1, round(spread.total_seconds() / 60))
    return f"{len(incident.members)} services broke within {minutes} min"


def _title(incident: Incident) -> str:
    names = named([m.name for m in incident.members])
    if incident.state is State.CLOSED:
        return f"{names}: over after {lasted(duration(incident))}"
    if incident.state is State.EASING:
        return f"{names}: back to usual, watching"
    alive = [m.name for m in incident.members if m.ended is None]
    return f"{len(alive)} {'service' if len(alive) == 1 else 'services'} in trouble: {named(alive)}" if alive else names


def _sentence(incident: Incident) -> str:
    over = sum(m.ended is not None for m in incident.members)
    left = f" {over} of them {'is' if over == 1 else 'are'} over." if over and incident.alive else ""
    cause = f" Likely cause: {incident.causes[0]}. Most of them depend on it." if incident.causes else ""
    return f"{_broke(incident)}.{left}{cause}"


def _began(incident: Incident) -> Fact:
    return Fact(label="Began", value=(When(incident.started_at, "date"), " (", When(incident.started_at, "ago"), ")"))


def _fact(member: Member) -> Fact:
    if member.ended is None:
        return Fact(label=member.name, value=(f"{member.level} since ", When(member.began), f", {member.incident}"))
    return Fact(label=member.name, value=(f"over after {lasted(member.ended - member.began)}, was {member.level}",))
