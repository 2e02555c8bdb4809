"""Probes beneath HTTP: ports, certificates, names and echoes, over real sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from doubles.certificates import signed
from doubles.feeds import feed
from doubles.living import NOON
from doubles.names import Table
from doubles.pages import pages

from bot.core.model import Evidence, Health, Signal
from bot.ports import Reached, Source, Unreachable
from bot.world import WallClock, Web


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web(WallClock())
    yield web
    await web.aclose()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with pages() as served:
        yield served.port


async def asked(web: Any, kind: str, **fields: Any) -> Signal:
    source: Source = feed(kind, **{"host": "127.0.0.1", "timeout": "5s", **fields})
    assert source.evidence is Evidence.PROBE
    return await source.ask(web, NOON)


# Ports


async def test_a_port_that_is_open_is_well(web: Web, port: int) -> None:
    signal = await asked(web, "tcp", port=port, allow_private=True)
    assert (signal.health, signal.error, signal.url) == (Health.OPERATIONAL, "", "tcp://127.0.0.1")
    assert signal.note.startswith("answered in ")


async def test_a_port_that_is_closed_is_a_major_outage(web: Web) -> None:
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    signal = await asked(web, "tcp", port=port, allow_private=True)
    assert (signal.health, signal.error) == (Health.MAJOR_OUTAGE, "connect")
    assert f"127.0.0.1:{port}" in signal.note


@pytest.mark.parametrize("kind", ["tcp", "tls", "ping"])
async def test_a_private_address_is_not_tried_unless_that_is_meant(web: Web, port: int, kind: str) -> None:
    signal = await asked(web, kind, **({} if kind == "ping" else {"port": port}))
    assert (signal.health, signal.error) == (None, "blocked")
    assert "allow_private" in signal.note


async def test_an_address_that_does_not_answer_is_passed_over_for_one_that_does() -> None:
    web = Web(WallClock(), resolver=Table({"both.example.com": ["::1", "127.0.0.1"]}))
    async with pages(host="::1") as served:
        signal = await asked(web, "tcp", host="both.example.com", port=served.port, allow_private=True)
    assert signal.health is Health.OPERATIONAL


async def test_a_slow_answer_is_degraded(web: Web, port: int) -> None:
    signal = await asked(web, "tcp", port=port, allow_private=True, slower_than="0s")
    assert (signal.health, signal.note[:5]) == (Health.DEGRADED, "took ")


# Certificates


@pytest.mark.parametrize(("days", "health"), [(30.0, Health.OPERATIONAL), (5.0, Health.DEGRADED)])
async def test_a_certificate_is_good_for_as_long_as_it_says(tmp_path: Path, days: float, health: Health) -> None:
    server, client = signed(tmp_path, days=days)
    web = Web(WallClock(), tls=client)
    async with pages(tls=server) as served:
        signal = await asked(web, "tls", port=served.port, allow_private=True)
    assert (signal.health, signal.error) == (health, "")
    assert f"ends in {days:.0f} days" in signal.note


async def test_a_certificate_that_nobody_vouches_for_is_a_major_outage(web: Web, tmp_path: Path) -> None:
    server, _ = signed(tmp_path, days=30)
    async with pages(tls=server) as served:
        signal = await asked(web, "tls", port=served.port, allow_private=True)
    assert (signal.health, signal.error) == (Health.MAJOR_OUTAGE, "tls")


async def test_a_port_that_speaks_no_tls_is_a_major_outage(web: Web) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    signal = await asked(web, "tls", port=port, allow_private=True)
    assert signal.health is Health.MAJOR_OUTAGE
    assert signal.error in ("tls", "connect")
    server.close()


async def test_a_port_that_never_shakes_hands_is_a_timeout(web: Web, port: int) -> None:
    signal = await asked(web, "tls", port=port, allow_private=True, timeout="0.2s")
    assert (signal.health, signal.error) == (Health.MAJOR_OUTAGE, "timeout")


# Names


async def found(addresses: Sequence[str], **fields: Any) -> Signal:
    web = Web(WallClock(), resolver=Table({"shop.example.com": addresses}))
    return await asked(web, "dns", host="shop.example.com", **fields)


async def test_a_name_that_is_found_is_well() -> None:
    signal = await found(["192.0.2.7", "192.0.2.8"])
    assert (signal.health, signal.note) == (Health.OPERATIONAL, "leads to 192.0.2.7, 192.0.2.8")


async def test_a_name_that_leads_elsewhere_is_a_partial_outage() -> None:
    assert (await found(["192.0.2.7"], expect=["192.0.2.7", "2001:db8::1"])).health is Health.OPERATIONAL
    assert (await found(["198.51.100.9"], expect=["192.0.2.7"])).health is Health.PARTIAL_OUTAGE


async def test_a_name_that_is_not_found_is_a_major_outage() -> None:
    signal = await asked(Web(WallClock(), resolver=Table({})), "dns", host="gone.example.com")
    assert (signal.health, signal.error) == (Health.MAJOR_OUTAGE, "dns")


# Echoes


class Echoing:
    """Answers pings by script."""

    def __init__(self, *answers: float | str) -> None:
        self.answers = list(answers)

    async def echo(self, host: str, **_: Any) -> Reached:
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise Unreachable(answer, f"no echo: {answer}")
        return Reached(address=host, elapsed=answer)


@pytest.mark.parametrize(
    ("answers", "health", "error"),
    [
        ((0.01, 0.02, 0.01), Health.OPERATIONAL, ""),
        ((0.01, "timeout", 0.01), Health.DEGRADED, ""),
        ((0.01, 0.7, 0.01), Health.DEGRADED, ""),
        (("timeout", "timeout", "timeout"), Health.MAJOR_OUTAGE, "timeout"),
        (("blocked",), None, "blocked"),
        (("dns",), Health.MAJOR_OUTAGE, "dns"),
    ],
)
async def test_echoes_are_judged_together(answers: tuple[Any, ...], health: Health | None, error: str) -> None:
    signal = await asked(Echoing(*answers), "ping", host="example.com", slower_than="0.5s")
    assert (signal.health, signal.error) == (health, error)


async def test_this_machine_echoes_or_says_that_it_lets_nobody_ping(web: Web) -> None:
    signal = await asked(web, "ping", allow_private=True)
    assert signal.health is Health.OPERATIONAL or "ping_group_range" in signal.note


# As people write them


@pytest.mark.parametrize(
    "written", ["", "https://example.com", "example.com/x", "a b", "example.com:80", "me@example.com"]
)
def test_what_is_no_machine_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="like db"):
        feed("tcp", host=written, port=80)


@pytest.mark.parametrize("written", ["example.com", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "db"])
def test_names_and_addresses_are_machines(written: str) -> None:
    assert feed("tcp", host=written, port=80).host == written.strip("[]")
