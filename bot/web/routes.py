"""What a route is: one row of the table that serves, guards and describes the whole HTTP side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.ports import Receipt, Refused, Retry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OUR_FAULT = "this is our fault; it is in the log"
_MOST_TOLD = 5_000


@dataclass(frozen=True, kw_only=True)
class Route:
    """One address. `face` is how it speaks of errors: `json` or `page`.

    `needs` is a scope (`open`, `read`, `report` or `admin`), or `proof`: then the handler itself judges who may send.

    `takes` are the content types of a body and `gives` is the content type of a good answer; `body` and `result` name
    schemas of `openapi.SCHEMAS`; `query` maps parameters to what they mean.
    """

    method: str
    path: str
    handler: Handler
    says: str
    needs: str = "read"
    face: str = "json"
    takes: tuple[str, ...] = ()
    gives: str = "application/json"
    status: int = 200
    body: str = ""
    result: str = ""
    query: tuple[tuple[str, str], ...] = ()


def refuse(kind: type[web.HTTPError], why: str, **headers: str) -> web.HTTPError:
    """An error with words for whoever asked: what is wrong, and what to do."""
    return kind(text=why, headers=headers)


def too_many(seconds: float) -> web.HTTPError:
    """Slow down, with the seconds to wait."""
    wait = max(1, round(seconds + 0.5))
    why = f"too many from this address; wait {wait} s and try again"
    return web.HTTPTooManyRequests(text=why, headers={"Retry-After": str(wait)})


def too_large(limit: int) -> web.HTTPError:
    """The body is over its limit."""
    why = f"the body is larger than {_size(limit)}; send less at once, in several requests"
    return web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=limit + 1, text=why)


def not_now(exc: Retry | Refused) -> tuple[str, dict[str, str]]:
    """The words and headers of a 503."""
    after = exc.after if isinstance(exc, Retry) else None
    return f"not now: {exc}", {"Retry-After": str(max(1, round(after.total_seconds()))) if after else "5"}


def told(receipt: Receipt) -> tuple[int, dict[str, Any]]:
    """202 as soon as one record is good; 400, with the same body and the first error, when none is."""
    rejected = [{"index": index, "error": error} for index, error in receipt.rejected[:_MOST_TOLD]]
    body: dict[str, Any] = {"accepted": receipt.accepted, "repeated": receipt.repeated, "rejected": rejected}
    if receipt.accepted or receipt.repeated or not rejected:
        return 202, body
    return 400, body | {"error": receipt.rejected[0][1]}


def _size(limit: int) -> str:
    return f"{limit // 1_000_000} MB" if limit >= 1_000_000 else f"{limit // 1_000} kB"
