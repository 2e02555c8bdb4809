"""What a stranger said in public: told apart by service, and made into a report that keeps none of the words."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

import msgspec

from bot.core.reports import RawReport
from bot.core.telling import tell

MOST_NAMED = 3
"""A post that names more services than this is a list, a joke or the news."""


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One public utterance. `id` is unique on its platform, `author` stands for the account; `at` is UTC.

    `about` True: where it was said makes clear what it is about, so that it need not name the service. `voice` is who
    the author is to the house, where they may report by another door too: then they are one voice.
    """

    id: str
    author: str
    at: datetime
    text: str
    about: bool = False
    voice: str = ""


def report(post: Post, service: str, door: str) -> RawReport | None:
    """The report that a post comes to, or None when it complains of nothing. Its words are read and not kept."""
    told = tell(post.text)
    if not told.counts:
        return None
    return RawReport(
        service=service,
        at=post.at,
        id=_mark(door, post.id, service),
        reporter=(post.voice or f"{door}:{post.author}")[:500],
        symptom=told.symptom or None,
        platform=told.platform or None,
    )


def _mark(*parts: str) -> str:
    """What tells a report from others without showing whose it is: on some platforms the author is part of the id."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
