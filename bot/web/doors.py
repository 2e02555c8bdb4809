"""At the door: who is asking, whether they may, and whether a form was really sent from our own page."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.access import Token, at_home, same_site
from bot.web.buckets import Buckets
from bot.web.house import House
from bot.web.routes import Route, refuse, too_many

VISITOR, SESSION = "tocsin_visitor", "tocsin_session"
_COOKIE = re.compile(r"[A-Za-z0-9_-]{22,64}")
_VISIT, _SESSION = timedelta(days=30), timedelta(hours=12)
_MOST_SESSIONS = 1_000
_SAFE = ("GET", "HEAD")
_HOME_ONLY = (
    "writing is open to this very machine only; to write from elsewhere, add a token under web.tokens in config.yaml"
)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever asks. `name` is the token's, or empty; `visitor` is the cookie of a page's visitor, fresh or not."""

    scopes: frozenset[str]
    name: str = ""
    visitor: str = ""

    def may(self, needs: str) -> bool:
        """True when `open read report admin` is within reach."""
        return needs in self.scopes


CALLER = web.RequestKey("caller", Caller)


class Doors:
    """Judges every request. Sessions are kept in memory: a restart asks for the token again, nothing else is lost."""

    def __init__(self, house: House) -> None:
        self._access = house.access
        self._clock = house.clock
        self._key = house.key
        self._public = urlsplit(house.public_url)
        self._sessions: dict[str, tuple[Token, datetime]] = {}
        self._reports = Buckets(house.clock, burst=30, per_second=0.5)
        self._tries = Buckets(house.clock, burst=10, per_second=1 / 6)

    def caller(self, request: web.Request, *, page: bool) -> Caller:
        """Who is asking, by token, session or place; on a page, a visitor without our cookie gets a fresh one.

        Raises:
            web.HTTPUnauthorized: there is a token, and it is none of ours.
        """
        visitor = _visitor(request) if page else ""
        reading = frozenset({"open"} if self._access.guarded else {"open", "read"})
        token = self._bearer(request.headers) or self._session(request)
        if token is not None:
            scopes = {scope for scope in ("read", "report", "admin") if token.opens(scope)}
            return Caller(scopes=reading | scopes, name=token.name, visitor=visitor)
        if not self._access.tokens and _local(request):
            return Caller(scopes=reading | {"read", "report", "admin"}, visitor=visitor)
        return Caller(scopes=reading, visitor=visitor)

    def knows(self, peer: str, headers: Mapping[str, str], needs: str) -> bool:
        """True for somebody with these headers who may do that: by token, or by place while there are no tokens.

        For what no browser sends by itself: nobody looks for a session or another site's page here.
        """
        try:
            token = self._bearer(headers)
        except web.HTTPUnauthorized:
            return False
        if token is not None:
            return token.opens(needs)
        return not self._access.tokens and at_home(peer, headers.get("Host", ""), headers)

    def admit(self, request: web.Request, caller: Caller, route: Route) -> None:
        """Let the caller pass, if the route is open to them.

        Raises:
            web.HTTPError: 401 without a token, 403 with one that is not enough or when another site sent this.
        """
        if caller.may(route.needs):
            if request.method not in _SAFE and "Authorization" not in request.headers:
                self._refuse_strangers(request)
            return
        if route.needs != "read" and not self._access.tokens:
            raise refuse(web.HTTPForbidden, _HOME_ONLY)
        if caller.name:
            why = f"the token {caller.name!r} lacks the scope {route.needs!r}; add it under web.tokens in config.yaml"
            raise refuse(web.HTTPForbidden, why)
        raise _unknown(f"this needs a token with the scope {route.needs!r}: send Authorization: Bearer <token>")

    def spare(self, request: web.Request) -> None:
        """Take one of the reports an address may send from the page.

        Raises:
            web.HTTPTooManyRequests: with the seconds to wait.
        """
        if wait := self._reports.take(self._address(request)):
            raise too_many(wait)

    def seal(self, caller: Caller) -> str:
        """What a form carries to prove that it was our page that showed it to this visitor."""
        return hmac.new(self._key, f"form:{caller.visitor}".encode(), "sha256").hexdigest()[:32]

    def sealed(self, request: web.Request, seal: str) -> None:
        """Check a form's seal.

        Raises:
            web.HTTPForbidden: it is missing or another visitor's.
        """
        right = self.seal(request[CALLER])
        known = VISITOR in request.cookies
        if not known or not hmac.compare_digest(right.encode(), seal.encode("utf-8", "replace")):
            raise refuse(
                web.HTTPForbidden, "this form is too old, or cookies are off; reload the page and send it again"
            )

    def sign_in(self, request: web.Request, secret: str) -> str | None:
        """Start a session for a token's secret; answers the cookie's value, or nothing when no token has that secret.

        Raises:
            web.HTTPTooManyRequests: ten tries a minute from one address are enough.
        """
        if wait := self._tries.take(self._address(request)):
            raise too_many(wait)
        token = self._access.holder(secret)
        if token is None:
            return None
        if len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        session = secrets.token_urlsafe(32)
        self._sessions[session] = (token, self._clock.now() + _SESSION)
        return session

    def sign_out(self, request: web.Request) -> None:
        """End the session, if there is one."""
        self._sessions.pop(request.cookies.get(SESSION, ""), None)

    def remember(self, request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
        """Set one of our two cookies: out of reach of scripts and of other sites' forms, over TLS where we have it."""
        age = _VISIT if name == VISITOR else _SESSION
        response.set_cookie(
            name,
            value,
            max_age=int(age.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=self._public.scheme == "https" and not _local(request),
        )

    def _bearer(self, headers: Mapping[str, str]) -> Token | None:
        header = headers.get("Authorization")
        if header is None:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer":
            raise _unknown("tokens are sent as Authorization: Bearer <token>")
        token = self._access.holder(secret.strip())
        if token is None:
            raise _unknown("no such token; look under web.tokens in config.yaml")
        return token

    def _session(self, request: web.Request) -> Token | None:
        if not self._sessions or "Cookie" not in request.headers:
            return None
        token, until = self._sessions.get(request.cookies.get(SESSION, ""), (None, self._clock.now()))
        return token if until > self._clock.now() else None

    def _refuse_strangers(self, request: web.Request) -> None:
        """What a browser may do by itself, it must not do for another site."""
        origin, fetch_site = request.headers.get("Origin", ""), request.headers.get("Sec-Fetch-Site", "")
        if not same_site(origin, fetch_site, (request.host, self._public.netloc)):
            raise refuse(web.HTTPForbidden, "another site sent this; use a token, or our own page")

    def _address(self, request: web.Request) -> str:
        return self._access.client(request.remote or "", ",".join(request.headers.getall("X-Forwarded-For", [])))


def _visitor(request: web.Request) -> str:
    visitor = request.cookies.get(VISITOR, "")
    return visitor if _COOKIE.fullmatch(visitor) else secrets.token_urlsafe(16)


def _local(request: web.Request) -> bool:
    return at_home(request.remote or "", request.host, request.headers)


def _unknown(why: str) -> web.HTTPError:
    return web.HTTPUnauthorized(text=why, headers={"WWW-Authenticate": 'Bearer realm="tocsin"'})
