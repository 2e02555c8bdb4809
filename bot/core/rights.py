"""Who may do what: four rights, each holding those before it, and the one that each verb needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

RIGHTS = ("read", "report", "act", "admin")
_NEEDS = {
    "report": ("report", "works", "share"),
    "act": (
        *("ack", "unack", "take", "note", "mute", "unmute", "resolve", "reopen", "declare", "merge"),
        *("real", "false-alarm"),
    ),
    "admin": ("maintenance", "config", "test", "replay"),
}
_OPEN = RIGHTS[:2]
"""What people may do who hold no role, where roles are configured: look and report, and change nothing."""


def needed(verb: str) -> str:
    """The right that a verb needs; looking is all that the rest does."""
    return next((right for right, verbs in _NEEDS.items() if verb in verbs), "read")


def enough(right: str, verb: str) -> bool:
    """True when a right covers a verb; an empty or unknown right covers nothing."""
    return right in RIGHTS and RIGHTS.index(right) >= RIGHTS.index(needed(verb))


def granted(roles: Mapping[str, Sequence[str]], held: Collection[str]) -> str:
    """The highest right of somebody who holds these roles; everything while no role is configured.

    Looking and reporting are free as long as they name no role. The empty string is no right at all.
    """
    if not any(roles.values()):
        return RIGHTS[-1]
    rank = max((n for n, right in enumerate(RIGHTS) if set(roles.get(right, ())) & set(held)), default=-1)
    for n, right in enumerate(_OPEN):
        if rank == n - 1 and not roles.get(right):
            rank = n
    return RIGHTS[rank] if rank >= 0 else ""
