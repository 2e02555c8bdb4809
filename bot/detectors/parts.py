"""The parts of services, each with a usual of its own: a small outage in one place shows there before the total moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

import msgspec
import numpy as np

from bot.core.holidays import NO_HOLIDAY, NO_HOLIDAYS, Calendar
from bot.core.places import country, label
from bot.core.reports import Cell
from bot.detectors.levels import Rule
from bot.detectors.surge import Surge
from bot.detectors.verdict import Verdict

_NOWHERE = frozenset({"", "*", "unknown"})
_SHARES = 6.0, 100.0  # how many times fewer false alarms its parts, and its cells, may raise than a service
_FEWEST = 2.0  # reports within a bucket, from which on a part is listened to
_MOST = 48  # regions, platforms and symptoms of one service, and as many cells
_SETTLED = timedelta(days=1)  # since it was last heard, in which no newcomer takes the place of a part
_IDLE = timedelta(days=21)  # without a report, after which a part is forgotten
_ALARMS = 1.0  # a month, where the level names no budget


class Part(NamedTuple):
    """One region, platform or symptom of a service; `axis` is its place in a `Cell`.

    After these three comes the fourth, `CELL`: one platform of one region, whose code is both.
    """

    service: str
    axis: int
    code: str

    @property
    def words(self) -> str:
        """The part as people call it: `India`, `Web in India`."""
        region, _, platform = self.code.partition(_BOTH)
        return f"{label(platform)} in {label(region)}" if self.axis == CELL else label(self.code)


CELL = 3
_BOTH = " "  # between the region and the platform of a cell
_PLACED = (0, CELL)  # the axes of parts that lie in a region


_NOTHING: Mapping[Part, float] = {}
_NOTHING_OVER: Mapping[str, float] = {}


class _Saved(msgspec.Struct, frozen=True):
    parts: list[tuple[str, int, str, float]]
    surge: bytes


class Parts:
    """Judges parts like services, once a bucket, by the same levels with more evidence.

    A part is listened to from its first reports on, speaks when it has a day of history, and is forgotten when idle.
    """

    def __init__(
        self,
        rules: Mapping[str, Sequence[Rule]],
        tick: timedelta,
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
    ) -> None:
        self._rules = {
            service: tuple(_stricter(ladder, share) for share in _SHARES) for service, ladder in rules.items()
        }
        self._tick = tick
        self._calendars = calendars
        self._heard: dict[Part, float] = {}
        self._surge = Surge({}, tick)
        self._raised: dict[str, tuple[Part, Verdict]] = {}

    def close(
        self, at: datetime, cells: Mapping[str, Mapping[Cell, float] | None], over: Mapping[str, float] = _NOTHING_OVER
    ) -> None:
        """One bucket `[at, at + tick)` is complete: what fell into it by cell, None for a gap.

        `over` says for how many buckets the whole of a service has been over the trouble that it was in, where it has:
        then so are its parts, save those that are bad by what comes now.
        """
        sums = {service: _sums(service, found) for service, found in cells.items() if found}
        self._listen(at, [part for found in sums.values() for part, n in found.items() if n >= _FEWEST])
        if not self._heard:
            return
        silent = {service for service, found in cells.items() if found is None}
        counts = {_name(part): sums.get(part.service, _NOTHING).get(part, 0.0) for part in self._heard}
        self._surge.close(at, {**counts, **{_name(part): None for part in self._heard if part.service in silent}})
        if over:
            self._surge.end_doubtful(np.array([over.get(part.service, np.inf) for part in self._heard], np.float32))
        self._raised = self._speaking(at + self._tick)

    def raised(self, service: str) -> tuple[Part, Verdict] | None:
        """The part of a service that stands out most, with its verdict; None when all are calm."""
        return self._raised.get(service)

    def calendar(self, part: Part) -> Calendar:
        """The holidays of a part: those of its service, but a country, and a platform there, keeps only its own."""
        kept = self._calendars.get(part.service, NO_HOLIDAY)
        return kept.within(part.code.partition(_BOTH)[0]) if part.axis in _PLACED else kept

    def regions(self, service: str, widths: Sequence[int], now: datetime) -> dict[str, list[float]]:
        """The usual counts of the regions of a service that have a usual of their own, as `Surge.due` gives them."""
        known = self._surge.known
        own = [part for k, part in enumerate(self._heard) if part.service == service and not part.axis and known[k]]
        due = self._surge.due([_name(part) for part in own], widths, now)
        return {part.code: row for part, row in zip(own, due.tolist(), strict=True)}

    def resize(self, rules: Mapping[str, Sequence[Rule]], calendars: Mapping[str, Calendar] = NO_HOLIDAYS) -> Parts:
        """The same memory under new rules and holidays; the parts of services that are gone are forgotten."""
        other = Parts(rules, self._tick, calendars)
        other._heard = {part: at for part, at in self._heard.items() if part.service in rules}
        other._surge = self._surge.resize(other._ladders(), other._kept())
        return other

    def snapshot(self) -> bytes:
        """Everything remembered, for `restore`."""
        return msgspec.msgpack.encode(_Saved([(*p, at) for p, at in self._heard.items()], self._surge.snapshot()))

    @classmethod
    def restore(
        cls,
        blob: bytes,
        rules: Mapping[str, Sequence[Rule]],
        tick: timedelta,
        calendars: Mapping[str, Calendar] = NO_HOLIDAYS,
    ) -> Self:
        """The parts that were saved, by these rules; starts empty from what cannot be read."""
        parts = cls(rules, tick, calendars)
        try:
            saved = msgspec.msgpack.decode(blob, type=_Saved)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return parts
        parts._heard = {Part(s, axis, code): at for s, axis, code, at in saved.parts if s in rules}
        parts._surge = Surge.restore(saved.surge, parts._ladders(), tick, parts._kept())
        return parts

    def _listen(self, at: datetime, found: Sequence[Part]) -> None:
        """Begin to listen to new parts, and let go of idle ones."""
        now, before = at.timestamp(), set(self._heard)
        self._heard.update(dict.fromkeys((part for part in found if part.service in self._rules), now))
        if self._heard.keys() == before:
            return
        lasting = {part: when for part, when in self._heard.items() if now - when < _IDLE.total_seconds()}
        recent = {part for part in before if now - self._heard[part] < _SETTLED.total_seconds()}
        self._heard = {part: lasting[part] for part in _worthy(lasting, recent)}
        if self._heard.keys() != before:
            self._surge = self._surge.resize(self._ladders(), self._kept())

    def _ladders(self) -> dict[str, tuple[Rule, ...]]:
        return {_name(part): self._rules[part.service][part.axis == CELL] for part in self._heard}

    def _kept(self) -> dict[str, Calendar]:
        return {_name(part): self.calendar(part) for part in self._heard}

    def _speaking(self, now: datetime) -> dict[str, tuple[Part, Verdict]]:
        """Per service the part with a level whose evidence is strongest."""
        hot = np.flatnonzero((self._surge.ranks >= 0) & self._surge.known).tolist()
        if not hot:
            return {}
        parts, scores = list(self._heard), self._surge.scores.tolist()
        strongest: dict[str, Part] = {}
        for k in sorted(hot, key=lambda k: -scores[k]):
            strongest.setdefault(parts[k].service, parts[k])
        verdicts = self._surge.judge(now, {}, [_name(part) for part in strongest.values()])
        return {part.service: (part, verdict) for part, verdict in zip(strongest.values(), verdicts, strict=True)}


def _name(part: Part) -> str:
    return f"{part.service}\x1f{part.axis}\x1f{part.code}"


def _stricter(ladder: Sequence[Rule], share: float) -> tuple[Rule, ...]:
    """The levels for a part: each with a budget of alarms, since many parts are looked at."""
    return tuple(
        msgspec.structs.replace(rule, alarms=(_ALARMS if rule.alarms is None else rule.alarms) / share)
        for rule in ladder
    )


def _sums(service: str, cells: Mapping[Cell, float]) -> dict[Part, float]:
    sums: dict[Part, float] = {}
    for cell, count in cells.items():
        for axis, said in enumerate(cell):
            code = country(said) if axis == 0 else said
            if code not in _NOWHERE:
                part = Part(service, axis, code)
                sums[part] = sums.get(part, 0.0) + count
        region, platform = country(cell[0]), cell[1]
        if region not in _NOWHERE and platform not in _NOWHERE:
            part = Part(service, CELL, f"{region}{_BOTH}{platform}")
            sums[part] = sums.get(part, 0.0) + count
    return sums


def _worthy(heard: Mapping[Part, float], settled: Collection[Part]) -> list[Part]:
    """As many parts of each service as it may have, in a steady order: settled ones before those heard last."""
    own: dict[tuple[str, bool], list[Part]] = {}
    for part in sorted(heard, key=lambda part: (part not in settled, -heard[part], part)):
        own.setdefault((part.service, part.axis == CELL), []).append(part)
    return sorted(part for parts in own.values() for part in parts[:_MOST])
