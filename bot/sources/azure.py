"""Microsoft Azure: a feed that is empty while all is well; what an item means is in its title."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from bot.core.model import Health
from bot.sources.feeds import Item, feed
from bot.sources.notices import Raw, Told, checked, link
from bot.sources.pages import Found, PlacedPage, Unread
from bot.sources.wire import Interval, WebAddress, plain

_OVER = re.compile(r"\b(resolved|mitigated)\s*$", re.IGNORECASE)
_SEVERE = re.compile(r"\b(outage|unavailable)\b", re.IGNORECASE)
_DASH = re.compile(r"\s+[-\N{EN DASH}\N{EM DASH}]\s+")
# Display names of Azure's regions (learn.microsoft.com, "Azure regions list"); the longest match counts, since
# `East US 2` holds `East US`.
_REGIONS = (
    "Australia Central 2|Australia Central|Australia East|Australia Southeast|Austria East|Belgium Central|Brazil South|"
    "Brazil Southeast|Canada Central|Canada East|Central India|Central US|Chile Central|China East 2|China East 3|"
    "China East|China North 2|China North 3|China North|Denmark East|East Asia|East US 2|East US 3|East US|France Central|France South|"
    "Germany North|Germany West Central|Global|Indonesia Central|Israel Central|Italy North|Japan East|Japan West|"
    "Jio India Central|Jio India West|Korea Central|Korea South|Malaysia West|Mexico Central|New Zealand North|"
    "Non-regional|North Central US|North Europe|Norway East|Norway West|Poland Central|Qatar Central|"
    "South Africa North|South Africa West|South Central US|South India|Southeast Asia|Spain Central|Sweden Central|"
    "Sweden South|Switzerland North|Switzerland West|UAE Central|UAE North|UK South|UK West|US Gov Arizona|"
    "US Gov Texas|US Gov Virginia|West Central US|West Europe|West India|West US 2|West US 3|West US"
)
_REGION = re.compile(rf"\b({_REGIONS})\b", re.IGNORECASE)


class Azure(PlacedPage):
    """The public status feed of Microsoft Azure.

    `regions` are Azure's own names (`West Europe`). The feed has no levels: an item counts as degraded, and as a
    partial outage when its title says so.
    """

    kind: Literal["azure"]
    """The word that says what this watch is."""
    url: WebAddress = "https://azure.status.microsoft/en-us/status"
    """The address of the page, as a browser shows it. Not the older status.azure.com, which was empty during outages."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""

    def addresses(self) -> Sequence[str]:
        """The feed of the page."""
        return (f"{self.url.removesuffix('/feed')}/feed/",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the feed says; the anchor is its title."""
        read = feed(bodies[0])
        if "azure" not in read.title.casefold():
            raise Unread("wrong_shape", "this is a feed, and not Azure's")
        return Found(told=[_told(item, self.url, now) for item in read.items])


PLUGIN = Azure


def _told(item: Item, page: str, now: datetime) -> Told:
    """The item's own link leads to a machine of theirs; the page is what people can open."""
    title = plain(item.title, 300)
    regions = {found[1] for words in (title, *item.categories) for found in _REGION.finditer(words)}
    services = [c for c in item.categories if not _REGION.fullmatch(c.strip())]
    return checked(
        Raw(
            now=now,
            id=item.id[:100] or title[:100],
            title=title,
            phase="resolved" if _over(title) else "investigating",
            impact=Health.PARTIAL_OUTAGE if _SEVERE.search(title) else Health.DEGRADED,
            began=item.published,
            changed=(item.published, item.updated),
            url=link(page, page),
            body=item.body,
            names=services or _DASH.split(title)[:1] if len(_DASH.split(title)) > 1 else services,
            places=regions,
        )
    )


def _over(title: str) -> bool:
    """True when every clause ends in a word for the end: `Storage - Resolved; Virtual Machines - Investigating` is open."""
    return all(_OVER.search(clause) for clause in title.split(";") if clause.strip())
