"""Counts of Downdetector, by its Enterprise API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, PrivateAttr

from bot.core.places import region, symptom
from bot.core.reports import Cell
from bot.fields import Secret
from bot.ports import Errand, Http, Reply
from bot.sources.counting import CountFeed, Row, Span, number
from bot.sources.pages import Unread
from bot.sources.passes import Office, Pass
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows, word

Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,100}$", examples=["teams"])]


def _country(value: str) -> str:
    code = region(value)
    if not code:
        raise ValueError(f"{value!r} is no country; write its code, such as DE or US")
    return code


class Downdetector(CountFeed):
    """What people report to Downdetector, by quarters of an hour, from its paid Enterprise API (version 2).

    A company has a slug on the site of each country; several are added up. With `company`, the id behind one of them,
    the reports are told apart by the problem that people chose. The public web site is not read: its terms forbid that.
    """

    again: ClassVar[timedelta] = timedelta(hours=1)
    width: ClassVar[timedelta] = timedelta(minutes=15)
    settling: ClassVar[timedelta] = timedelta(minutes=1)

    kind: Literal["downdetector"]
    """The word that says what this watch is."""
    client_id: Annotated[str, Field(min_length=1, max_length=200, examples=["your-client-id"])]
    """The id that Downdetector gave you."""
    client_secret: Secret
    """The secret that belongs to it."""
    slugs: Annotated[list[Slug], Field(min_length=1, max_length=20, examples=[["teams"]])]
    """The companies, as the addresses of their pages end."""
    company: int | None = Field(default=None, gt=0)
    """The id of the company whose problems are asked for."""
    region: Annotated[str, AfterValidator(_country)] | None = None
    """The country whose site this is."""
    url: WebAddress = "https://downdetectorapi.com/v2"
    """The address of the API."""
    every: Interval = timedelta(minutes=2)
    """How often to ask."""
    _pass: Pass = PrivateAttr(default_factory=Pass)

    async def count(self, http: Http, errand: Errand, span: Span) -> Iterable[Row]:
        """The reports of each quarter, shared out by what people chose in that time."""
        between = {"startdate": _stamp(span.first), "enddate": _stamp(span.last)}
        asked = urlencode({"interval": "15m", **between})
        reply = await self._ask(http, f"/slugs/{','.join(self.slugs)}/reports?{asked}", errand.now)
        shares: Sequence[tuple[str, float]] = ()
        if self.company is not None:
            path = f"/companies/{self.company}/indicators?{urlencode(between)}"
            shares = self.shares((await self._ask(http, path, errand.now)).body)
        return self.read(reply.body, shares)

    def read(self, body: bytes, shares: Sequence[tuple[str, float]] = ()) -> list[Row]:
        """The quarters of an answer; `shares` are the parts of the symptoms, 1 in all.

        Raises:
            Unread: it is no series of reports.
            ValueError: it is not even JSON.
        """
        answer = decoded(body)
        points = rows(answer)
        if not isinstance(answer, list) or len(points) < len(answer):
            raise Unread("wrong_shape", _complaint(answer))
        found: list[Row] = []
        for point in points:
            at, total = moment(point.get("point_in_time")), number(point.get("total"))
            if at is None or "total" not in point:
                raise Unread("wrong_shape", "a point has no time or no total")
            chosen = number(point.get("indicators"))
            told = chosen if shares and 0 <= chosen <= total else 0.0
            found += _parted(at.timestamp(), total, told, shares, self.region or "")
        return found

    def shares(self, body: bytes) -> Sequence[tuple[str, float]]:
        """Which part of the reports speaks of which symptom.

        Raises:
            Unread: it is no list of problems.
            ValueError: it is not even JSON.
        """
        answer = decoded(body)
        if not isinstance(answer, list):
            raise Unread("wrong_shape", _complaint(answer))
        amounts = [(symptom(word(row.get("indicator"))), number(row.get("amount"))) for row in rows(answer, 50)]
        known = [(code or "other", amount) for code, amount in amounts if 0 < amount < 1e9]
        total = sum(amount for _, amount in known)
        return [(code, amount / total) for code, amount in known]

    async def _ask(self, http: Http, path: str, now: datetime) -> Reply:
        office = Office(
            url=f"{self.url}/tokens?grant_type=client_credentials",
            client_id=self.client_id,
            client_secret=self.client_secret,
            allow_private=self.allow_private,
        )
        return await self._pass.ask(http, self.url + path, now, office)


PLUGIN = Downdetector


def _parted(at: float, total: float, told: float, shares: Sequence[tuple[str, float]], place: str) -> Iterator[Row]:
    """A quarter by symptoms: those who chose one, by their shares, and the rest who only wrote somewhere."""
    for code, share in shares:
        yield at, told * share, Cell(region=place, symptom=code)
    yield at, total - told, Cell(region=place)


def _complaint(answer: object) -> str:
    said = word(mapping(answer).get("message"))
    return f"Downdetector says: {said}" if said else "this is no answer of Downdetector's API"


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
