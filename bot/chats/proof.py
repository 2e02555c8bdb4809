"""What proves that a platform itself calls, beside its signature: a time near ours, and that it says each thing once."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import datetime, timedelta

from bot.ports import Forbidden

WINDOW = timedelta(minutes=5)
"""How far the time in a call may be from ours; what is older could be a copy."""

_SECONDS = re.compile(r"[0-9]{1,12}")


class Once:
    """The signatures of the last minutes, so that a copied call has no effect. Only what is proved goes in."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, datetime] = OrderedDict()

    def first(self, signature: str, at: datetime) -> None:
        """Let a proved call pass the first time it comes.

        Raises:
            Forbidden: it came before.
        """
        while self._seen and next(iter(self._seen.values())) < at - 2 * WINDOW:
            self._seen.popitem(last=False)
        if signature in self._seen:
            raise Forbidden("this call was taken already")
        self._seen[signature] = at


def timely(stamp: str, now: datetime) -> None:
    """Let pass what was sent just now; `stamp` is in Unix seconds.

    Raises:
        Forbidden: it is no time, or more than five minutes from ours.
    """
    if not _SECONDS.fullmatch(stamp):
        raise Forbidden("the call does not say when it was sent, in Unix seconds")
    off = abs(now.timestamp() - int(stamp))
    if off > WINDOW.total_seconds():
        raise Forbidden(f"the call was sent {off:.0f} s from our time; is it an old one, or is a clock wrong?")
