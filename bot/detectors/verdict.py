"""What a judge says of services. Of many, most are calm and nobody asks: their verdicts are put together on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from bot.core.model import Between, Numbers
from bot.detectors.levels import LEAST_USUAL, Ladder, Rule
from bot.detectors.ring import Columns, Flags, Floats


class Start(NamedTuple):
    """When the present excess began: the most likely bucket, and between which times it was."""

    at: datetime
    between: Between


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One service, judged: `level` is empty when calm; `rule` is the sentence of the level that holds.

    `doubt` says why the level is lower than the count alone would have it; empty when it is not.
    """

    series: str
    numbers: Numbers
    level: str = ""
    since: datetime | None = None
    between: Between | None = None
    rule: str = ""
    doubt: str = ""


class Weighed(NamedTuple):
    """What was found of k series, which are `columns` of a ladder, shape (k,) each.

    `ranks` of the levels that hold, -1 when calm; `windows`, shape (2, levels, k), seen and due in the window of each
    level; `score` in nats; `known` where there is a usual.
    """

    columns: Columns
    ranks: npt.NDArray[np.intp]
    windows: Floats
    score: Floats
    known: Flags


class Judgement(Mapping[str, Verdict]):
    """The verdicts of one moment on some services. `raised` are those with a level; `since` says when these began."""

    def __init__(self, names: Sequence[str], ladder: Ladder, weighed: Weighed, since: Mapping[int, Start]) -> None:
        self._names, self._ladder, self._weighed = names, ladder, weighed
        self._places: dict[str, int] = {}
        self.raised = {names[place]: self._raised(place, began) for place, began in since.items()}

    def __getitem__(self, name: str) -> Verdict:
        """The verdict on a service."""
        if name in self.raised:
            return self.raised[name]
        if not self._places:
            self._places = {name: place for place, name in enumerate(self._names)}
        return Verdict(series=name, numbers=self._numbers(self._places[name]))

    def __iter__(self) -> Iterator[str]:
        """The services judged."""
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _raised(self, place: int, began: Start) -> Verdict:
        rule = self._ladder.rules[self._weighed.columns[place]][self._weighed.ranks[place]]
        return Verdict(
            series=self._names[place],
            numbers=self._numbers(place),
            level=rule.level,
            since=began.at,
            between=began.between,
            rule=_sentence(rule),
        )

    def _numbers(self, place: int) -> Numbers:
        """The numbers of the level that holds, or of the mildest when calm."""
        found = self._weighed
        rank = max(int(found.ranks[place]), 0)
        count, usual = found.windows[:, rank, place].tolist()
        known = usual > 0 and bool(found.known[place])
        return Numbers(
            count=round(count),
            within=self._ladder.spans[found.columns[place]][rank],
            usual=usual if known else None,
            times=count / max(usual, LEAST_USUAL) if known else None,
            score=float(found.score[place]),
        )


@lru_cache(maxsize=1024)
def _sentence(rule: Rule) -> str:
    """The same few rules hold bucket after bucket."""
    return rule.sentence()


class Verdicts(Mapping[str, Verdict]):
    """The newest verdict on every service."""

    def __init__(self) -> None:
        self._all: Judgement | None = None
        self._later: dict[str, Verdict] = {}

    def renew(self, judgement: Judgement) -> None:
        """All services were judged."""
        self._all, self._later = judgement, {}

    def amend(self, judgement: Judgement) -> None:
        """Some services were judged again."""
        self._later.update(judgement)

    def put(self, verdict: Verdict) -> None:
        """One service was judged otherwise."""
        self._later[verdict.series] = verdict

    def raised(self, name: str) -> bool:
        """True where a level holds."""
        if name in self._later:
            return bool(self._later[name].level)
        return self._all is not None and name in self._all.raised

    def doubted(self, name: str) -> bool:
        """True where a level would hold if those who reported were known better."""
        return name in self._later and bool(self._later[name].doubt)

    def __getitem__(self, name: str) -> Verdict:
        """The newest verdict on a service."""
        if name in self._later or self._all is None:
            return self._later[name]
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        """The services that were ever judged."""
        return iter(dict.fromkeys((*(self._all or ()), *self._later)))

    def __len__(self) -> int:
        return sum(1 for _ in self)
