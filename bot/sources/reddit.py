"""What people say on Reddit, by its API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field, PrivateAttr

from bot.core.posts import Post
from bot.fields import Secret
from bot.ports import Errand, Http, Reply
from bot.sources.pages import Unread
from bot.sources.passes import Office, Pass
from bot.sources.posting import PostFeed, Said, about, needed, post
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows

Subreddit = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{2,50}$", examples=["discordapp"])]


class Reddit(PostFeed):
    """Posts on Reddit that complain: slow, and few, so a help to other evidence more than a source of its own.

    It takes an app of the type `script`, made at https://www.reddit.com/prefs/apps, and Reddit's consent to the use; what
    it may ask is limited to a hundred requests a minute, of which this makes two at each look.
    """

    kind: Literal["reddit"]
    """The word that says what this watch is."""
    client_id: Annotated[str, Field(min_length=1, max_length=200, examples=["p-jcoLKBynTLew"])]
    """The app's id."""
    client_secret: Secret
    """The app's secret."""
    user: Annotated[str, Field(pattern=r"^[\w-]{3,40}$", examples=["your-account"])]
    """The account that the app belongs to; Reddit wants to be told who asks."""
    subreddits: Annotated[list[Subreddit], Field(max_length=20)] = Field(default_factory=list)
    """Where to look; everywhere if not said."""
    own: bool = False
    """These subreddits are about the service, so that a post need not name it."""
    every: Interval = timedelta(minutes=2)
    """How often to look."""
    url: WebAddress = "https://oauth.reddit.com"
    """The address of the API."""
    token_url: WebAddress = "https://www.reddit.com/api/v1/access_token"  # noqa: S105 - an address
    """Where the right to ask is got."""
    allow_private: bool = False
    """Let the addresses lead into a private network."""
    _pass: Pass = PrivateAttr(default_factory=Pass)

    async def search(self, http: Http, errand: Errand, words: Sequence[str]) -> Said:
        """The newest posts of the subreddits, or what the search finds."""
        own = self.own and self.subreddits
        path = self._path(() if own else needed(words))
        reply = await self._pass.ask(http, self.url + path, errand.now, self._office)
        posts = self.read(reply.body)
        return Said(posts=[p for p in posts if own or about(words, p.text)], wait=_tired(reply))

    def _path(self, words: Sequence[str]) -> str:
        place = f"/r/{'+'.join(self.subreddits)}" if self.subreddits else ""
        if not words:
            return f"{place}/new?limit=100&raw_json=1"
        phrases = " OR ".join(f"({phrase})" for phrase in words)[:500]
        asked = {"q": phrases, "sort": "new", "t": "day", "type": "link", "limit": "100", "raw_json": "1"}
        return f"{place}/search?{urlencode(asked | ({'restrict_sr': '1'} if place else {}))}"

    @property
    def _office(self) -> Office:
        """Who asks, in the form that Reddit wants to be told: platform, app, version, account."""
        return Office(
            url=self.token_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            body=b"grant_type=client_credentials",
            headers={"User-Agent": f"script:tocsin:0.1 (by /u/{self.user})"},
            allow_private=self.allow_private,
        )

    def read(self, body: bytes) -> list[Post]:
        """The posts of a listing, without those that were removed.

        Raises:
            Unread: it is no listing.
            ValueError: it is not even JSON.
        """
        data = mapping(mapping(decoded(body)).get("data"))
        if not isinstance(data.get("children"), list):
            raise Unread("wrong_shape", "this is no listing of Reddit")
        found = []
        for child in rows(data["children"]):
            said = mapping(child.get("data"))
            if child.get("kind") == "t3" and not said.get("removed_by_category"):
                at = moment(said.get("created_utc"))
                found.append(post(said.get("name"), said.get("author"), at, said.get("title"), said.get("selftext")))
        return [one for one in found if one]


PLUGIN = Reddit


def _tired(reply: Reply) -> timedelta | None:
    """When hardly a request is left of the allowance, wait until it is renewed."""
    left, reset = (reply.headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "reset"))
    try:
        return timedelta(seconds=min(float(reset), 600.0)) if float(left) < 2 else None
    except ValueError:
        return None
