"""The webhook that a Statuspage sends its subscribers: unsigned, so that it only makes us look for ourselves."""

from __future__ import annotations

from typing import ClassVar, Literal

from bot.core.model import Evidence
from bot.fields import Model
from bot.ports import Heard, Http, Letter
from bot.sources.letters import document
from bot.sources.seals import Secrets, keyed


class StatuspageHook(Model):
    """Makes the vendor's pages of this service be read at once: subscribe to a Statuspage by webhook, with this address.

    Nothing in the message is believed, for nobody signs it; it needs a watch of the page itself beside it. Put the secret
    behind the address as `?key=...`.
    """

    evidence: ClassVar[Evidence] = Evidence.VENDOR

    kind: Literal["statuspage_hook"]
    """The word that says what this watch is."""
    secret: Secrets
    """What is in the address that only the vendor was told."""

    async def hear(self, letter: Letter, http: Http) -> Heard:  # noqa: ARG002 - the page is read by its own watch
        """Take it as a hint."""
        keyed(letter, self.secret)
        said = document(letter.body)
        if not said.keys() & {"incident", "component_update", "component", "page"}:
            raise ValueError(
                "this is no message of a Statuspage: it has neither an `incident` nor a `component_update`"
            )
        return Heard(ask=True)


PLUGIN = StatuspageHook
