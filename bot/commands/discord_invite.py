"""The link that adds the bot to a Discord server, with the least it needs."""

from __future__ import annotations

import sys


def invite(client_id: str) -> str:
    """The link for a server's administrator to open; `client_id` is the Application ID of the developer portal.

    Raises:
        ValueError: with where to find the id, if it is not a number.
    """
    number = client_id.strip()
    if not number.isascii() or not number.isdecimal():
        raise ValueError(f"{client_id!r} is not an application id: copy the number under General Information")
    # Only this one command needs the library, and it is heavy.
    from discord.utils import oauth_url  # noqa: PLC0415

    from bot.chats.discord_chat import PERMISSIONS  # noqa: PLC0415

    scopes = ("bot", "applications.commands")
    return oauth_url(int(number), permissions=PERMISSIONS, scopes=scopes)


def run(client_id: str) -> int:
    """Print the link; answers the exit code."""
    try:
        link = invite(client_id)
    except ValueError as why:
        sys.stderr.write(f"{why}\n")
        return 2
    sys.stdout.write(f"{link}\n")
    return 0
