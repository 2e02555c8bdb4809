"""What can go wrong at a door: later, or never without a person; and the few that mean one thing only."""

from __future__ import annotations

from datetime import timedelta


class Retry(Exception):
    """It did not work now and may work later; `after` is how long the other side asked us to wait.

    `unsure` True: the request left and no definite answer came, so it may have been done.
    """

    def __init__(self, why: str, *, after: timedelta | None = None, unsure: bool = False) -> None:
        super().__init__(why)
        self.after = after
        self.unsure = unsure


class Refused(Exception):
    """It will never work this way: a person must act, and the message says how."""


class Gone(Refused):
    """The message or thread we pointed at exists no more; a fresh one may be posted."""


class Conflict(Exception):
    """Somebody saved a newer version first: load, decide and save again."""


class Missing(Exception):
    """There is nothing of that name here."""


class Forbidden(Exception):
    """Whoever knocks has not proved to be who we expect; the words say what is missing, and never what is right."""
