"""`tocsin retry`: tell again what a channel refused, once a person has mended the cause."""

from __future__ import annotations

import sys
from typing import Any

from bot.commands import client
from bot.ports import Refused


def run(url: str, channel: str, token: str) -> int:
    """Ask the running bot to try the dead letters of a channel, or of all (empty); prints what there was.

    Raises:
        Refused: nobody answers there, or the token does not allow it.
    """
    letters = _asked(client.call(url, "/api/v1/dead-letters", token=token))["letters"]
    mine = [letter for letter in letters if channel in ("", letter["channel"])]
    sys.stdout.writelines(f"{one['channel']}  {one['incident']}  {one['why']}\n" for one in mine)
    done = _asked(client.call(url, "/api/v1/retry", token=token, body={"channel": channel}))
    sys.stdout.write(f"{done['retried']} tried again\n" if done["retried"] else "nothing waits to be tried again\n")
    return 0


def _asked(reply: tuple[int, Any]) -> dict[str, Any]:
    status, body = reply
    if status != 200:
        raise Refused(str(body.get("error", f"the bot answered {status}")))
    return dict(body)
