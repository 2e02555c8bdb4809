"""What machines and vendors say of the services: every watch with what it last said, and how much that weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.model import Evidence, Health, Incident, Policy, Reading, Signal
from bot.detectors.graded import Watched, hear, reading
from bot.ports import Watch

_NATS = {Evidence.VENDOR: 4.0, Evidence.PROBE: 3.0, Evidence.ALERT: 2.0}
"""What a source that says it is bad adds to the evidence of the counts."""
_AGREED = 6.0
"""The same for a probe that fails from two places at once or more."""


class Witnesses:
    """The watches of all services, by service and name: what was last heard of each, and when. May change in place."""

    def __init__(self, watches: Mapping[str, Mapping[str, Watch]]) -> None:
        self.watched: dict[tuple[str, str], Watched] = {}
        self.asked: dict[tuple[str, str], datetime] = {}
        self._watches = watches

    def refit(self) -> None:
        """Let go of the watches that are configured no more."""
        for place in [p for p in self.watched if p[1] not in self._watches.get(p[0], {})]:
            del self.watched[place]

    def hear(self, service: str, watch: str, signal: Signal) -> None:
        """Take in what a source said."""
        source = self._watches[service][watch]
        self.asked[service, watch] = signal.at
        before = self.watched.get((service, watch), Watched())
        raise_after, clear_after = getattr(source, "fail_after", 1), getattr(source, "clear_after", 1)
        self.watched[service, watch] = hear(before, signal, raise_after=raise_after, clear_after=clear_after)

    def nats(self, service: str) -> float:
        """The evidence in nats that the watches of a service add to what people report: once for each kind."""
        kinds: dict[Evidence, float] = {}
        for name, source in self._watches[service].items():
            watched = self.watched.get((service, name))
            if watched and (watched.health or 0) >= Health.DEGRADED:
                agreed = getattr(source, "vantages", ()) and getattr(source, "quorum", 1) > 1
                nats = _AGREED if agreed else _NATS.get(source.evidence, 0.0)
                kinds[source.evidence] = max(kinds.get(source.evidence, 0.0), nats)
        return sum(kinds.values())

    def speak(self, service: str, incident: Incident | None) -> bool:
        """True unless all say that all is well; quickly, for every service is asked all the time."""
        watches = self._watches.get(service)
        if not watches:
            return False
        told = [reading.source for reading in incident.readings] if incident else []
        return any(self._speaks(service, watch, told) for watch in watches)

    def _speaks(self, service: str, watch: str, told: Sequence[str]) -> bool:
        """True unless a watch says that all is well; one that has no reading may have `told` of trouble before."""
        watched = self.watched.get((service, watch))
        if watched is None or watched.health is None:
            return watch in told
        return watched.health >= Health.DEGRADED

    def caught_up(self, service: str, incident: Incident | None) -> bool:
        """True when every watch that speaks in the incident was heard since the start: until then its end may be news."""
        spoke = {r.source for r in incident.readings} & self._watches.get(service, {}).keys() if incident else ()
        return all((service, name) in self.watched for name in spoke)

    def readings(self, service: str, now: datetime, policy: Policy, incident: Incident | None) -> tuple[Reading, ...]:
        """Readings of the watches; one not asked since the start keeps what it said in the living incident."""
        before = {r.source: r for r in incident.readings} if incident else {}
        found = []
        for name, source in self._watches.get(service, {}).items():
            watched = self.watched.get((service, name))
            heard = reading(watched, now, source=name, kind=source.evidence, levels=policy.levels) if watched else None
            if heard or name in before:
                found.append(heard or before[name])
        return tuple(found)
