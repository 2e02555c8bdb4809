"""Counts out of log lines in Loki."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import Field

from bot.fields import Secret
from bot.ports import Errand, Http
from bot.sources.counting import BucketFeed, Row, Span, revealed
from bot.sources.fetching import fetched
from bot.sources.series import Empty, matrix
from bot.sources.wire import WebAddress


class Loki(BucketFeed):
    """Counts out of Loki: how many log lines tell of a problem in each bucket of time.

    The query must give the number of one bucket at its end, such as `sum(count_over_time({app="login"} |= "error" [1m]))`
    for a `bucket` of a minute. Series labelled `region`, `platform` or `symptom` are told apart by them.
    """

    kind: Literal["loki"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://loki.example.com"])]
    """The address of the server, up to what stands before `/loki/api/v1`."""
    query: Annotated[
        str,
        Field(min_length=1, max_length=5_000, examples=['\'sum(count_over_time({app="login"} |= "error" [1m]))\'']),
    ]
    """What to ask, in LogQL; its range is that of `bucket`."""
    empty: Empty = "zero"
    """What a bucket means that the answer says nothing of: `zero` lines, or `unknown`, which is a gap."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as Authorization or X-Scope-OrgID; they are never printed."""

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """The range of the whole buckets, evaluated at the end of each; times are sent in nanoseconds."""
        asked = {
            "query": self.query,
            "start": f"{int(span.first + span.width)}000000000",
            "end": f"{int(span.last)}000000000",
            "step": f"{span.width:g}",
        }
        reply = await fetched(
            http,
            f"{self.url}/loki/api/v1/query_range?{urlencode(asked)}",
            errand.now,
            headers=revealed(self.headers),
            allow_private=self.allow_private,
        )
        return matrix(reply.body, span, self.empty)


PLUGIN = Loki
