"""The shape of `config.yaml`: its keys, what they hold and what they mean. The field docstrings are its manual."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.config import fields
from bot.config.fields import (
    Address,
    Alarms,
    Canary,
    Clock,
    Cron,
    EmptyDict,
    EmptyList,
    Moment,
    Name,
    PublicUrl,
    Words,
    Zone,
)
from bot.config.holidays import Holidays
from bot.config.plugins import CHATS, SOURCES, one_of
from bot.core.trust import Trust
from bot.fields import Duration, Model, Secret

if TYPE_CHECKING:
    AnyChat = Model
    AnyWatch = Model
else:
    AnyChat = one_of(CHATS)
    AnyWatch = one_of(SOURCES)

Span = Annotated[Duration, AfterValidator(fields.span)]
Width = Annotated[Duration, AfterValidator(fields.width)]


class Token(Model):
    """A bearer token for the HTTP API."""

    name: Name
    """Who uses it; it is what the logs say."""
    secret: Annotated[Secret, AfterValidator(fields.filled)]
    """The token itself. Keep it out of the file: "${TOCSIN_TOKEN}" or !file /run/secrets/token."""
    scopes: Annotated[list[Literal["read", "report", "admin"]], Field(min_length=1)]
    """What it may do: read, report (send reports), admin (act on incidents)."""


class Web(Model):
    """The page, the API and the hooks."""

    listen: Address = fields.Listen("127.0.0.1", 8080)
    """Host and port; 0.0.0.0:8080 to be reached from other machines."""
    public_url: PublicUrl = ""
    """How people reach the page from outside; used for links in the chats."""
    tokens: Annotated[list[Token], EmptyList] = Field(default_factory=list)
    """Who may write to the API. With none, only this machine may."""
    trusted_proxies: Annotated[list[Annotated[str, AfterValidator(fields.network)]], EmptyList] = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1"]
    )
    """Networks of reverse proxies whose X-Forwarded-For is believed: 10.0.0.0/8, or one address."""


class Deadman(Model):
    """A dead-man's switch, such as Healthchecks: it raises the alarm when nothing is heard of Tocsin any more."""

    url: PublicUrl
    """Asked every minute while all is well, and with /fail at its end while something is not."""


class Quiet(Model):
    """Hours in which little is posted in a channel: what begins waits, and comes as one summary at their end."""

    from_: Annotated[Clock, Field(alias="from")]
    """When they begin, in quotes: "22:00"."""
    to: Clock
    """When they end, on the next day where that is not later: "07:00"."""
    zone: Zone = "UTC"
    """Where the clock stands that shows these times: Europe/Berlin."""
    days: Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], Field(min_length=1)] | None = None
    """The days they begin on; every day if not said."""
    unless: Name | None = None
    """The mildest level that is told all the same; the worst of the ladder if not said."""


def _hours(value: object) -> object:
    """One mapping, a list of them, or nothing."""
    return [] if value is None else value if isinstance(value, list) else [value]


class Privacy(Model):
    """What is known of those who report: a keyed hash, and that not for long."""

    new_key_every: Annotated[Duration, AfterValidator(fields.key_life)] = timedelta(days=30)
    """How old the key of those hashes may grow. Two days after it was changed, nobody can be told from the old ones."""


class ReportTrust(Model):
    """Whose reports may call people. All are counted and shown; fresh accounts alone raise no alarm."""

    account_age: Duration = Trust().account_age
    """An account younger than this is fresh, where the chat tells its age (Discord does)."""
    member_for: Duration = Trust().member_for
    """Somebody who joined less than this ago is fresh as well."""
    fresh: Annotated[float, Field(ge=0, le=1)] = Trust().fresh
    """What a fresh voice weighs: 0 nothing, 1 as much as anybody's."""
    visitor: Annotated[float, Field(ge=0, le=1)] = Trust().visitor
    """The same for a visitor of the page, of whom nothing is known; lower it where the page is open to the world."""
    quorum: Annotated[int, Field(ge=1)] = Trust().quorum
    """How many people are enough for a level that names no number of reports, and make a second server a second witness."""


