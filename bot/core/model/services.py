"""A service as the house knows it, how its incidents are paced, and who hears of them."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from bot.core.model.evidence import Evidence
from bot.core.model.incidents import Incident
from bot.core.planned import Window


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How the life of an incident is paced for one service. `levels` are the names, mildest first."""

    name: str
    levels: tuple[str, ...]
    open_at: str
    confirm_for: timedelta
    quiet_for: timedelta
    reopen_for: timedelta
    remind_every: timedelta = timedelta(0)

    def rank(self, level: str) -> int:
        """0 for calm or an unknown name, then 1 for the mildest level."""
        return self.levels.index(level) + 1 if level in self.levels else 0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that hears of a service, once an incident has reached `level` (empty: every incident).

    With `evidence` it hears only of incidents that one of these kinds spoke for.
    """

    channel: str
    level: str = ""
    evidence: frozenset[Evidence] = frozenset()


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as the house knows it: what people call it, how its incidents are paced, who hears of them."""

    id: str
    policy: Policy
    aliases: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    depends_on: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    @property
    def name(self) -> str:
        """The name people read."""
        return self.policy.name

    def channels(self, incident: Incident) -> tuple[str, ...]:
        """The channels that hear of an incident, by the worst level it has reached and by what speaks for it."""
        worst = self.policy.rank(incident.peak_level)
        heard = (r for r in self.routes if not r.evidence or r.evidence & incident.spoken)
        return tuple(r.channel for r in heard if self.policy.rank(r.level) <= worst)
