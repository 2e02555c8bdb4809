"""Reports and ready-made counts as they arrive, and as they are kept: the shapes of the door and of the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Annotated, NamedTuple

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=200)]
When = datetime | float | int


class RawReport(msgspec.Struct, kw_only=True, gc=False):
    """One report as somebody sent it. `at` is RFC 3339 or Unix seconds; the other fields are in the sender's words."""

    service: Name
    at: When | None = None
    id: Name | None = None
    reporter: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    symptom: Name | None = None
    region: Name | None = None
    platform: Name | None = None
    text: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class RawCount(msgspec.Struct, kw_only=True, gc=False, rename={"since": "from", "until": "to"}):
    """A ready-made count for the window from `from` up to `to`; the rows of one window add up.

    `reporters` is the number of distinct people among `count`, where the sender knows it.
    """

    service: Name
    since: When
    until: When
    count: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    reporters: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    region: Name | None = None
    platform: Name | None = None
    symptom: Name | None = None
    source: Name | None = None


class Cell(NamedTuple):
    """Where, on what and what people see: vocabulary codes, empty where nobody said."""

    region: str = ""
    platform: str = ""
    symptom: str = ""


class Kind(NamedTuple):
    """What reports are counted by."""

    service: str
    cell: Cell


class Kept(msgspec.Struct, gc=False, frozen=True):
    """An admitted report: Unix seconds, vocabulary codes, and a keyed hash of service and reporter.

    `weight` is what the voice weighs when an alarm is to be believed, 0..1 (see `bot.core.trust`); it is counted as one,
    unless it is `mute`: then it is kept as others are, and not counted.
    """

    at: float
    service: str
    reporter: bytes = b""
    id: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""
    text: str = ""
    door: str = ""
    weight: float = 1.0
    mute: bool = False


class Sheet(msgspec.Struct, array_like=True, frozen=True):
    """Admitted reports side by side, one column per field, as the log keeps them: a tenth of the work of rows.

    `kinds` are the different ones among them, and `which` says by its place there of what kind each is. `at` holds one
    moment for each, or a single one for all; `texts` what some had to say, by their place. All weigh the same, and all are mute or none is.
    """

    door: str
    kinds: list[Kind]
    which: list[int]
    at: list[float]
    reporters: list[bytes]
    ids: list[str]
    texts: dict[int, str] = {}
    weight: float = 1.0
    mute: bool = False

    @classmethod
    def of(cls, reports: Iterable[Kept]) -> Sheet:
        """These reports, from one door and of one weight, as a sheet; a sheet is one already."""
        if isinstance(reports, Sheet):
            return reports
        rows = list(reports)
        kinds: dict[Kind, int] = {}
        which = [kinds.setdefault(_kind(row), len(kinds)) for row in rows]
        return cls(
            rows[0].door if rows else "",
            list(kinds),
            which,
            [row.at for row in rows],
            [row.reporter for row in rows],
            [row.id for row in rows],
            {place: row.text for place, row in enumerate(rows) if row.text},
            rows[0].weight if rows else 1.0,
            mute=bool(rows) and rows[0].mute,
        )

    def __len__(self) -> int:
        return len(self.which)

    def __iter__(self) -> Iterator[Kept]:
        """The reports one by one."""
        rows = zip(self.which, self.moments(), self.reporters, self.ids, strict=False)
        for place, (which, at, reporter, name) in enumerate(rows):
            service, cell = self.kinds[which]
            yield Kept(at, service, reporter, name, *cell, self.texts.get(place, ""), self.door, self.weight, self.mute)

    def moments(self) -> Iterable[float]:
        """When each was, in Unix seconds; for a single moment without an end, so zip it with another column."""
        return self.at if len(self.at) != 1 else repeat(self.at[0])

    def since(self, moment: float) -> Sheet:
        """Without the reports from before a moment, in Unix seconds."""
        if not self.at or min(self.at) >= moment:
            return self
        return self.only(
            [place for place, (_, at) in enumerate(zip(self.which, self.moments(), strict=False)) if at >= moment]
        )

    def only(self, places: Sequence[int]) -> Sheet:
        """The reports at these places, in this order."""
        return Sheet(
            self.door,
            self.kinds,
            [self.which[place] for place in places],
            self.at if len(self.at) == 1 else [self.at[place] for place in places],
            [self.reporters[place] for place in places],
            [self.ids[place] for place in places],
            {new: self.texts[old] for new, old in enumerate(places) if old in self.texts},
            self.weight,
            mute=self.mute,
        )


class Window(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An admitted ready-made count as the log keeps it; `since` and `until` in Unix seconds."""

    service: str
    since: float
    until: float
    count: float
    reporters: float
    source: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""


class Frame(msgspec.Struct, array_like=True):
    """What one append makes durable; `at` is when it was written, in Unix seconds."""

    at: float
    sheets: list[Sheet]
    windows: list[Window] = []

    @property
    def reports(self) -> Iterator[Kept]:
        """The reports one by one."""
        return (report for sheet in self.sheets for report in sheet)


def _kind(row: Kept) -> Kind:
    return Kind(row.service, Cell(row.region, row.platform, row.symptom))
