"""The head message: the one place that always shows the present, state and level in its first words."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core import phrases, whereabouts, wording
from bot.core.facts import announced
from bot.core.model import (
    Button,
    Evidence,
    Fact,
    Head,
    Incident,
    Policy,
    Reading,
    Said,
    Source,
    State,
    Text,
    When,
)

SILENT = "silent"
"""The word of a source, the feed of reports, from which nothing comes where much is due."""

_UNHEARD = "nothing is heard any more"
_DEAF = "The feed of reports is silent. Whether the trouble goes on is not known, and nothing closes by it."
_TONES = ("minor", "major", "critical")
_ACK = Button(verb="ack", label="Acknowledge", style="primary")
_TOO = Button(verb="report", label="I see it too")
_WORKS = Button(verb="works", label="Works for me")
_MUTE = Button(verb="mute", label="Mute")
_UNMUTE = Button(verb="unmute", label="Unmute")
_REAL = Button(verb="real", label="It was real")
_FALSE = Button(verb="false-alarm", label="False alarm")
UNSAVED = Fact(
    label="Not saved", value=("Told from memory until the data folder takes it; a crash now would forget it.",)
)
"""A note in the head of an incident that the disk does not know yet."""
_WHY = Button(verb="why", label="Why?")
_REOPEN = Button(verb="reopen", label="Reopen")
_RESOLVE = Button(verb="resolve", label="Resolve", style="danger")


def head(incident: Incident, policy: Policy, *, link: str = "", troubled: Sequence[Source] = ()) -> Head:
    """The head as it stands; `troubled` are watches that give no reading just now."""
    deaf = incident.alive and any(source.word == SILENT for source in troubled)
    title = f"{incident.name}: {_UNHEARD if deaf else _happening(incident, policy)}"
    return Head(
        incident=incident.id,
        service=incident.service,
        rev=incident.rev,
        tone=_tone(incident, policy),
        state=incident.state.value,
        level=incident.level,
        push=f"{_first_words(incident)} - {title}{_brief(incident)}",
        title=title,
        sentence=(_DEAF,) if deaf else _sentence(incident, policy),
        facts=_facts(incident),
        sources=_table(incident, policy, troubled),
        foot=_foot(incident),
        buttons=_buttons(incident),
        alt=_alt(incident),
        link=link,
    )


def tone(level: str, policy: Policy) -> str:
    """The colour family of a level: the ladder's mildest is minor, its top critical, the rest major."""
    rank, top = policy.rank(level), len(policy.levels)
    if not rank:
        return "calm"
    return _TONES[1] if top == 1 else _TONES[round((rank - 1) / (top - 1) * 2)]


def _tone(incident: Incident, policy: Policy) -> str:
    return "over" if incident.state in (State.EASING, State.CLOSED) else tone(incident.level, policy)


def _first_words(incident: Incident) -> str:
    if incident.state is State.CLOSED:
        return "Over"
    if incident.state is State.EASING:
        return "Easing"
    return incident.level.capitalize()


def _happening(incident: Incident, policy: Policy) -> str:
    if incident.state is State.CLOSED:
        return f"over after {phrases.lasted(wording.duration(incident))}"
    if incident.state is State.EASING:
        return f"{'almost ' if phrases.lifted(incident.numbers) else ''}back to usual, watching"
    raised = {r.kind for r in incident.readings if policy.rank(r.level)}
    if Evidence.PEOPLE in raised:
        return phrases.much(incident.numbers)
    if Evidence.PROBE in raised:
        return "does not answer as it should"
    if Evidence.VENDOR in raised:
        return _announced(incident) if announced(incident.readings, policy) else "the vendor reports trouble"
    return "a person declared an incident" if incident.declared_by else "trouble"


def _announced(incident: Incident) -> str:
    still = "" if incident.first_kind is Evidence.VENDOR else "still "
    return f"{still}announced by the vendor, our reports look normal"


def _brief(incident: Incident) -> str:
    numbers = incident.numbers
    if numbers is None or incident.state is State.CLOSED or not numbers.count:
        return ""
    return f" ({phrases.brief(numbers)})"


def _sentence(incident: Incident, policy: Policy) -> Text:
    if incident.state is State.CLOSED:
        return wording.closed(incident)
    if incident.state is State.EASING:
        return ("Calm since ", When(incident.eased_at or incident.since), ". It closes if that lasts.")
    seen, place = whereabouts.symptoms(incident.scope), whereabouts.where(incident.scope)
    people = f"People report {seen}" if seen else ""
    between = ", " if place.startswith("mostly") else ". "
    told = between.join(part for part in (people, place) if part)
    if incident.declared_by and incident.first_kind is None:
        return ("Declared by ", Said(incident.declared_by), ".")
    sure = _sure(incident, policy)
    return (f"{told[:1].upper()}{told[1:]}. {sure}" if told else sure,)


def _sure(incident: Incident, policy: Policy) -> str:
    if announced(incident.readings, policy):
        return "The vendor says so; people report no more than usual."
    if incident.vendor_at is not None:
        return "The vendor confirms it."
    return "Two kinds of evidence agree." if incident.confidence == "confirmed" else "One kind of evidence so far."