class Channel(Model):
    """A place where threads are opened."""

    chat: Name
    """The connection it belongs to, one of `chats`."""
    channel: Annotated[str, Field(max_length=200)] = ""
    """The id of the channel on that platform, in quotes when it is only digits."""
    mention: Annotated[dict[str, str], EmptyDict] = Field(default_factory=dict)
    """Whom to call at which level, in the platform's own notation."""
    quiet: Annotated[list[Quiet], BeforeValidator(_hours, json_schema_input_type=list[Quiet] | Quiet)] = Field(
        default_factory=list
    )
    """Hours in which little is posted here: {from: "22:00", to: "07:00", zone: Europe/Berlin}, or a list of such."""


class Level(Model):
    """When a level holds: every condition given must hold."""

    reports: Annotated[int, Field(ge=1)] | None = None
    """The least number of different people who report within the window."""
    within: Span = timedelta(minutes=15)
    """The window that reports are counted in."""
    times: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """The least multiple of what is usual for that time of the week."""
    alarms: Alarms | None = None
    """The most false alarms that this level may raise per service; it sets the statistical threshold."""


class WholeLevel(Level):
    """A level with everything that is beneath it put in."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.reports is None and self.times is None and self.alarms is None:
            raise ValueError("a level needs a condition: reports, times or alarms")
        return self


class Policy(Model):
    """How the life of an incident is paced."""

    open_at: Name | None = None
    """The mildest level that opens an incident; the first one if not said."""
    confirm_for: Duration = timedelta(minutes=2)
    """How long it must stay bad before a thread is opened, unless two kinds of evidence agree."""
    quiet_for: Duration = timedelta(minutes=15)
    """How long it must stay calm before the thread is closed."""
    reopen_for: Duration = timedelta(hours=1)
    """For how long after closing a relapse goes on in the same thread."""
    remind_every: Duration = timedelta(0)
    """How often an unacknowledged incident is repeated; 0s never."""


class Grouping(Model):
    """When several services break together and are told as one, in a thread that speaks for all of them."""

    services: Annotated[int, Field(ge=2, le=1000)] = 3
    """So many incidents are a group; two are, where both services depend on the same one."""
    within: Span = timedelta(minutes=5)
    """They are when each opened within this time of another."""


class Route(Model):
    """A channel that hears of a service."""

    channel: Name
    """One of `channels`."""
    from_: Annotated[Name | None, Field(alias="from")] = None
    """The mildest level that is told there; every incident if not said."""
    evidence: Annotated[list[Literal["people", "probe", "vendor", "alert"]], Field(min_length=1)] | None = None
    """Only what one of these speaks for: people, probe, vendor (status pages), alert; whatever speaks if not said."""


def _route(value: object) -> object:
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"channel": value}
    raise ValueError("this must be the name of a channel, or like {channel: ops, from: major}")


class Window(Model):
    """Planned work, in which nobody is alarmed."""

    from_: Annotated[Moment | None, Field(alias="from")] = None
    """When it begins, once: 2026-12-01T22:00Z."""
    cron: Cron | None = None
    """When it begins, again and again: minute, hour, day, month, day of the week."""
    zone: Zone = "UTC"
    """Where the clock stands that the schedule goes by: Europe/Berlin."""
    for_: Annotated[Span, Field(alias="for")]
    """How long it takes."""

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if (self.from_ is None) == (self.cron is None):
            raise ValueError("maintenance begins either at a time (from) or on a schedule (cron); give one of them")
        if self.from_ is not None and self.zone != "UTC":
            raise ValueError("zone belongs to a schedule; give the offset with the time: 2026-12-01T22:00+01:00")
        return self


class Shared(Model):
    """What a service may say, and what `defaults` may say for all of them."""

    name: Words | None = None
    """What people call it; the id if not said."""
    aliases: Annotated[list[Words], EmptyList] = Field(default_factory=list)
    """Other words that mean this service in a command or a report."""
    words: Annotated[list[Words], EmptyList] = Field(default_factory=list)
    """Words to look for where people talk about it."""
    catalogue: Name | None = None
    """An entry of the shipped catalogue, which knows its name, aliases, status page and words."""
    policy: Annotated[Policy, EmptyDict] = Policy()
    """Overrides of the pace."""
    tell: (
        Annotated[list[Annotated[Route, BeforeValidator(_route, json_schema_input_type=Name | Route)]], EmptyList]
        | None
    ) = None
    """The channels that hear of it: names, or {channel: ops, from: major}. All of them if never said."""
    one_voice: Duration = timedelta(minutes=30)
    """For how long one person counts once."""
    depends_on: Annotated[list[Name], EmptyList] = Field(default_factory=list)
    """Services that this one needs; an open incident there is named as a likely cause."""
    maintenance: Annotated[list[Window], EmptyList] = Field(default_factory=list)
    """Planned work."""
    holidays: Holidays = Field(default_factory=list)
    """The holidays of those who use it, in place of what `holidays` says for all; [] for none."""


class Defaults(Shared):
    """Keys under every service that does not say otherwise."""

    levels: Annotated[dict[Name, Level], EmptyDict] = Field(default_factory=dict)
    """Overrides of the ladder, for every service."""
    watch: Annotated[dict[Name, dict[str, Any]], EmptyDict] = Field(default_factory=dict)
    """Watches that every service has."""


class Service(Shared):
    """Something people depend on."""

    levels: Annotated[dict[Name, WholeLevel], EmptyDict] = Field(default_factory=dict)
    """Overrides of the ladder; only what differs."""
    watch: Annotated[dict[Name, AnyWatch], EmptyDict] = Field(default_factory=dict)
    """What is asked about it, by a name of your choice. None is fine: people's reports are counted all the same."""


