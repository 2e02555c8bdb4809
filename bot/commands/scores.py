"""The rows of `--scores`: of every bucket and service what was seen, and how it was judged."""

from __future__ import annotations

import csv
import io
import math
from datetime import datetime
from typing import NamedTuple, TextIO

import numpy as np

from bot.app import House
from bot.core.printing import moment
from bot.detectors.past import Past
from bot.detectors.ring import Floats
from bot.detectors.surge import Closed

_HEADER = ("at", "service", "count", "usual", "score", "level", "open", "rarity")
_AT_ONCE = 64  # buckets: what takes as long for one as for many is done for so many


class _Row(NamedTuple):
    """One bucket: when it began, how it was judged, and whose incident lived after it, by service."""

    at: datetime
    bucket: Closed
    alive: list[bool]


class Scores:
    """Writes CSV to an open file, some buckets at a time; `write` at the end writes the last of them."""

    def __init__(self, house: House, file: TextIO) -> None:
        engine, names = house.engine, house.engine.crowd.surge.names
        self._cases, self._names, self._file = engine.cases, names, file
        self._past = Past(len(names), engine.tick)
        self._services = [_word(name) for name in names]
        # The rank of calm is -1, and so its word is the last.
        self._levels = [(*(_word(rule.level) for rule in engine.rules[name]), "") for name in names]
        self._waiting: list[_Row] = []
        file.write(",".join(_HEADER) + "\n")

    def note(self, at: datetime, bucket: Closed) -> None:
        """A bucket that began at this time was closed."""
        incidents = [self._cases[name].incident for name in self._names]
        alive = [incident is not None and incident.alive for incident in incidents]
        self._waiting.append(_Row(at, bucket, alive))
        if len(self._waiting) >= _AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write down what waits."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        seen, usual, score, rank = (np.array(column) for column in zip(*(row.bucket for row in rows), strict=True))
        columns = _cells(seen), _cells(usual), _cells(score), rank.tolist(), _cells(self._past.rarities(seen))
        for row, *cells in zip(rows, *columns, strict=True):
            when = moment(row.at)
            lines = zip(self._services, self._levels, row.alive, *cells, strict=True)
            self._file.writelines(
                [
                    f"{when},{service},{count},{usual},{score},{levels[rank]},{alive:d},{rarity}\n"
                    for service, levels, alive, count, usual, score, rank, rarity in lines
                ]
            )


def _cells(values: Floats) -> list[list[str]]:
    """The numbers as they are written, shape (b, n). Each is put into words once: the same few counts come again and again."""
    different, which = np.unique(values, return_inverse=True)
    words = np.array([_cell(value) for value in different.tolist()], np.object_)
    return words[which.reshape(values.shape)].tolist()  # type: ignore[no-any-return]


def _cell(value: float) -> str:
    """A number without an exponent, rounded to what can matter; nothing for what is not known."""
    return "" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


def _word(word: str) -> str:
    """A name as CSV writes it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([word])
    return out.getvalue() if word else ""
