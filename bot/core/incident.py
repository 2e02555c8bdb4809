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

While the feed of reports is silent nothing eases and nothing closes: that is our deafness and not their recovery.
A level is raised at once and lowered only after it has been lower for `quiet_for`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.core import wording
from bot.core.acts import acted
from bot.core.facts import kinds, level_of, notices, with_facts
from bot.core.life import Lived, Outcome, also, back, close, enter, reopened, suspect, tell, worse
from bot.core.model import Case, Confidence, Entry, Event, Incident, Judged, Kind, Notice, Numbers, Policy, State
from bot.core.scope import FEWEST, changed

_SCOPE_AGREED = timedelta(minutes=1)
_SCOPE_LATEST = timedelta(minutes=5)
_SCOPE_HOLD = timedelta(minutes=10)
_SCOPE_WIDENED = timedelta(minutes=20)


def step(case: Case, event: Event, policy: Policy) -> tuple[Case, tuple[Entry, ...]]:
    """The case after an event, and the timeline entries to be saved with it."""
    before = case.incident
    after, entries = _judged(case, event, policy) if isinstance(event, Judged) else acted(case, event, policy)
    if after is not None and after != before:
        after = replace(after, rev=after.rev + 1)
    return replace(case, incident=after), entries


def _judged(case: Case, event: Judged, policy: Policy) -> Outcome:
    level = level_of(event.readings, policy)
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
    return _pending(suspect(case, event.at, level, policy), event, level, policy)


def _pending(incident: Incident, event: Judged, level: str, policy: Policy) -> Outcome:
    if event.planned or policy.rank(level) < policy.rank(policy.open_at):
        return None, ()
    incident = with_facts(incident, event, policy)
    incident = replace(incident, level=level, peak_level=worse(incident.peak_level, level, policy))
    agreed = len(kinds(event.readings, policy)) > 1
    if event.at - incident.since < policy.confirm_for and not agreed:
        return incident, ()
    return _opened(incident, event, policy)


def _opened(incident: Incident, event: Judged, policy: Policy) -> Lived:
    incident = enter(incident, State.OPEN, event.at)
    known = notices(event.readings)
    posted = min((n.started_at for n in known if n.open), default=None)
    told = incident.scope if _stood(incident, event.at, _SCOPE_AGREED) else None
    incident = replace(
        incident, opened_at=event.at, told_scope=told, notices=known, vendor_at=posted, reminded_at=event.at
    )
    return tell(incident, Kind.OPENED, event.at, wording.opened(incident, policy), loud=True)


def _open(incident: Incident, event: Judged, level: str, policy: Policy) -> Lived:
    incident = _unmuted(with_facts(incident, event, policy), event.at)
    incident, entries = _vendor(incident, event)
    if not policy.rank(level):
        if event.deaf:
            return incident, entries  # nobody was heard to say that it is over
        if incident.declared_by and incident.first_kind is None:
            return incident, entries  # a person's word stands until evidence comes and goes, or a person ends it
        calm = replace(incident, eased_at=event.at, lowering_since=None, muted_until=None, muted_by="")
        eased = enter(calm, State.EASING, event.at)
        return also(entries, tell(eased, Kind.EASED, event.at, wording.eased(eased, policy, event.away_since)))
    incident, moved = _move(incident, event.at, level, policy)
    incident, scoped = _scoped(incident, event.at, policy)
    incident, reminded = _remind(incident, event.at, policy)
    return incident, entries + moved + scoped + reminded


def _move(incident: Incident, at: datetime, level: str, policy: Policy) -> Lived:
    now, was = policy.rank(level), policy.rank(incident.level)
    if now == was:
        return replace(incident, lowering_since=None), ()
    if now > was:
        worst = worse(incident.peak_level, level, policy)
        loud = policy.rank(level) > policy.rank(incident.peak_level)
        risen = replace(
            incident,
            level=level,
            peak_level=worst,
            lowering_since=None,
            told_scope=incident.scope or incident.told_scope,
        )
        return tell(risen, Kind.RAISED, at, wording.raised(risen, policy), loud=loud)
    since = incident.lowering_since or at
    if at - since < policy.quiet_for:
        return replace(incident, lowering_since=since), ()
    less = replace(incident, level=level, lowering_since=None)
    return tell(less, Kind.LOWERED, at, wording.lowered(less, policy))


