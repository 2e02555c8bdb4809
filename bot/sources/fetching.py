"""What feeds that are asked over the web have in common: one request, and every way it can go wrong in a word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.ports import Http, Reply, Unreachable
from bot.sources.pages import Unread
from bot.sources.wire import decoded, mapping, plain, wait_asked

_LIMIT = 8_000_000


async def fetched(
    http: Http,
    url: str,
    now: datetime,
    *,
    headers: Mapping[str, str] | None = None,
    allow_private: bool = False,
    body: bytes = b"",
    method: str = "",
) -> Reply:
    """The answer to one request, never from a memory of ours; with a body it is sent by POST.

    Raises:
        Unread: there is none that can be used.
    """
    try:
        reply = await http.get(
            url,
            headers=headers,
            allow_private=allow_private,
            limit=_LIMIT,
            conditional=False,
            method=method or ("POST" if body else "GET"),
            body=body,
        )
    except Unreachable as exc:
        raise Unread(exc.kind, str(exc)) from exc
    if reply.status != 200 or "cf-mitigated" in reply.headers:
        error = "blocked" if "cf-mitigated" in reply.headers else f"http_{reply.status}"
        raise Unread(error, _refusal(reply), wait_asked(reply, now) or _reset(reply, now))
    return reply


def _refusal(reply: Reply) -> str:
    """The status, and the reason where the answer gives one in JSON."""
    try:
        said = mapping(decoded(reply.body))
    except ValueError:
        said = {}
    for key in ("error", "message", "detail", "title"):
        why = said.get(key)
        words = plain(mapping(why).get("reason") or why, 200)
        if words:
            return f"answered {reply.status}: {words}"
    return f"answered {reply.status}"


def _reset(reply: Reply, now: datetime) -> timedelta | None:
    """When a rate limit is over, in Unix seconds, as `x-rate-limit-reset` says; an hour at most."""
    at = reply.headers.get("x-rate-limit-reset", "")
    if reply.status != 429 or not at.isdecimal() or len(at) > 11:
        return None
    return timedelta(seconds=min(max(int(at) - now.timestamp(), 0.0), 3600.0))
