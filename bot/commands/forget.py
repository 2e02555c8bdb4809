"""`tocsin forget`: what is held of one person, printed or let go of."""

from __future__ import annotations

import json
import sys

from bot.commands import client
from bot.ports import Refused


def run(url: str, reporter: str, token: str, *, export: bool) -> int:
    """Ask the running bot; prints JSON for an export, else how many reports were theirs. Answers the exit code.

    Raises:
        Refused: nobody answers there, or the token does not allow it.
    """
    verb = "export" if export else "forget"
    status, body = client.call(url, f"/api/v1/reporters/{verb}", token=token, body={"reporter": reporter})
    if status != 200:
        raise Refused(str(body.get("error", f"the bot answered {status}")))
    done = (
        json.dumps(body)
        if export
        else f"{body['forgotten']} reports no longer say whose they are, nor what was written"
    )
    sys.stdout.write(f"{done}\n")
    return 0
