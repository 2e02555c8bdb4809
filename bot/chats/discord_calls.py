"""Discord calls us: interactions as signed requests, accepted at once and answered afterwards, as over the gateway.

An interaction is accepted with 202, and its answer goes the same way as the gateway's; only the ping has to be answered
in place. Signatures: https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import discord
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.chats.discord_ear import Ear
from bot.chats.discord_gateway import Identifies, stay
from bot.chats.inbox import Inbox
from bot.chats.proof import Once, timely
from bot.ports import Forbidden, Letter, Retry, Word

_SIGNATURE = re.compile(r"[0-9a-f]{128}")
_PING, _ACCEPTED = 1, 202


class Doorstep(Ear):
    """The ear of a bot that is called: signed in to answer, and connected to nothing."""

    signed_in = False

    async def connect(self, *, reconnect: bool = True) -> None:  # noqa: ARG002  # the library's signature
        """Stay until cancelled."""
        self.signed_in = True
        await asyncio.Event().wait()

    async def told(self, payload: dict[str, Any]) -> None:
        """Hear what the gateway would have told."""
        interaction: discord.Interaction = discord.Interaction(data=payload, state=self._connection)  # type: ignore[arg-type]
        await self.on_interaction(interaction)


class Calls:
    """The door for Discord; `public_key` is the application's, in hex, and `ear` makes who hears what is proved."""

    def __init__(self, public_key: str, ear: Callable[[], Doorstep]) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._ear = ear
        self._step: Doorstep | None = None
        self._inbox = Inbox(self._told)
        self._once = Once()

    async def run(self, token: str, identifies: Identifies, name: str) -> None:
        """Be there for calls until cancelled; no session is ever begun."""
        async with self._inbox:
            await stay(self._fresh, token, identifies, name)

    def take(self, letter: Letter) -> Word:
        """Take a call in.

        Raises:
            Forbidden: it is not Discord's, too old, or a copy. Discord sends such calls itself, to see them refused.
            ValueError: it is no interaction.
            Retry: we have not signed in yet, so nobody could be answered.
        """
        self._proved(letter)
        payload = _opened(letter.body)
        if payload.get("type") == _PING:
            return Word(body={"type": _PING})
        if self._step is None or not self._step.signed_in:
            raise Retry("not signed in to Discord yet")
        self._inbox.take(str(payload.get("id", "")), payload)
        return Word(status=_ACCEPTED)

    def _fresh(self) -> Doorstep:
        self._step = self._ear()
        return self._step

    async def _told(self, payload: dict[str, Any]) -> None:
        if self._step is not None:
            await self._step.told(payload)

    def _proved(self, letter: Letter) -> None:
        stamp, given = (letter.headers.get(f"x-signature-{name}", "") for name in ("timestamp", "ed25519"))
        timely(stamp, letter.at)
        if not _SIGNATURE.fullmatch(given.lower()):
            raise Forbidden("this address takes calls signed by Discord only, and there is no signature")
        try:
            self._key.verify(bytes.fromhex(given), stamp.encode() + letter.body)
        except InvalidSignature as wrong:
            why = "the signature does not fit the body; is public_key the one under General Information?"
            raise Forbidden(why) from wrong
        self._once.first(given.lower(), letter.at)


def _opened(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except RecursionError as deep:
        raise ValueError("the body is nested too deeply") from deep
    if not isinstance(payload, dict):
        raise ValueError("the body is no JSON object")  # noqa: TRY004  # what a stranger sent is a value, not a type
    return payload
