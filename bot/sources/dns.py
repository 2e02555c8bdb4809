"""A name that should be found."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.core.model import Health, Signal
from bot.ports import Http
from bot.sources.knocks import Knock

_SHOWN = 4


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as exc:
        raise ValueError(f"{value!r} is no address; write it in numbers, like 192.0.2.7") from exc


class Dns(Knock):
    """A name that should be found by this machine's resolver, and lead where it should.

    A name that is not found is a major outage; one that leads to none of the addresses in `expect` is a partial one.
    """

    kind: Literal["dns"]
    """The word that says what this watch is."""
    expect: Annotated[list[Annotated[str, AfterValidator(_address)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    """Addresses of which it should have at least one; any will do if not said."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Look the name up once."""
        return await self.tried(self._find(http), now)

    async def _find(self, http: Http) -> tuple[Health, str]:
        return self.judge(await http.addresses(self.host, timeout=self.timeout.total_seconds()))

    def judge(self, found: Sequence[str]) -> tuple[Health, str]:
        """What the addresses mean."""
        known = {str(ipaddress.ip_address(address.partition("%")[0])) for address in found}
        shown = ", ".join(sorted(known)[:_SHOWN])
        if self.expect and known.isdisjoint(self.expect):
            return Health.PARTIAL_OUTAGE, f"leads elsewhere: {shown}"
        return Health.OPERATIONAL, f"leads to {shown}"


PLUGIN = Dns
