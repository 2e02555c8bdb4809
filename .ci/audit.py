"""Looks up known holes of the locked packages; exits 1 for one that nobody has waived, or whose waiver has run out.

    .venv/bin/python .ci/audit.py

Waivers stand in .ci/waivers.toml, each with a date after which it counts no more and the reason. Where the database of
holes cannot be reached, that is said and nothing fails: what cannot be looked up is not known to be bad.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WAIVERS = ROOT / ".ci" / "waivers.toml"


def holes(found: Mapping[str, Any]) -> dict[str, str]:
    """The known holes in a report of pip-audit (`--format json`): id to the package and its version."""
    return {
        hole["id"]: f"{package['name']} {package.get('version', '')}"
        for package in found.get("dependencies", ())
        for hole in package.get("vulns", ())
    }


def waivers(text: str) -> dict[str, date]:
    """What is waived, and until when.

    Raises:
        ValueError: one has no date or no reason.
    """
    rows = tomllib.loads(text).get("waiver", [])
    for row in rows:
        if not isinstance(row.get("until"), date) or not str(row.get("why", "")).strip():
            raise ValueError(f"a waiver needs an id, a date `until` and a reason `why`: {row}")
    return {row["id"]: row["until"] for row in rows}


def judged(found: Mapping[str, str], waived: Mapping[str, date], today: date) -> list[str]:
    """What is wrong, in sentences: holes that nobody waived, waivers that have run out, and those without a hole."""
    open_ones = [f"{hole} in {where}: update it, or waive it" for hole, where in found.items() if hole not in waived]
    over = [f"the waiver of {hole} ran out on {until}" for hole, until in waived.items() if until < today]
    idle = [f"the waiver of {hole} is for nothing: take it out" for hole in waived if hole not in found]
    return open_ones + over + idle


def _said(lines: Iterable[str]) -> int:
    for line in (lines := list(lines)):
        print(line)
    return 1 if lines else 0


def main() -> int:
    """Ask pip-audit, judge what it found."""
    command = [
        ".tools/bin/uv",
        "tool",
        "run",
        "pip-audit",
        "-r",
        "requirements.lock",
        "--disable-pip",
        "--format",
        "json",
    ]
    try:
        asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        print("holes were not looked up: no answer within 2 min")
        return 0
    if not asked.stdout.startswith("{"):
        print(f"holes were not looked up: {(asked.stderr.strip().splitlines() or ['no answer'])[-1]}")
        return 0
    found = json.loads(asked.stdout)
    print(f"{len(found.get('dependencies', ()))} packages looked up")
    return _said(judged(holes(found), waivers(WAIVERS.read_text()), datetime.now(UTC).date()))


if __name__ == "__main__":
    sys.exit(main())
