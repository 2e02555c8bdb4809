"""The last answers that can be asked for again by validator, packed and bounded."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.ports import Reply

_BUDGET = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One answer with a validator; the body is packed."""

    reply: Reply
    packed: bytes

    @property
    def validators(self) -> Mapping[str, str]:
        """Headers that ask: has it changed since? (RFC 9110, 13.1)."""
        pairs = (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified"))
        return {ask: self.reply.headers[had] for ask, had in pairs if had in self.reply.headers}

    def renew(self, unchanged: Reply) -> Reply:
        """The whole answer again, on the word of a 304: its headers count, the body is the one we have."""
        headers = {**self.reply.headers, **unchanged.headers}
        return replace(unchanged, status=self.reply.status, headers=headers, body=zlib.decompress(self.packed))


class Memory:
    """Answers by key; the one unused for longest goes first when `budget` packed bytes are exceeded."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self.size = 0

    def recall(self, key: str) -> Kept | None:
        """The last answer under this key, if it is still kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: str, reply: Reply) -> None:
        """Remember a good answer that can be validated later; one that cannot replaces it by nothing."""
        if reply.status != 200:
            return
        self._drop(key)
        if not {"etag", "last-modified"} & reply.headers.keys():
            return
        kept = Kept(reply=replace(reply, body=b""), packed=zlib.compress(reply.body, 1))
        self._kept[key] = kept
        self.size += len(kept.packed)
        while self.size > self._budget:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        gone = self._kept.pop(key, None)
        self.size -= len(gone.packed) if gone else 0
