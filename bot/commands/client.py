"""The commands that talk to a running bot over its own API: health, status, report."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from bot.ports import Refused

_PATIENCE = 10.0


def call(base: str, path: str, *, token: str = "", body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """One request to the API: the status and the JSON that came back.

    Raises:
        Refused: nobody answers there, or what answers is not Tocsin.
    """
    status, reason, answer = _sent(base, path, token, body)
    try:
        return status, json.loads(answer)
    except ValueError as exc:
        if status < 400:
            raise Refused(f"what answers at {base} is not Tocsin: {exc}. Name another place with --url.") from exc
        return status, {"error": reason}


def fetch(base: str, path: str, *, token: str = "") -> bytes:
    """A file that the bot serves.

    Raises:
        Refused: nobody answers there, or the bot does not give it.
    """
    status, reason, answer = _sent(base, path, token)
    if status != 200:
        raise Refused(f"{path} is not to be had at {base}: {status} {reason}. Is the name right, and TOCSIN_TOKEN set?")
    return answer


def _sent(base: str, path: str, token: str, body: dict[str, Any] | None = None) -> tuple[int, str, bytes]:
    """Status, reason and body of whatever came back."""
    request = urllib.request.Request(f"{base.rstrip('/')}{path}")  # noqa: S310  # the scheme is checked by the caller's option
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as reply:  # noqa: S310  # checked by the caller
            return reply.status, reply.reason, reply.read()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.reason, exc.read()
    except (OSError, ValueError) as exc:
        raise Refused(f"no Tocsin answers at {base}: {exc}. Is it running? Name another place with --url.") from exc


def status_lines(body: dict[str, Any]) -> list[str]:
    """A status as lines for a terminal, worst first."""
    width = max((len(row["name"]) for row in body["services"]), default=0)
    return [
        f"{row['name']:<{width}}  {row['level'] or 'normal'}{'  ' + row['incident'] if row['incident'] else ''}"
        for row in body["services"]
    ]