def _facts(incident: Incident) -> tuple[Fact, ...]:
    """Labelled values, the ones a tired person looks for first; nothing that the sentence says already."""
    facts = [
        *(_counted(incident) if incident.alive else []),
        *_breadth(incident),
        *(_vendor(incident) if incident.alive else []),
        *([Fact(label="Likely cause", value=(phrases.listed(incident.causes),))] if incident.causes else []),
        *([Fact(label="Part of", value=(incident.part_of,))] if incident.part_of and incident.alive else []),
        *_hands(incident),
    ]
    return tuple(facts)


def _counted(incident: Incident) -> list[Fact]:
    doubt = phrases.between(incident)
    began: Text = (When(incident.started_at, "date"), " (", When(incident.started_at, "ago"), ")")
    facts = [Fact(label="Began", value=(*began, *((", ", *doubt) if doubt else ())))]
    if incident.numbers is not None:
        facts.append(Fact(label="Now", value=(phrases.counted(incident.numbers),)))
    if incident.peak is not None and wording.remarkable(incident.peak):
        facts.append(Fact(label="Peak", value=(f"{phrases.reports(incident.peak.count)} at ", When(incident.peak.at))))
    return facts


def _breadth(incident: Incident) -> list[Fact]:
    scope = incident.scope if incident.alive else incident.worst_scope
    if scope is None:
        return []
    seen = () if incident.state is State.OPEN else (("Symptoms", scope.symptoms),)
    parts = (*seen, ("Where", scope.regions), ("On", scope.platforms))
    return [
        Fact(label=name, value=(", ".join(whereabouts.share(s) for s in shares[:3]),))
        for name, shares in parts
        if shares
    ]


def _vendor(incident: Incident) -> list[Fact]:
    if incident.vendor_at is not None:
        ahead = wording.lead(incident)
        return [Fact(label="Vendor", value=("posted ", When(incident.vendor_at), f". {ahead}" if ahead else "."))]
    if any(r.kind is Evidence.VENDOR for r in incident.readings):
        return [Fact(label="Vendor", value=("has not posted",))]
    return []


def _hands(incident: Incident) -> list[Fact]:
    facts = []
    if incident.acked_by:
        facts.append(Fact(label="Acknowledged", value=(Said(incident.acked_by),)))
    if incident.owner:
        facts.append(Fact(label="Taken by", value=(Said(incident.owner),)))
    if incident.muted:
        until: Text = (When(incident.muted_until, "date"),) if incident.muted_until else ("it recovers",)
        by: Text = (", by ", Said(incident.muted_by)) if incident.muted_by else ()
        facts.append(Fact(label="Muted until", value=(*until, *by)))
    return facts + _voices(incident)


def _voices(incident: Incident) -> list[Fact]:
    """What people said of it by a press: that it works for them, and afterwards whether it was real."""
    facts = []
    if incident.fine and incident.alive:
        people = len(incident.fine)
        facts.append(
            Fact(label="Works for", value=(f"{people:,} {'person' if people == 1 else 'people'} who said so",))
        )
    if incident.verdict and not incident.alive:
        word = "yes" if incident.verdict == "real" else "no, a false alarm"
        facts.append(Fact(label="Was it real?", value=(f"{word}, says ", Said(incident.verdict_by))))
    return facts


def _table(incident: Incident, policy: Policy, troubled: Sequence[Source]) -> tuple[Source, ...]:
    """Who says what, while it matters."""
    if not incident.alive:
        return ()
    silent = {source.name for source in troubled if source.word == SILENT}
    return (*(_row(r, policy) for r in incident.readings if r.source not in silent), *troubled)


def _row(reading: Reading, policy: Policy) -> Source:
    """One source's word; the crowd's count stands among the facts."""
    return Source(
        name=reading.source,
        word=_word(reading),
        tone=tone(reading.level, policy),
        since=reading.since if reading.level else None,
        note=reading.note,
    )


def _word(reading: Reading) -> str:
    if reading.health is not None:
        return reading.health.word.replace("_", " ")
    return reading.level or "usual"


def _foot(incident: Incident) -> Text:
    rule = next((r.rule for r in incident.readings if r.level and r.rule), "")
    seen = max((r.at for r in incident.readings), default=incident.since)
    parts: Text = (f"{incident.id} · ", "as of ", When(max(seen, incident.since)))
    return (*parts, f" · {rule}") if rule else parts


def _buttons(incident: Incident) -> tuple[Button, ...]:
    """Five at most, what comes next first; once it is over, whether it was real, and the way back."""
    if not incident.alive:
        return (_WHY, _REOPEN) if incident.verdict else (_WHY, _REAL, _FALSE, _REOPEN)
    if not incident.acked_by:
        return (_ACK, _TOO, _WORKS, _WHY, _RESOLVE)
    return (_TOO, _WORKS, _WHY, _UNMUTE if incident.muted else _MUTE, _RESOLVE)


def _alt(incident: Incident) -> str:
    if incident.peak is None:
        return f"Problem reports of {incident.name} over the last 24 hours against the usual."
    usual = incident.numbers.usual if incident.numbers else None
    against = f", usually {phrases.few(usual)}" if usual is not None else ""
    return (
        f"Problem reports of {incident.name} over the last 24 hours: peak {incident.peak.count:,}"
        f" at {incident.peak.at:%H:%M} UTC{against}."
    )
