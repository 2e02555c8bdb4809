"""How many posts on X complain, by its counts of recent posts, within a budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

import msgspec
from pydantic import Field

from bot.core.reports import Cell
from bot.fields import Secret
from bot.ports import Errand, Gathered, Http
from bot.sources.counting import CountFeed, Row, Span, number
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.posting import Phrases, needed
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows

_LONGEST = 512
_DAY = timedelta(days=1)


class _Spent(msgspec.Struct, frozen=True):
    """How many requests were made on a day (UTC)."""

    day: str
    requests: int = 0


class X(CountFeed):
    """How many posts on X (Twitter) have the words: its paid counts of recent posts, asked for within a budget.

    One request tells of every minute since the last one, so that asking seldom loses nothing but time. The budget is
    spread over the day (UTC): when it does not last for `every`, it is asked less often. What was spent is written down
    before a request is made, and outlives a restart. Your plan with X says what a request costs.
    """

    again: ClassVar[timedelta] = timedelta(minutes=10)

    kind: Literal["x"]
    """The word that says what this watch is."""
    token: Secret
    """The app's bearer token."""
    price: Annotated[float, Field(gt=0, allow_inf_nan=False, examples=[0.005])]
    """What one request costs."""
    budget: Annotated[float, Field(gt=0, allow_inf_nan=False, examples=[1.5])]
    """The most that a day may cost, in the same currency."""
    words: Phrases = Field(default_factory=list)
    """Phrases to look for, each with all of its words; those of the service if none are given."""
    languages: Annotated[list[Annotated[str, Field(pattern="^[a-z]{2,3}$")]], Field(max_length=10)] = Field(
        default_factory=list
    )
    """Only posts in these languages, such as `en` or `ja`."""
    every: Interval = timedelta(minutes=5)
    """How often to ask, as far as the budget lasts."""
    url: WebAddress = "https://api.x.com"
    """The address of the API."""

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        """Ask if the budget allows it, and say when to come again."""
        if not self.span(errand).starts:
            return Gathered()
        spent = _recalled(errand)
        affordable = int(self.budget / self.price + 1e-9)
        midnight = errand.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        if spent.requests >= affordable:
            note = f"the budget of {self.budget:g} a day is spent; it goes on at 00:00 UTC"
            return Gathered(note=note, wait=midnight - errand.now)
        spent = msgspec.structs.replace(spent, requests=spent.requests + 1)
        await errand.keep(msgspec.json.encode(spent))
        gathered = await super().gather(http, errand)
        left = max(affordable - spent.requests, 1)
        pace = max(self.every, (midnight - errand.now) / left)
        return _paced(gathered, pace)

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """The counts of the whole minutes."""
        asked = {
            "query": self.query(needed(self.words or errand.words)),
            "granularity": "minute",
            "start_time": _stamp(span.first),
            "end_time": _stamp(span.last),
        }
        reply = await fetched(
            http,
            f"{self.url}/2/tweets/counts/recent?{urlencode(asked)}",
            errand.now,
            headers={"Authorization": f"Bearer {self.token.reveal()}"},
            allow_private=self.allow_private,
        )
        return self.read(reply.body, span)

    def query(self, words: Sequence[str]) -> str:
        """The phrases in the language of X's search, as many as it takes; without reposts."""
        ending = " -is:retweet"
        if self.languages:
            ending = " (" + " OR ".join(f"lang:{language}" for language in self.languages) + ")" + ending
        phrases: list[str] = []
        for phrase in words:
            terms = "(" + " ".join(f'"{term}"' for term in phrase.replace('"', " ").split()) + ")"
            if len(" OR ".join([*phrases, terms])) + len(ending) + 2 <= _LONGEST:
                phrases.append(terms)
        return f"({' OR '.join(phrases)}){ending}"

    def read(self, body: bytes, span: Span) -> list[Row]:
        """The minutes of an answer; a last one that is cut is left out.

        Raises:
            Unread: it holds no counts.
            ValueError: it is not even JSON.
        """
        answer = mapping(decoded(body))
        minutes = rows(answer.get("data"))
        total = mapping(answer.get("meta")).get("total_tweet_count")
        if not isinstance(total, int) or (not minutes and total != 0):
            raise Unread("wrong_shape", "this is no answer with counts")
        if not minutes:
            return [(start, 0.0, Cell()) for start in span.starts]
        found: list[Row] = []
        for minute in minutes:
            start, end = moment(minute.get("start")), moment(minute.get("end"))
            if start is None or end is None:
                raise Unread("wrong_shape", "a count has no beginning or no end")
            if end - start == self.width:
                found.append((start.timestamp(), number(minute.get("tweet_count")), Cell()))
        return found


PLUGIN = X


def _recalled(errand: Errand) -> _Spent:
    """What was spent today; a day that is over is forgotten."""
    today = errand.now.astimezone(UTC).date().isoformat()
    try:
        spent = msgspec.json.decode(errand.memory, type=_Spent) if errand.memory else _Spent(today)
    except msgspec.DecodeError:
        spent = _Spent(today)
    return spent if spent.day == today else _Spent(today)


def _paced(gathered: Gathered, pace: timedelta) -> Gathered:
    wait = max(pace, gathered.wait or pace)
    return replace(gathered, wait=wait)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
