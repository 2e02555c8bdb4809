"""Proof of who sends: shared secrets and signatures, over the very bytes that came, compared in constant time.

Every secret of a hook is tried, whether or not one fits already, so that the time it takes tells nothing; with two of
them a secret is replaced without losing a delivery.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from bot.fields import Secret
from bot.ports import Forbidden, Letter

WINDOW = timedelta(seconds=300)
"""How far the time in a signed delivery may be from ours."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_NAMES = ("key", "secret", "token")


def several(value: object) -> tuple[Secret, ...]:
    """Read one secret or a list of them.

    Raises:
        ValueError: when there is none, or an empty one.
    """
    given = value if isinstance(value, list | tuple) else [value]
    secrets = tuple(one if isinstance(one, Secret) else Secret(one) for one in given if isinstance(one, str | Secret))
    if not secrets or len(secrets) < len(given):
        raise ValueError("this must be a secret in quotes, or a list of them while one replaces the other")
    if not all(one.reveal().strip() for one in secrets):
        raise ValueError("this secret is empty; set the variable or fill the file that it comes from")
    return secrets


_ONE = {"type": "string", "format": "password"}
Secrets = Annotated[
    tuple[Secret, ...],
    BeforeValidator(several),
    WithJsonSchema({"anyOf": [_ONE, {"type": "array", "items": _ONE, "minItems": 1}]}),
]


def keyed(letter: Letter, secrets: Iterable[Secret]) -> None:
    """Let pass who knows a secret itself: `?key=...` in the address, a bearer token, a Basic password, `X-Tocsin-Key`.

    Raises:
        Forbidden: none was given, or a wrong one.
    """
    given = _given(letter)
    if not given:
        raise Forbidden(
            "this hook needs its secret: put ?key=<secret> behind the address, or send it as a bearer token"
        )
    right = [hmac.compare_digest(_digest(one), _digest(secret.reveal())) for one in given for secret in secrets]
    if not any(right):
        raise Forbidden("that is not the secret of this hook; look under its watch in the configuration")


def signed(given: Iterable[str], message: bytes, keys: Iterable[bytes], *, encoded: str = "hex") -> None:
    """Let pass a message with an HMAC-SHA256 by one of the keys; `encoded` is `hex` (lower case) or `base64`.

    Raises:
        Forbidden: no signature was given, or none fits.
    """
    signatures = [_bytes(one.strip()) for one in given][:16]
    if not signatures:
        raise Forbidden("this hook takes signed deliveries only, and there is no signature")
    digests = [hmac.digest(key, message, "sha256") for key in keys]
    ours = [base64.b64encode(one) if encoded == "base64" else one.hex().encode() for one in digests]
    right = [hmac.compare_digest(theirs, one) for theirs in signatures for one in ours]
    if not any(right):
        raise Forbidden("the signature does not fit the body; is the secret the same on both sides?")


def timely(stamp: str, now: datetime, window: timedelta = WINDOW) -> datetime:
    """The time of a delivery, given in Unix seconds, if it is near ours.

    Raises:
        Forbidden: it is no time, or too far from ours.
    """
    if not _SECONDS.fullmatch(stamp):
        raise Forbidden("the delivery does not say when it was sent, in Unix seconds")
    return recent(_moment(int(stamp)), now, window)


def recent(at: datetime | None, now: datetime, window: timedelta = WINDOW) -> datetime:
    """That time, if it is near ours: what is older might be a copy of a message that was forgotten here.

    Raises:
        Forbidden: it is missing, or too far from ours.
    """
    if at is None:
        raise Forbidden("the delivery does not say when it was sent")
    if abs(now - at) > window:
        off = f"{abs(now - at).total_seconds():.0f} s {'behind' if at < now else 'ahead of'} ours"
        raise Forbidden(f"the time of the delivery is {off}; is it an old one, or is a clock wrong?")
    return at


def plain_keys(secrets: Iterable[Secret]) -> list[bytes]:
    """Secrets as keys, as they are written."""
    return [_bytes(secret.reveal()) for secret in secrets]


def coded_key(secret: Secret) -> bytes:
    """A secret of Standard Webhooks as a key: base64 behind `whsec_`; what is no base64 is taken as it is written."""
    text = secret.reveal().removeprefix("whsec_")
    try:
        return base64.b64decode(text, validate=True) or _bytes(text)
    except (binascii.Error, ValueError):
        return _bytes(text)


def _given(letter: Letter) -> list[str]:
    scheme, _, told = letter.headers.get("authorization", "").strip().partition(" ")
    known = [letter.query.get(name, "") for name in _NAMES] + [letter.headers.get("x-tocsin-key", "")]
    if scheme.lower() == "bearer":
        known.append(told.strip())
    if scheme.lower() == "basic":
        known.append(_password(told.strip()))
    return [one for one in known if one]


def _password(told: str) -> str:
    try:
        return base64.b64decode(told, validate=True).decode("utf-8", "replace").partition(":")[2]
    except ValueError:
        return ""


def _digest(text: str) -> bytes:
    """Of one length, whatever was sent, so that not even the length of the secret shows."""
    return hashlib.sha256(_bytes(text)).digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
