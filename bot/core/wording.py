"""Every line the house says about an incident, written where the facts are.

Plain words, a unit on every number; words of strangers only ever as `Said`. The head message is in `heading`, and
what sentences are made of in `phrases` and `whereabouts`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.core.facts import announced
from bot.core.model import (
    Acted,
    Bold,
    Evidence,
    Incident,
    Notice,
    Numbers,
    Peak,
    Policy,
    Reading,
    Said,
    Scope,
    Text,
    When,
)
from bot.core.phrases import MORE, began, between, counted, lasted, lifted, listed, ratio, reports, upper
from bot.core.whereabouts import symptoms, where

_WHO = {
    Evidence.PEOPLE: "people's reports",
    Evidence.PROBE: "our probe",
    Evidence.VENDOR: "the vendor's page",
    Evidence.ALERT: "an alert",
}
_ACTS = {
    "ack": "acknowledged",
    "unack": "took the acknowledgement back",
    "take": "took it",
    "note": "noted",
    "mute": "muted it",
    "unmute": "unmuted it",
    "merge": "merged it",
    "resolve": "resolved it",
    "reopen": "reopened it",
    "real": "said that it was real",
    "false-alarm": "called it a false alarm",
    "unwatch": "names this service no more, so it is not watched any longer",
}


def opened(incident: Incident, policy: Policy) -> Text:
    """Why it opened, since when, where, and what the vendor says."""
    return (
        *_level("Opened", incident),
        *_evidence(incident, policy),
        *_normal(incident, policy),
        *_began(incident),
        *(_where(incident.told_scope) or _seen(incident.scope)),
        *_cause(incident),
        *_silence(incident),
    )


def declared(incident: Incident, act: Acted) -> Text:
    """A person's own word that something is wrong."""
    words: Text = (": ", Said(act.text)) if act.text else (".",)
    return (*_level("Declared", incident), "By ", Said(act.who), _door(act), *words)


def raised(incident: Incident, policy: Policy) -> Text:
    """It got worse."""
    return (*_level("Worse", incident), *_evidence(incident, policy), *_where(incident.scope), *_silence(incident))


def lowered(incident: Incident, policy: Policy) -> Text:
    """It got better, and is not over."""
    return (*_level("Less", incident), *_evidence(incident, policy), "Not over yet.")


def scoped(incident: Incident) -> Text:
    """Where and what it is now."""
    wide = () if incident.scope and any(incident.scope.limits) else ("No longer limited to one place or platform. ",)
    return (Bold("Now:"), " ", *wide, *_where(incident.scope, begun=not wide))


def reminder(incident: Incident, at: datetime) -> Text:
    """It lasts, and nobody has acknowledged it."""
    return (Bold("Still going on"), f" after {lasted(at - incident.started_at)}. Nobody has acknowledged it.")


def eased(incident: Incident, policy: Policy, away_since: datetime | None = None) -> Text:
    """Calm again, not yet trusted; `away_since` where nobody was looking when it happened."""
    missed: Text = (
        (
            "It ended while Tocsin was away, some time between ",
            When(away_since, "date"),
            " and ",
            When(incident.since),
            ". ",
        )
        if away_since
        else ()
    )
    return (
        Bold("Back to usual"),
        *((" in the last minutes",) if lifted(incident.numbers) else ()),
        *_in_brackets(incident.numbers),
        ". ",
        *missed,
        f"Watching for {lasted(policy.quiet_for)} before closing.",
    )


def relapsed(incident: Incident, policy: Policy) -> Text:
    """It was calm for too short a while."""
    return (*_level("Bad again", incident), *_evidence(incident, policy), *_where(incident.scope))


def reopened(incident: Incident, policy: Policy) -> Text:
    """It came back after the close: the same trouble, the same thread."""
    return (*_level("Reopened", incident), *_evidence(incident, policy), *_where(incident.scope))


def closed(incident: Incident) -> Text:
    """How long, how bad, who knew first."""
    return (
        Bold("Over"),
        f" after {lasted(duration(incident))}: ",
        When(incident.started_at, "date"),
        " to ",
        When(incident.eased_at or incident.since),
        ". ",
        *_ended(incident),
        *_peak(incident.peak),
        *_first(incident),
    )


def vendor(incident: Incident, notice: Notice, before: Notice | None) -> Text:
    """What the vendor's page says now, and our lead over it the first time."""
    subject = "The vendor's page now says" if before is None else "The vendor's page"
    words: Text = (" ", Said(notice.words)) if notice.words else ()
    ahead = lead(incident) if before is None else ""
    return (Bold(f"{subject}: {notice.phase}"), " - ", Said(notice.title), ".", *words, f" {ahead}" if ahead else "")


