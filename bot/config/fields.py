"""The field types of `config.yaml` itself: names, addresses, budgets, moments, and forgiving containers."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema

from bot.config.scalars import Dated
from bot.fields import Secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?[ ]*(Z|z|[+-]\d{2}(:?\d{2})?)?)?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_ALARMS = re.compile(r"([1-9]\d{0,3})/(day|week|month|year)")
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.0, "year": 365.0}
_HOST = re.compile(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
_SMALLEST, _LARGEST = timedelta(seconds=1), timedelta(days=7)
_CRON = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


class Listen(NamedTuple):
    """Where the page is served: a host or address, and a port (0 takes any free one)."""

    host: str
    port: int


def name(value: str) -> str:
    """A name that is safe in a URL and in a command.

    Raises:
        ValueError: saying which characters may be used.
    """
    if not _NAME.fullmatch(value):
        raise ValueError(f"'{value[:64]}' cannot be a name; use up to 64 letters, digits, dots, dashes and underscores")
    return value


def listen(value: object) -> Listen:
    """Read `127.0.0.1:8080`, `[::1]:8080` or `localhost:8080`.

    Raises:
        ValueError: when that is not a host and a port.
    """
    if isinstance(value, Listen):
        return value
    host, _, port = str(value).rpartition(":")
    if not _HOST.fullmatch(host) or not re.fullmatch(r"\d{1,5}", port) or int(port) > 65535:
        raise ValueError(
            "this is not a host and a port; write it like 127.0.0.1:8080, or 0.0.0.0:8080 for every address"
        )
    return Listen(host.strip("[]"), int(port))


def public_url(value: str) -> str:
    """An address that people can follow, without a slash at its end; the empty string is none.

    Raises:
        ValueError: when it is not an address of the web.
    """
    try:
        parts = urlsplit(value)
        fine = not value or (parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value))
    except ValueError:
        fine = False
    if not fine or (value and (parts.query or parts.fragment)):
        raise ValueError("this is not the address of a page; write it like https://status.example.org")
    return value.rstrip("/")


def alarms(value: object) -> float:
    """Read a budget of false alarms such as `1/week`; answers alarms per 30 days.

    Raises:
        ValueError: when that is not a budget.
    """
    if isinstance(value, float):
        return value
    found = _ALARMS.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("this is not a budget of alarms; write it like 1/week, 2/month or 1/day")
    return int(found[1]) * 30.0 / _DAYS[found[2]]


def moment(value: object) -> datetime:
    """Read an RFC 3339 time; without a zone it is UTC.

    Raises:
        ValueError: when there is no such time.
    """
    if isinstance(value, datetime):
        return value
    text = value.text if isinstance(value, Dated) else value
    if not isinstance(text, str) or not _MOMENT.fullmatch(text):
        raise ValueError("this is not a time; write it like 2026-12-01T22:00Z")
    try:
        read = datetime.fromisoformat(text.upper().replace(" ", "T", 1).replace(" ", ""))
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such time; write it like 2026-12-01T22:00Z") from error


def clock(value: object) -> time:
    """Read a time of day, `22:00`; 24:00 is the midnight at its end.

    Raises:
        ValueError: when no clock shows that.
    """
    if isinstance(value, time):
        return value
    text = value.zfill(5) if isinstance(value, str) else ""
    if text == "24:00":
        return time()
    if not _CLOCK.fullmatch(text):
        raise ValueError('this is not a time of day; write it in quotes like "22:00"')
    return time.fromisoformat(text)


def zone(value: str) -> str:
    """Check the name of a time zone.

    Raises:
        ValueError: when there is none of that name.
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"there is no time zone '{value[:64]}'; write it like Europe/Berlin, America/New_York or UTC"
        ) from error
    return value


def cron(value: str) -> str:
    """Check a schedule of five fields: minute, hour, day, month, day of the week (`0 3 * * sun`).

    Raises:
        ValueError: naming the field that is wrong.
    """
    fields = value.lower().split()
    if len(fields) != len(_CRON):
        raise ValueError("a schedule has five fields: minute, hour, day, month and day of the week, like 0 3 * * sun")
    for written, (field, low, high, words) in zip(fields, _CRON, strict=True):
        if not all(_slot(slot, low, high, words) for slot in written.split(",")):
            raise ValueError(
                f"'{written[:32]}' cannot be the {field}; that goes from {low} to {high}, like * or {low} or {low}-{high} or */2"
            )
    return " ".join(fields)


