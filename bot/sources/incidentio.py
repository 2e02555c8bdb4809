"""incident.io: what a vendor says of itself, in three layers of one page.

The layer that the page's own front end reads knows most; the documented widget must be switched on by the owner; the
layer that imitates Statuspage is there nearly always, with empty texts and a short history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import PrivateAttr

from bot.core.model import Health, Signal
from bot.ports import Http
from bot.sources.atlassian import COMPONENTS
from bot.sources.fitting import Learnt, fitted
from bot.sources.notices import Raw, Told, checked, later, link, lower
from bot.sources.pages import Found, Part, PlacedPage, Unread
from bot.sources.statuspage import read_summary
from bot.sources.times import moment
from bot.sources.wire import decoded, mapping, rows, word

_LISTS = ("ongoing_incidents", "in_progress_maintenances", "scheduled_maintenances")
_DEEPEST = 20
_ULID = 26


class IncidentIo(PlacedPage):
    """A vendor's status page made with incident.io.

    Whichever of its three layers answers is read. A component that has no trouble is not listed with a state there,
    and an incident that is over simply leaves the page.
    """

    kind: Literal["incidentio"]
    """The word that says what this watch is."""
    _learnt: Learnt = PrivateAttr(default_factory=Learnt)

    def layers(self) -> Mapping[str, str]:
        """The address of each layer, the richest first."""
        parts = urlsplit(self.url)
        front = f"{parts.scheme}://{parts.netloc}/proxy/{parts.netloc}{parts.path}"
        return {
            "front": front,
            "widget": f"{self.url}/api/v1/summary",
            "statuspage": f"{self.url}/api/v2/summary.json",
        }

    async def look(self, http: Http, now: datetime) -> Signal:
        """Read the page once, through the layer that answers."""
        ways = {name: partial(self._asked, http, (address,), now) for name, address in self.layers().items()}
        return await fitted(ways, self._learnt)

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What any of the three layers says; they are told apart by what they hold."""
        whole = mapping(decoded(bodies[0]))
        if "page" in whole:
            return _imitated(whole, now)
        if "summary" in whole:
            return _front(mapping(whole["summary"]), now)
        if not any(isinstance(whole.get(key), list) for key in _LISTS):
            raise Unread("wrong_shape", "this is JSON, and no summary of incident.io")
        told = list(_all_told(whole, {}, now))
        return Found(told=told, note="", url=link("", whole.get("page_url")), hesitant=True)


PLUGIN = IncidentIo


def _imitated(whole: Mapping[str, Any], now: datetime) -> Found:
    """The layer that imitates Statuspage; the ids are ULIDs, which Statuspage itself never has."""
    id_ = word(mapping(whole.get("page")).get("id"))
    if len(id_) != _ULID or not id_.startswith("01"):
        raise Unread("wrong_shape", "this is a Statuspage and no page of incident.io")
    return read_summary(whole, {}, now)


def _front(summary: Mapping[str, Any], now: datetime) -> Found:
    if not isinstance(summary.get("components"), list) and not isinstance(summary.get("affected_components"), list):
        raise Unread("wrong_shape", "this is JSON, and no summary of incident.io")
    parts = {word(row.get("id")): row for row in rows(summary.get("components"))}
    states = {word(row.get("component_id")): _state(row) for row in rows(summary.get("affected_components"))}
    groups = _groups(summary)
    listed = [_part(id_, row, states.get(id_, Health.OPERATIONAL), groups.get(id_, "")) for id_, row in parts.items()]
    return Found(
        told=list(_all_told(summary, {id_: word(row.get("name")) for id_, row in parts.items()}, now)),
        overall=max(states.values(), default=Health.OPERATIONAL),
        parts=listed,
        url=link("", summary.get("public_url")),
        hesitant=True,
    )


def _part(id_: str, row: Mapping[str, Any], health: Health, group: str) -> Part:
    name = word(row.get("name"))
    return Part(health=health, names=lower((id_, name, f"{group} / {name}")), groups=lower((group,)))


def _groups(summary: Mapping[str, Any]) -> dict[str, str]:
    """The name of the group of each component that is in one."""
    items = rows(mapping(summary.get("structure")).get("items"))
    groups = [mapping(item.get("group")) for item in items]
    return {
        word(inner.get("component_id")): word(group.get("name"))
        for group in groups
        for inner in rows(group.get("components"))
    }


def _state(row: Mapping[str, Any]) -> Health:
    said = row.get("status", row.get("current_status"))
    return COMPONENTS.get(word(said), Health.DEGRADED)


def _all_told(summary: Mapping[str, Any], names: Mapping[str, str], now: datetime) -> Iterator[Told]:
    base = word(summary.get("public_url"), 300) or word(summary.get("page_url"), 300)
    for key in _LISTS:
        for row in rows(summary.get(key), 60):
            yield _told(row, names, base, now, maintenance=key != "ongoing_incidents")


def _told(row: Mapping[str, Any], names: Mapping[str, str], base: str, now: datetime, *, maintenance: bool) -> Told:
    """Ids differ from layer to layer, the address does not: what it ends in is the key."""
    updates = rows(row.get("updates"), 50)
    latest = max(updates, key=lambda update: later(moment(update.get("published_at"))), default={})
    affected = [*rows(row.get("affected_components"), 200), *rows(row.get("component_impacts"), 200)]
    id_ = word(row.get("id"), 100)
    url = link("", row.get("url")) or (link("", f"{base}/incidents/{id_}") if base and id_ else "")
    labels = [*(part.get(key) for part in affected for key in ("id", "component_id", "name")), *_named(affected, names)]
    return checked(
        Raw(
            now=now,
            id=url.rpartition("/")[2] or id_,
            title=row.get("name"),
            phase=row.get("status") or latest.get("to_status"),
            impact=max([_worst(row), *(_state(part) for part in affected)]),
            began=_first(row, "started_at", "starts_at", "published_at", "created_at"),
            changed=(_first(row, "last_update_at", "updated_at"), moment(latest.get("published_at"))),
            url=url,
            maintenance=maintenance,
            body=row.get("last_update_message") or _message(latest),
            names=labels,
            text=[word(text) for text in labels],
        )
    )


def _named(affected: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    return [names.get(word(part.get("component_id")), "") for part in affected]


def _worst(row: Mapping[str, Any]) -> Health:
    said = row.get("current_worst_impact", "operational")
    return COMPONENTS.get(word(said), Health.DEGRADED)


def _first(row: Mapping[str, Any], *keys: str) -> datetime | None:
    return next((time for key in keys if (time := moment(row.get(key)))), None)


def _message(update: Mapping[str, Any]) -> str:
    """The text of an update: as a string, or as the tree of an editor, whose leaves hold it."""
    if isinstance(said := update.get("message_string"), str):
        return said
    return "".join(_leaves(mapping(update.get("message")).get("text_node"), 0)).strip()


def _leaves(node: object, depth: int) -> Iterator[str]:
    inner = mapping(node)
    if isinstance(text := inner.get("text"), str):
        yield text
    for child in rows(inner.get("content"), 200) if depth < _DEEPEST else ():
        yield from _leaves(child, depth + 1)
    if inner.get("type") == "paragraph":
        yield "\n"
