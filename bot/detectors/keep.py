"""Detector memory as bytes, and back: versioned, and never trusted."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import msgspec
import numpy as np

from bot.detectors.ring import Floats

_VERSION = 2
_NEWER = frozenset({"base.festive", "base.level_before", "echo.age", "echo.rate", "recovery.firm"})
"""Columns that earlier programs did not know: a memory without them is whole, and they begin anew."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector remembers: columns by name, whose last axis follows `names`, and a few scalars.

    `end` is the number of the running bucket, `hours` the clock hours of the week table and of the rates at hand.
    """

    tick: float
    names: tuple[str, ...]
    end: int
    hours: tuple[int, int]
    held: dict[str, list[str]]
    columns: dict[str, Floats]


class _Packed(msgspec.Struct, frozen=True, kw_only=True):
    version: int
    tick: float
    names: tuple[str, ...]
    end: int
    hours: tuple[int, int]
    held: dict[str, list[str]]
    columns: dict[str, tuple[tuple[int, ...], bytes]]


def pack(memory: Memory) -> bytes:
    """The memory as bytes, little-endian float32."""
    columns = {name: (array.shape, array.astype("<f4").tobytes()) for name, array in memory.columns.items()}
    return msgspec.msgpack.encode(
        _Packed(
            version=_VERSION,
            tick=memory.tick,
            names=memory.names,
            end=memory.end,
            hours=memory.hours,
            held=memory.held,
            columns=columns,
        )
    )


def unpack(blob: bytes, leading: Mapping[str, tuple[int, ...]]) -> Memory | None:
    """The memory in the bytes; None when they are damaged, of another version, or hold other columns.

    `leading` names the columns that must be there, each with its axes before that of the series; -1 is any length.
    What a later program remembered beside them is left out.
    """
    try:
        packed = msgspec.msgpack.decode(blob, type=_Packed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    names = packed.names
    if (
        packed.version != _VERSION
        or packed.held.keys() != set(names)
        or not leading.keys() - packed.columns.keys() <= _NEWER
    ):
        return None
    columns = {
        name: _array(*packed.columns[name], (*axes, len(names)))
        for name, axes in leading.items()
        if name in packed.columns
    }
    whole = {name: array for name, array in columns.items() if array is not None}
    if len(whole) < len(columns):
        return None
    return Memory(tick=packed.tick, names=names, end=packed.end, hours=packed.hours, held=packed.held, columns=whole)


def _array(shape: tuple[int, ...], data: bytes, expected: tuple[int, ...]) -> Floats | None:
    """The numbers in their shape; None when they do not fill it, or one of them is no number."""
    fits = len(shape) == len(expected) and all(want in (-1, got) for got, want in zip(shape, expected, strict=True))
    if not fits or min(shape, default=0) < 1 or prod(shape) * 4 != len(data):
        return None
    array = np.frombuffer(data, "<f4").astype(np.float32).reshape(shape)
    return array if np.isfinite(array).all() else None
