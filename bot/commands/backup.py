"""`tocsin backup` and `tocsin restore`: copies of the data folder, with the bot running or not."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from bot.backups import DATABASES, back_up, restore
from bot.sqlitefile import claim, release


def run(data: Path, to: Path | None, now: datetime) -> int:
    """Copy the databases of a data folder, by default into its own `backups`; prints where. Answers the exit code.

    Raises:
        Refused: it cannot be done; the words say why.
    """
    sys.stdout.write(f"{back_up(data, to or data / 'backups', now)}\n")
    return 0


def take_up(backup: Path, data: Path, now: datetime) -> int:
    """Put a backup in place of the present data, which is moved aside; the bot must not run. Answers the exit code.

    Raises:
        Refused: the bot is running, or the backup is not sound.
    """
    guards = [claim(data / name) for name in DATABASES]
    try:
        aside = restore(backup, data, now)
    finally:
        for guard in guards:
            release(guard)
    sys.stdout.writelines(f"moved aside: {path}\n" for path in aside)
    sys.stdout.write(f"restored {backup}; start the bot\n")
    return 0
