"""`tocsin postmortem`: the draft of an incident's post-mortem and its chart, as two files side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from bot.commands.client import fetch
from bot.ports import Refused


def run(url: str, incident: str, to: Path, token: str = "") -> int:
    """Write `<incident>.md` and `<incident>.svg` into a folder, never over a file; prints their paths.

    Raises:
        Refused: the bot does not answer, knows no such incident, or a file stands there already.
    """
    name = quote(incident, safe="")
    papers = {
        to / f"{name}.md": f"/incident/{name}/postmortem.md?chart=beside",
        to / f"{name}.svg": f"/chart/incident/{name}.svg",
    }
    if taken := [path for path in papers if path.exists()]:
        raise Refused(
            f"{taken[0]} stands there already; somebody may have written in it. Name another folder with --to."
        )
    bodies = {path: fetch(url, where, token=token) for path, where in papers.items()}
    try:
        to.mkdir(parents=True, exist_ok=True)
        for path, body in bodies.items():
            path.write_bytes(body)
    except OSError as exc:
        raise Refused(f"{to} cannot be written: {exc}. Name another folder with --to.") from exc
    sys.stdout.writelines(f"{path}\n" for path in bodies)
    return 0
