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
