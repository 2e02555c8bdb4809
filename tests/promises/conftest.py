"""Every promise is proved by trials that are counted; the counts of the last run become docs/promises.md."""

import json
import os
from pathlib import Path

import pytest


@pytest.fixture
def prove(request):
    """`prove(promise, trials, violations, what)`: remember how often it was tried, and fail where it was broken."""

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
            }
            with Path(where).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        assert not violations, f"{promise}: {len(violations)} of {trials} {what}; first: {violations[:5]}"

    return tried
