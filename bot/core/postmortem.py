"""The draft of a post-mortem: all that was recorded, in order, and the questions that only people can answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import MappingProxyType

from bot.core import phrases, whereabouts, wording
from bot.core.markdown import escaped, markdown, quoted
from bot.core.model import Entry, Incident, Notice, Scope

_TO_FILL = MappingProxyType(
    {
        "Cause": "What broke, and why? What made it worse?",
        "What went well": "What helped to notice, to understand or to bear it?",
        "What went badly": "What cost time or trust?",
        "Where we were lucky": "What could have made it worse, and happened not to?",
    }
)


def draft(incident: Incident, entries: Sequence[Entry], *, chart: str = "", link: str = "") -> str:
    """The whole draft in Markdown, times in UTC.

    `chart` is where a reader finds the picture, as an address or a file beside the draft; `link` leads to the page.
    """
    return "\n".join(
        [
            f"# Post-mortem: {escaped(incident.name)}, {_day(incident.started_at)}",
            "",
            *_preface(incident, link),
            *_facts(incident),
            *([f"![{escaped(_alt(incident))}]({chart})", ""] if chart else []),
            *_impact(incident),
            *_timeline(entries),
            *_vendor(incident.notices),
            *_questions(),
        ]
    )


def _preface(incident: Incident, link: str) -> list[str]:
    still = "" if incident.closed_at else " It is not over yet."
    page = f" [The incident's page]({link})." if link else ""
    return [f"Draft from what was recorded of `{incident.id}`.{still} Times are in UTC.{page}", ""]


def _facts(incident: Incident) -> list[str]:
    return ["| | |", "| --- | --- |", *(f"| {label} | {value} |" for label, value in _rows(incident) if value), ""]


def _rows(incident: Incident) -> Iterator[tuple[str, str]]:
    yield "Worst level", escaped(incident.peak_level or incident.level)
    yield "Began, as estimated", _began(incident)
    yield "Opened", _after(incident.opened_at, incident.started_at, "the start")
    yield "Calm again", _minute(incident.eased_at)
    yield "Closed", _minute(incident.closed_at)
    yield "Lasted", phrases.lasted(wording.duration(incident))
    yield "Peak", _peak(incident)
    yield "Known first from", wording.known_first(incident)
    yield "Vendor", _after(incident.vendor_at, incident.started_at, "the start")
    acknowledged = _after(incident.acked_at, incident.opened_at, "the opening")
    yield "Acknowledged", f"{acknowledged}, by {quoted(incident.acked_by)}" if incident.acked_by else "by nobody"
    yield "Taken by", quoted(incident.owner)
    yield "Likely cause", escaped(phrases.listed(incident.causes))
    if incident.verdict:
        yield "Was it real?", f"{incident.verdict.replace('-', ' ')}, says {quoted(incident.verdict_by)}"


def _began(incident: Incident) -> str:
    span = incident.started_between if phrases.between(incident) else None
    doubt = f", between {span.early:%H:%M} and {span.late:%H:%M}" if span else ""
    return f"{_minute(incident.started_at)}{doubt}"


def _impact(incident: Incident) -> list[str]:
    scope = incident.worst_scope or incident.scope or Scope()
    kinds = (("People saw", scope.symptoms), ("Where", scope.regions), ("On", scope.platforms))
    shares = [f"- {label}: {', '.join(whereabouts.share(s) for s in part)}" for label, part in kinds if part]
    normal = [f"- Looked normal: {escaped(whereabouts.spoken(scope.spared))}"] if scope.spared else []
    lines = [*shares, *normal] or ["- Not limited to one place or platform, as far as reports tell."]
    return ["## Impact", "", *lines, ""]


def _timeline(entries: Sequence[Entry]) -> list[str]:
    rows = [f"| {_minute(entry.at)} | {markdown(entry.text)} |" for entry in entries]
    return ["## Timeline", "", "| Time | What happened |", "| --- | --- |", *rows, ""]


def _vendor(notices: Sequence[Notice]) -> list[str]:
    """What the vendor's page said, each notice as it stood last."""
    if not notices:
        return []
    rows = [
        f"- {_minute(n.started_at)}, {escaped(n.phase)}: {quoted(n.title)}{f' ({quoted(n.url)})' if n.url else ''}"
        for n in sorted(notices, key=lambda notice: notice.started_at)
    ]
    return ["## What the vendor said", "", *rows, ""]


def _questions() -> list[str]:
    asked = [line for title, question in _TO_FILL.items() for line in (f"## {title}", "", f"_{question}_", "")]
    return [*asked, "## Actions", "", "| What | Who | By when |", "| --- | --- | --- |", "| | | |", ""]


def _peak(incident: Incident) -> str:
    if incident.peak is None or not wording.remarkable(incident.peak):
        return ""
    times = f", {phrases.ratio(incident.peak.times)} as usual" if incident.peak.times else ""
    return f"{phrases.reports(incident.peak.count)} at {_minute(incident.peak.at)}{times}"


def _alt(incident: Incident) -> str:
    return f"Reports of {incident.name} around the incident against the usual"


def _after(at: datetime | None, since: datetime | None, what: str) -> str:
    """`2022-11-04 03:08, 5 min after the start`."""
    if at is None:
        return ""
    late = f", {phrases.lasted(at - since)} after {what}" if since and at > since else ""
    return f"{_minute(at)}{late}"


def _minute(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"
