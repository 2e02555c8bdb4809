"""What people say on Hacker News, by the search that Algolia runs for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field

from bot.core.posts import Post
from bot.ports import Errand, Http
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.posting import PostFeed, Said, about, needed, post
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, rows, word

_PHRASES = 5
_HITS = 200


class HackerNews(PostFeed):
    """Stories and comments on Hacker News that complain; good for services that developers use.

    Each phrase is one request, and the first five are asked for. Nothing needs to be registered.
    """

    kind: Literal["hackernews"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://hn.algolia.com"])] = "https://hn.algolia.com"
    """The address of the search."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def search(self, http: Http, errand: Errand, words: Sequence[str]) -> Said:
        """Ask for each phrase; what several of them find counts once, for posts are known by their ids."""
        found: list[Post] = []
        for phrase in needed(words)[:_PHRASES]:
            asked = {
                "query": phrase,
                "tags": "(story,comment)",
                "numericFilters": f"created_at_i>={int(errand.since.timestamp())}",
                "hitsPerPage": str(_HITS),
                "typoTolerance": "false",
            }
            url = f"{self.url}/api/v1/search_by_date?{urlencode(asked)}"
            reply = await fetched(http, url, errand.now, allow_private=self.allow_private)
            found += self.read(reply.body, words)
        return Said(posts=found)

    def read(self, body: bytes, words: Sequence[str]) -> Iterator[Post]:
        """The posts of an answer that name the words, be it in the title of the story that they belong to.

        Raises:
            Unread: it is no answer of the search.
            ValueError: it is not even JSON.
        """
        answer = mapping(decoded(body))
        if not isinstance(answer.get("hits"), list) or not isinstance(answer.get("nbHits"), int):
            raise Unread("wrong_shape", "this is no answer of the search of Hacker News")
        return (said for hit in rows(answer["hits"]) if (said := _read(hit, words)))


PLUGIN = HackerNews


def _read(hit: Mapping[str, Any], words: Sequence[str]) -> Post | None:
    made = post(
        hit.get("objectID"),
        hit.get("author"),
        moment(hit.get("created_at_i")),
        hit.get("title"),
        hit.get("story_text"),
        hit.get("comment_text"),
    )
    return made if made and about(words, made.text, word(hit.get("story_title"), 500)) else None
