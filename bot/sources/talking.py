"""What the watches of a chat's own channels have in common: pages of messages back to where we were, and nothing kept of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from bot.core.posts import Post
from bot.ports import Errand, Http, Reply
from bot.sources.fetching import fetched
from bot.sources.posting import PostFeed, Said, about, needed
from bot.sources.wire import Interval

_PAGES = 5


class ChannelFeed(PostFeed):
    """A channel of a chat, looked through for complaints. The words are read and not kept; bots are not listened to."""

    agent: ClassVar[Mapping[str, str]] = {}

    chat: Annotated[str, Field(max_length=60, examples=["slack"])] = ""
    """The name of the connection under `chats` that goes to the same place: then a person who also reports by a command is one voice."""
    own: bool = False
    """The channel is about this service, so that a message need not name it."""
    every: Interval = timedelta(seconds=30)
    """How often to look."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    @abstractmethod
    def address(self, since: datetime, cursor: str) -> str:
        """Where the messages since a moment are, page by page; an empty cursor is the first."""

    @abstractmethod
    def read(self, body: bytes) -> tuple[Sequence[Post], str]:
        """The messages of people on a page, and the cursor of the next one, which is empty at the end.

        Raises:
            Unread: it is no such page.
            ValueError: it is not even JSON.
        """

    @abstractmethod
    def _token(self) -> str:
        """What the header `Authorization` says."""

    async def search(self, http: Http, errand: Errand, words: Sequence[str]) -> Said:
        """All that people said since, as far as it may be about these words."""
        named = () if self.own else needed(words)
        found: list[Post] = []
        cursor = ""
        for _ in range(_PAGES):
            posts, cursor = self.read((await self._asked(http, self.address(errand.since, cursor), errand.now)).body)
            found += posts
            if not cursor:
                break
        return Said(posts=[one for one in found if self.own or about(named, one.text)])

    async def _asked(self, http: Http, url: str, now: datetime) -> Reply:
        headers = {"Authorization": self._token(), **self.agent}
        return await fetched(http, url, now, headers=headers, allow_private=self.allow_private)
