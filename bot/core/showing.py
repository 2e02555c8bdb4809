"""What is shown of whatever a channel may be told of: an incident, the house's own trouble, a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.core import ailment, heading, held, together
from bot.core.model import Head, Incident, Policy, Source, Span


def shown(incident: Incident, policy: Policy, *, link: str = "", troubled: Sequence[Source] = ()) -> Head:
    """The head as it stands; `troubled` are watches that give no reading just now."""
    if ailment.ours(incident):
        return ailment.head(incident)
    if together.ours(incident):
        return together.head(incident, policy, link=link)
    if incident.members:
        return held.head(incident, policy)
    return heading.head(incident, policy, link=link, troubled=troubled)


def span(incident: Incident, policy: Policy) -> Span:
    """An incident as a chart shows it, in the colour of the worst that it was; one that opened."""
    return Span(
        onset=incident.started_at,
        opened=incident.opened_at or incident.started_at,
        end=incident.eased_at or incident.closed_at,
        tone=heading.tone(incident.peak_level, policy),
    )


def ladder(incident: Incident, policies: Mapping[str, Policy]) -> Policy:
    """What an incident is measured by; the least that can be told by where its service is configured no more."""
    if ailment.ours(incident):
        return ailment.POLICY
    services = (incident.service, *(member.service for member in incident.members))
    return next((policies[service] for service in services if service in policies), bare(incident))


def bare(incident: Incident) -> Policy:
    """The least that can be told by."""
    levels = tuple(dict.fromkeys(level for level in (incident.level, incident.peak_level) if level)) or ("",)
    pace = timedelta(0)
    return Policy(
        name=incident.name, levels=levels, open_at=levels[0], confirm_for=pace, quiet_for=pace, reopen_for=pace
    )
