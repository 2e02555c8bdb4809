"""What judging costs: one tick of very many series on one core, and the bytes of one series."""

from __future__ import annotations

import time

import numpy as np

from bench.detection.ours import MINUTE, SHIPPED, START
from bot.detectors.surge import Surge

SERIES, TICKS, WARM = 100_000, 130, 35


def measured() -> tuple[float, float, float]:
    """Milliseconds of one core for a tick (median and slowest, the turn of an hour included), and bytes a series."""
    random = np.random.default_rng(1)
    surge = Surge({str(k): SHIPPED for k in range(SERIES)}, MINUTE)
    rates = np.exp(random.uniform(np.log(0.02), np.log(50.0), SERIES))
    surge.teach(rates * 60)
    taken = []
    for tick in range(TICKS):
        row = random.poisson(rates).astype(np.float64)
        began = time.thread_time()
        surge.close_row(START + tick * MINUTE, row)
        taken.append((time.thread_time() - began) * 1e3)
    return float(np.median(taken[WARM:])), max(taken[WARM:]), surge.nbytes / SERIES
