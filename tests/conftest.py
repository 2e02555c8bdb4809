"""What every test may use: the doubles on the path, and `prove`, by which a promise is counted wherever it is tried."""

import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A law is no timed test: on a busy machine every example may take long.
settings.register_profile("tocsin", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tocsin")
sys.path.insert(0, str(Path(__file__).parent))
ROOM = 4 << 30
"""Bytes free that make a file system in memory large enough for the whole suite."""


def in_memory(folder="/dev/shm"):
    """True where files can be kept in memory with room to spare, and programs among them be started."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC


# Every commit waits for the disk, and the suite makes many thousands: on a disk that allows so many a second, as those of
# rented machines do, the wait is longer than the work. What is lost with the power is tried on a disk that the test holds.
if "TMPDIR" not in os.environ and in_memory():
    os.environ["TMPDIR"] = tempfile.tempdir = "/dev/shm"


def pytest_addoption(parser):
    parser.addoption("--counted", action="store_true", help="run only the tests that count a promise")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--counted"):
        others = [item for item in items if "prove" not in item.fixturenames]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if "prove" in item.fixturenames]


@pytest.fixture
def prove(request):
    """`prove(promise, trials, violations, what)`: remember how often it was tried, and fail where it was broken.

    The counts of the last run become docs/promises.md; those of tests marked `soak` stand there as deep ones.
    """

    def tried(promise, trials, violations, what):
        assert trials > 0, "a promise that was not tried is not proved"
        where = os.environ.get("TOCSIN_PROMISES", "")
        if where:
            row = {
                "promise": promise,
                "test": request.node.nodeid,
                "trials": trials,
                "violations": len(violations),
                "what": what,
                "deep": request.node.get_closest_marker("soak") is not None,
                "on": dt.datetime.now(dt.UTC).date().isoformat(),
            }
            with Path(where).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        assert not violations, f"{promise}: {len(violations)} of {trials} {what}; first: {violations[:5]}"

    return tried
