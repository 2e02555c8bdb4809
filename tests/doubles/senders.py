"""Programs that post webhooks, each with the proof its kind gives, and a house of hooks to post them to."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doubles.clock import ManualClock

from bot.config.plugins import SOURCES
from bot.core.model import Signal
from bot.database import Database
from bot.listening.hearing import Hearing
from bot.ports import Heard, Hook, Letter
from bot.stores.deliveries import DeliveryStore

CAPTURES = Path(__file__).parent.parent / "captures" / "webhooks"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET, NEXT, STRANGER = "long-ago-and-far-away", "in-a-hole-in-the-ground", "call-me-by-my-name"


def watch(kind: str, **fields: Any) -> Any:
    """The plugin of a kind, as the configuration would make it."""
    return SOURCES[kind].model_validate({"kind": kind, "secret": SECRET, **fields})


def capture(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()


def signature(body: bytes, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), body, "sha256").hex()


def standard(body: bytes, *, name: str = "msg_1", at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    """The three headers of Standard Webhooks."""
    stamp = str(int(at.timestamp()))
    mac = hmac.digest(secret.encode(), f"{name}.{stamp}.".encode() + body, "sha256")
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def grafana(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    return {
        "x-grafana-alerting-timestamp": stamp,
        "x-grafana-alerting-signature": signature(stamp.encode() + b":" + body, secret),
    }


def sentry(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {"sentry-hook-signature": signature(body, secret), "sentry-hook-timestamp": str(int(at.timestamp()))}


def pagerduty(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {"x-pagerduty-signature": f"v1={signature(body, secret)}"}


def bearer(body: bytes, *, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


PROOFS = {"grafana": grafana, "sentry": sentry, "pagerduty": pagerduty, "standard_webhooks": standard}


def letter(kind: str, body: bytes, *, at: datetime = NOW, headers: Mapping[str, str] | None = None) -> Letter:
    """A delivery with the proof of its kind, arriving at `at`."""
    proof = PROOFS.get(kind, bearer)(body, at=at)
    return Letter(at=at, body=body, headers={**proof, **(headers or {})})


class NoWeb:
    """A web that nobody may use."""

    async def get(self, url: str, **_: Any) -> Any:
        raise AssertionError(f"nobody should visit {url}")


async def heard(hook: Hook, body: bytes, *, at: datetime = NOW, headers: Mapping[str, str] | None = None) -> Heard:
    """What a hook makes of a body that comes with its proof."""
    return await hook.hear(letter(hook.kind, body, at=at, headers=headers), NoWeb())  # type: ignore[attr-defined]


@dataclass
class House:
    """Hooks with a memory on disk; `signals` is what the engine was told, `asked` which services were to be looked at."""

    folder: Path
    hooks: Mapping[str, Mapping[str, Hook]]
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    signals: list[tuple[str, str, Signal]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[Hearing]:
        """One life: what it is told outlives it."""
        database = Database(self.folder / "state.db")
        hearing = Hearing(
            hooks=self.hooks,
            http=NoWeb(),
            clock=self.clock,
            ledger=DeliveryStore(database),
            hear=self._hear,
            ask=self.asked.append,
        )
        await hearing.wake()
        yield hearing
        await database.aclose()

    async def _hear(self, service: str, name: str, signal: Signal) -> None:
        self.signals.append((service, name, signal))

    @property
    def last(self) -> Signal:
        return self.signals[-1][2]


def packed(document: object) -> bytes:
    return json.dumps(document).encode()
