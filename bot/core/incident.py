"""The life of an incident: `step(case, event, policy)` is every rule of it, and nothing else is.

| state   | what happens                                   | next    | the timeline says |
|---------|------------------------------------------------|---------|-------------------|
| none    | level >= open_at                               | PENDING | -                 |
| PENDING | level < open_at                                | none    | -                 |
| PENDING | bad for confirm_for (0 when two kinds agree)   | OPEN    | opened            |
| OPEN    | level moves, still above calm                  | OPEN    | raised, lowered   |
| OPEN    | scope or leading symptom changes for good      | OPEN    | scope             |
| OPEN    | the vendor posts, changes, closes              | OPEN    | vendor            |
| OPEN    | calm                                           | EASING  | eased             |
| EASING  | level >= open_at                               | OPEN    | relapsed          |
| EASING  | quiet for quiet_for                            | CLOSED  | closed            |
| CLOSED  | level >= open_at within reopen_for             | OPEN    | reopened          |
| alive   | a person acts                                  | as said | acted             |

A level is raised at once and lowered only after it has been lower for `quiet_for`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot.core import wording
from bot.core.model import (
    Acted,
    Case,
    Confidence,
    Entry,
    Event,
    Evidence,
    Incident,
    Judged,
    Kind,
    Notice,
    Peak,
    Policy,
    Reading,
    Scope,
    State,
    Text,
)
from bot.core.scope import changed

Lived = tuple[Incident, tuple[Entry, ...]]
Outcome = tuple[Incident | None, tuple[Entry, ...]]

_MOST_FINE = 500
"""People whose word that it works is told apart; more would only make the case heavy."""
_SCOPE_HOLD = timedelta(minutes=10)
_SCOPE_WIDENED = timedelta(minutes=20)


def step(case: Case, event: Event, policy: Policy) -> tuple[Case, tuple[Entry, ...]]:
    """The case after an event, and the timeline entries to be saved with it."""
    before = case.incident
    after, entries = _judged(case, event, policy) if isinstance(event, Judged) else _acted(case, event, policy)
    if after is not None and after != before:
        after = replace(after, rev=after.rev + 1)
    return replace(case, incident=after), entries


def objection(case: Case, act: Acted, policy: Policy) -> str:
    """Why a person's act makes no sense now, in words for that person; empty when it does."""
    incident = case.incident
    if act.verb == "declare":
        return f"{incident.id} is already open." if incident and incident.alive else ""
    if incident is None or incident.opened_at is None:
        return f"{policy.name} has no incident."
    if act.incident not in ("", incident.id):
        return f"{act.incident} is past; {incident.id} is the latest of {incident.name}."
    if not incident.alive and act.verb in ("note", "real", "false-alarm"):
        return ""
    if incident.alive is (act.verb == "reopen"):
        return f"{incident.id} is {'open' if incident.alive else 'closed'} already."
    return _needless(incident, act)


def _needless(incident: Incident, act: Acted) -> str:
    """Why there is nothing to do or to take back."""
    if act.verb == "ack" and incident.acked_by:
        return f"{incident.acked_by} has already acknowledged {incident.id}."
    if act.verb == "unack" and not incident.acked_by:
        return f"Nobody has acknowledged {incident.id}."
    return f"{incident.id} is not muted." if act.verb == "unmute" and not incident.muted else ""


# Evidence


def _level(readings: tuple[Reading, ...], policy: Policy) -> str:
    return max((r.level for r in readings), key=policy.rank, default="")


def _kinds(readings: tuple[Reading, ...], policy: Policy) -> set[Evidence]:
    return {r.kind for r in readings if policy.rank(r.level)}


def _confidence(incident: Incident, kinds: set[Evidence]) -> Confidence:
    sure = len(kinds) > 1 or Evidence.VENDOR in kinds or incident.declared_by or incident.vendor_at
    return Confidence.CONFIRMED if sure else incident.confidence


