"""Reading what comes over the wire without trusting it: addresses, JSON, and words out of HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from pydantic import AfterValidator, Field, WithJsonSchema

from bot.fields import Duration
from bot.ports import Reply

_LONGEST_WAIT = timedelta(hours=1)
_BREAKS = {
    **dict.fromkeys(("p", "div", "tr", "table", "blockquote"), ("\n", "\n")),
    **dict.fromkeys(("ul", "ol"), ("", "\n")),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), ("\n", "\n")),
    "br": ("\n", ""),
    "li": ("\n- ", ""),
}
_HIDDEN = frozenset({"script", "style", "template", "head"})
# The standard HTMLParser takes quadratic time on unclosed tags in the Pythons of today, and this text is a stranger's:
# this reads each character once.
_MARKUP = re.compile(r"<(?P<closing>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>|<[!?][^<>]*>")
# Control characters, direction overrides, invisible joints and halves of characters: none belongs into a sentence.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def web_address(value: str) -> str:
    """A watch's address, without a slash at its end.

    Raises:
        ValueError: saying what to write instead.
    """
    try:
        parts = urlsplit(value)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or re.search(r"\s", value):
        raise ValueError("this is not a web address; write it like https://status.example.com")
    if parts.username or parts.password:
        raise ValueError("a user name in an address would be shown in logs; give it as a header instead")
    return value.rstrip("/")


WebAddress = Annotated[
    str,
    AfterValidator(web_address),
    WithJsonSchema({"type": "string", "format": "uri", "examples": ["https://status.example.com"]}),
]
Interval = Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(days=1))]


def decoded(body: bytes) -> Any:
    """JSON, strictly: no NaN, no endless depth, no numbers beyond what a float holds.

    Raises:
        ValueError: with the reason in words.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"<":
        raise ValueError("the answer is markup (HTML or XML), not data")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise ValueError(f"the answer is not JSON ({exc})") from exc


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def rows(value: object, most: int = 2_000) -> list[Mapping[str, Any]]:
    """The objects in a JSON list, at most so many; whatever is not an object is left out."""
    return [row for row in value[:most] if isinstance(row, dict)] if isinstance(value, list) else []


def word(value: object, longest: int = 200) -> str:
    """A short string as it is; empty for anything else."""
    return value if isinstance(value, str) and len(value) <= longest else ""


def plain(value: object, limit: int = 1_000) -> str:
    """Words out of HTML or text, at most `limit` characters; escapes are undone twice at most, since feeds double them."""
    text = _unmarked(_unmarked(value[: 4 * limit] if isinstance(value, str) else ""))
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def wait_asked(reply: Reply, now: datetime) -> timedelta | None:
    """How long `Retry-After` asks to stay away (RFC 9110, 10.2.3: seconds or a date), an hour at most."""
    asked = reply.headers.get("retry-after", "").strip()
    try:
        wait = timedelta(seconds=int(asked)) if asked.isdecimal() else parsedate_to_datetime(asked) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), _LONGEST_WAIT)


def _unmarked(text: str) -> str:
    """Take the markup out, once, and undo the escapes; block elements become new lines."""
    pieces: list[str] = []
    hidden, done = "", 0
    for tag in _MARKUP.finditer(text):
        name, closing = (tag["name"] or "").lower(), bool(tag["closing"])
        if not hidden:
            pieces += (text[done : tag.start()], _BREAKS.get(name, ("", ""))[closing])
        if name in _HIDDEN and (not hidden or name == hidden):
            hidden = "" if closing else name
        done = tag.end()
    return html.unescape("".join(pieces) + ("" if hidden else text[done:]))
