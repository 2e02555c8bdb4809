"""Watches of every kind of status page with the least that each needs, and what such pages were caught saying."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.config.plugins import SOURCES
from bot.sources.pages import Page

CAPTURES = Path(__file__).parent.parent / "captures"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEEDED = {"statusio": {"page": "0123456789abcdef01234567"}, "statuspal": {"page": "example"}}
NEEDED["m365"] = {"tenant": "example.com", "client": "an-application", "secret": "s3cret"}
PAGES = {kind: model for kind, model in SOURCES.items() if issubclass(model, Page)}


def watch(kind: str, **fields: Any) -> Page:
    """A watch of a kind, as the configuration would make it."""
    url = {"url": "https://status.example.com"} if SOURCES[kind].model_fields["url"].is_required() else {}
    made = SOURCES[kind].model_validate({"kind": kind, **url, **NEEDED.get(kind, {}), **fields})
    assert isinstance(made, Page)
    return made


def captured(kind: str, *names: str) -> tuple[bytes, ...]:
    """Documents as a page served them; the empty name is a document that could not be had."""
    return tuple((CAPTURES / kind / name).read_bytes() if name else b"" for name in names)


BAD = {
    "incidentio": "front-incident.json",
    "instatus": "major.json",
    "betterstack": "mostly-down.json",
    "checkly": "medium.json",
    "rootly": "status-critical.json,incidents.json",
    "statusio": "one-place.json",
    "statuspal": "minor-inside.json",
    "sorry": "page-degraded.json,components-degraded.json,notices.json",
    "cachet": "components-v1.json,incidents-v1.json",
    "slack_status": "outage.json,history.json",
    "gcp": "two-places.json",
    "aws": "disruption-elsewhere.json",
    "azure": "outage.xml",
    "apple": "wrapped.js",
    "salesforce": "major.json",
    "heroku": "red.json",
    "uptimekuma": "page-v1-incident.json,beats-down.json",
    "gatus": "down.json",
    "upptime": "down.json",
    "m365": "services-interrupted.json,issues.json",
    "feed": "zombie-open.atom",
    "statuspage": "impact-worse-than-indicator.json,incidents.json",
}
"""A page in trouble of every kind."""
CALM = {
    "incidentio": "front-calm.json", "instatus": "up.json", "betterstack": "calm.json", "checkly": "calm.json",
    "rootly": "status-none.json,", "statusio": "calm.json", "statuspal": "calm.json",
    "sorry": "page.json,components.json,no-notices.json", "cachet": "components-v1-calm.json,incidents-v1-none.json",
    "slack_status": "ok.json,", "gcp": "calm.json", "aws": "calm.json", "azure": "calm.xml", "apple": "calm.json",
    "salesforce": "calm.json", "heroku": "green.json", "uptimekuma": "page.json,beats-up.json", "gatus": "up.json",
    "upptime": "up.json", "m365": "services.json,no-issues.json", "feed": "zombie-resolved.atom",
    "statuspage": "calm.json,",
}  # fmt: skip
"""The same page when all is well again; the empty name is a document that could not be had."""


def bad(kind: str) -> list[bytes]:
    """The documents of a page in trouble."""
    bodies = list(captured(kind, *BAD[kind].split(",")))
    return [*bodies, *[b""] * (2 - len(bodies))] if kind in ("rootly", "slack_status", "statuspage") else bodies


def calm(kind: str) -> list[bytes]:
    """The documents of the same page when all is well again."""
    return list(captured(kind, *CALM[kind].split(",")))