def acted(act: Acted) -> Text:
    """Who did what, from where."""
    did = _ACTS.get(act.verb, act.verb)
    until: Text = (" until ", When(act.until, "date")) if act.until else ()
    if act.verb == "mute" and not until:
        until = (" until it recovers",)
    words: Text = (": ", Said(act.text)) if act.text else (".",)
    return (Said(act.who), f" {did}", *until, _door(act), *words)


def duration(incident: Incident) -> timedelta:
    """How long it was bad: from the true start to the easing, or to the last change while it lives."""
    return max((incident.eased_at or incident.since) - incident.started_at, timedelta(0))


def _level(word: str, incident: Incident) -> Text:
    return (Bold(f"{word}: {incident.level}"), ". ")


def _evidence(incident: Incident, policy: Policy) -> Text:
    """One sentence a source that speaks for trouble, people first."""
    raised = sorted((r for r in incident.readings if policy.rank(r.level)), key=lambda r: list(Evidence).index(r.kind))
    return tuple(part for reading in raised for part in _source(reading))


def _normal(incident: Incident, policy: Policy) -> Text:
    """That it is only announced, where our own counts contradict it."""
    if incident.numbers is None or not announced(incident.readings, policy):
        return ()
    return (f"Announced only: our reports look normal ({counted(incident.numbers)}). ",)


def _source(reading: Reading) -> Text:
    if reading.numbers is not None:
        return (f"{counted(reading.numbers)}. ",)
    subject = _WHO[reading.kind].capitalize()
    return (f"{subject} ({reading.source}): ", Said(reading.note or "trouble"), ". ")


def _began(incident: Incident) -> Text:
    late = incident.opened_at is not None and incident.opened_at - incident.started_at >= timedelta(minutes=2)
    return ("Began ", *began(incident), ". ") if late or between(incident) else ()


def _where(scope: Scope | None, *, begun: bool = False) -> Text:
    """Where it is and what people see; `begun`: in a sentence that began already."""
    place = where(scope)
    return (*((f"{place if begun else upper(place)}. ",) if place else ()), *_seen(scope))


def _seen(scope: Scope | None) -> Text:
    seen = symptoms(scope)
    return (f"People see: {seen}. ",) if seen else ()


def _cause(incident: Incident) -> Text:
    """What it depends on and is down itself, named as likely, not as certain."""
    verb = "has an open incident" if len(incident.causes) == 1 else "have open incidents"
    return (f"Likely cause: {listed(incident.causes)} {verb}. ",) if incident.causes else ()


def _silence(incident: Incident) -> Text:
    """Said only where a vendor's page is watched and claims that all is well."""
    quiet = any(r.kind is Evidence.VENDOR and not r.level and not r.notices for r in incident.readings)
    return ("The vendor's page says nothing of it. ",) if quiet and incident.vendor_at is None else ()


def _in_brackets(numbers: Numbers | None) -> Text:
    return (f" ({counted(replace(numbers, times=None))})",) if numbers and numbers.usual is not None else ()


def _ended(incident: Incident) -> Text:
    words = {
        "resolve": "Resolved by a person. ",
        "false-alarm": "A false alarm. ",
        "merge": "Merged. ",
        "unwatch": "No longer watched. ",
    }
    return (words[incident.closed_why],) if incident.closed_why in words else ()


def _peak(peak: Peak | None) -> Text:
    if peak is None or not remarkable(peak):
        return ()
    times = f", {ratio(peak.times)} as usual" if peak.times else ""
    return (f"Peak {reports(peak.count)} at ", When(peak.at), f"{times}. ")


def remarkable(peak: Peak) -> bool:
    """False for a highest count that any day brings, in a trouble of which others told."""
    return peak.times is None or peak.times >= MORE


def _first(incident: Incident) -> Text:
    if not known_first(incident):
        return ()
    return (f"First known from {known_first(incident)}. " + (lead(incident) or _never(incident)),)


def known_first(incident: Incident) -> str:
    """The kind of evidence that told first: `people's reports`; a person's declaration comes before all others."""
    if incident.declared_by:
        return "a person who declared it"
    return _WHO[incident.first_kind] if incident.first_kind else ""


def _never(incident: Incident) -> str:
    watched = any(r.kind is Evidence.VENDOR for r in incident.readings)
    return "The vendor's page never mentioned it." if watched and incident.vendor_at is None else ""


def lead(incident: Incident) -> str:
    """How long we knew before the vendor said it; empty when it was not so."""
    if incident.vendor_at is None or incident.opened_at is None or incident.first_kind is Evidence.VENDOR:
        return ""
    ahead = incident.vendor_at - incident.opened_at
    return f"We opened {lasted(ahead)} before the vendor posted." if ahead >= timedelta(minutes=1) else ""


def _door(act: Acted) -> str:
    return f", from {act.where}" if act.where else ""
