"""Tell systemd how we are: a datagram to the socket that it names. See sd_notify(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(word: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send one state such as `READY=1`; False where nobody listens, which is fine."""
    where = environ.get("NOTIFY_SOCKET", "")
    if not where:
        return False
    address = "\0" + where[1:] if where.startswith("@") else where
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto(word.encode(), address)
    except OSError:
        return False
    return True
