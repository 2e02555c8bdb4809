"""Evidence: what the readings say together, and the incident with the present evidence on it."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from bot.core.model import Confidence, Evidence, Incident, Judged, Notice, Peak, Policy, Reading, Scope
from bot.core.scope import changed

_TELLING = 1.0  # usual reports within the window of a level from which on a usual count contradicts a vendor
_EXCESS = 2.0  # nats: less is no excess at all


def level_of(readings: tuple[Reading, ...], policy: Policy) -> str:
    """The worst level that any reading speaks for; what is only announced counts as the mildest that opens."""
    worst = max((r.level for r in readings), key=policy.rank, default="")
    return min(worst, policy.open_at, key=policy.rank) if announced(readings, policy) else worst


def announced(readings: tuple[Reading, ...], policy: Policy) -> bool:
    """True when the vendor alone speaks of trouble, although enough people usually report that we should hear of it."""
    crowd = _people(readings)
    numbers = crowd.numbers if crowd else None
    if numbers is None or kinds(readings, policy) != {Evidence.VENDOR}:
        return False
    return (numbers.usual or 0.0) >= _TELLING and numbers.score < _EXCESS


def kinds(readings: tuple[Reading, ...], policy: Policy) -> set[Evidence]:
    """The kinds of evidence that speak for trouble."""
    return {r.kind for r in readings if policy.rank(r.level)}


def _confidence(incident: Incident, speaking: set[Evidence]) -> Confidence:
    sure = len(speaking) > 1 or Evidence.VENDOR in speaking or incident.declared_by or incident.vendor_at
    return Confidence.CONFIRMED if sure else incident.confidence


def _settled(old: tuple[Reading, ...], new: tuple[Reading, ...]) -> tuple[Reading, ...]:
    """The new readings, each as it was where nothing but its time changed, so that nothing is re-told.

    Trouble that goes on keeps the beginning it was first seen to have: later estimates see less far back.
    """
    known = {r.source: r for r in old}
    return tuple(_continued(known.get(r.source), r) for r in new)


def _continued(before: Reading | None, now: Reading) -> Reading:
    if before is None:
        return now
    if before.level and now.level and before.since and now.since and before.since <= now.since:
        now = replace(now, since=before.since, between=before.between)
    return before if replace(now, at=before.at) == before else now


def _people(readings: tuple[Reading, ...]) -> Reading | None:
    return next((r for r in readings if r.numbers is not None), None)


def with_facts(incident: Incident, event: Judged, policy: Policy) -> Incident:
    """The incident with the present evidence on it."""
    crowd = _people(event.readings)
    speaking = kinds(event.readings, policy)
    raised = [r for r in event.readings if policy.rank(r.level)]
    first = min(raised, key=lambda r: r.since or r.at).kind if raised else None
    peak = _peak(incident.peak, crowd)
    readings = _settled(incident.readings, event.readings)
    incident = replace(
        _begun(incident, readings, policy),
        readings=readings,
        numbers=crowd.numbers if crowd else incident.numbers,
        peak=peak,
        worst_scope=crowd.scope if crowd and crowd.scope and peak != incident.peak else incident.worst_scope,
        first_kind=incident.first_kind or first,
        causes=event.causes,
        confidence=_confidence(incident, speaking),
    )
    return _seen_scope(incident, crowd.scope if crowd and crowd.level else None, event.at)


def _begun(incident: Incident, readings: tuple[Reading, ...], policy: Policy) -> Incident:
    """The incident with the earliest start that those who speak for it know of; once it is open, that stands."""
    known = [(r.since, r.between) for r in readings if r.since and policy.rank(r.level)]
    if incident.opened_at is not None or not known:
        return incident
    at, between = min(known, key=lambda start: start[0])
    return replace(incident, started_at=at, started_between=between) if at <= incident.started_at else incident


def _peak(peak: Peak | None, crowd: Reading | None) -> Peak | None:
    if crowd is None or crowd.numbers is None or (peak and crowd.numbers.count <= peak.count):
        return peak
    numbers = crowd.numbers
    return Peak(at=crowd.at, count=numbers.count, times=numbers.times, within=numbers.within)


def _seen_scope(incident: Incident, scope: Scope | None, at: datetime) -> Incident:
    """Remember the scope of the bad hours; how long it has stood decides whether it is told."""
    if scope is None:
        return incident
    same = incident.scope is not None and not changed(incident.scope, scope)
    return replace(incident, scope=scope, scope_since=incident.scope_since if same else at)


def notices(readings: tuple[Reading, ...]) -> tuple[Notice, ...]:
    """What the vendor's pages list, planned work left out."""
    return tuple(n for r in readings for n in r.notices if not n.maintenance)
