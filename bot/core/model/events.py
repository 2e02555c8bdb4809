"""What moves an incident: evidence judged anew, or a person who acts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.core.model.evidence import Reading


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The present evidence of every source of a service, calm ones included; also how time passes.

    `planned`: a maintenance window is on, in which nothing opens. `causes` names services it depends on that have an
    open incident of their own. `away_since`: nobody was looking since then, until just now. `deaf`: the feed of reports
    is silent, so that few reports are no sign of calm.
    """

    at: datetime
    readings: tuple[Reading, ...] = ()
    planned: bool = False
    causes: tuple[str, ...] = ()
    away_since: datetime | None = None
    deaf: bool = False


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """A person did something. `where` names the chat or page; `until` ends a mute; `level` belongs to a declaration.

    `verb` is one of `ack unack take note mute unmute declare merge resolve reopen false-alarm real`, or the quiet ones
    `works` and `fails`, whose `who` is a mark that tells people apart without naming them. The house itself does
    `unwatch`, and `join` to the gathering that `text` names. A mute without `until` lasts
    until it recovers. `incident` is the one that the person saw, if that is known: no other is touched.
    """

    at: datetime
    verb: str
    who: str
    where: str = ""
    text: str = ""
    level: str = ""
    until: datetime | None = None
    incident: str = ""


Event = Judged | Acted
