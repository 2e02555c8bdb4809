"""Microsoft 365: the service health that Microsoft Graph tells an application of your own tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import urlencode

from pydantic import Field, PrivateAttr

from bot.core.model import Health, Signal
from bot.fields import Secret
from bot.ports import Http, Reply, Unreachable
from bot.sources.notices import Raw, Told, checked, later, lower
from bot.sources.pages import Found, Page, Part, Unread
from bot.sources.times import moment
from bot.sources.wire import Interval, WebAddress, decoded, mapping, rows, wait_asked, word

_FINE = {
    *("serviceOperational", "serviceRestored", "falsePositive", "postIncidentReviewPublished"),
    *("resolved", "mitigated", "resolvedExternal", "mitigatedExternal"),
}
_STATES = {**dict.fromkeys(_FINE, Health.OPERATIONAL), "serviceInterruption": Health.MAJOR_OUTAGE}
_EARLY = timedelta(minutes=5)
_PAGE = "https://admin.microsoft.com/servicehealth"


@dataclass
class _Pass:
    """The token that Microsoft gave, and until when it is good: kept so as not to ask for one at every look."""

    token: str = field(default="", compare=False)
    until: datetime | None = field(default=None, compare=False)


class M365(Page):
    """The service health of Microsoft 365, as your own tenant sees it.

    Register an application in Microsoft Entra with the permission `ServiceHealth.Read.All` (application, consented by an
    administrator) and a client secret. `components` are services, such as `Microsoft Teams`.
    """

    needed: ClassVar[int] = 2

    kind: Literal["m365"]
    """The word that says what this watch is."""
    url: WebAddress = "https://graph.microsoft.com"
    """Where Microsoft Graph is; national clouds have their own."""
    login: WebAddress = "https://login.microsoftonline.com"
    """Where tokens are given out."""
    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]{1,100}$")
    """The tenant's id or domain."""
    client: str = Field(pattern=r"^[A-Za-z0-9-]{1,100}$")
    """The application's (client) id."""
    secret: Secret
    """The application's client secret."""
    every: Interval = timedelta(minutes=5)
    """How often to look."""
    _pass: _Pass = PrivateAttr(default_factory=_Pass)

    def addresses(self) -> Sequence[str]:
        """The services with their states, and what is not resolved."""
        graph = f"{self.url}/v1.0/admin/serviceAnnouncement"
        return f"{graph}/healthOverviews", f"{graph}/issues?$filter=isResolved%20eq%20false&$top=100"

    def sent(self) -> dict[str, str]:
        """The proof of who asks."""
        return {"Authorization": f"Bearer {self._pass.token}"}

    async def look(self, http: Http, now: datetime) -> Signal:
        """Read the health once, with a new token where the last one has run out or was refused."""
        try:
            await self._renew(http, now)
        except Unread as exc:
            return Signal(at=now, url=_PAGE, error=exc.error, note=str(exc), wait=exc.wait)
        signal = await self._asked(http, self.addresses(), now)
        if signal.error == "http_401":
            self._pass.until = None
        return signal

    async def _renew(self, http: Http, now: datetime) -> None:
        if self._pass.until and now < self._pass.until - _EARLY:
            return
        wanted = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_secret": self.secret.reveal(),
            "scope": f"{self.url}/.default",
        }
        self._pass.token, lasts = _given(await self._posted(http, urlencode(wanted).encode()), now)
        self._pass.until = now + lasts

    async def _posted(self, http: Http, body: bytes) -> Reply:
        try:
            return await http.get(
                f"{self.login}/{self.tenant}/oauth2/v2.0/token",
                method="POST",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=body,
                allow_private=self.allow_private,
                conditional=False,
            )
        except Unreachable as exc:
            raise Unread(exc.kind, str(exc)) from exc

    def found(self, bodies: Sequence[bytes], now: datetime) -> Found:
        """What both lists say; the anchor is that every service has a state."""
        services, issues = (mapping(decoded(body)).get("value") for body in bodies)
        listed = rows(services, 200)
        if not listed or not all(word(row.get("status")) for row in listed) or not isinstance(issues, list):
            raise Unread("wrong_shape", "this is JSON, and not the service health of Microsoft Graph")
        parts = [_part(row) for row in listed]
        return Found(
            told=[_told(row, now) for row in rows(issues, 200)],
            overall=max(part.health for part in parts if part.health is not None),
            parts=parts,
            url=_PAGE,
            hesitant=True,
        )


PLUGIN = M365


def _given(reply: Reply, now: datetime) -> tuple[str, timedelta]:
    """The token, and how long it lasts (RFC 6749, 5.1 and 5.2)."""
    try:
        answer = mapping(decoded(reply.body))
    except ValueError:
        answer = {}
    token, lasts = word(answer.get("access_token"), 20_000), answer.get("expires_in")
    if reply.status != 200 or not token or not token.isascii() or not isinstance(lasts, int):
        why = word(answer.get("error"), 100) or f"it answered {reply.status}"
        raise Unread(f"http_{reply.status}", f"no token from Microsoft: {why}", wait_asked(reply, now))
    return token, timedelta(seconds=min(max(lasts, 60), 86_400))


def _part(row: Mapping[str, Any]) -> Part:
    return Part(health=_health(row.get("status")), names=lower((row.get("service"), row.get("id"))))


def _health(state: object) -> Health:
    return _STATES.get(word(state), Health.DEGRADED)


def _told(row: Mapping[str, Any], now: datetime) -> Told:
    posts = rows(row.get("posts"), 200)
    latest = max(posts, key=lambda post: later(moment(post.get("createdDateTime"))), default={})
    health = _health(row.get("status"))
    over = row.get("isResolved") is True or health is Health.OPERATIONAL
    return checked(
        Raw(
            now=now,
            id=row.get("id"),
            title=f"{word(row.get('service'))}: {word(row.get('title'), 500)}".removeprefix(": "),
            phase="resolved" if over else "investigating",
            impact=health,
            began=moment(row.get("startDateTime")),
            changed=(moment(row.get("lastModifiedDateTime")), moment(latest.get("createdDateTime"))),
            ended=moment(row.get("endDateTime")),
            url=_PAGE,
            body=mapping(latest.get("description")).get("content"),
            names=(row.get("service"),),
        )
    )
