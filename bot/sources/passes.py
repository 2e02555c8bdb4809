"""The right to ask an API for an hour, got with an app's id and secret (OAuth 2.0 client credentials, RFC 6749, 4.4)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.fields import Secret
from bot.ports import Http, Reply
from bot.sources.fetching import fetched
from bot.sources.pages import Unread
from bot.sources.wire import decoded, mapping, word

_LATE = 0.8  # renewed when so much of its life is over


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where a pass is got, and with what: the address, what is sent there, and the app that asks."""

    url: str
    client_id: str
    client_secret: Secret
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool = False

    @property
    def sent(self) -> dict[str, str]:
        """The headers of the request for a pass."""
        who = b64encode(f"{self.client_id}:{self.client_secret.reveal()}".encode()).decode()
        form = {"Content-Type": "application/x-www-form-urlencoded"} if self.body else {}
        return {**self.headers, **form, "Authorization": f"Basic {who}"}


@dataclass
class Pass:
    """A token and when to renew it. It is lost with the process, and no part of what a watch is compared by."""

    token: str = field(default="", compare=False)
    until: datetime | None = field(default=None, compare=False)

    async def ask(self, http: Http, url: str, now: datetime, office: Office) -> Reply:
        """Ask with the pass; one that was taken back early is got anew, once.

        Raises:
            Unread: there is no pass to be had, or no usable answer.
        """
        if self.until is None or now >= self.until:
            await self._renew(http, now, office)
        try:
            return await self._asked(http, url, now, office)
        except Unread as exc:
            if exc.error != "http_401":
                raise
        await self._renew(http, now, office)
        return await self._asked(http, url, now, office)

    async def _asked(self, http: Http, url: str, now: datetime, office: Office) -> Reply:
        headers = {**office.headers, "Authorization": f"Bearer {self.token}"}
        return await fetched(http, url, now, headers=headers, allow_private=office.allow_private)

    async def _renew(self, http: Http, now: datetime, office: Office) -> None:
        self.until = None
        reply = await fetched(
            http,
            office.url,
            now,
            headers=office.sent,
            allow_private=office.allow_private,
            body=office.body,
            method="POST",
        )
        answer = mapping(decoded(reply.body))
        token, lasts = word(answer.get("access_token"), 4_000), answer.get("expires_in")
        if not token or not (token.isascii() and token.isprintable()):
            raise Unread("wrong_shape", "there is no token in the answer; are the app's id and secret right?")
        seconds = lasts if isinstance(lasts, int) and 60 <= lasts <= 86_400 else 600
        self.token, self.until = token, now + timedelta(seconds=_LATE * seconds)
