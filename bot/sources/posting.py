"""What all feeds of public posts have in common: where people are asked about by words, and what proves that we listened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from bot.core.mentions import Mentions
from bot.core.model import Evidence
from bot.core.posts import Post
from bot.fields import Model
from bot.ports import Count, Errand, Gathered, Http
from bot.sources.pages import Unread
from bot.sources.wire import Interval, plain

_MINUTE = timedelta(minutes=1)
_MOST = 1_000
_TEXT = 600

Phrases = Annotated[list[Annotated[str, Field(min_length=2, max_length=100)]], Field(max_length=20)]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What was found; `memory` is for the next errand, `wait` is how long the other side wants to be left alone."""

    posts: Sequence[Post]
    memory: bytes = b""
    wait: timedelta | None = None


class PostFeed(Model):
    """A place where people talk in public, looked through again and again."""

    evidence: ClassVar[Evidence] = Evidence.PEOPLE
    again: ClassVar[timedelta] = timedelta(minutes=15)

    words: Phrases = Field(default_factory=list)
    """Phrases to look for, each with all of its words; those of the service if none are given."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        """Look once; that it was possible to look is a count of none beside whatever people said."""
        try:
            said = await self.search(http, errand, tuple(self.words or errand.words))
        except Unread as exc:
            return Gathered(error=exc.error, note=str(exc), wait=exc.wait)
        except ValueError as exc:
            return Gathered(error="unparseable", note=str(exc)[:500])
        since, until = _whole(errand.since), _whole(errand.now)
        fresh = tuple(post for post in said.posts[:_MOST] if since <= post.at <= errand.now + _MINUTE)
        heard = (Count(since=since, until=until, count=0.0),) if since < until else ()
        note = f"{len(fresh)} posts in {round((errand.now - since) / _MINUTE)} min"
        return Gathered(posts=fresh, counts=heard, until=until, memory=said.memory, wait=said.wait, note=note)

    async def search(self, http: Http, errand: Errand, words: Sequence[str]) -> Said:
        """What was said since the errand's `since`, and may be about these words.

        Raises:
            Unread: the other side gives no answer that can be used.
            ValueError: it gives one that cannot be read.
        """
        raise NotImplementedError


def needed(words: Sequence[str]) -> Sequence[str]:
    """The words to look for.

    Raises:
        Unread: there are none.
    """
    if not words:
        raise Unread("wrong_shape", "there are no words to look for; give some here, or under the service")
    return words


def about(words: Sequence[str], *texts: str) -> bool:
    """True when one of the phrases is named."""
    return bool(Mentions({"it": words}).find(" ".join(texts)))


def post(name: object, author: object, at: datetime | None, *texts: object, voice: str = "") -> Post | None:
    """A post out of what a stranger's JSON says; None without a name, an author and a time."""
    who, what = (str(one) if isinstance(one, str | int) else "" for one in (author, name))
    if not who or not what or at is None:
        return None
    return Post(
        id=what[:200],
        author=who[:200],
        at=at,
        text=" ".join(filter(None, (plain(t, _TEXT) for t in texts))),
        voice=voice,
    )


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
