"""What a signal or a count comes to once it is judged: a level, and the facts that made it so."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from bot.core.model.signals import Health, Notice


class Evidence(StrEnum):
    """The independent kinds of evidence. Two watches of one kind are still one kind."""

    PEOPLE = "people"
    PROBE = "probe"
    VENDOR = "vendor"
    ALERT = "alert"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a dimension: its share of the reports now and usually, both 0..1."""

    code: str
    share: float
    usual: float = 0.0


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where, on what, and what people see. Empty `regions` or `platforms` means: not limited that we can tell.

    `spared` names platforms or regions that report no more than usual though enough people use them.
    """

    regions: tuple[Share, ...] = ()
    platforms: tuple[Share, ...] = ()
    symptoms: tuple[Share, ...] = ()
    spared: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The region and platform codes only, to compare two scopes for a material change."""
        return tuple(sorted(s.code for s in self.regions)), tuple(sorted(s.code for s in self.platforms))


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """A count against what is usual. `usual` None: too little history to know. `of` names the part that was counted, if one."""

    count: int
    within: timedelta
    usual: float | None = None
    times: float | None = None
    score: float = 0.0
    of: str = ""


class Between(msgspec.Struct, frozen=True, kw_only=True):
    """The two times between which something most likely happened, UTC."""

    early: datetime
    late: datetime


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A signal judged: the level it speaks for, and the facts that made it so.

    `since` is when the trouble began; `between` says how surely, where that is an estimate and nobody's word.
    """

    at: datetime
    kind: Evidence
    source: str
    level: str = ""
    since: datetime | None = None
    between: Between | None = None
    note: str = ""
    url: str = ""
    health: Health | None = None
    numbers: Numbers | None = None
    scope: Scope | None = None
    notices: tuple[Notice, ...] = ()
    rule: str = ""
