"""Every sentence the house says about an incident, written where the facts are.

Plain words, a unit on every number; words of strangers only ever as `Said`. The head message is in `heading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    Part,
    Peak,
    Policy,
    Reading,
    Said,
    Scope,
    Share,
    Text,
    When,
)
from bot.core.places import label

_MANY = 4  # places or platforms that one sentence names
_MUCH = ((20.0, "far more"), (4.0, "many more"), (0.0, "more"))
_WHO = {
    Evidence.PEOPLE: "people's reports",
    Evidence.PROBE: "our probe",
    Evidence.VENDOR: "the vendor's page",
    Evidence.ALERT: "an alert",
}
_MORE = 1.5  # times the usual, from which a count is worth a remark
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
_IN_A_SENTENCE = {"web": "the web", "api": "the API", "app": "the app", "unknown": "unknown platforms"}
_WITH_ARTICLE = frozenset({"US", "GB", "NL", "PH", "AE", "DO", "CF", "MV", "BS", "GM"})


# The lines of a thread


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
    return (Bold("Now:"), " ", *wide, *_where(incident.scope))


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


# Phrases


def lasted(span: timedelta) -> str:
    """A duration as people say it: `45 s`, `12 min`, `3 h 40 min`, `2 d 4 h`."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def duration(incident: Incident) -> timedelta:
    """How long it was bad: from the true start to the easing, or to the last change while it lives."""
    return max((incident.eased_at or incident.since) - incident.started_at, timedelta(0))


def counted(numbers: Numbers) -> str:
    """`312 reports in 15 min, usually 6 (52 times as many)`."""
    of = f" from {numbers.of}" if numbers.of else ""
    window = f"{reports(numbers.count)}{of} in {lasted(numbers.within)}"
    if numbers.usual is None:
        return f"{window} (no usual known yet)"
    times = f" ({ratio(numbers.times)})" if numbers.times is not None and numbers.times >= _MORE else ""
    return f"{window}, usually {few(numbers.usual)}{times}"


def reports(count: int) -> str:
    """`1 report`, `1,479 reports`."""
    return f"{count:,} {'report' if count == 1 else 'reports'}"


def few(number: float) -> str:
    """A usual count, without false precision."""
    if number < 0.5:
        return "none"
    return f"{number:,.0f}"


def ratio(times: float | None) -> str:
    """`52 times as many`."""
    if times is None:
        return ""
    return f"{times:,.0f} times as many" if times >= 10 else f"{times:.1f} times as many".replace(".0 ", " ")


def much(numbers: Numbers | None) -> str:
    """`many more problem reports than usual`."""
    if numbers is None or numbers.usual is None or numbers.times is None:
        return "people report problems"
    word = next(word for least, word in _MUCH if numbers.times >= least)
    return f"{word} problem reports than usual"


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def where(scope: Scope | None) -> str:
    """`mostly on desktop web in India and Japan; the app looks normal`, or nothing when it is not limited."""
    if scope is None:
        return ""
    on = f"on {_some(_spoken(s.code for s in scope.platforms))}" if scope.platforms else ""
    place = f"in {_some(_spoken(s.code for s in scope.regions))}" if scope.regions else ""
    spared = _spoken(scope.spared)
    normal = f"{listed(spared)} {'looks' if len(spared) == 1 else 'look'} normal" if spared else ""
    limited = " ".join(part for part in (on, place) if part)
    return "; ".join(part for part in (f"mostly {limited}" if limited else "", normal) if part)


def spoken(codes: Iterable[str]) -> str:
    """Codes of places or platforms as they stand in a sentence: `the app and India`."""
    return listed(_spoken(codes))


def _some(names: Sequence[str]) -> str:
    """The first names; how many more there are where it gets long."""
    return listed(names if len(names) <= _MANY else [*names[: _MANY - 1], f"{len(names) - _MANY + 1} more"])


def _spoken(codes: Iterable[str]) -> list[str]:
    """Codes as they stand in a sentence: `the app` for both phones, `the United States`."""
    names = list(codes)
    if {"ios", "android"} <= set(names):
        names = ["app", *(n for n in names if n not in ("ios", "android"))]
    return [_IN_A_SENTENCE.get(n) or (f"the {label(n)}" if n in _WITH_ARTICLE else label(n)) for n in names]


def symptoms(scope: Scope | None) -> str:
    """`log-in 41 % (usually 6 %), website 31 %`: what people see."""
    return ", ".join(_lower(share(s)) for s in (scope.symptoms[:3] if scope else ()))


def share(part: Share) -> str:
    """`Log-in 40 % (usually 6 %)`, as far as the usual is known."""
    usual = f" (usually {_percent(part.usual)})" if part.usual else ""
    return f"{label(part.code)} {_percent(part.share)}{usual}"


def _percent(part: float) -> str:
    return f"{part * 100:.0f}\u00a0%" if part >= 0.005 else "under 1\u00a0%"


def _upper(words: str) -> str:
    return words if words.startswith("iPhone") else words[:1].upper() + words[1:]


def _lower(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def plain(text: Text) -> str:
    """A text as one line of plain words, times in UTC; for the API, logs and terminals."""
    return "".join(_plain(part) for part in text)


def _plain(part: Part) -> str:
    if isinstance(part, When):
        return f"{part.at:%Y-%m-%d %H:%M} UTC" if part.style == "date" else f"{part.at:%H:%M} UTC"
    return part if isinstance(part, str) else part.words


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
    if incident.opened_at is None or incident.opened_at - incident.started_at < timedelta(minutes=2):
        return ()
    return ("Began about ", When(incident.started_at), ". ")


def _where(scope: Scope | None) -> Text:
    place = where(scope)
    return (*((f"{_upper(place)}. ",) if place else ()), *_seen(scope))


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
    return peak.times is None or peak.times >= _MORE


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
