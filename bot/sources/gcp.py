"""Google Cloud and Google Workspace: one long list of incidents, most of them long over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, link
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows, word

_SEVERITIES = {
    "low": Health.DEGRADED,
    "medium": Health.PARTIAL_OUTAGE,
    "high": Health.MAJOR_OUTAGE,
    "SERVICE_INFORMATION": Health.DEGRADED,
    "SERVICE_DISRUPTION": Health.PARTIAL_OUTAGE,
    "SERVICE_OUTAGE": Health.MAJOR_OUTAGE,
}


class Gcp(PlacedPage):
    """Google Cloud's status dashboard, or Google Workspace's at `https://www.google.com/appsstatus/dashboard`.

    `components` are products (`Google Compute Engine`), `regions` are locations (`us-central1`, `europe-*`).
    """

    kind: Literal["gcp"]
    """The word that says what this watch is."""
    url: WebAddress = "https://status.cloud.google.com"
    """The address of the page, as a browser shows it."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""

    def addresses(self) -> Sequence[str]:
        """All incidents."""
        return (f"{self.url.removesuffix('/summary')}/incidents.json",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the list says; it holds years of history, so an empty one proves nothing."""
        listed = decoded(bodies[0])
        items = rows(listed, 1_000)
        if not items or not all("begin" in item and ("id" in item or "number" in item) for item in items):
            raise Unread("wrong_shape", "this is no list of Google's incidents, which is never empty")
        return Found(told=[_told(item, self.url, now) for item in items])


PLUGIN = Gcp


def _told(item: Mapping[str, Any], page: str, now: datetime) -> Told:
    latest = mapping(item.get("most_recent_update") or item.get("most-recent-update"))
    products = rows(item.get("affected_products"), 300)
    places = rows(item.get("currently_affected_locations"), 300) or rows(latest.get("affected_locations"), 300)
    ended = moment(item.get("end"))
    calm = latest.get("status") == "AVAILABLE"
    return checked(
        Raw(
            now=now,
            id=item.get("id") or item.get("number"),
            title=item.get("external_desc"),
            phase="resolved" if ended else "monitoring" if calm else "investigating",
            impact=Health.OPERATIONAL if calm else _impact(item, latest),
            began=moment(item.get("begin")),
            changed=(moment(item.get("modified")), moment(latest.get("modified")), moment(latest.get("when"))),
            ended=ended,
            url=link(f"{page}/", item.get("uri")),
            body=latest.get("text"),
            names=[item.get("service_name"), *(p.get(key) for p in products for key in ("id", "title"))],
            places=[name for place in places for name in _names(place)],
        )
    )


def _impact(item: Mapping[str, Any], latest: Mapping[str, Any]) -> Health:
    said = (item.get("severity"), item.get("status_impact"), latest.get("status"))
    return max((_SEVERITIES.get(word(each), Health.DEGRADED) for each in said if each), default=Health.DEGRADED)


def _names(place: Mapping[str, Any]) -> tuple[object, ...]:
    """A location goes by its id and by a title such as `Iowa (us-central1)`."""
    title = word(place.get("title"))
    return place.get("id"), title, title.partition(" (")[0]
