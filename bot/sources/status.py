"""Any status page: whose it is, and so how to read it, is found by asking."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, PrivateAttr

from bot.core.model import Health, Signal
from bot.ports import Http, Unreachable
from bot.sources.apple import Apple
from bot.sources.aws import Aws
from bot.sources.azure import Azure
from bot.sources.betterstack import BetterStack
from bot.sources.cachet import Cachet
from bot.sources.checkly import Checkly
from bot.sources.feed import FeedPage
from bot.sources.fitting import Learnt, fitted, misfit
from bot.sources.gatus import Gatus
from bot.sources.gcp import Gcp
from bot.sources.heroku import Heroku
from bot.sources.incidentio import IncidentIo
from bot.sources.instatus import Instatus
from bot.sources.notices import link
from bot.sources.pages import Address, Page
from bot.sources.rootly import Rootly
from bot.sources.salesforce import Salesforce
from bot.sources.slackstatus import SlackStatus
from bot.sources.sorry import Sorry
from bot.sources.statuspage import Statuspage
from bot.sources.upptime import Upptime
from bot.sources.uptimekuma import UptimeKuma

_OWN: Mapping[str, type[Page]] = {
    "slack-status.com": SlackStatus,
    "status.cloud.google.com": Gcp,
    "www.google.com": Gcp,
    "health.aws.amazon.com": Aws,
    "azure.status.microsoft": Azure,
    "rssfeed.azure.status.microsoft": Azure,
    "www.apple.com": Apple,
    "status.heroku.com": Heroku,
    "api.status.salesforce.com": Salesforce,
    "github.com": Upptime,
    "raw.githubusercontent.com": Upptime,
}
"""Vendors with a page of their own making, by host."""

_KINDS: tuple[type[Page], ...] = (
    IncidentIo,
    Statuspage,
    Instatus,
    BetterStack,
    Rootly,
    Checkly,
    Cachet,
    UptimeKuma,
    Gatus,
    Sorry,
    Heroku,
    Upptime,
)
"""Page makers in the order of asking: who imitates others comes before those."""

_FEEDS = ("/history.atom", "/feed.atom", "/feed.xml", "/feed", "/rss")
_LINK = re.compile(rb"<link\b[^>]{0,500}>", re.IGNORECASE)
_HREF = re.compile(rb"href\s*=\s*[\"']?([^\"'\s>]{1,400})", re.IGNORECASE)
_MOST_HTML = 500_000


class Status(Address):
    """A status page of any vendor that this program can read; which one it is, is found out by asking.

    What was found is remembered while the program runs. When the page has been of another shape three times in a row
    it is looked for anew, and the note of the watch says which kind fits now: write that one into the configuration
    to spare the search, or to choose what only that kind knows.
    """

    kind: Literal["status"]
    """The word that says what this watch is."""
    regions: list[str] = Field(default_factory=list)
    """Only incidents there count, where the page tells places; `*` stands for any letters."""
    _learnt: Learnt = PrivateAttr(default_factory=Learnt)
    _feed_at: Learnt = PrivateAttr(default_factory=Learnt)

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Read the page once, as the kind that fits."""
        before = self._learnt.way
        signal = await fitted(self._ways(http, now), self._learnt)
        if signal.health is None and not self._learnt.way:
            return msgspec.structs.replace(
                signal, note=f"no kind of status page that we can read answers there: {signal.note}"
            )
        return _explained(signal, before, self._learnt.way)

    def _ways(self, http: Http, now: datetime) -> dict[str, Callable[[], Awaitable[Signal]]]:
        own = _OWN.get(urlsplit(self.url).hostname or "")
        kinds = (own,) if own else _KINDS
        ways: dict[str, Callable[[], Awaitable[Signal]]] = {
            _word(kind): partial(self._as(kind).look, http, now) for kind in kinds
        }
        return ways if own else {**ways, "feed": partial(self._feed, http, now)}

    def _as(self, kind: type[Page], **more: object) -> Page:
        """The same watch, as a kind of its own."""
        shared = {name: getattr(self, name) for name in ("every", "components", "regions", "allow_private")}
        known = {name: value for name, value in shared.items() if name in kind.model_fields}
        return kind.model_validate({"kind": _word(kind), "url": self.url, **known, **more})

    async def _feed(self, http: Http, now: datetime) -> Signal:
        """The feed that the page names, or one at a usual address; the one that was found is asked until it is gone."""
        known = self._feed_at.way
        addresses = [known] if known else await self._feeds(http)
        ways = {address: partial(self._as(FeedPage, url=address).look, http, now) for address in addresses}
        signal = await fitted(ways, self._feed_at)
        if misfit(signal):
            self._feed_at.way = ""
        return signal

    async def _feeds(self, http: Http) -> list[str]:
        usual = [self.url, *(f"{self.url}{path}" for path in _FEEDS)]
        try:
            reply = await http.get(self.url, allow_private=self.allow_private)
        except Unreachable:
            return usual
        return [*_named(reply.body[:_MOST_HTML], self.url)[:3], *usual]


PLUGIN = Status


def _word(kind: type[Page]) -> str:
    words: tuple[Any, ...] = get_args(kind.model_fields["kind"].annotation)
    return str(words[0])


def _named(page: bytes, base: str) -> list[str]:
    """The feeds that a page for people links to, on its own host."""
    tags = (tag for tag in _LINK.findall(page) if b"application/atom+xml" in tag or b"application/rss+xml" in tag)
    found = (link(f"{base}/", match[1].decode("utf-8", "replace")) for tag in tags if (match := _HREF.search(tag)))
    host = urlsplit(base).netloc
    return [address for address in found if urlsplit(address).netloc == host]


def _explained(signal: Signal, before: str, after: str) -> Signal:
    """The reading with a word on how it was made, where no trouble needs the room."""
    moved = before not in ("", after)
    if signal.health is None or (signal.health > Health.MAINTENANCE and not moved):
        return signal
    word = f"was {before}, is {after} now" if moved else f"read as {after}"
    return msgspec.structs.replace(signal, note=f"{signal.note} ({word})".strip())
