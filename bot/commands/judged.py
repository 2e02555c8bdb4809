"""What people said of incidents afterwards: real, or a false alarm; read from a running bot or from a file of its answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from bot.commands.client import call
from bot.ports import Refused

_MOST = 500  # as many as the API gives at once
_NEAR = timedelta(minutes=15)


class _Told(msgspec.Struct):
    """The parts of an incident in the API's shape that matter here."""

    service: str
    started_at: datetime
    verdict: str | None = None
    opened_at: datetime | None = None
    eased_at: datetime | None = None
    closed_at: datetime | None = None


class _Answer(msgspec.Struct):
    incidents: list[_Told]


class Judged(msgspec.Struct, frozen=True):
    """An incident of the past about which somebody said whether it was real; times are UTC."""

    service: str
    since: datetime
    until: datetime
    real: bool

    def covers(self, at: datetime) -> bool:
        """True for an alarm that belongs to it."""
        return self.since - _NEAR <= at <= self.until + _NEAR


class Verdicts:
    """All that was judged, by service."""

    def __init__(self, judged: Iterable[Judged] = ()) -> None:
        self._by_service: defaultdict[str, list[Judged]] = defaultdict(list)
        for one in judged:
            self._by_service[one.service].append(one)

    def of(self, service: str) -> Sequence[Judged]:
        """What was judged of one service."""
        return self._by_service.get(service, ())

    def real(self, service: str, at: datetime) -> bool | None:
        """Whether an alarm at that time was real; None where nobody said."""
        return next((one.real for one in self.of(service) if one.covers(at)), None)


def verdicts(origin: str, token: str = "") -> Verdicts:
    """The verdicts at an address of a running bot, or in a file that holds its answer to `GET /api/v1/incidents`.

    Raises:
        Refused: there is no such bot or file, or it is of another shape.
    """
    try:
        body = _asked(origin, token) if origin.startswith(("http://", "https://")) else Path(origin).read_bytes()
        told = msgspec.json.decode(body, type=_Answer).incidents
    except OSError as exc:
        raise Refused(f"--judged {origin}: {exc.strerror or exc}") from exc
    except msgspec.MsgspecError as exc:
        raise Refused(f"--judged {origin}: not the answer to GET /api/v1/incidents: {exc}") from exc
    return Verdicts(
        Judged(
            service=one.service,
            since=one.started_at,
            until=one.eased_at or one.closed_at or one.opened_at or one.started_at,
            real=one.verdict == "real",
        )
        for one in told
        if one.verdict
    )


def _asked(url: str, token: str) -> bytes:
    status, body = call(url, f"/api/v1/incidents?state=closed&limit={_MOST}", token=token)
    if status != 200:
        raise Refused(f"--judged {url}: {_error(body)}")
    return msgspec.json.encode(body)


def _error(body: Any) -> str:
    return str(body.get("error", "that did not work")) if isinstance(body, dict) else "that did not work"