def _slot(slot: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    span, slash, step = slot.partition("/")
    if slash and not re.fullmatch("[1-9][0-9]?", step):
        return False
    if span == "*":
        return True
    ends = [words.index(end) + low if end in words else _digits(end) for end in span.split("-")]
    return len(ends) <= 2 and ends == sorted(ends) and low <= ends[0] and ends[-1] <= high


def _digits(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,2}", text) else -1


def filled(value: Secret) -> Secret:
    """A secret that is one.

    Raises:
        ValueError: when it is empty, as a variable that was set to nothing is.
    """
    if not value.reveal().strip():
        raise ValueError("this secret is empty; set the variable or fill the file that it comes from")
    return value


def span(value: timedelta) -> timedelta:
    """A window that can be counted over.

    Raises:
        ValueError: when it is shorter than a second or longer than a week.
    """
    if not _SMALLEST <= value <= _LARGEST:
        raise ValueError("this must be between 1s and 7d")
    return value


def width(value: timedelta) -> timedelta:
    """The width of a bucket.

    Raises:
        ValueError: when it is shorter than a second, longer than an hour, or not whole seconds.
    """
    if not _SMALLEST <= value <= timedelta(hours=1) or value.microseconds:
        raise ValueError("this must be whole seconds, between 1s and 1h")
    return value


def canary(value: str) -> str:
    """A page that proves name servers, certificates, clock and line all at once.

    Raises:
        ValueError: when it proves less.
    """
    host = urlsplit(public_url(value)).hostname or ""
    if not value.startswith("https://") or not any(c.isalpha() for c in host) or ":" in host:
        raise ValueError("a canary must be https and go by a name, or it proves too little; like https://example.com")
    return value


def network(value: str) -> str:
    """An address or a network of them.

    Raises:
        ValueError: when it is neither.
    """
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError as error:
        raise ValueError(f"{value!r} is no network; write 10.0.0.0/8, 2001:db8::/32 or one address") from error
    return value


def key_life(value: timedelta) -> timedelta:
    """How long a key may live, while the one before it still lives for two days.

    Raises:
        ValueError: when it is shorter than three days or longer than a year.
    """
    if not timedelta(days=3) <= value <= timedelta(days=366):
        raise ValueError("this must be between 3d and 366d")
    return value


def _nothing_is(empty: Callable[[], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: empty() if value is None else value)


Name = Annotated[str, AfterValidator(name), WithJsonSchema({"type": "string", "pattern": f"^({_NAME.pattern})$"})]
Words = Annotated[str, Field(min_length=1, max_length=200)]
PublicUrl = Annotated[str, AfterValidator(public_url)]
Canary = Annotated[str, AfterValidator(canary)]
Address = Annotated[
    Listen,
    PlainValidator(listen),
    WithJsonSchema({"type": "string", "pattern": r"^.+:\d{1,5}$", "examples": ["127.0.0.1:8080"]}),
]
Alarms = Annotated[
    float,
    BeforeValidator(alarms),
    WithJsonSchema({"type": "string", "pattern": f"^{_ALARMS.pattern}$", "examples": ["1/week", "1/month"]}),
]
Moment = Annotated[
    datetime, BeforeValidator(moment), WithJsonSchema({"type": "string", "examples": ["2026-12-01T22:00Z"]})
]
Clock = Annotated[
    time, BeforeValidator(clock), WithJsonSchema({"type": "string", "pattern": r"^\d?\d:\d\d$", "examples": ["22:00"]})
]
Zone = Annotated[str, AfterValidator(zone), Field(examples=["Europe/Berlin", "UTC"])]
Cron = Annotated[str, AfterValidator(cron), Field(examples=["0 3 * * sun"])]
EmptyList = _nothing_is(list)
EmptyDict = _nothing_is(dict)
