"""A number out of Prometheus that speaks for a level when it crosses a threshold."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple
from urllib.parse import urlencode

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from bot.core.model import Evidence, Health, Signal
from bot.fields import Model, Secret
from bot.ports import Http
from bot.sources.counting import revealed
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.prometheus import Query
from bot.sources.series import instant
from bot.sources.wire import Interval, WebAddress, plain

_NAMED = 3
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_CONDITION = re.compile(r"\s*([<>]=?)\s*(-?\d{1,15}(?:\.\d{1,15})?)\s*")


def condition(value: object) -> Condition:
    """Read `> 0.05`, `>= 3`, `< 100` or `<= 0`.

    Raises:
        ValueError: with what was read and what would be right.
    """
    if isinstance(value, Condition):
        return value
    found = _CONDITION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'{value!r} is not a condition; write one like "> 0.05", ">= 3", "< 100" or "<= 0"')
    return Condition(found[1], float(found[2]))


class Condition(NamedTuple):
    """When a number is bad."""

    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """True when it is."""
        return _SIGNS[self.sign](value, self.limit)


Bad = Literal["degraded", "partial_outage", "major_outage"]
Conditions = Annotated[
    dict[
        Bad,
        Annotated[
            Condition,
            PlainValidator(condition),
            PlainSerializer(lambda c: f"{c.sign} {c.limit:g}"),
            WithJsonSchema({"type": "string", "examples": ["> 0.05", "<= 0"]}),
        ],
    ],
    Field(min_length=1),
]


class PrometheusValue(Model):
    """A number out of Prometheus and its kin, judged by thresholds: an error rate, a share of failing probes.

    The worst of the series that the query gives counts. A query without any series, or with a value that is no number,
    is no reading, unless `empty` says that nothing means well. For counts over time, see `prometheus`.
    """

    evidence: ClassVar[Evidence] = Evidence.PROBE

    kind: Literal["prometheus_value"]
    """The word that says what this watch is."""
    url: Annotated[WebAddress, Field(examples=["https://prometheus.example.com"])]
    """The address of the server, up to what stands before `/api/v1`."""
    query: Annotated[Query, Field(examples=["sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m]))"])]
    """What to ask, in PromQL."""
    when: Annotated[Conditions, Field(examples=[{"degraded": "> 0.01", "major_outage": "> 0.2"}])]
    """When the number is bad, and how bad: `{degraded: "> 0.01", major_outage: "> 0.2"}`."""
    empty: Literal["operational", "unknown"] = "unknown"
    """What an answer without any series means; `operational` suits a query that filters, such as `up == 0`."""
    every: Interval = timedelta(seconds=30)
    """How often to ask."""
    fail_after: int = Field(default=2, ge=1, le=20)
    """So many bad answers in a row are believed."""
    clear_after: int = Field(default=2, ge=1, le=20)
    """So many good answers in a row are believed."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as Authorization or X-Scope-OrgID; they are never printed."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Ask once; without a number there is no reading."""
        try:
            reply = await fetched(
                http,
                f"{self.url}/api/v1/query",
                now,
                headers=revealed(self.headers) | {"Content-Type": "application/x-www-form-urlencoded"},
                allow_private=self.allow_private,
                body=urlencode({"query": self.query, "partial_response": "false"}).encode(),
            )
        except Unread as exc:
            return Signal(at=now, url=self.url, error=exc.error, note=str(exc), wait=exc.wait)
        return self.read(reply.body, now)

    def read(self, body: bytes, now: datetime) -> Signal:
        """What an answer comes to."""
        try:
            health, note = self._judge(body)
        except Unread as exc:
            return Signal(at=now, url=self.url, error=exc.error, note=str(exc))
        except ValueError as exc:
            return Signal(at=now, url=self.url, error="unparseable", note=str(exc)[:500])
        return Signal(at=now, url=self.url, health=health, note=note)

    def _judge(self, body: bytes) -> tuple[Health, str]:
        found = instant(body)
        if not found and self.empty == "operational":
            return Health.OPERATIONAL, "nothing found"
        if not found or any(math.isnan(value) for _, value in found):
            raise Unread("wrong_shape", "the query gives no number at the moment")
        health, value, labels = max(((self._health(v), v, labels) for labels, v in found), key=lambda one: one[0])
        named = ", ".join(
            f"{key} {plain(word, 50)}" for key, word in list(labels.items())[:_NAMED] if key != "__name__"
        )
        return health, f"{value:g}" + (f" ({named})" if named else "")

    def _health(self, value: float) -> Health:
        return max(
            (Health[name.upper()] for name, one in self.when.items() if one.holds(value)), default=Health.OPERATIONAL
        )


PLUGIN = PrometheusValue
