"""What the rest of the program reads: the configuration, complete, checked and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.config.errors import Problem
from bot.core.grouping import Rule
from bot.core.holidays import Calendar
from bot.core.model import Policy
from bot.core.quiet import Quiet
from bot.core.trust import Trust
from bot.fields import Model, Secret


@dataclass(frozen=True, kw_only=True)
class Token:
    """A bearer token; `scopes` is a subset of `read report admin`."""

    name: str
    secret: Secret
    scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Web:
    """Where the page is served. `public_url` has no slash at its end and may be empty."""

    listen_host: str
    listen_port: int
    public_url: str
    tokens: tuple[Token, ...]
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A place in a chat; `mention` maps a level to the platform's own mention text, `quiet` are its quiet hours."""

    chat: str
    channel: str
    mention: Mapping[str, str]
    quiet: tuple[Quiet, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LevelRule:
    """When a level holds; a condition that is None was not given. `line` is where it was written: `config.yaml:41`."""

    name: str
    reports: int | None
    within: timedelta
    times: float | None
    alarms_per_month: float | None
    line: str


@dataclass(frozen=True, kw_only=True)
class Route:
    """A channel that hears of a service from a level on; the empty string means from every level.

    With `evidence` it hears only of what one of these kinds speaks for.
    """

    channel: str
    from_level: str
    evidence: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Window:
    """Planned work: once from `start`, or whenever `cron` says (five fields, by clocks in `zone`)."""

    start: datetime | None
    cron: str
    lasts: timedelta
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """A service with everything beneath it put in. `levels` is the whole ladder, mildest first."""

    id: str
    name: str
    aliases: tuple[str, ...]
    words: tuple[str, ...]
    levels: tuple[LevelRule, ...]
    policy: Policy
    one_voice: timedelta
    watches: Mapping[str, Model]
    tell: tuple[Route, ...]
    depends_on: tuple[str, ...]
    maintenance: tuple[Window, ...]
    holidays: Calendar = field(default_factory=Calendar)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole configuration. `chats` and `watches` hold the plugins themselves.

    `levels` are the names of the ladder, mildest first. `files` are every file and folder that was looked at:
    when one changes, read again. `deadman` is the address of a dead-man's switch, or empty; `canaries` are pages that prove our own connection;
    `grouping` is when several incidents are told as one, None never; `trust` says whose reports may call people. `warnings` are for the log; they stop nothing.
    """

    path: Path
    data: Path
    web: Web
    tick: timedelta
    levels: tuple[str, ...]
    chats: Mapping[str, Model]
    channels: Mapping[str, Channel]
    services: Mapping[str, ServiceSettings]
    files: tuple[Path, ...]
    warnings: tuple[Problem, ...]
    deadman: str = ""
    trust: Trust = field(default_factory=Trust)
    canaries: tuple[str, ...] = ()
    grouping: Rule | None = None
    new_key_every: timedelta = timedelta(days=30)