def _settled(old: tuple[Reading, ...], new: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The new readings, each keeping its old time where nothing else about it changed, so that nothing is re-told."""
    known = {r.source: r for r in old}
    return tuple(
        known[r.source] if r.source in known and replace(r, at=known[r.source].at) == known[r.source] else r
        for r in new
    )


def _people(readings: tuple[Reading, ...]) -> Reading | None:
    return next((r for r in readings if r.numbers is not None), None)


def _facts(incident: Incident, event: Judged, policy: Policy) -> Incident:
    """The incident with the present evidence on it."""
    crowd = _people(event.readings)
    kinds = _kinds(event.readings, policy)
    raised = [r for r in event.readings if policy.rank(r.level)]
    began = min((r.since for r in raised if r.since), default=incident.started_at)
    first = min(raised, key=lambda r: r.since or r.at).kind if raised else None
    peak = _peak(incident.peak, crowd)
    incident = replace(
        incident,
        readings=_settled(incident.readings, event.readings),
        numbers=crowd.numbers if crowd else incident.numbers,
        peak=peak,
        worst_scope=crowd.scope if crowd and crowd.scope and peak != incident.peak else incident.worst_scope,
        started_at=min(began, incident.started_at) if incident.opened_at is None else incident.started_at,
        first_kind=incident.first_kind or first,
        causes=event.causes,
        confidence=_confidence(incident, kinds),
    )
    return _seen_scope(incident, crowd.scope if crowd and crowd.level else None, event.at)


def _peak(peak: Peak | None, crowd: Reading | None) -> Peak | None:
    if crowd is None or crowd.numbers is None or (peak and crowd.numbers.count <= peak.count):
        return peak
    return Peak(at=crowd.at, count=crowd.numbers.count, times=crowd.numbers.times)


def _seen_scope(incident: Incident, scope: Scope | None, at: datetime) -> Incident:
    """Remember the scope of the bad hours; how long it has stood decides whether it is told."""
    if scope is None:
        return incident
    same = incident.scope is not None and not changed(incident.scope, scope)
    return replace(incident, scope=scope, scope_since=incident.scope_since if same else at)


# The detector's side of the life


def _judged(case: Case, event: Judged, policy: Policy) -> Outcome:
    level = _level(event.readings, policy)
    incident = case.incident
    if incident is None:
        return _none(case, event, level, policy)
    if incident.state is State.PENDING:
        return _pending(incident, event, level, policy)
    if incident.state is State.OPEN:
        return _open(incident, event, level, policy)
    if incident.state is State.EASING:
        return _easing(incident, event, level, policy)
    return _closed(case, incident, event, level, policy)


def _none(case: Case, event: Judged, level: str, policy: Policy) -> Outcome:
    if event.planned or policy.rank(level) < policy.rank(policy.open_at):
        return case.incident, ()
    return _pending(_suspect(case, event.at, level, policy), event, level, policy)


def _suspect(case: Case, at: datetime, level: str, policy: Policy) -> Incident:
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
    """`twitter-20221104-0307`: readable, sortable, the same in every replay."""
    name = f"{case.service}-{at:%Y%m%d-%H%M}"
    taken = case.incident.id if case.incident else ""
    return f"{name}-{at:%S}" if taken.startswith(name) else name


def _pending(incident: Incident, event: Judged, level: str, policy: Policy) -> Outcome:
    if event.planned or policy.rank(level) < policy.rank(policy.open_at):
        return None, ()
    incident = _facts(incident, event, policy)
    incident = replace(incident, level=level, peak_level=_worse(incident.peak_level, level, policy))
    agreed = len(_kinds(event.readings, policy)) > 1
    if event.at - incident.since < policy.confirm_for and not agreed:
        return incident, ()
    return _opened(incident, event, policy)


def _opened(incident: Incident, event: Judged, policy: Policy) -> Lived:
    incident = _enter(incident, State.OPEN, event.at)
    known = _notices(event.readings)
    posted = min((n.started_at for n in known if n.open), default=None)
    incident = replace(
        incident, opened_at=event.at, told_scope=incident.scope, notices=known, vendor_at=posted, reminded_at=event.at
    )
    return _tell(incident, Kind.OPENED, event.at, wording.opened(incident, policy), loud=True)


def _open(incident: Incident, event: Judged, level: str, policy: Policy) -> Lived:
    incident = _unmuted(_facts(incident, event, policy), event.at)
    incident, entries = _vendor(incident, event)
    if not policy.rank(level):
        if incident.declared_by and incident.first_kind is None:
            return incident, entries  # a person's word stands until evidence comes and goes, or a person ends it
        calm = replace(incident, eased_at=event.at, lowering_since=None, muted_until=None, muted_by="")
        eased = _enter(calm, State.EASING, event.at)
        return _also(entries, _tell(eased, Kind.EASED, event.at, wording.eased(eased, policy)))
    incident, moved = _move(incident, event.at, level, policy)
    incident, scoped = _scoped(incident, event.at, policy)
    incident, reminded = _remind(incident, event.at, policy)
    return incident, entries + moved + scoped + reminded


def _move(incident: Incident, at: datetime, level: str, policy: Policy) -> Lived:
    now, was = policy.rank(level), policy.rank(incident.level)
    if now == was:
        return replace(incident, lowering_since=None), ()
    if now > was:
        worst = _worse(incident.peak_level, level, policy)
        loud = policy.rank(level) > policy.rank(incident.peak_level)
        worse = replace(
            incident,
            level=level,
            peak_level=worst,
            lowering_since=None,
            told_scope=incident.scope or incident.told_scope,
        )
        return _tell(worse, Kind.RAISED, at, wording.raised(worse, policy), loud=loud)
    since = incident.lowering_since or at
    if at - since < policy.quiet_for:
        return replace(incident, lowering_since=since), ()
    less = replace(incident, level=level, lowering_since=None)
    return _tell(less, Kind.LOWERED, at, wording.lowered(less, policy))


def _scoped(incident: Incident, at: datetime, policy: Policy) -> Lived:
    """Tell a new scope once it has stood; that a limit is gone must stand longer, for thin evidence looks the same."""
    new = incident.scope
    if new is None or incident.scope_since is None or not changed(incident.told_scope, new):
        return incident, ()
    hold = _SCOPE_HOLD if any(new.limits) else _SCOPE_WIDENED
    if at - incident.scope_since < max(hold, policy.confirm_for):
        return incident, ()
    text = wording.scoped(incident)
    incident = replace(incident, told_scope=new)
    return _tell(incident, Kind.SCOPE, at, text)


def _remind(incident: Incident, at: datetime, policy: Policy) -> Lived:
    last = incident.reminded_at or incident.since
    if not policy.remind_every or incident.acked_by or at - last < policy.remind_every:
        return incident, ()
    incident = replace(incident, reminded_at=at)
    return _tell(incident, Kind.REMINDER, at, wording.reminder(incident, at), loud=True)


def _easing(incident: Incident, event: Judged, level: str, policy: Policy) -> Lived:
    incident = _facts(incident, event, policy)
    incident, entries = _vendor(incident, event)
    if policy.rank(level) >= policy.rank(policy.open_at):
        return _also(entries, _back(incident, Kind.RELAPSED, event.at, level, policy))
    if event.at - incident.since < policy.quiet_for:
        return incident, entries
    return _also(entries, _close(incident, event.at, "recovered"))


def _closed(case: Case, incident: Incident, event: Judged, level: str, policy: Policy) -> Outcome:
    rank = policy.rank(level)
    if incident.quelled:
        if not rank:
            return replace(incident, quelled=""), ()
        if rank <= policy.rank(incident.quelled):
            return incident, ()
        incident = replace(incident, quelled="")
    if event.planned or rank < policy.rank(policy.open_at):
        return incident, ()
    if incident.closed_at is not None and event.at - incident.closed_at > policy.reopen_for:
        return _pending(_suspect(case, event.at, level, policy), event, level, policy)
    return _reopened(_facts(incident, event, policy), event.at, level, policy)


def _reopened(incident: Incident, at: datetime, level: str, policy: Policy) -> Lived:
    incident = replace(incident, reopened=incident.reopened + 1, closed_at=None, closed_why="", quelled="")
    return _back(incident, Kind.REOPENED, at, level, policy)


def _back(incident: Incident, kind: Kind, at: datetime, level: str, policy: Policy) -> Lived:
    worst = _worse(incident.peak_level, level, policy)
    worse = policy.rank(worst) > policy.rank(incident.peak_level)
    incident = replace(
        _enter(incident, State.OPEN, at),
        level=level,
        peak_level=worst,
        eased_at=None,
        lowering_since=None,
        told_scope=incident.scope,
    )
    text = wording.relapsed(incident, policy) if kind is Kind.RELAPSED else wording.reopened(incident, policy)
    return _tell(incident, kind, at, text, loud=worse or kind is Kind.REOPENED)


def _close(incident: Incident, at: datetime, why: str) -> Lived:
    ended = incident.eased_at or at
    incident = replace(
        _enter(incident, State.CLOSED, at), closed_at=at, closed_why=why, eased_at=ended, muted_until=None, muted_by=""
    )
    return _tell(incident, Kind.CLOSED, at, wording.closed(incident), loud=True)


# The vendor's side


def _notices(readings: tuple[Reading, ...]) -> tuple[Notice, ...]:
    return tuple(n for r in readings for n in r.notices if not n.maintenance)


def _vendor(incident: Incident, event: Judged) -> Lived:
    """What the vendor's own page says now that it did not say before; a fix to a closed notice tells nothing."""
    known = {n.key: n for n in incident.notices}
    entries: tuple[Entry, ...] = ()
    for notice in _notices(event.readings):
        before = known.get(notice.key)
        known[notice.key] = notice
        if not _news(before, notice):
            continue
        if incident.vendor_at is None:
            incident = replace(incident, vendor_at=event.at, confidence=Confidence.CONFIRMED)
        incident, told = _tell(incident, Kind.VENDOR, event.at, wording.vendor(incident, notice, before))
        entries += told
    return replace(incident, notices=tuple(known.values())), entries


def _news(before: Notice | None, now: Notice) -> bool:
    if before is None:
        return now.open
    return before.open and (now.phase, now.impact, now.words) != (before.phase, before.impact, before.words)


# The people's side


def _acted(case: Case, act: Acted, policy: Policy) -> Outcome:
    if objection(case, act, policy):
        return case.incident, ()
    incident = case.incident
    if act.verb == "declare" or incident is None:
        return _declared(case, act, policy)
    if act.verb in ("works", "fails"):
        return _voiced(incident, act), ()
    if act.verb in ("resolve", "false-alarm", "merge", "unwatch"):
        return _ended(_noted(incident, act), act)
    if act.verb == "reopen":
        return _reopened(incident, act.at, incident.level or policy.open_at, policy)
    return _said(_noted(incident, act), act)


def _declared(case: Case, act: Acted, policy: Policy) -> Lived:
    level = act.level if policy.rank(act.level) else policy.open_at
    incident = case.incident
    if incident is None or incident.state is not State.PENDING:
        incident = _suspect(case, act.at, level, policy)
    incident = replace(incident, level=level, peak_level=level, declared_by=act.who, confidence=Confidence.CONFIRMED)
    incident = replace(_enter(incident, State.OPEN, act.at), opened_at=act.at, reminded_at=act.at)
    return _tell(incident, Kind.OPENED, act.at, wording.declared(incident, act), who=act.who, loud=True)


def _ended(incident: Incident, act: Acted) -> Lived:
    incident, said = _said(incident, act)
    if not incident.alive:
        return incident, said
    why = "recovered" if incident.state is State.EASING else act.verb
    quelled = incident.level if incident.state is State.OPEN else ""
    closed, told = _close(replace(incident, quelled=quelled), act.at, why)
    return closed, said + told


def _noted(incident: Incident, act: Acted) -> Incident:
    changes: dict[str, dict[str, Any]] = {
        "ack": {"acked_by": act.who, "acked_at": act.at},
        "unack": {"acked_by": "", "acked_at": None},
        "take": {"owner": act.who},
        "mute": {"muted_until": act.until, "muted_by": act.who},
        "unmute": {"muted_until": None, "muted_by": ""},
        "real": {"verdict": act.verb, "verdict_by": act.who, "confidence": Confidence.CONFIRMED},
        "false-alarm": {"verdict": act.verb, "verdict_by": act.who},
    }
    return replace(incident, **changes.get(act.verb, {}))


def _voiced(incident: Incident, act: Acted) -> Incident:
    """Who says that it works is counted once, and no longer once they say that it fails; the thread hears nothing."""
    others = tuple(mark for mark in incident.fine if mark != act.who)
    return replace(incident, fine=(*others, act.who)[:_MOST_FINE] if act.verb == "works" else others)


def _said(incident: Incident, act: Acted) -> Lived:
    return _tell(incident, Kind.ACTED, act.at, wording.acted(act), who=act.who)


# Small change


def _worse(a: str, b: str, policy: Policy) -> str:
    return max(a, b, key=policy.rank)


def _enter(incident: Incident, state: State, at: datetime) -> Incident:
    return replace(incident, state=state, since=at)


def _unmuted(incident: Incident, at: datetime) -> Incident:
    over = incident.muted_until is not None and at >= incident.muted_until
    return replace(incident, muted_until=None, muted_by="") if over else incident


def _tell(incident: Incident, kind: Kind, at: datetime, text: Text, *, who: str = "", loud: bool = False) -> Lived:
    incident = replace(incident, seq=incident.seq + 1)
    entry = Entry(
        incident=incident.id,
        seq=incident.seq,
        at=at,
        kind=kind,
        level=incident.level,
        text=text,
        who=who,
        loud=loud and not incident.muted,
    )
    return incident, (entry,)


def _also(entries: tuple[Entry, ...], outcome: Lived) -> Lived:
    return outcome[0], entries + outcome[1]
