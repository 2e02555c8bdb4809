"""The real browser of this machine, for tests that want one."""

import shutil

import pytest


def chromium_path() -> str:
    """Where Chromium is; without one the test is skipped."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no Chromium on this machine: install the package chromium to run the browser tests")
    return program
