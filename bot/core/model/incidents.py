"""An incident: its present, its timeline, and the case that keeps both for one service."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from bot.core.model.evidence import Between, Evidence, Numbers, Reading, Scope
from bot.core.model.signals import Notice
from bot.core.model.text import Text


class State(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    OPEN = "open"
    EASING = "easing"
    CLOSED = "closed"


class Kind(StrEnum):
    """Why a line stands in the timeline."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    SCOPE = "scope"
    VENDOR = "vendor"
    REMINDER = "reminder"
    EASED = "eased"
    RELAPSED = "relapsed"
    REOPENED = "reopened"
    CLOSED = "closed"
    ACTED = "acted"


class Confidence(StrEnum):
    """One kind of evidence is suspected; two kinds, the vendor, or a person make it confirmed."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The highest window seen in an incident: it ended `at`, and was `within` wide; zero where that is not known."""

    at: datetime
    count: int
    times: float | None = None
    within: timedelta = timedelta(0)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One incident among those that a gathering of several tells of; `ended` None while it lives.

    `heard` is the last line of its timeline that the gathering knows.
    """

    incident: str
    service: str
    name: str
    level: str
    began: datetime
    ended: datetime | None = None
    heard: int = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble of one service, from the first suspicion to the close.

    `since` is when the present state was entered; `started_at` the true start as somebody told it, or else as
    it is estimated, `started_between` then saying how surely; `seq` counts the timeline entries; `rev` grows with every change a head message would show. `quelled` is the level at which a person closed
    it: only something worse, or calm first, lets it speak again. Muted by somebody without `muted_until` is muted until
    it recovers. `fine` holds one mark for each person who said that it works for them; `verdict` is `real` or
    `false-alarm`, once a person said so. `called` are the levels at which it has called people, `aloud` is the number of
    its latest line for the whole channel. A gathering has `members`: the incidents that it tells of together; one that is
    `part_of` a gathering leaves it to that to call people.
    """

    id: str
    service: str
    name: str
    state: State
    since: datetime
    level: str
    peak_level: str
    confidence: Confidence = Confidence.SUSPECTED
    started_at: datetime
    started_between: Between | None = None
    opened_at: datetime | None = None
    eased_at: datetime | None = None
    closed_at: datetime | None = None
    closed_why: str = ""
    seq: int = 0
    rev: int = 0
    readings: tuple[Reading, ...] = ()
    numbers: Numbers | None = None
    peak: Peak | None = None
    scope: Scope | None = None
    told_scope: Scope | None = None
    worst_scope: Scope | None = None
    first_kind: Evidence | None = None
    vendor_at: datetime | None = None
    lowering_since: datetime | None = None
    scope_since: datetime | None = None
    notices: tuple[Notice, ...] = ()
    acked_by: str = ""
    acked_at: datetime | None = None
    owner: str = ""
    muted_until: datetime | None = None
    muted_by: str = ""
    fine: tuple[str, ...] = ()
    verdict: str = ""
    verdict_by: str = ""
    declared_by: str = ""
    quelled: str = ""
    causes: tuple[str, ...] = ()
    reminded_at: datetime | None = None
    reopened: int = 0
    called: tuple[str, ...] = ()
    aloud: int = 0
    part_of: str = ""
    members: tuple[Member, ...] = ()

    @property
    def alive(self) -> bool:
        """True from opening to closing; a pending suspicion is not yet an incident."""
        return self.state in (State.OPEN, State.EASING)

    @property
    def spoken(self) -> frozenset[Evidence]:
        """The kinds of evidence that speak for it, or spoke first; a person who declared it counts as people."""
        declared = {Evidence.PEOPLE} if self.declared_by else set()
        first = {self.first_kind} if self.first_kind else set()
        return frozenset({r.kind for r in self.readings if r.level} | first | declared)

    @property
    def muted(self) -> bool:
        """True while its lines call nobody."""
        return bool(self.muted_by) or self.muted_until is not None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an incident's timeline, numbered from 1. The timeline is the outbox.

    `loud` lines are for the whole channel, and those that `calls` is set on are for people who may sleep.
    """

    incident: str
    seq: int
    at: datetime
    kind: Kind
    level: str
    text: Text
    who: str = ""
    loud: bool = False
    calls: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One service and its latest incident; loaded with its version, saved with it, or refused."""

    service: str
    version: int = 0
    incident: Incident | None = None