def _scoped(incident: Incident, at: datetime, policy: Policy) -> Lived:
    """Tell a new scope once it has stood; that a limit is gone must stand longer, for thin evidence looks the same."""
    new = incident.scope
    if new is None or _faint(incident.numbers) or (incident.told_scope is None and not _sure(incident, at)):
        return incident, ()
    if not changed(incident.told_scope, new):
        return replace(incident, told_scope=incident.told_scope or new), ()
    hold = _SCOPE_HOLD if any(new.limits) else _SCOPE_WIDENED
    if incident.told_scope is not None and not _stood(incident, at, max(hold, policy.confirm_for)):
        return incident, ()
    text = wording.scoped(incident)
    incident = replace(incident, told_scope=new)
    return tell(incident, Kind.SCOPE, at, text)


def _faint(numbers: Numbers | None) -> bool:
    """True where hardly more comes than usual: what the last few reports have in common is no place."""
    return numbers is not None and numbers.usual is not None and numbers.count - numbers.usual < FEWEST


def _sure(incident: Incident, at: datetime) -> bool:
    """True when two estimates of the scope in a row agree, or it has been open for so long that the best is told."""
    late = incident.opened_at is not None and at - incident.opened_at >= _SCOPE_LATEST
    return late or _stood(incident, at, _SCOPE_AGREED)


def _stood(incident: Incident, at: datetime, span: timedelta) -> bool:
    return incident.scope_since is not None and at - incident.scope_since >= span


def _remind(incident: Incident, at: datetime, policy: Policy) -> Lived:
    last = incident.reminded_at or incident.since
    if not policy.remind_every or incident.acked_by or at - last < policy.remind_every:
        return incident, ()
    incident = replace(incident, reminded_at=at)
    return tell(incident, Kind.REMINDER, at, wording.reminder(incident, at), loud=True)


def _easing(incident: Incident, event: Judged, level: str, policy: Policy) -> Lived:
    incident = with_facts(incident, event, policy)
    incident, entries = _vendor(incident, event)
    if policy.rank(level) >= policy.rank(policy.open_at):
        return also(entries, back(incident, Kind.RELAPSED, event.at, level, policy))
    if event.deaf or event.at - incident.since < policy.quiet_for:
        return incident, entries
    return also(entries, close(incident, event.at, "recovered"))


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
        return _pending(suspect(case, event.at, level, policy), event, level, policy)
    return reopened(with_facts(incident, event, policy), event.at, level, policy)


def _vendor(incident: Incident, event: Judged) -> Lived:
    """What the vendor's own page says now that it did not say before; a fix to a closed notice tells nothing."""
    known = {n.key: n for n in incident.notices}
    entries: tuple[Entry, ...] = ()
    for notice in notices(event.readings):
        before = known.get(notice.key)
        known[notice.key] = notice
        if not _news(before, notice):
            continue
        if incident.vendor_at is None:
            incident = replace(incident, vendor_at=event.at, confidence=Confidence.CONFIRMED)
        incident, told = tell(incident, Kind.VENDOR, event.at, wording.vendor(incident, notice, before))
        entries += told
    return replace(incident, notices=tuple(known.values())), entries


def _news(before: Notice | None, now: Notice) -> bool:
    if before is None:
        return now.open
    return before.open and (now.phase, now.impact, now.words) != (before.phase, before.impact, before.words)


def _unmuted(incident: Incident, at: datetime) -> Incident:
    over = incident.muted_until is not None and at >= incident.muted_until
    return replace(incident, muted_until=None, muted_by="") if over else incident
