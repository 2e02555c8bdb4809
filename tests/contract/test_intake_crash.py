"""Killed at any moment, whatever was answered is there."""

from __future__ import annotations

import subprocess
import sys

from bot.database import Database
from bot.stores.sqlite import SqliteStore
from bot.streams.local import LocalStream

_KILLS = 20
# Imports once, then forks a writer for each life, so that twenty of them take seconds. Every second one is killed some time
# after its first frame, however long that takes on this machine, and the others at any moment of their start as well.
_NURSERY = """
import asyncio, os, random, signal, sys, time
from pathlib import Path
from bot.core.model import Case
from bot.database import Database
from bot.stores.sqlite import SqliteStore
from bot.streams.local import LocalStream

def say(*words):
    os.write(1, (" ".join(map(str, words)) + chr(10)).encode())
    if begun and words[0] == "frame":
        os.write(begun.pop(), b"x")

async def append(stream, name):
    for number in range(1_000_000):
        frame = f"{name}-{number}"
        await stream.append(frame.encode() * 50)
        say("frame", frame)

async def save(store):
    case = await store.load("twitter")
    while True:
        case = await store.save(case, [], [])
        say("case", case.version)

async def write(folder, life):
    stream = LocalStream(Database(folder / "reports.db"))
    store = SqliteStore(Database(folder / "tocsin.db"))
    await asyncio.gather(save(store), *(append(stream, f"{life}-{number}") for number in range(8)))

chance = random.Random(4)
for life in range(int(sys.argv[2])):
    spoken, word = os.pipe()
    begun = [word]
    child = os.fork()
    if not child:
        asyncio.run(write(Path(sys.argv[1]), life))
    os.close(word)
    if life % 2:
        os.read(spoken, 1)
    os.close(spoken)
    time.sleep(chance.uniform(0.02, 0.25))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""


def said(folder, kills: int) -> list[list[str]]:
    """What the writers said was durable before each was killed."""
    command = [sys.executable, "-c", _NURSERY, folder, str(kills)]
    nursery = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=240)
    return [line.split() for line in nursery.stdout.decode().splitlines()]


async def test_twenty_kills_lose_nothing_that_was_answered(tmp_path):
    words = said(tmp_path, _KILLS)
    frames = {word for kind, word in words if kind == "frame"}
    version = max(int(word) for kind, word in words if kind == "case")
    stream = LocalStream(Database(tmp_path / "reports.db"))
    database = Database(tmp_path / "tocsin.db")
    store = SqliteStore(database)
    kept = [frame async for _, frame in stream.read(0)]
    names = {frame[: len(frame) // 50].decode() for frame in kept}
    assert len(names) == len(kept)
    assert frames <= names
    assert len({frame.split("-")[0] for frame in frames}) >= _KILLS // 2
    assert version <= (await store.load("twitter")).version <= version + 1
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)
    await stream.aclose()
    await store.aclose()
