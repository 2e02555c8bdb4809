"""Counts out of Prometheus, and whatever speaks its HTTP API."""

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

Query = Annotated[str, Field(min_length=1, max_length=5_000)]


class Prometheus(BucketFeed):
    """Counts out of Prometheus, Thanos, Mimir or VictoriaMetrics: how many problems were there in each bucket of time.

    The query must give the number of one bucket at its end, such as `sum(increase(user_reports_total[1m]))` for a
    `bucket` of a minute. Series labelled `region`, `platform` or `symptom` are told apart by them: sum by those. A value
    that is no number is a gap. For a level that a single number speaks for, see `prometheus_value`.
    """

    kind: Literal["prometheus"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://prometheus.example.com"])]
    """The address of the server, up to what stands before `/api/v1`."""
    query: Annotated[Query, Field(examples=["sum by (region) (increase(user_reports_total[1m]))"])]
    """What to ask, in PromQL; its range is that of `bucket`."""
    empty: Empty = "unknown"
    """What a bucket means that the answer says nothing of: `unknown` is a gap, `zero` none at all."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as Authorization or X-Scope-OrgID; they are never printed."""

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """The range of the whole buckets, evaluated at the end of each."""
        asked = {
            "query": self.query,
            "start": f"{span.first + span.width:.3f}",
            "end": f"{span.last:.3f}",
            "step": f"{span.width:g}",
            "partial_response": "false",  # Thanos would rather answer with a part of the truth
        }
        reply = await fetched(
            http,
            f"{self.url}/api/v1/query_range",
            errand.now,
            headers=revealed(self.headers) | {"Content-Type": "application/x-www-form-urlencoded"},
            allow_private=self.allow_private,
            body=urlencode(asked).encode(),
        )
        return matrix(reply.body, span, self.empty)


PLUGIN = Prometheus
