"""All hosts there are, as `ports.Http`, and ways to be cut off from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from doubles.clock import ManualClock

from bot.ports import Reached, Reply, Unreachable

PAGE = b'{"page": {"id": "x"}, "status": {"indicator": "none", "description": ""}, "components": [], "incidents": []}'


@dataclass
class World:
    """`cut` is how we are cut off from all but our own premises, `down` are hosts that are truly down.

    `knocked` are the hosts that were reached for without asking for anything. What is `slow` fails when its time is up.
    """

    clock: ManualClock
    cut: str = ""
    down: set[str] = field(default_factory=set)
    knocked: list[str] = field(default_factory=list)
    slow: bool = True

    async def _pass(self, host, *, tls, allow_private):
        """Answers the status: a proxy that wants a password answers in the clear, and lets nothing else through."""
        cut = "" if allow_private else self.cut
        if cut == "http_407" and not tls:
            return 407
        if self.slow and (host in self.down or cut == "timeout"):
            await self.clock.sleep(5 if host in self.down else 10)
        if host in self.down or cut:
            raise Unreachable("tls" if cut == "http_407" else cut or "timeout", "cut off")
        return 200

    async def get(self, url, *, allow_private=False, **_):
        scheme, _, rest = url.partition("://")
        status = await self._pass(rest.split("/")[0], tls=scheme == "https", allow_private=allow_private)
        return Reply(status=status, url=url, headers={}, body=PAGE if "/api/" in url else b"Welcome", elapsed=0.05)

    async def reach(self, host, port, *, tls=False, allow_private=False, timeout=10.0):
        self.knocked.append(host)
        await self._pass(host, tls=tls, allow_private=allow_private)
        return Reached(address="192.0.2.1", elapsed=0.05)
