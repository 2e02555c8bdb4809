"""What people say on Bluesky: its whole stream of posts (Jetstream), overheard."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, ClassVar, Literal

import msgspec
from pydantic import AfterValidator, Field, WithJsonSchema

from bot.core.model import Evidence
from bot.core.posts import Post
from bot.fields import Model
from bot.ports import Http, Overheard
from bot.sources.posting import Phrases
from bot.sources.times import moment
from bot.sources.wire import web_address

_POSTS = "app.bsky.feed.post"
_BACK = 5_000_000  # microseconds: times on the wire are not in strict order
_LONGEST = 200_000
_SILENCE = 30.0  # seconds; on the real stream something is said many times a second


def _wire(value: str) -> str:
    if not value.startswith(("wss://", "ws://")):
        raise ValueError(
            "this is not the address of a stream; write it like wss://jetstream2.us-east.bsky.network/subscribe"
        )
    web_address("http" + value.removeprefix("ws"))
    return value.rstrip("/")


class _Record(msgspec.Struct):
    """A post; everything in it was set by its author, the time as well."""

    text: str = ""


class _Commit(msgspec.Struct):
    operation: str = ""
    collection: str = ""
    rkey: str = ""
    record: _Record | None = None


class _Event(msgspec.Struct):
    """`time_us` is when the stream got it, in microseconds since 1970."""

    did: str
    time_us: int
    kind: str = ""
    commit: _Commit | None = None


_event = msgspec.json.Decoder(_Event).decode


class Bluesky(Model):
    """Posts on Bluesky that complain, out of the stream of all of them, within a second or two of being written.

    All services share one connection; it takes about one megabit a second. After a break it goes on where it was, up to
    three hours back. Nothing needs to be registered.
    """

    evidence: ClassVar[Evidence] = Evidence.PEOPLE

    kind: Literal["bluesky"]
    """The word that says what this watch is."""
    words: Phrases = Field(default_factory=list)
    """Phrases to look for, each with all of its words; those of the service if none are given."""
    url: Annotated[
        str,
        AfterValidator(_wire),
        WithJsonSchema({"type": "string", "format": "uri"}),
    ] = "wss://jetstream2.us-east.bsky.network/subscribe"
    """The address of a Jetstream."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    @property
    def line(self) -> str:
        """What tells connections apart."""
        return self.url + (" (private)" if self.allow_private else "")

    async def listen(self, http: Http, cursor: str) -> AsyncGenerator[Overheard, None]:
        """Every post from a cursor on, a little earlier rather than later."""
        since = f"&cursor={max(int(cursor) - _BACK, 0)}" if cursor.isdecimal() and len(cursor) < 20 else ""
        url = f"{self.url}?wantedCollections={_POSTS}{since}"
        wire = http.messages(url, allow_private=self.allow_private, limit=_LONGEST, silence=_SILENCE)
        async with aclosing(wire) as messages:
            async for message in messages:
                heard = read(message)
                if heard is not None:
                    yield heard


PLUGIN = Bluesky


def read(message: bytes) -> Overheard | None:
    """What a message tells; None when it is none that we know.

    A change or a deletion of a post takes nothing back: somebody complained, and is counted.
    """
    try:
        event = _event(message)
    except (msgspec.DecodeError, RecursionError):
        return None
    at = moment(event.time_us)
    if at is None:
        return None
    commit = event.commit
    posts: tuple[Post, ...] = ()
    if commit and commit.record and (commit.operation, commit.collection) == ("create", _POSTS) and event.did:
        name = f"{event.did}/{commit.rkey}"[:200]
        posts = (Post(id=name, author=event.did[:200], at=at, text=commit.record.text),)
    return Overheard(at=at, cursor=str(event.time_us), posts=posts)
