"""Alerts in JSON of any shape: where to find what is said in the configuration, by paths and words."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.sources.letters import Told, alert, scalar
from bot.sources.paths import JsonPath, Path, every, first
from bot.sources.times import moment

Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=100)]
Weight = Literal["ignore", "degraded", "partial_outage", "major_outage"]

_FIRING = [
    "firing",
    "open*",
    "alert*",
    "trigger*",
    "problem",
    "critical",
    "warning",
    "down",
    "error",
    "fail*",
    "active",
]
_RESOLVED = ["resolved", "ok", "closed", "recover*", "up", "normal", "success", "inactive", "healthy"]
_LONGEST = 200


class Mapped(Told):
    """A hook whose messages are read by paths such as `incident.state`, `alerts[0].name` or `targets[*].name`."""

    each: JsonPath = Path("")
    """Where the alerts are, when one message carries several: `alerts[*]`. The other paths start there."""
    key: JsonPath = Path("key")
    """What stays the same from the alert to its end."""
    state: JsonPath = Path("state")
    """The word that says whether it fires or is over."""
    firing: Words = Field(default=_FIRING)
    """Words of `state` that mean that it fires; `*` stands for anything, upper and lower case are the same."""
    resolved: Words = Field(default=_RESOLVED)
    """Words of `state` that mean that it is over."""
    title: JsonPath = Path("title")
    """What it is, in words."""
    severity: JsonPath = Path("severity")
    """The word that says how bad it is."""
    severities: dict[str, Weight] = Field(default_factory=dict)
    """What those words mean, where the usual ones (critical, error, warning, info) are not used."""
    url: JsonPath = Path("url")
    """Where people can read more."""
    started: JsonPath = Path("started")
    """When it began: RFC 3339, or Unix time in any unit."""
    at: JsonPath = Path("at")
    """When this was said; older news than what is known already changes nothing."""

    def news(self, document: Any, *, name: str = "") -> tuple[Alert, ...]:
        """The alerts of a message that say whether they fire; `name` is the message's own."""
        found = (self._one(row, name) for row in every(document, self.each))
        return tuple(one for one in found if one)

    def states(self, document: Any) -> list[str]:
        """The words that say whether the alerts of a message fire."""
        return [scalar(first(row, self.state)).strip() for row in every(document, self.each)]

    def says(self, state: str) -> bool:
        """True for a word that means something here."""
        return known(state, self.firing) or known(state, self.resolved)

    def _one(self, row: Any, name: str) -> Alert | None:
        state = scalar(first(row, self.state)).strip()
        over = known(state, self.resolved)
        health = Health.OPERATIONAL if over else self._health(row) if known(state, self.firing) else None
        key, title = _joined(row, self.key), _joined(row, self.title)
        if health is None or not (key or title):
            return None
        return alert(
            key or title,
            health,
            title=title or key,
            url=first(row, self.url),
            id=name,
            started=None if over else moment(first(row, self.started)),
            at=moment(first(row, self.at)),
        )

    def _health(self, row: Any) -> Health | None:
        severity = scalar(first(row, self.severity)).strip()
        said = {word.lower(): weight for word, weight in self.severities.items()}.get(severity.lower())
        if said == "ignore":
            return None
        return Health[said.upper()] if said else self.weight(severity)


def known(state: str, words: Sequence[str]) -> bool:
    """True when a word is one of these, whatever its case; `*` in them stands for anything."""
    said = state.lower()[:_LONGEST]
    return bool(said) and any(fnmatchcase(said, word.lower()) for word in words)


def _joined(row: Any, steps: Path) -> str:
    """Everything a path leads to, as one line."""
    return ", ".join(part for part in (scalar(one) for one in every(row, steps)[:20]) if part)
