"""What a channel is shown of an incident, free of any platform, and how far it has caught up."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.core.model.text import Text


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of an incident in one channel, and how far it has caught up.

    `heard` is the last timeline entry told, `shown` the head revision shown. `trying` names the step that was begun
    and whose outcome is not known yet, since `tried_at`; it survives a crash, so that the retry knows to look first.
    `dead` says why a person must act before this copy can go on.
    """

    incident: str
    channel: str
    ref: str = ""
    heard: int = 0
    shown: int = 0
    closed: bool = False
    trying: str = ""
    tried_at: datetime | None = None
    dead: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled value of the head message."""

    label: str
    value: Text


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says, for the table that shows disagreement. `tone` as in `Head`."""

    name: str
    word: str
    tone: str
    since: datetime | None = None
    note: str = ""


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A verb a person can press; `verb` is also the command's name, and `about` what it is about, if no incident."""

    verb: str
    label: str
    style: str = ""
    about: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The one message that always shows the present, free of any platform.

    `tone` is one of `calm minor major critical over` (colour; never the only sign). `push` is the plain line of a
    notification: state and level in its first words. `link` leads to the incident's page, or is empty.
    """

    incident: str
    service: str
    rev: int
    tone: str
    state: str
    level: str
    push: str
    title: str
    sentence: Text
    facts: tuple[Fact, ...] = ()
    sources: tuple[Source, ...] = ()
    foot: Text = ()
    buttons: tuple[Button, ...] = ()
    alt: str = ""
    link: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A reply in a thread. `loud` lines are shown to the whole channel; `calls` asks for the people of its `level`.

    `mention` is whom it calls, in the platform's own notation, put in by whoever knows the channel.
    """

    seq: int
    text: Text
    tone: str
    level: str
    loud: bool = False
    calls: bool = False
    mention: str = ""
