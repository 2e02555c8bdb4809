"""The usual mix of a service: how its reports are spread over region, platform and symptom."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite

import msgspec

from bot.core.reports import Cell

_VERSION = 1
_MEMORY = 4000.0  # reports that are remembered; older ones fade as newer ones come
_GULP = 0.05  # one lesson moves the mix by this part at most
_AT_LEAST = 20.0  # reports that one lesson may always bring
_TRACE = 0.02  # reports below which a cell is forgotten
_CELLS = 2000  # cells kept per service; the rarest are forgotten


class _Saved(msgspec.Struct, frozen=True):
    version: int
    services: dict[str, list[tuple[str, str, str, float]]]


class Mix:
    """Remembers the last few thousand reports of each service, older ones weighing exponentially less.

    Teach it calm times only (`Surge.hot` tells), or an outage becomes the usual mix.
    """

    def __init__(self) -> None:
        self._services: dict[str, dict[Cell, float]] = {}

    def learn(self, service: str, cells: Mapping[Cell, float]) -> None:
        """Add the reports of one bucket; a sudden crowd counts for a small part of the memory only."""
        known = self._services.get(service, {})
        if len(known) == 1 and known.keys() == cells.keys():
            [(cell, brought)] = cells.items()
            self._learn_same(service, cell, brought)
            return
        fresh = {cell: float(n) for cell, n in cells.items() if isfinite(n) and n > 0}
        brought = sum(fresh.values())
        if not brought or not isfinite(brought):
            return
        scale, fade = _weights(sum(known.values()), brought)
        merged = {cell: (known.get(cell, 0.0) + scale * fresh.get(cell, 0.0)) * fade for cell in known | fresh}
        self._services[service] = _worth_keeping(merged)

    def _learn_same(self, service: str, cell: Cell, brought: float) -> None:
        """A lesson that names only what is known: most reports say nothing of where they come from."""
        if 0 < brought < inf:
            held = self._services[service][cell]
            scale, fade = _weights(held, brought)
            self._services[service] = {cell: (held + scale * brought) * fade}

    def usual(self, service: str) -> Mapping[Cell, float]:
        """The remembered reports per cell; their sum says how well the mix is known. Empty when nothing is."""
        return self._services.get(service, {})

    def snapshot(self) -> bytes:
        """Everything remembered, for `restore`."""
        services = {name: [(*cell, n) for cell, n in cells.items()] for name, cells in self._services.items()}
        return msgspec.msgpack.encode(_Saved(_VERSION, services))

    @classmethod
    def restore(cls, blob: bytes) -> Mix:
        """The memory of a snapshot; one that cannot be read, or of another version, starts empty."""
        mix = cls()
        try:
            saved = msgspec.msgpack.decode(blob, type=_Saved)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return mix
        if saved.version == _VERSION:
            for service, rows in saved.services.items():
                mix._services[service] = {Cell(r, p, s): n for r, p, s, n in rows if isfinite(n) and n > 0}
        return mix


def _weights(held: float, brought: float) -> tuple[float, float]:
    """What each report of a lesson weighs, and what is left of everything after it."""
    scale = min(1.0, max(_AT_LEAST, _GULP * held) / brought)
    return scale, min(1.0, _MEMORY / (held + scale * brought))


def _worth_keeping(cells: dict[Cell, float]) -> dict[Cell, float]:
    if len(cells) > _CELLS:
        cells = dict(sorted(cells.items(), key=lambda item: (-item[1], item[0]))[:_CELLS])
    return {cell: n for cell, n in cells.items() if n >= _TRACE}
