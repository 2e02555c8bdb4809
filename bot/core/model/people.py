"""What a person asks, what is asked back, and the answer."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.core.model.posts import Button, Head
from bot.core.model.text import Text


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks. `chat` is the connection's name (`slack`, `page`, ...); `id` is unique within it.

    Where the chat tells: `made_at` is when the account was made, `joined_at` since when it is a member, `place` the server.
    """

    chat: str
    id: str
    name: str
    made_at: datetime | None = None
    joined_at: datetime | None = None
    place: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command, a button or a form, whichever door it came through.

    `target` is a service or an incident in the person's own words; `incident` is the id known from the thread or the
    button, if any. `channel` is the configured channel's name when it came from one. `span` is a duration in words, as
    `level` is the name of a level. `right` is the most that this person may do: see `bot.core.rights`.
    """

    verb: str
    who: Person
    target: str = ""
    text: str = ""
    incident: str = ""
    channel: str = ""
    symptom: str = ""
    region: str = ""
    platform: str = ""
    level: str = ""
    span: str = ""
    right: str = "admin"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a form: words when it has no options, else one of the (value, label) pairs.

    `name` is the part of the `Request` that it fills; `value` is what stands there at first.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    value: str = ""
    needed: bool = False


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat asks before a request can be answered. `about` says what will happen; sending it is the consent."""

    verb: str
    title: str
    submit: str
    fields: tuple[Field, ...]
    about: tuple[Text, ...] = ()
    incident: str = ""
    target: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who asked gets back, privately. `ok` False: nothing was changed, and `lines` say what to do.

    `png` is a chart, and `alt` says what it shows. `aloud`: everybody sees it where it was asked.
    """

    lines: tuple[Text, ...]
    ok: bool = True
    aloud: bool = False
    head: Head | None = None
    buttons: tuple[Button, ...] = ()
    png: bytes = b""
    alt: str = ""
