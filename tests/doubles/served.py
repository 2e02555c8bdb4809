"""The web served over loopback on a house in memory, with a client to talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from doubles.clock import ManualClock
from doubles.house import POLICY, FakeBoard, FakeDesk, FakeForgetting, FakeHearing, FakeIntake

from bot.core import chart
from bot.core.model import Signal
from bot.fields import Secret
from bot.listening.vantages import Vantages
from bot.ports import Clock, Hearing
from bot.web.access import Access, Token
from bot.web.calls import Call
from bot.web.house import House, no_call
from bot.web.metrics import Metrics
from bot.web.site import runner, site

AWAY = {"X-Forwarded-For": "203.0.113.7"}


@dataclass
class Served:
    """What a test holds: the rooms behind the doors, and a client without cookies."""

    board: FakeBoard
    desk: FakeDesk
    intake: FakeIntake
    app: web.Application
    url: str
    client: aiohttp.ClientSession
    conditions: dict[str, str] = field(default_factory=lambda: {"store": "ok"})

    @property
    def clock(self) -> ManualClock:
        return self.board.clock

    def browser(self) -> aiohttp.ClientSession:
        """A client that keeps cookies, as a browser does."""
        return aiohttp.ClientSession(self.url, cookie_jar=aiohttp.CookieJar(unsafe=True))


def token(name: str, *scopes: str) -> Token:
    return Token(name=name, secret=Secret(f"secret-of-{name}"), scopes=frozenset(scopes))


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer secret-of-{name}"}


@asynccontextmanager
async def serving(
    tokens: Iterable[Token] = (),
    public_url: str = "https://status.example.org",
    hearing: Hearing | None = None,
    vantages: Vantages | None = None,
    call: Call = no_call,
    clock: Clock | None = None,
) -> AsyncIterator[Served]:
    """A running site; the port is the system's choice."""
    board, desk, intake = FakeBoard(), FakeDesk(), FakeIntake()
    conditions = {"store": "ok"}

    def ready() -> Mapping[str, str]:
        return conditions

    house = House(
        board=board,
        desk=desk,
        intake=intake,
        forgetting=FakeForgetting(),
        hearing=hearing or FakeHearing(),
        vantages=vantages or Vantages(watches={}, clock=board.clock, hear=_unheard),
        clock=clock or board.clock,
        access=Access(tokens=tuple(tokens)),
        key=b"k" * 32,
        public_url=public_url,
        policy=POLICY,
        ready=ready,
        chart=chart.svg,
        spark=chart.spark,
        png=_png,
        metrics=Metrics(),
        call=call,
    )
    app = site(house)
    run = runner(app)
    await run.setup()
    await web.TCPSite(run, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{run.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession(url, cookie_jar=aiohttp.DummyCookieJar()) as client:
            yield Served(board, desk, intake, app, url, client, conditions)
    finally:
        await run.cleanup()


async def _unheard(service: str, watch: str, signal: Signal) -> None:
    """Nothing is looked at in this house."""


async def _png(svg: str) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + svg[:10].encode()
