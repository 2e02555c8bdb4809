"""What people say on Mastodon, under hashtags."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field

from bot.core.posts import Post
from bot.fields import Secret
from bot.ports import Errand, Http, Reply
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.posting import PostFeed, Said, post
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows, word

_PAGE, _PAGES = 40, 5
_LATE = 300_000  # milliseconds
_Seen = dict[str, str]
_seen = msgspec.json.Decoder(_Seen).decode

Tag = Annotated[str, Field(pattern=r"^\w{1,100}$", examples=["githubdown"])]


class Mastodon(PostFeed):
    """Posts under hashtags on a Mastodon server, such as #githubdown; boosts and robots do not count.

    A server knows what its people follow: choose a large one. Many servers want an access token for this.
    """

    kind: Literal["mastodon"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://mastodon.social"])]
    """The server."""
    tags: Annotated[list[Tag], Field(min_length=1, max_length=5, examples=[["githubdown"]])]
    """The hashtags, without the sign; all that is said under one counts as being about the service."""
    token: Secret | None = None
    """An access token with the right `read:statuses`, where the server wants one."""
    every: Interval = timedelta(minutes=2)
    """How often to look."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def search(self, http: Http, errand: Errand, words: Sequence[str]) -> Said:  # noqa: ARG002 - tags suffice
        """Go through each tag from the last post that was seen on."""
        seen = _recalled(errand.memory)
        found: list[Post] = []
        wait: timedelta | None = None
        for tag in self.tags:
            after = _earlier(seen.get(tag, ""))
            for _ in range(_PAGES):
                reply = await self._page(http, errand, tag, after)
                page, after = self.read(reply.body, after)
                found += page
                seen[tag], wait = max(after, seen.get(tag, ""), key=_place), _tired(reply) or wait
                if len(page) < _PAGE or wait:
                    break
        return Said(posts=found, memory=msgspec.json.encode(seen), wait=wait)

    async def _page(self, http: Http, errand: Errand, tag: str, after: str) -> Reply:
        newer = f"&min_id={after}" if after else ""
        return await fetched(
            http,
            f"{self.url}/api/v1/timelines/tag/{quote(tag)}?limit={_PAGE}{newer}",
            errand.now,
            headers={"Authorization": f"Bearer {self.token.reveal()}"} if self.token else {},
            allow_private=self.allow_private,
        )

    def read(self, body: bytes, after: str) -> tuple[list[Post], str]:
        """The posts of a page, and the id of the newest one on it.

        Raises:
            Unread: it is no timeline.
            ValueError: it is not even JSON.
        """
        page = decoded(body)
        statuses = rows(page)
        if not isinstance(page, list) or any(not _number(s.get("id")) for s in statuses) or len(statuses) < len(page):
            raise Unread("wrong_shape", "this is no timeline of Mastodon")
        newest = max((word(s["id"]) for s in statuses), key=int, default=after)
        found = []
        for status in statuses:
            account = mapping(status.get("account"))
            if account.get("bot") is not True and not status.get("reblog"):
                who = account.get("url") or account.get("acct")
                found.append(post(status["id"], who, moment(status.get("created_at")), status.get("content")))
        return [one for one in found if one], max(newest, after, key=_place)


PLUGIN = Mastodon


def _recalled(memory: bytes) -> _Seen:
    try:
        seen = _seen(memory) if memory else {}
    except msgspec.DecodeError:
        return {}
    return {tag: name for tag, name in seen.items() if _number(name)}


def _place(name: str) -> int:
    return int(name or 0)


def _earlier(name: str) -> str:
    """An id from five minutes before: posts from other servers come late, and their ids are of when they were written.

    An id is the time in milliseconds, followed by 16 bits.
    """
    return str(max((_place(name) >> 16) - _LATE, 0) << 16) if name else ""


def _number(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 25


def _tired(reply: Reply) -> timedelta | None:
    """A server's limit is 300 requests in five minutes for each address; near its end the rest is left to others."""
    left = reply.headers.get("x-ratelimit-remaining", "")
    return timedelta(minutes=5) if left.isdecimal() and int(left[:9]) < 5 else None
