"""A store that takes nothing while `full`, as on a full disk; what it has can be read all the same."""

from bot.ports import Retry

WHY = "/data: the disk is full; free some space, and writing goes on by itself"


class Sinking:
    def __init__(self, store, *, full=True):
        self.full = full
        self.refused = 0
        self._store = store

    def __getattr__(self, name):
        found = getattr(self._store, name)
        return self._guarded(found) if name in ("save", "mark", "put", "revive") else found

    def _guarded(self, write):
        async def tried(*args):
            if self.full:
                self.refused += 1
                raise Retry(WHY)
            return await write(*args)

        return tried
