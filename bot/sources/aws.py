"""Amazon Web Services: the public list of current events, in UTF-16; an empty list is good news."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, later
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows, word

_STATES = {"0": Health.OPERATIONAL, "1": Health.OPERATIONAL, "2": Health.DEGRADED, "3": Health.MAJOR_OUTAGE}
_REGION = re.compile(r"-((?:[a-z]{2}|us-gov|us-iso[a-z]?)-[a-z]+-\d)$")


class Aws(PlacedPage):
    """The public health dashboard of AWS.

    `components` are services (`ec2`, `Amazon Elastic Compute Cloud`), `regions` are region codes (`eu-central-1`,
    `us-*`). What AWS calls informational is shown and opens nothing.
    """

    kind: Literal["aws"]
    """The word that says what this watch is."""
    url: WebAddress = "https://health.aws.amazon.com/health/status"
    """The address of the page, as a browser shows it."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""

    def addresses(self) -> Sequence[str]:
        """The current events."""
        parts = urlsplit(self.url)
        return (f"{parts.scheme}://{parts.netloc}/public/currentevents",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the list says; every event must have its keys."""
        listed = decoded(_unmarked(bodies[0]))
        events = rows(listed)
        if not isinstance(listed, list) or not all(_whole(event) for event in events) or len(events) < len(listed):
            raise Unread("wrong_shape", "this is no list of current events of AWS")
        return Found(told=[_told(event, now) for event in events[:200]])


PLUGIN = Aws


def _unmarked(body: bytes) -> bytes:
    """The body in UTF-8; its first bytes say what it is in, the headers do not.

    Raises:
        ValueError: it is not text.
    """
    if body.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return body.decode("utf-16").encode()
    return body


def _whole(event: Mapping[str, Any]) -> bool:
    return isinstance(event.get("status"), str | int) and "date" in event and ("arn" in event or "service" in event)


def _told(event: Mapping[str, Any], now: datetime) -> Told:
    log = rows(event.get("event_log"), 200)
    latest = max(log, key=lambda entry: later(moment(entry.get("timestamp"))), default={})
    summary, state = word(event.get("summary"), 2_000), str(event.get("status"))
    ended = moment(event.get("end_time"))
    over = state == "0" or ended is not None or summary.startswith("[RESOLVED]")
    return checked(
        Raw(
            now=now,
            id=word(event.get("arn"), 300).rpartition("/")[2] or f"{event.get('service')}@{event.get('date')}"[:100],
            title=f"{word(event.get('service_name'))}: {summary.removeprefix('[RESOLVED] ')}".removeprefix(": "),
            phase="resolved" if over else "monitoring" if state == "1" else "investigating",
            impact=_STATES.get(state, Health.DEGRADED),
            began=moment(event.get("date")),
            changed=(moment(latest.get("timestamp")), ended),
            ended=ended,
            body=latest.get("message"),
            names=_services(event),
            places=(_region(event),),
        )
    )


def _region(event: Mapping[str, Any]) -> str:
    """The region code, from the name of the resource or else of the service: never from prose."""
    arn = word(event.get("arn"), 300).split(":")
    found = _REGION.search(word(event.get("service")))
    return arn[3] if len(arn) > 4 and arn[3] else found[1] if found else ""


def _services(event: Mapping[str, Any]) -> Iterator[object]:
    """Every service it touches, by name and by its short name without the region."""
    touched = mapping(event.get("impacted_services"))
    several = word(event.get("service")).startswith("multipleservices")
    for slug in [*touched, *([] if several else [event.get("service")])]:
        yield _REGION.sub("", word(slug))
    yield from (mapping(service).get("service_name") for service in touched.values())
    if not several:
        yield event.get("service_name")
