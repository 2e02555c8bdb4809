"""What comes in from outside, before anybody judged it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum

import msgspec


class Health(IntEnum):
    """What a page or a probe says of a service (reference: the usual five of vendors' status pages)."""

    OPERATIONAL = 0
    MAINTENANCE = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4

    @property
    def word(self) -> str:
        """The name as the API prints it: `major_outage`."""
        return self.name.lower()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One problem report, admitted: the reporter is already a keyed hash (16 bytes, hex), the fields are vocabulary codes."""

    at: datetime
    service: str
    reporter: str = ""
    id: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""
    text: str = ""
    door: str = "api"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One incident or maintenance on a vendor's own page."""

    key: str
    title: str
    phase: str
    impact: Health
    started_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    url: str = ""
    words: str = ""
    maintenance: bool = False
    stale: bool = False

    @property
    def open(self) -> bool:
        """True while the vendor has not called it over."""
        return self.phase not in ("resolved", "postmortem", "completed", "scheduled") and not self.stale


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said when asked. `health` None is *no reading*: then `error` says why, and nothing is concluded.

    A feed that counts has neither while it works, for what it knows is in the numbers. `error` is one of `dns timeout tls connect http_<code> blocked unparseable wrong_shape too_large no_quorum`. A probe that got
    no answer has both: its health, and the `error` that tells our own blindness from their outage. `quiet` True: the
    health is worth showing and opens nothing (a vendor's chronic yellow). `wait` is how long the other side asked us
    to stay away. `since` is when the trouble began, from a sender that knows better than our first hearing of it.
    """

    at: datetime
    health: Health | None = None
    note: str = ""
    url: str = ""
    error: str = ""
    notices: tuple[Notice, ...] = ()
    quiet: bool = False
    wait: timedelta | None = None
    since: datetime | None = None

    @property
    def broken(self) -> bool:
        """True when the source itself failed, so that it tells nothing."""
        return self.health is None and bool(self.error)
