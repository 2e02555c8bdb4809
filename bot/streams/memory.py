"""Reports of a house that nobody takes up later: frames in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator


class MemoryStream:
    """An ordered log without a file; no number is used again."""

    def __init__(self) -> None:
        self._frames: dict[int, bytes] = {}
        self._last = 0

    async def append(self, frame: bytes) -> int:
        """Add one frame; answers its sequence number. An empty frame is none."""
        if frame:
            self._last += 1
            self._frames[self._last] = frame
        return self._last

    async def read(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Every frame after a sequence number, in order."""
        for seq in [seq for seq in self._frames if seq > after]:
            if seq in self._frames:
                yield seq, self._frames[seq]

    async def rewrite(self, seq: int, frame: bytes) -> None:
        """Put another frame in the place of one."""
        if seq in self._frames:
            self._frames[seq] = frame

    async def trim(self, before: int) -> None:
        """Forget frames below a sequence number."""
        for seq in [seq for seq in self._frames if seq < before]:
            del self._frames[seq]

    async def aclose(self) -> None:
        """There is nothing to let go of."""
