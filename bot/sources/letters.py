"""What all hooks have in common: their secret, and how the alerts in a letter are read without trusting a word of it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator

from bot.core.alerts import Alert
from bot.core.model import Evidence, Health
from bot.fields import Duration, Model
from bot.ports import Heard, Http, Letter
from bot.sources.seals import Secrets, keyed
from bot.sources.wire import plain

Severity = Literal["degraded", "partial_outage", "major_outage"]

_KEY, _TITLE, _URL = 200, 200, 500
_SEVERITIES: Mapping[str, Health | None] = {
    **dict.fromkeys(("critical", "page", "fatal", "emergency", "disaster", "p1", "sev1"), Health.MAJOR_OUTAGE),
    **dict.fromkeys(("error", "high", "major", "p2", "sev2"), Health.PARTIAL_OUTAGE),
    **dict.fromkeys(("warning", "warn", "average", "minor", "p3", "p4", "sev3", "sev4"), Health.DEGRADED),
    **dict.fromkeys(("info", "informational", "none", "debug", "p5", "sev5"), None),
}


def _patience(value: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= value <= timedelta(days=30):
        raise ValueError("this must be between 1m and 30d")
    return value


class Told(Model):
    """A hook that tells of alerts: what fires counts until the sender takes it back."""

    evidence: ClassVar[Evidence] = Evidence.ALERT

    secret: Secrets
    """What proves the sender. Give a list of two while one replaces the other."""
    forget_after: Annotated[Duration, AfterValidator(_patience)] = timedelta(hours=24)
    """An alert that is not heard of for so long counts as over: the word that it ended may have been lost."""
    means: Severity = "degraded"
    """What an alert means that does not say how bad it is."""

    async def hear(self, letter: Letter, http: Http) -> Heard:  # noqa: ARG002 - most proofs need no web
        """Check who sends, then read."""
        self.prove(letter)
        return Heard(alerts=self.read(letter))

    def prove(self, letter: Letter) -> None:
        """Unsigned kinds send the secret itself; signed ones say otherwise.

        Raises:
            Forbidden: the sender has not proved who it is.
        """
        keyed(letter, self.secret)

    @abstractmethod
    def read(self, letter: Letter) -> tuple[Alert, ...]:
        """The news of alerts in a letter that was proved.

        Raises:
            ValueError: it cannot be read; the words say what would be right.
        """

    def weight(self, severity: object) -> Health | None:
        """How bad a sender's word for the severity is; None for what is mere information."""
        said = scalar(severity).strip().lower()
        known = f"p{said}" if said in {"1", "2", "3", "4", "5"} else said
        return _SEVERITIES.get(known, Health[self.means.upper()])


def document(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body.

    Raises:
        ValueError: with the reason in words.
    """
    found = decoded(body)
    if isinstance(found, dict):
        return found
    raise ValueError("the body must be a JSON object")


def decoded(body: bytes) -> Any:
    """The JSON of a body, strictly.

    Raises:
        ValueError: with the reason in words.
    """
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise ValueError(f"the body is not JSON ({exc})") from exc


def alert(
    key: object,
    health: Health,
    *,
    title: object = "",
    url: object = "",
    id: str = "",  # noqa: A002 - the word of the noun
    started: datetime | None = None,
    at: datetime | None = None,
) -> Alert:
    """An alert within its limits: plain words, a link of the web or none, and a key that is always short."""
    return Alert(
        key=short(scalar(key)),
        health=health,
        title=plain(title, _TITLE).replace("\n", " "),
        url=link(url),
        id=id,
        started=started,
        at=at,
    )


def short(key: str) -> str:
    """A key as it is, or its digest where it is too long to keep."""
    if 0 < len(key) <= _KEY and key.isprintable():
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def scalar(value: object) -> str:
    """A string, a number or a truth as text; nothing for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def link(value: object) -> str:
    """An address of the web that people can follow, else nothing."""
    text = value if isinstance(value, str) and len(value) <= _URL else ""
    try:
        fine = urlsplit(text).scheme in ("http", "https") and bool(urlsplit(text).hostname)
    except ValueError:
        fine = False
    return text if fine and text.isprintable() and not any(c in text for c in ' "<>`') else ""
