"""Counts out of a PostgreSQL database, read and never written."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from bot.fields import Secret
from bot.ports import Errand, Http, Unreachable
from bot.sources.counting import Row, Span
from bot.sources.knocks import Port
from bot.sources.pages import Unread
from bot.sources.tables import MOST_ROWS, TableFeed, rows

if TYPE_CHECKING:
    import asyncpg

_LIMIT = re.compile(r"(?<![:\w]):(since|until)\b")
_PLACES = {"since": "$1::double precision", "until": "$2::double precision"}
_HELLO = 10.0


class Postgres(TableFeed):
    """Counts out of a PostgreSQL database, or one that speaks its protocol, in a session that can only read.

    The statement gives rows of a bucket's start (a timestamp, or Unix seconds), a number, and if you like columns named
    `region`, `platform` and `symptom`. `:since` and `:until` stand for the limits in Unix seconds. The session is
    read-only and the statement is cut off after `timeout`; give it a role of its own that may read nothing else.
    """

    kind: Literal["postgres"]
    """The word that says what this watch is."""
    host: Annotated[str, Field(min_length=1, max_length=253, examples=["db.example.org"])]
    """Where the database is."""
    port: Port = 5432
    """Its port."""
    database: Annotated[str, Field(min_length=1, max_length=63, examples=["shop"])]
    """The name of the database."""
    user: Annotated[str, Field(min_length=1, max_length=63, examples=["tocsin"])]
    """The role that reads."""
    password: Secret | None = None
    """Its password, if it has one."""
    tls: bool = True
    """Prove who answers by its certificate; without, everything is sent in the open."""
    statement: Annotated[
        str,
        Field(
            min_length=1,
            max_length=10_000,
            examples=[
                "select date_trunc('minute', at), count(*) from complaints where at >= to_timestamp(:since) group by 1"
            ],
        ),
    ]
    """What to ask: one SELECT."""

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:  # noqa: ARG002 - the span says it all
        """Ask in a session of its own; nothing is left open between two askings."""
        try:
            await http.reach(self.host, self.port, allow_private=self.allow_private, timeout=_HELLO)
        except Unreachable as exc:
            raise Unread(exc.kind, f"{self.host}:{self.port}: {exc}") from exc
        async with self._session() as session:
            return self.filled(await self._rows(session, span), span)

    async def _rows(self, session: asyncpg.Connection[Any], span: Span) -> list[Row]:
        import asyncpg  # noqa: PLC0415 - as in `_session`

        try:
            asked = await session.prepare(_LIMIT.sub(lambda found: _PLACES[found[1]], self.statement))
            limits = (span.first, span.last)[: len(asked.get_parameters())]
            found = [record async for record in asked.cursor(*limits, prefetch=MOST_ROWS + 1)]
        except (asyncpg.QueryCanceledError, TimeoutError) as exc:
            raise self.late() from exc
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
            raise Unread("wrong_shape", f"the statement fails: {exc}") from exc
        return rows([column.name for column in asked.get_attributes()], [tuple(record) for record in found])

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        import asyncpg  # noqa: PLC0415 - a megabyte that only this watch needs

        patience = self.timeout.total_seconds()
        try:
            session = await asyncpg.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password.reveal() if self.password else None,
                database=self.database,
                ssl=ssl.create_default_context() if self.tls else False,
                timeout=_HELLO,
                command_timeout=patience + 1.0,
                server_settings={
                    "application_name": "tocsin",
                    "default_transaction_read_only": "on",
                    "statement_timeout": f"{patience * 1000:.0f}",
                },
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as exc:
            raise Unread("connect", f"{self.host}:{self.port}: {exc}") from exc
        try:
            async with session.transaction(readonly=True):
                yield session
        finally:
            session.terminate()


PLUGIN = Postgres
