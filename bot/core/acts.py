"""The people's side of an incident's life: what a person may do, and what it does."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.core import wording
from bot.core.grouping import joined
from bot.core.life import Lived, Outcome, also, close, enter, reopened, suspect, tell
from bot.core.model import Acted, Case, Confidence, Incident, Kind, Policy, State

_MOST_FINE = 500
"""People whose word that it works is told apart; more would only make the case heavy."""


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


def acted(case: Case, act: Acted, policy: Policy) -> Outcome:
    """What a person's act makes of the incident; nothing where `objection` has one."""
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
        incident, said = _said(incident, act)
        return also(said, reopened(incident, act.at, incident.level or policy.open_at, policy))
    return _said(_noted(incident, act), act)


def _declared(case: Case, act: Acted, policy: Policy) -> Lived:
    level = act.level if policy.rank(act.level) else policy.open_at
    incident = case.incident
    if incident is None or incident.state is not State.PENDING:
        incident = suspect(case, act.at, level, policy)
    incident = replace(incident, level=level, peak_level=level, declared_by=act.who, confidence=Confidence.CONFIRMED)
    incident = replace(enter(incident, State.OPEN, act.at), opened_at=act.at, reminded_at=act.at)
    return tell(incident, Kind.OPENED, act.at, wording.declared(incident, act), who=act.who, loud=True)


def _ended(incident: Incident, act: Acted) -> Lived:
    incident, said = _said(incident, act)
    if not incident.alive:
        return incident, said
    why = "recovered" if incident.state is State.EASING else act.verb
    quelled = incident.level if incident.state is State.OPEN else ""
    closed, told = close(replace(incident, quelled=quelled), act.at, why)
    return closed, said + told


def _noted(incident: Incident, act: Acted) -> Incident:
    changes: dict[str, dict[str, Any]] = {
        "ack": {"acked_by": act.who, "acked_at": act.at},
        "unack": {"acked_by": "", "acked_at": None},
        "take": {"owner": act.who},
        "join": {"part_of": act.text},
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
    if act.verb == "join":
        return tell(incident, Kind.SCOPE, act.at, joined(act.text))
    return tell(incident, Kind.ACTED, act.at, wording.acted(act), who=act.who)
