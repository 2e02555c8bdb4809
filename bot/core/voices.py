"""Who has spoken: one reporter is one voice per service and window, and a report sent again is the same report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from bot.core.reports import Kept

_DAY = 86_400.0


class Voices:
    """Marks of reporters and report ids, in two generations: the older one is forgotten as a whole.

    A mark lives for one to two days, less when more than `most` of them come in a day. `windows` gives a service's
    `one_voice`; other services have `usual`.
    """

    def __init__(self, windows: Mapping[str, timedelta], usual: timedelta, *, most: int = 1_000_000) -> None:
        self._windows: defaultdict[str, float] = defaultdict(usual.total_seconds)
        self._windows.update({service: window.total_seconds() for service, window in windows.items()})
        self._most = most
        self._young, self._old = _Marks(), _Marks()
        self._born: float | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Voices) and (self._young, self._old) == (other._young, other._old)

    __hash__ = None  # type: ignore[assignment]

    def hold(self, report: Kept) -> bool:
        """Mark a report as heard; False when its id or its voice already was, which leaves no new mark."""
        service, at = report.service, report.at
        if report.id and ((service, report.id) in self._young.ids or (service, report.id) in self._old.ids):
            return False
        if report.reporter:
            who = service, report.reporter
            window = self._windows[service]
            for marks in (self._young, self._old):
                for spoke in marks.spoke.get(who, ()):
                    if abs(at - spoke) < window:
                        return False
        self.mark(report)
        return True

    def mark(self, report: Kept) -> None:
        """Mark a report that is known to count."""
        young = self._young
        if report.id:
            young.ids.add((report.service, report.id))
        if report.reporter:
            who = report.service, report.reporter
            young.spoke[who] = (*young.spoke.get(who, ()), report.at)
        if len(young.ids) > self._most or len(young.spoke) > self._most:
            self._turn()

    def release(self, report: Kept) -> None:
        """Undo the marks of a report that was held and then not written."""
        who = report.service, report.reporter
        for marks in (self._young, self._old):
            marks.ids.discard((report.service, report.id))
            spoke = marks.spoke.get(who, ())
            if report.at in spoke:
                at = len(spoke) - 1 - spoke[::-1].index(report.at)
                marks.spoke[who] = spoke[:at] + spoke[at + 1 :]
            if who in marks.spoke and not marks.spoke[who]:
                del marks.spoke[who]

    def forget(self, now: float) -> None:
        """Let a day's marks grow old; `now` in Unix seconds."""
        if self._born is None:
            self._born = now
        if now - self._born >= _DAY:
            self._born = now
            self._turn()

    def _turn(self) -> None:
        self._young, self._old = _Marks(), self._young


class _Marks:
    """One generation: ids per service, and when each reporter of a service was counted (Unix seconds)."""

    def __init__(self) -> None:
        self.ids: set[tuple[str, str]] = set()
        self.spoke: dict[tuple[str, bytes], tuple[float, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Marks) and (self.ids, self.spoke) == (other.ids, other.spoke)

    __hash__ = None  # type: ignore[assignment]