class File(Model):
    """A whole `config.yaml`. Every key is optional."""

    data: Annotated[str, Field(min_length=1)] = "./data"
    """The folder that holds all state, from the folder of this file."""
    web: Annotated[Web, EmptyDict] = Web()
    """The page, the API and the hooks."""
    tick: Width = timedelta(minutes=1)
    """The width of the buckets that reports are counted in; small values are for tests."""
    deadman: Deadman | None = None
    """Who watches the watcher."""
    canaries: Annotated[list[Canary], EmptyList, Field(max_length=10)] = Field(default_factory=list)
    """Pages of others that ought to answer, asked only when a probe reaches nothing: when none does, the fault is ours."""
    chats: Annotated[dict[Name, AnyChat], EmptyDict] = Field(default_factory=dict)
    """Connections to the platforms where threads live; the built-in page if not said."""
    channels: Annotated[dict[Name, Channel], EmptyDict] = Field(default_factory=dict)
    """Places in those chats."""
    report_trust: Annotated[ReportTrust, EmptyDict] = ReportTrust()
    """Whose reports may call people."""
    privacy: Annotated[Privacy, EmptyDict] = Privacy()
    """What is known of those who report."""
    levels: Annotated[dict[Name, WholeLevel], EmptyDict] = Field(default_factory=dict)
    """The ladder: names of your choice, mildest first."""
    policy: Annotated[Policy, EmptyDict] = Policy()
    """How the life of an incident is paced."""
    holidays: Holidays = Field(default_factory=list)
    """When people live otherwise than their week has it: countries and days, [US, DE-BY, 2026-12-24, 12-31]."""
    grouping: Grouping | None = None
    """Tell as one what breaks together: {} for three services within 5m. Each is told alone if not said."""
    defaults: Annotated[Defaults, EmptyDict] = Defaults()
    """What every service has unless it says otherwise."""
    services: Annotated[dict[Name, Annotated[Service, EmptyDict]], EmptyDict] = Field(default_factory=dict)
    """What is watched, by id."""
    include: Annotated[list[str], EmptyList] = Field(default_factory=list)
    """More files, from the folder of this one: services.d/*.yaml. Each holds keys of this file."""
