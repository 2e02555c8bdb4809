"""Counts out of Elasticsearch and OpenSearch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from pydantic import Field

from bot.core.reports import Cell
from bot.fields import Model, Secret
from bot.ports import Errand, Http
from bot.sources.counting import BucketFeed, Row, Span, cell, number, revealed
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.wire import WebAddress, decoded, mapping, rows

_PARTS = 50


class By(Model):
    """What documents are told apart by."""

    region: str = ""
    """The field that holds a country or region."""
    platform: str = ""
    """The field that holds a platform."""
    symptom: str = ""
    """The field that holds a symptom."""


class Elasticsearch(BucketFeed):
    """Counts out of Elasticsearch or OpenSearch: how many documents match in each bucket of time.

    An answer that is not whole, for a shard failed or time ran out, is no reading. New documents are found only after a
    refresh: `delay` should be longer than that.
    """

    kind: Literal["elasticsearch"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://search.example.com:9243"])]
    """The address of the server."""
    index: Annotated[str, Field(pattern=r"^[^\s/?#]{1,250}$", examples=["support-tickets"])]
    """The index, alias or pattern to search."""
    query: Annotated[str, Field(max_length=5_000)] = "*"
    """Which documents count, in the language of the search bar (Lucene): `type:complaint AND product:login`."""
    time_field: Annotated[str, Field(min_length=1, max_length=200)] = "@timestamp"
    """The field that holds when it was."""
    by: By = By()
    """A field that holds the region, platform or symptom; one of the three."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as `Authorization: "ApiKey ..."`; they are never printed."""

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """A date histogram over the whole buckets."""
        reply = await fetched(
            http,
            f"{self.url}/{quote(self.index, safe=',*-_.')}/_search",
            errand.now,
            headers=revealed(self.headers) | {"Content-Type": "application/json"},
            allow_private=self.allow_private,
            body=msgspec.json.encode(self._search(span)),
        )
        return self.read(reply.body, span)

    def read(self, body: bytes, span: Span) -> list[Row]:
        """The buckets of an answer.

        Raises:
            Unread: it is not whole, or not of that shape.
            ValueError: it is not even JSON.
        """
        answer = mapping(decoded(body))
        shards = mapping(answer.get("_shards"))
        if answer.get("timed_out") is not False or shards.get("failed") != 0:
            raise Unread("wrong_shape", "this is no whole answer: time ran out, or shards have failed")
        buckets = mapping(mapping(answer.get("aggregations")).get("buckets")).get("buckets")
        if not isinstance(buckets, list):
            raise Unread("wrong_shape", "the answer holds no buckets")
        found = [row for bucket in rows(buckets) for row in self._rows(bucket)]
        known = {span.start(at) for at, _, _ in found}  # an index that has nothing at all sends no bucket either
        return found + [(start, 0.0, Cell()) for start in span.starts if start not in known]

    def _rows(self, bucket: Mapping[str, Any]) -> Iterator[Row]:
        """A bucket and what it is made of; documents without that field are the rest."""
        at, all_of_it = number(bucket.get("key")) / 1000, number(bucket.get("doc_count"))
        if not math.isfinite(at):
            raise Unread("wrong_shape", "a bucket has no time")
        dimension, _ = self._part
        parts = rows(mapping(bucket.get("parts")).get("buckets"), _PARTS)
        sizes = [(cell({dimension: str(part.get("key", ""))[:200]}), number(part.get("doc_count"))) for part in parts]
        for kind, size in sizes:
            yield at, size, kind
        yield at, max(all_of_it - sum(size for _, size in sizes), 0.0), Cell()

    @property
    def _part(self) -> tuple[str, str]:
        """The dimension that is told apart, and the field for it."""
        given = ((name, getattr(self.by, name)) for name in ("region", "platform", "symptom"))
        return next(((name, field) for name, field in given if field), ("region", ""))

    def _search(self, span: Span) -> dict[str, Any]:
        since, until = int(span.first * 1000), int(span.last * 1000)
        histogram: dict[str, Any] = {
            "date_histogram": {
                "field": self.time_field,
                "fixed_interval": f"{int(span.width)}s",
                "min_doc_count": 0,
                "extended_bounds": {"min": since, "max": until - 1},
            }
        }
        _, field = self._part
        if field:
            histogram["aggs"] = {"parts": {"terms": {"field": field, "size": _PARTS}}}
        limits = {"gte": since, "lt": until, "format": "epoch_millis"}
        filters = [{"range": {self.time_field: limits}}, {"query_string": {"query": self.query}}]
        return {
            "size": 0,
            "track_total_hits": False,
            "timeout": "15s",
            "query": {"bool": {"filter": filters}},
            "aggs": {"buckets": histogram},
        }


PLUGIN = Elasticsearch
