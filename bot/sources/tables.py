"""What all feeds that ask a database have in common: one statement, and rows of a time, a number and known words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.core.reports import Cell
from bot.fields import Duration
from bot.sources.counting import BucketFeed, Row, Span, cell, number
from bot.sources.pages import Unread
from bot.sources.times import moment

MOST_ROWS = 20_000


class TableFeed(BucketFeed):
    """A feed whose counts are the rows of a statement."""

    empty: Literal["zero", "unknown"] = "zero"
    """What a bucket without a row means: `zero`, or `unknown`, which is a gap."""
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=1))] = timedelta(seconds=10)
    """How long the statement may take."""

    def filled(self, found: Sequence[Row], span: Span) -> Iterable[Row]:
        """The rows, with zeros for the buckets that have none where that is what `empty` says."""
        if self.empty == "unknown":
            return found
        known = {span.start(at) for at, _, _ in found}
        return [*found, *((start, 0.0, Cell()) for start in span.starts if start not in known)]

    def late(self) -> Unread:
        """The statement took too long."""
        return Unread("timeout", f"the statement takes longer than {self.timeout.total_seconds():g} s")


def rows(names: Sequence[str], raw: Sequence[Sequence[Any]]) -> list[Row]:
    """What a database gave, by the names of its columns.

    Raises:
        Unread: it is no time and number, or more than `MOST_ROWS`.
    """
    if len(names) < 2 or len(raw) > MOST_ROWS:
        raise Unread("wrong_shape", "the statement must give a time and a number, and not more rows than buckets")
    columns = [name.lower() for name in names]
    return [_row(columns, values) for values in raw]


def _row(names: list[str], values: Sequence[Any]) -> Row:
    first = values[0]
    at = moment(first.isoformat() if isinstance(first, datetime) else first)
    if at is None:
        raise Unread("wrong_shape", f"the first column holds {str(first)[:50]!r}, which is no time")
    return at.timestamp(), number(values[1]), cell(dict(zip(names, values, strict=True)))
