"""Apple: services with their events, as JSON or wrapped in a call of a function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from bot.core.model import Health
from bot.sources.notices import Raw, Told, checked, label, phase
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.times import moment
from bot.sources.wire import WebAddress, decoded, mapping, plain, rows, word

_TYPES = {
    "Available": Health.OPERATIONAL,
    "Maintenance": Health.MAINTENANCE,
    "Issue": Health.DEGRADED,
    "Performance": Health.DEGRADED,
    "Outage": Health.MAJOR_OUTAGE,
}
_CALL = re.compile(rb"^\s*[A-Za-z_$][\w$.]*\s*\(\s*(.*?)\s*\)\s*;?\s*$", re.DOTALL)
_SINCE_2001 = 978_307_200


class Apple(Page):
    """Apple's system status. `components` are services (`App Store`, `iCloud Mail`)."""

    kind: Literal["apple"]
    """The word that says what this watch is."""
    url: WebAddress = "https://www.apple.com/support/systemstatus"
    """The address of the page, as a browser shows it."""
    developer: bool = False
    """Watch the services for developers instead of those for everybody."""

    def addresses(self) -> Sequence[str]:
        """The services of one of the two pages."""
        folder = "data/developer" if self.developer else "data"
        return (f"{self.url}/{folder}/system_status_en_US.js",)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What the list says; the anchor is that every service has a name and a list of events."""
        call = _CALL.match(bodies[0])
        services = rows(mapping(decoded(call[1] if call else bodies[0])).get("services"))
        if not services or not all(word(s.get("serviceName")) and isinstance(s.get("events"), list) for s in services):
            raise Unread("wrong_shape", "this is JSON, and not Apple's list of services")
        names = [frozenset({label(service.get("serviceName"))}) for service in services]
        parts = [Part(health=Health.OPERATIONAL, names=each) for each in names]
        return Found(told=_merged(_all_told(services, now)), parts=parts)


PLUGIN = Apple


def _all_told(services: Sequence[Mapping[str, Any]], now: datetime) -> Iterator[Told]:
    for service in services:
        for event in rows(service.get("events"), 50):
            yield _told(event, word(service.get("serviceName")), now)


def _merged(listed: Iterator[Told]) -> list[Told]:
    """One message may stand under several services: it is one incident that names them all."""
    found: dict[str, Told] = {}
    for one in listed:
        known = found.get(one.notice.key)
        found[one.notice.key] = replace(one, names=one.names | known.names) if known else one
    return list(found.values())


def _told(event: Mapping[str, Any], service: str, now: datetime) -> Told:
    planned = event.get("statusType") == "Maintenance" or phase(event.get("eventStatus")) == "scheduled"
    began, ended = (_time(event.get(key)) for key in ("epochStartDate", "epochEndDate"))
    over = phase(event.get("eventStatus")) in ("resolved", "completed")
    message = event.get("message")
    return checked(
        Raw(
            now=now,
            id=event.get("messageId"),
            title=f"{service}: {plain(message, 150) or word(event.get('usersAffected')) or 'issue'}",
            phase=event.get("eventStatus"),
            impact=_TYPES.get(word(event.get("statusType")), Health.DEGRADED),
            began=began,
            changed=(ended if over else None, began),
            ended=ended if over else None,
            maintenance=planned,
            body=message,
            names=(service,),
        )
    )


def _time(value: object) -> datetime | None:
    """Unix time in milliseconds, or in one variant of the page seconds since 2001."""
    found = moment(value)
    if found is None and isinstance(value, int | float) and 0 < value < _SINCE_2001:
        return moment(value + _SINCE_2001)
    return found
