"""Python's garbage collector, kept from looking through what stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = (20_000, 20, 50)


@contextmanager
def spared() -> Iterator[None]:
    """What is here by now stays: looking through it for garbage again and again took a fifth of the time of a report.

    New garbage is sought less often meanwhile.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
