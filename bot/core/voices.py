"""Who has spoken: one reporter is one voice per service and window, and a report sent again is the same report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from bot.core.reports import Kept, Sheet

_DAY = 86_400.0


class Voices:
    """Marks of reporters and report ids, in two generations: the older one is forgotten as a whole.

    A reporter's hash stands for a person at one service, an id for one report anywhere. A mark lives for one to two days,
    less when more than `most` of them come in a day. `windows` gives a service's `one_voice`; others have `usual`.
    """

    def __init__(self, windows: Mapping[str, timedelta], usual: timedelta, *, most: int = 1_000_000) -> None:
        self._windows = {service: window.total_seconds() for service, window in windows.items()}
        self._usual = usual.total_seconds()
        self._most = most
        self._held = 0
        self._born: float | None = None
        self._young, self._old = _Marks(), _Marks()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Voices) and (self._young, self._old) == (other._young, other._old)

    __hash__ = None  # type: ignore[assignment]

    def retime(self, windows: Mapping[str, timedelta]) -> None:
        """Other windows from now on; what was marked stays marked."""
        self._windows = {service: window.total_seconds() for service, window in windows.items()}

    def hold(self, reports: Iterable[Kept]) -> Sheet:
        """Mark reports as heard, one after the other; answers those whose id and voice were not known yet."""
        sheet = Sheet.of(reports)
        places = self.sift(sheet)
        return sheet if len(places) == len(sheet) else sheet.only(places)

    def sift(self, sheet: Sheet) -> Sequence[int]:
        """Like `hold`, but answers their places."""
        places = range(len(sheet)) if self._all_new(sheet) else self._new(sheet)
        self._age(len(places))
        return places

    def mark(self, reports: Iterable[Kept]) -> None:
        """Mark reports that are known to count."""
        sheet = Sheet.of(reports)
        young = self._young
        young.ids.update(filter(None, sheet.ids))
        for who, at in zip(sheet.reporters, sheet.moments(), strict=False):
            if who:
                young.add(who, at)
        self._age(len(sheet))

    def release(self, reports: Iterable[Kept]) -> None:
        """Undo the marks of reports that were held and then not written."""
        for report in reports:
            for marks in (self._young, self._old):
                marks.ids.discard(report.id)
                marks.remove(report.reporter, report.at)

    def forget(self, now: float) -> None:
        """Let a day's marks grow old; `now` in Unix seconds."""
        if self._born is None:
            self._born = now
        if now - self._born >= _DAY:
            self._born = now
            self._turn()

    def _all_new(self, sheet: Sheet) -> bool:
        """Mark all of them at once if nobody was heard before: the usual case, which needs no loop of ours."""
        at = sheet.at
        ids = set(sheet.ids)
        spoke = dict.fromkeys(sheet.reporters, at[0]) if len(at) == 1 else dict(zip(sheet.reporters, at, strict=True))
        nameless = sheet.ids.count("") if "" in ids else 0
        voiceless = sheet.reporters.count(b"") if b"" in spoke else 0
        ids.discard("")
        spoke.pop(b"", None)
        if len(ids) + nameless < len(sheet) or len(spoke) + voiceless < len(sheet):
            return False
        if self._young.knows(ids, spoke) or self._old.knows(ids, spoke):
            return False
        self._young.ids |= ids
        self._young.spoke |= spoke
        return True

    def _new(self, sheet: Sheet) -> list[int]:
        """Mark them one after the other; answers the places of those that are new."""
        places: list[int] = []
        young, old = self._young, self._old
        rows = zip(sheet.which, sheet.moments(), sheet.reporters, sheet.ids, strict=False)
        for place, (which, at, who, name) in enumerate(rows):
            if name in young.ids or name in old.ids or (who and self.spoke(sheet.kinds[which].service, who, at)):
                continue
            if name:
                young.ids.add(name)
            if who:
                young.add(who, at)
            places.append(place)
        return places

    def window(self, service: str) -> float:
        """For how long a reporter of a service is one voice, in seconds."""
        return self._windows.get(service, self._usual)

    def last(self, who: bytes) -> float | None:
        """When a reporter was counted last, in Unix seconds; None where that is not known."""
        return max((*self._young.times(who), *self._old.times(who)), default=None)

    def spoke(self, service: str, who: bytes, at: float) -> bool:
        """True when a reporter was counted less than a window before or after a moment, in Unix seconds."""
        times = (*self._young.times(who), *self._old.times(who))
        if not times:
            return False
        window = self.window(service)
        return any(abs(at - time) < window for time in times)

    def _age(self, more: int) -> None:
        self._held += more
        if self._held > self._most:
            self._turn()

    def _turn(self) -> None:
        self._young, self._old = _Marks(), self._young
        self._held = 0


class _Marks:
    """One generation. Most reporters speak once, so their first time (Unix seconds) is kept apart from more."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.spoke: dict[bytes, float] = {}
        self.again: dict[bytes, tuple[float, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Marks) and (self.ids, self._sorted()) == (other.ids, other._sorted())

    __hash__ = None  # type: ignore[assignment]

    def knows(self, ids: AbstractSet[str], spoke: Mapping[bytes, object]) -> bool:
        """True when any of these was marked."""
        if not self.ids.isdisjoint(ids):
            return True
        return bool(self.spoke) and not self.spoke.keys().isdisjoint(spoke)

    def times(self, who: bytes) -> tuple[float, ...]:
        """When a reporter was counted."""
        return (self.spoke[who], *self.again.get(who, ())) if who in self.spoke else ()

    def add(self, who: bytes, at: float) -> None:
        """Remember that a reporter was counted."""
        if who in self.spoke:
            self.again[who] = (*self.again.get(who, ()), at)
        else:
            self.spoke[who] = at

    def remove(self, who: bytes, at: float) -> None:
        """Forget one time that a reporter was counted, if there was such a one."""
        times = list(self.times(who))
        if at not in times:
            return
        times.remove(at)
        del self.spoke[who]
        self.again.pop(who, None)
        for time in times:
            self.add(who, time)

    def _sorted(self) -> dict[bytes, list[float]]:
        return {who: sorted(self.times(who)) for who in self.spoke}
