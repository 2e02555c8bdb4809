"""A chat that keeps what it is told, refuses a second message under one key, and can be told to fail."""

import asyncio
from collections import deque

from bot.core.phrases import plain
from bot.ports import Gone, Retry


class RememberingChat:
    """`faults` are taken one per call: None works, an exception is raised before, ("after", exc) once it was done."""

    def __init__(self) -> None:
        self.heads: dict[str, list] = {}
        self.lines: dict[str, list[str]] = {}
        self.closed: set[str] = set()
        self.keys: dict[str, str] = {}
        self.calls: list[str] = []
        self.loud: list[str] = []
        self.mentions: list[str] = []
        self.faults: deque = deque()

    async def open(self, place, key, head, png, since):
        async with _Fault(self, "open"):
            if key in self.keys and since is not None:
                return self.keys[key]
            ref = self.keys[key] = f"ref{len(self.heads) + 1}"
            self.heads[ref], self.lines[ref] = [head], []
            return ref

    async def edit(self, place, ref, head, png):
        async with _Fault(self, "edit"):
            self._there(ref).append(head)
            self.closed.discard(ref)

    async def reply(self, place, ref, key, line, since):
        async with _Fault(self, "reply"):
            self._there(ref)
            if key in self.keys and since is not None:
                return
            self.keys[key] = ref
            self.lines[ref].append(plain(line.text))
            self.loud += [key] if line.loud else []
            self.mentions += [line.mention] if line.mention else []

    async def close(self, place, ref, head, png):
        async with _Fault(self, "close"):
            self._there(ref).append(head)
            self.closed.add(ref)

    async def run(self, desk, places):
        await asyncio.Event().wait()

    async def aclose(self):
        pass

    def _there(self, ref):
        if ref not in self.heads:
            raise Gone("the message was deleted")
        return self.heads[ref]


class _Fault:
    def __init__(self, chat, call):
        chat.calls.append(call)
        self.fault = chat.faults.popleft() if chat.faults else None

    async def __aenter__(self):
        if isinstance(self.fault, BaseException):
            raise self.fault

    async def __aexit__(self, kind, *_):
        if kind is None and isinstance(self.fault, tuple):
            raise self.fault[1]


LOST = ("after", Retry("the connection was reset", unsure=True))
"""The message was taken and the answer lost."""
