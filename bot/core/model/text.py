"""What people read: plain words of ours, moments, and words of strangers.

A moment is shown by each chat in the reader's own zone; words of strangers must be made inert by each chat.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class When(msgspec.Struct, frozen=True, tag="when"):
    """A moment inside a text; `style` is `time`, `date` (date and time) or `ago`."""

    at: datetime
    style: str = "time"


class Said(msgspec.Struct, frozen=True, tag="said"):
    """Words from outside: a vendor, a reporter, a person. Never trusted, always made inert."""

    words: str


class Bold(msgspec.Struct, frozen=True, tag="bold"):
    """Words of ours that carry the weight of the line."""

    words: str


Part = str | When | Said | Bold
Text = tuple[Part, ...]
