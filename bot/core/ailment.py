"""What ails the house itself, told as an incident is: a case of its own, a thread, a close when it is mended.

Its service is a dot and the subject (`.channel ops`), a name that no configured service can have.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.core.model import (
    Bold,
    Case,
    Confidence,
    Entry,
    Fact,
    Head,
    Incident,
    Kind,
    Policy,
    Said,
    State,
    Text,
    When,
)

POLICY = Policy(
    name="Tocsin",
    levels=("trouble",),
    open_at="trouble",
    confirm_for=timedelta(0),
    quiet_for=timedelta(0),
    reopen_for=timedelta(hours=1),
)
"""Its one level is none of the config's, so nobody's mention is tied to it."""
_ENDS = {"unwatch": "not watched any longer"}

Outcome = tuple[Case, tuple[Entry, ...]]


def service(subject: str) -> str:
    """The name that a subject's case is kept under."""
    return f".{subject}"


def ours(incident: Incident) -> bool:
    """True for an incident of the house itself."""
    return incident.service.startswith(".") and not incident.members


def ailing(case: Case, words: str, at: datetime) -> Outcome:
    """Begin, or go on with other words; the same words again change nothing."""
    incident = case.incident
    if incident is None or not incident.alive:
        return _told(case, _begun(case, words, at), Kind.OPENED, at, (Bold("Trouble: "), Said(words)))
    if incident.closed_why == words:
        return case, ()
    now = replace(incident, closed_why=words)
    return _told(case, now, Kind.RAISED, at, (Bold("Now: "), Said(words)))


def mended(case: Case, words: str, at: datetime) -> Outcome:
    """It works again; `words` may say what is left to do."""
    return _over(case, "recovered", (Bold("Works again. "), words), at)


def gone(case: Case, at: datetime) -> Outcome:
    """Nobody knows whether it works: it is not looked at any longer."""
    return _over(case, "unwatch", (Bold("Not watched any longer."), " The configuration names it no more."), at)


def head(incident: Incident) -> Head:
    """The head message: what is wrong with us, and what to do."""
    over = incident.state is State.CLOSED
    title = f"Tocsin, {incident.name}: {_ENDS.get(incident.closed_why, 'works again') if over else 'needs somebody'}"
    return Head(
        incident=incident.id,
        service=incident.service,
        rev=incident.rev,
        tone="over" if over else "major",
        state=incident.state.value,
        level=incident.level,
        push=title,
        title=title,
        sentence=("This is about Tocsin itself, no service.",) if over else (Said(incident.closed_why),),
        facts=(Fact(label="Began", value=(When(incident.started_at, "date"),)),),
        alt=title,
    )


def _begun(case: Case, words: str, at: datetime) -> Incident:
    subject = case.service[1:]
    slug = "-".join(subject.lower().split())
    return Incident(
        id=f"tocsin-{slug}-{at:%Y%m%d-%H%M}-{case.version + 1}",
        service=case.service,
        name=subject,
        state=State.OPEN,
        since=at,
        level=POLICY.open_at,
        peak_level=POLICY.open_at,
        confidence=Confidence.CONFIRMED,
        started_at=at,
        opened_at=at,
        closed_why=words,
    )


def _over(case: Case, why: str, text: Text, at: datetime) -> Outcome:
    incident = case.incident
    if incident is None or not incident.alive:
        return case, ()
    over = replace(incident, state=State.CLOSED, since=at, eased_at=at, closed_at=at, closed_why=why)
    return _told(case, over, Kind.CLOSED, at, text)


def _told(case: Case, incident: Incident, kind: Kind, at: datetime, text: Text) -> Outcome:
    after = replace(incident, seq=incident.seq + 1, rev=incident.rev + 1)
    entry = Entry(incident=after.id, seq=after.seq, at=at, kind=kind, level=after.level, text=text, loud=True)
    return replace(case, incident=after), (entry,)
