"""Prometheus Alertmanager's webhook, version 4 (prometheus.io/docs/alerting/latest/configuration/#webhook_config)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from bot.core.alerts import Alert
from bot.core.model import Health
from bot.ports import Letter
from bot.sources.letters import Told, alert, document, scalar
from bot.sources.times import moment
from bot.sources.wire import mapping, rows

_MOST = 2_000


class Alertmanager(Told):
    """Alerts of a Prometheus Alertmanager: a receiver with `webhook_configs` that points here.

    Give it the secret as `http_config: {authorization: {credentials: ...}}`, or in the address as `?key=...`. Keep
    `send_resolved` on. The label `severity` says how bad an alert is: `critical` or `page` a major outage, `error` or
    `high` a partial one, `warning` degraded; `info` and `none` count for nothing. `forget_after` must be longer than
    Alertmanager's `repeat_interval`.
    """

    kind: Literal["alertmanager"]
    """The word that says what this watch is."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Only alerts that carry all of these labels count."""

    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """Read a group of alerts; each is judged for itself, since a group fires while any of them does."""
        return read(self, document(letter.body), self.labels)


PLUGIN = Alertmanager


def read(watch: Told, said: Mapping[str, Any], wanted: Mapping[str, str]) -> tuple[Alert, ...]:
    """The alerts of a group that count; `wanted` are labels that they must carry.

    Raises:
        ValueError: this is not a group of alerts; a template may have replaced the body.
    """
    if isinstance(said.get("alerts"), list):
        found = [_read(watch, row, said) for row in rows(said["alerts"], _MOST) if _wanted(row, wanted)]
        return tuple(one for one in found if one)
    raise ValueError("there is no list `alerts` in the body; leave the webhook's payload template empty")


def _read(watch: Told, row: Mapping[str, Any], group: Mapping[str, Any]) -> Alert | None:
    labels, notes = mapping(row.get("labels")), mapping(row.get("annotations"))
    health = watch.weight(labels.get("severity"))
    if row.get("status") == "resolved":
        health = Health.OPERATIONAL
    if health is None:
        return None
    name = scalar(labels.get("alertname"))
    return alert(
        row.get("fingerprint") or "\n".join(f"{key}={scalar(labels[key])}" for key in sorted(labels)),
        health,
        title=notes.get("summary") or name or notes.get("description") or "An alert without a name",
        url=row.get("generatorURL") or group.get("externalURL"),
        started=moment(row.get("startsAt")),
    )


def _wanted(row: Mapping[str, Any], filters: Mapping[str, str]) -> bool:
    labels = mapping(row.get("labels"))
    return all(labels.get(name) == value for name, value in filters.items())
