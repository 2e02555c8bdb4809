"""Name look-up from a table; whatever is not in it does not exist."""

from collections.abc import Mapping, Sequence
from socket import AF_INET, AF_INET6, AI_NUMERICHOST, AddressFamily

from aiohttp.abc import AbstractResolver, ResolveResult


class Table(AbstractResolver):
    """Names and their addresses."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        self._addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        if host not in self._addresses:
            raise OSError(f"there is no {host}")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=AF_INET6 if ":" in address else AF_INET,
                proto=0,
                flags=AI_NUMERICHOST,
            )
            for address in self._addresses[host]
        ]

    async def close(self) -> None: ...
