"""What a channel holds back in its quiet hours, and the one summary that it hears at their end.

Nothing new is opened and nobody is called; what was posted before is kept true by edits and quiet lines, and closes. The
summary is told as an incident is: a case of its own, a thread, once and surely. Its service is two dots and the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.core.delivery import Step
from bot.core.heading import tone
from bot.core.members import facts, joined, named
from bot.core.model import Case, Fact, Head, Incident, Line, Member, Policy, State, Text, Thread, When
from bot.core.phrases import lasted
from bot.core.quiet import Quiet, ends


def allowed(step: Step, thread: Thread, incident: Incident, policy: Policy, quiet: Quiet) -> Step | None:
    """What may be done while it is quiet: no thread is opened, and no line said that is for the whole channel.

    What follows such a line waits with it, so that lines stay in order, until it gets worse, or is over; the head is kept
    true meanwhile.
    """
    if step.do not in ("open", "reply") or _passes(incident, policy, quiet):
        return step
    if step.do == "open":
        return None
    if not incident.alive or thread.heard >= incident.aloud:
        return step
    return Step(do="edit") if thread.shown < incident.rev else None


def hushed(line: Line, incident: Incident, policy: Policy, quiet: Quiet) -> Line:
    """A line as it is said while it is quiet: to the thread alone, unless the incident is bad enough."""
    worst = policy.rank(incident.level) >= policy.rank(_floor(policy, quiet))
    return line if worst else replace(line, loud=False, calls=False, mention="")


def ours(incident: Incident) -> bool:
    """True for a summary."""
    return incident.service.startswith("..quiet ")


def missed(thread: Thread, incident: Incident, hours: Sequence[Quiet], now: datetime) -> datetime | None:
    """The end of the quiet hours that kept an incident from being told; None where none did, or they are still on."""
    if thread.ref or thread.heard or thread.trying or incident.opened_at is None or ours(incident):
        return None
    end = ends(hours, incident.opened_at)
    return end if end is not None and end <= now else None


def name(channel: str, end: datetime) -> str:
    """The summary of one channel's quiet hours, by when they ended."""
    return f"quiet-{channel}-{end:%Y%m%d-%H%M}"


def service(channel: str) -> str:
    """The name that a channel's summaries are kept under."""
    return f"..quiet {channel}"


def summed(case: Case, channel: str, held: Sequence[tuple[Incident, Policy]], end: datetime, at: datetime) -> Case:
    """The case with the summary of these incidents: those still open first, then the longest."""
    longest = sorted(held, key=lambda one: (not one[0].alive, one[0].started_at))
    worst, policy = max(held, key=lambda one: (one[0].alive, one[1].rank(one[0].peak_level)))
    incident = Incident(
        id=name(channel, end),
        service=service(channel),
        name="Quiet hours",
        state=State.CLOSED,
        since=at,
        level=worst.level if worst.alive else worst.peak_level,
        peak_level=policy.levels[-1],
        started_at=min(one.started_at for one, _ in held),
        opened_at=at,
        eased_at=end,
        closed_at=at,
        rev=1,
        members=tuple(joined(one) for one, _ in longest),
    )
    return replace(case, incident=incident)


def head(incident: Incident, policy: Policy) -> Head:
    """The summary as one message: what is still open, and what came and went."""
    alive = [m for m in incident.members if m.ended is None]
    count = ", ".join(
        part
        for part in (
            f"{len(alive)} still open" if alive else "",
            f"{len(incident.members) - len(alive)} came and went" if len(alive) < len(incident.members) else "",
        )
        if part
    )
    title = f"Quiet hours are over: {count}"
    return Head(
        incident=incident.id,
        service=incident.service,
        rev=incident.rev,
        tone=tone(incident.level, policy) if alive else "over",
        state=incident.state.value,
        level=incident.level,
        push=f"{title} - {named([m.name for m in incident.members])}",
        title=title,
        sentence=_sentence(
            incident, "What is still open has a thread of its own." if alive else "Nothing of it is left."
        ),
        facts=facts(incident.members, _fact),
        foot=(incident.id,),
        alt=title,
    )


def _passes(incident: Incident, policy: Policy, quiet: Quiet) -> bool:
    return incident.alive and policy.rank(incident.level) >= policy.rank(_floor(policy, quiet))


def _floor(policy: Policy, quiet: Quiet) -> str:
    return quiet.unless or policy.levels[-1]


def _sentence(incident: Incident, rest: str) -> Text:
    return ("This began while nothing was posted here, until ", When(incident.eased_at or incident.since), f". {rest}")


def _fact(member: Member) -> Fact:
    since: Text = (f"{member.level} since ", When(member.began, "date"), ", still open")
    if member.ended is None:
        return Fact(label=member.name, value=since)
    gone: Text = (f"{member.level} for {lasted(member.ended - member.began)}, from ", When(member.began), ", over")
    return Fact(label=member.name, value=gone)
