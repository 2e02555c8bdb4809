"""Slack's Web API behind one door: one session, no retries of its own, every failure a `Retry`, `Refused` or `Gone`.

The library's default retries post a message twice when the answer is lost, so they are off; the relay retries, and
looks first. Error names are those of https://docs.slack.dev/reference/methods.
"""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Gone, Refused, Retry

# The library logs every failed try with a traceback; the house says a break once, in its own words.
SILENT = logging.getLogger("bot.chats.slack.library")
SILENT.setLevel(logging.CRITICAL)
_TIMEOUT = aiohttp.ClientTimeout(total=15)

# Every Web API method that Tocsin calls, with the bot scopes it needs; the app manifest is made from this.
METHODS: Mapping[str, frozenset[str]] = {
    "apps.connections.open": frozenset(),
    "auth.test": frozenset(),
    "chat.delete": frozenset({"chat:write"}),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "conversations.history": frozenset({"channels:history", "groups:history"}),
    "conversations.join": frozenset({"channels:join"}),
    "conversations.replies": frozenset({"channels:history", "groups:history"}),
    "files.completeUploadExternal": frozenset({"files:write"}),
    "files.getUploadURLExternal": frozenset({"files:write"}),
    "pins.add": frozenset({"pins:write"}),
    "pins.remove": frozenset({"pins:write"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "users.info": frozenset({"users:read"}),
    "views.open": frozenset(),
    "views.publish": frozenset(),
}

_LATER = frozenset({"ratelimited", "rate_limited", "team_added_to_org"})
_UNSURE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_GONE = frozenset(
    {
        "message_not_found",
        "thread_not_found",
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "is_inactive",
    }
)
_MISFITS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"})
_BAD_TOKENS = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
_FIXES = {
    "channel_not_found": "Slack shows no such channel to the bot: copy the channel's id (C0123ABCD) from its details "
    "into config.yaml, and if the channel is private type /invite @tocsin in it",
    "not_in_channel": "the bot is not in the channel: type /invite @tocsin there",
    "is_archived": "the channel is archived: un-archive it, or name another one in config.yaml",
    "expired_trigger_id": "the form came too late: press the button again",
    "exchanged_trigger_id": "the form was opened already: press the button again",
}
ERRORS: tuple[str, ...] = (
    *sorted(_LATER),
    *sorted(_UNSURE),
    *sorted(_GONE),
    *sorted(_MISFITS),
    *sorted(_BAD_TOKENS),
    *_FIXES,
    *("missing_scope", "restricted_action", "restricted_action_read_only_channel"),
)
"""The errors that are told apart; any other is refused under its own name."""
_RESTRICTED = (
    "a rule of the workspace keeps the bot from posting: let it post in the channel's settings, or ask an admin"
)


class Outside(Refused):
    """The bot is not a member of the channel."""


class Misfit(Refused):
    """Slack did not take the layout. With a fresh picture in it, the picture may only not be ready."""


class Scopeless(Refused):
    """The app lacks a scope."""


class Web:
    """A client that lives as long as the connection; made on first use, since it needs a running loop."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self._api_url = api_url
        self._client: AsyncWebClient | None = None
        self._bot_id = ""

    @property
    def client(self) -> AsyncWebClient:
        """The library's client, on our session; calls to it belong inside `trouble`."""
        if self._client is None or self._client.session is None or self._client.session.closed:
            session = aiohttp.ClientSession(timeout=_TIMEOUT)
            client = AsyncWebClient(
                self._token, base_url=self._api_url, session=session, retry_handlers=[], logger=SILENT
            )
            client.proxy = proxy(self._api_url)
            self._client = client
        return self._client

    async def bot_id(self) -> str:
        """Who we are as the author of messages; asked once."""
        if not self._bot_id:
            with trouble("the bot token"):
                self._bot_id = str(body(await self.client.auth_test())["bot_id"])
        return self._bot_id

    async def ticket(self, app_token: str) -> str:
        """The address of a fresh Socket Mode socket; good for one connection.

        Raises:
            Retry: Slack cannot give one now.
            Refused: the app token is wrong, or Socket Mode is off.
        """
        with trouble("the app-level token (app_token)"):
            return str(body(await self.client.apps_connections_open(app_token=app_token))["url"])

    async def upload(self, png: bytes, alt: str) -> str:
        """Store a picture without showing it anywhere; answers its file id, for an image block."""
        with trouble("the chart"):
            start = body(
                await self.client.files_getUploadURLExternal(filename="chart.png", length=len(png), alt_txt=alt)
            )
        await self.post(start["upload_url"], data=png)
        with trouble("the chart"):
            await self.client.files_completeUploadExternal(files=[{"id": start["file_id"], "title": "Chart"}])
        return str(start["file_id"])

    async def post(self, url: str, **content: Any) -> None:
        """Send to an address that Slack gave us: an upload or a response_url.

        Raises:
            Retry: no answer, or one that may change.
            Refused: the address is used up.
        """
        session = self.client.session
        with trouble("an address given by Slack"):
            async with session.post(url, proxy=proxy(url), **content) as answer:  # type: ignore[union-attr]
                status = answer.status
        if status >= 500 or status == 429:
            raise Retry(f"Slack answered {status}")
        if status != 200:
            raise Refused(f"Slack answered {status}: the address has expired")

    async def aclose(self) -> None:
        """Let go of the session."""
        if self._client is not None and self._client.session is not None:
            await self._client.session.close()


def body(response: Any) -> dict[str, Any]:
    """The JSON object of a successful answer."""
    return response.data if isinstance(response.data, dict) else {}


def proxy(url: str) -> str | None:
    """The proxy for an address as the environment wishes it. The library alone would ignore NO_PROXY and loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("http")


@contextmanager
def trouble(where: str) -> Iterator[None]:
    """Turn the library's exceptions into the house's; `where` names the place in the message."""
    try:
        yield
    except SlackApiError as exc:
        raise _read(exc.response, where) from exc
    except (aiohttp.ClientConnectorError, aiohttp.InvalidURL) as exc:
        raise Retry(f"Slack cannot be reached for {where}: {exc}") from exc
    except (aiohttp.ClientError, OSError, ValueError, AttributeError, KeyError) as exc:
        # The request left. What came back was nothing, half an answer, or (last three) not one of Slack's.
        raise Retry(f"Slack's answer for {where} was lost: {type(exc).__name__}", unsure=True) from exc


def _read(response: Any, where: str) -> Exception:
    """What a failed answer means; it may be the bare HTTP answer when its body was no JSON."""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    return verdict(status, data if isinstance(data, dict) else {}, where, response.headers)


def verdict(
    status: int, data: Mapping[str, Any], where: str, headers: Mapping[str, str] = MappingProxyType({})
) -> Exception:
    """What an answer means that says no: `Retry`, `Refused` or `Gone`, with what to do in words."""
    error = str(data.get("error", ""))
    if status == 429 or error in _LATER:
        return Retry(f"Slack asks to wait, for {where}", after=_retry_after(headers))
    if status >= 500 or error in _UNSURE or not error:
        return Retry(f"Slack failed for {where}: {error or status}", unsure=True)
    return _refusal(error, data, where)


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    value = headers.get("Retry-After", "")
    return timedelta(seconds=int(value)) if value.isdecimal() and len(value) < 7 else None


def _refusal(error: str, data: Mapping[str, Any], where: str) -> Refused:
    if error in _GONE:
        return Gone(f"Slack no longer has the message, {where}: {error}")
    if error == "not_in_channel":
        return Outside(f"Slack, {where}: {_FIXES[error]}")
    if error == "missing_scope":
        needed = data.get("needed", "?")
        return Scopeless(
            f"Slack, {where}: the app lacks the scope {needed}; paste the output of `tocsin slack-manifest` "
            "as the app's manifest, then reinstall the app"
        )
    if error in _MISFITS:
        details = data.get("errors") or data.get("response_metadata", {}).get("messages") or ""
        return Misfit(f"Slack, {where}: the layout was refused ({error} {details}); please report this as a fault")
    if error in _BAD_TOKENS:
        return Refused(
            f"Slack, {where}: the token is not accepted ({error}); reinstall the app at api.slack.com/apps and put "
            "the fresh token into config.yaml"
        )
    fix = _RESTRICTED if error.startswith("restricted_action") else _FIXES.get(error, f"Slack answered {error!r}")
    return Refused(f"Slack, {where}: {fix}")
