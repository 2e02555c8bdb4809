"""How high the evidence of each series climbs by chance alone, learned from its own past.

Counts that come in crowds reach scores that a model of noise calls impossible. So each series keeps a histogram of the
highest score of each hour, and scores beyond its ninetieth percentile are measured in units of its upper half: then one
threshold means about as many false alarms for a noisy series as for a well-behaved one. Hours so high that chance as it
was measured so far explains none of them are taken for troubles and left out, up to a share that troubles can explain:
else a series that breaks often would grow deaf. Of the others the very highest are not asked, since smaller troubles sit
there; a tail that grows fat below them is taken to go on growing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from bot.detectors.ring import Columns, Flags, Floats, blank, blocks, fixed, places

HEALTHY = 3.2
"""Nats that the highest score of an hour exceeds one time in ten where the model of noise holds."""

_HEALTHY = fixed(HEALTHY)
_BINS, _MOST = 32, 150.0
_EDGES = np.expm1(np.linspace(0.0, np.log1p(_MOST), _BINS + 1)).astype(np.float32)
_FADE = 0.5 ** (1 / 336)  # an hour counts half after two weeks
_FROM = 96.0  # hours of experience from which on it is used
_MIDDLE, _UPPER, _HIGH, _HIGHEST = 0.50, 0.80, 0.90, 0.95
_SOUND = 1.2 * float(np.log(5.0))  # nats from the middle to the percentile where the model of noise holds
_SOUND_TOP = 1.3 * float(np.log(4.0))  # the same, from `_UPPER` to `_HIGHEST`
_PRIOR = 20.0  # hours that a sound tail is believed to have had before
_TROUBLE = 12.0  # nats, as they count, that chance reaches in one hour of 60,000
_TROUBLED = 0.03  # the largest share of hours that troubles explain: nine of two hours in four weeks
_FAT, _FATTEST = 1.1, 30.0  # times a sound top from which on a tail is fat; nats of evidence that count as one at most


class Tail:
    """The tails of n series.

    State: `hours` (32, n), faded numbers of hours by their highest score; `peak` (n,), the highest of this hour;
    `bend` and `scale` (n,), where the tail begins and how many nats of it are worth one.
    """

    def __init__(self, series: int) -> None:
        self.hours: Floats = blank(_BINS, series)
        self.peak: Floats = blank(series)
        self.heard: Floats = blank(series)
        self.bend: Floats = blank(series) + HEALTHY
        self.scale: Floats = blank(series) + 1.0

    def columns(self) -> dict[str, Floats]:
        """Everything learned, by name; the arrays themselves, not copies."""
        return {name: getattr(self, name) for name in ("hours", "peak", "heard", "bend", "scale")}

    def judge(self, nats: Floats, columns: Columns | slice) -> Floats:
        """The evidence as it counts, shape (k,): comparable between series, never more than it was."""
        bend, scale = self.bend[columns], self.scale[columns]
        over = nats > bend
        judged: Floats = np.where(over, _HEALTHY + (nats - bend) / scale, nats * (_HEALTHY / bend))
        return judged

    def note(self, nats: Floats, known: Flags) -> None:
        """One more bucket: its raw evidence, shape (n,), of the series whose usual is known."""
        np.maximum(self.peak, nats, out=self.peak, where=known)
        self.heard[known] = 1.0

    def hour(self) -> None:
        """An hour is over: remember its highest scores, and measure the tails."""
        for part in blocks(len(self.peak)):
            self._remember(self.hours[:, part], self.heard[part], self.peak[part])
            self._measure(part)
        self.peak[:] = 0.0
        self.heard[:] = 0.0

    def _remember(self, hours: Floats, heard: Floats, peak: Floats) -> None:
        column = places(heard)
        at = np.minimum(np.searchsorted(_EDGES, peak[column], side="right") - 1, _BINS - 1)
        hours *= np.where(heard > 0, np.float32(_FADE), np.float32(1.0))
        hours[at, column] += 1.0

    def _measure(self, part: slice) -> None:
        filled = self.hours[:, part].copy()
        for below, here in pairwise(filled):  # `cumsum`, which is slow across rows
            np.add(below, here, out=here)
        known = places(filled[-1] >= _FROM)
        if not len(known):
            return
        if len(known) < filled.shape[1]:
            filled = filled[:, known]
        filled = np.minimum(filled, filled[-1] - self._troubled(filled, part, known))
        middle, high = _quantile(filled, _MIDDLE), _quantile(filled, _HIGH)
        steep = _steepness((high - middle) / _SOUND, filled[-1] * (1 - _MIDDLE))
        top = _quantile(filled, _HIGHEST) - _quantile(filled, _UPPER)
        fat = np.maximum(_steepness(top / _SOUND_TOP, filled[-1] * (1 - _UPPER)) / _FAT, 1.0)
        self.bend[part][known] = np.maximum(high, HEALTHY)
        self.scale[part][known] = np.minimum(steep * fat, _FATTEST)

    def _troubled(self, filled: Floats, part: slice, known: Columns) -> Floats:
        """How many hours of some series are no chance by the tail as it was measured last, shape (k,)."""
        least = self.bend[part][known] + (_TROUBLE - HEALTHY) * self.scale[part][known]
        at = np.searchsorted(_EDGES[1:-1], least, side="right")
        beyond = filled[-1] - filled[at, np.arange(len(known))]
        troubled: Floats = np.minimum(beyond, np.float32(_TROUBLED) * filled[-1])
        return troubled


def _steepness(measured: Floats, hours: Floats) -> Floats:
    """How many nats are worth one by so many hours of experience, 1 or more; little experience counts for little."""
    steep: Floats = np.maximum((hours * measured + _PRIOR) / (hours + _PRIOR), 1.0)
    return steep


def _quantile(filled: Floats, share: float) -> Floats:
    """The score that this share of the hours did not exceed, shape (n,); even within a bin."""
    wanted = filled[-1] * share
    at = (filled < wanted).view(np.uint8).sum(axis=0, dtype=np.uint8).astype(np.intp)
    column = np.arange(filled.shape[1])
    below = np.where(at > 0, filled[at - 1, column], 0.0)
    part = (wanted - below) / np.maximum(filled[at, column] - below, 1e-6)
    found: Floats = _EDGES[at] + (_EDGES[at + 1] - _EDGES[at]) * part
    return found
