"""R12 to R19: what was acknowledged survives the power, a full disk, damage, a foreign lock and an update."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from doubles.oracle import Script
from doubles.powercut import Disk, available

from bot import backups
from bot.database import Database
from bot.ports import Refused, Retry
from bot.sqlitefile import old_sqlite
from bot.stores.sqlite import SCHEMA, SqliteStore, unsound

NOW = datetime(2026, 1, 1, tzinfo=UTC)
needs_disk = pytest.mark.skipif(not available(), reason="Python carries an SQLite of its own here, out of reach")


async def written(folder, disk, commits):
    """Commits acknowledged one after the other; answers how many operations had been done at each."""
    database = Database(folder / "state.db")
    store, acked = SqliteStore(database), []
    for n in range(commits):
        await store.put("n", str(n).encode() * 300)
        acked.append(len(disk.ops))
    await database.aclose()
    return acked


def found_after(files, folder):
    """What a restart finds: the last value, or None; and what the integrity check says."""
    for old in folder.iterdir():
        old.unlink()
    for name, body in files.items():
        (folder / name).write_bytes(body)
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        [(sound,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        try:
            row = connection.execute("SELECT value FROM blobs WHERE key = 'n'").fetchone()
        except sqlite3.OperationalError as exc:
            return None, str(exc)
    return (int(row[0][: len(row[0]) // 300]) if row else None), sound


@needs_disk
async def test_a_thousand_power_cuts_lose_nothing_that_was_acknowledged(tmp_path, prove):
    live, after = tmp_path / "live", tmp_path / "after"
    live.mkdir()
    after.mkdir()
    chance, wrong = random.Random(12), []
    with Disk(live) as disk:
        acked = await written(live, disk, 300)
    assert any(op.do == "sync" for op in disk.ops)
    for _ in range(1000):
        moment = chance.randrange(acked[0], len(disk.ops) + 1)
        promised = sum(1 for at in acked if at <= moment) - 1
        value, sound = found_after(disk.after_cut(moment, chance), after)
        wrong += [] if sound == "ok" else [f"at {moment}: {sound}"]
        wrong += [] if value is not None and value >= promised else [f"at {moment}: {value} of {promised}"]
    prove("R12", 1000, wrong, "power cuts after 300 acknowledged commits")


@needs_disk
async def test_an_update_cut_off_at_any_moment_leaves_the_old_schema_or_the_new(tmp_path, prove):
    live, after = tmp_path / "live", tmp_path / "after"
    live.mkdir()
    after.mkdir()
    wrong, chance = [], random.Random(17)
    old = Database(live / "state.db")
    old.migrate(SCHEMA[:1])
    await old.write(lambda connection: connection.execute("INSERT INTO blobs VALUES ('n', '1')").rowcount)
    await old.aclose()
    before = {path.name: path.read_bytes() for path in live.iterdir() if not path.name.endswith((".lock", "-shm"))}
    with Disk(live) as disk:
        new = Database(live / "state.db")
        new.migrate(SCHEMA)
        await new.aclose()
    for moment in range(len(disk.ops) + 1):
        files = disk.on_top(before, moment, chance)
        wrong += [f"at {moment}: {w}" for w in await _updated(after, files)]
    prove("R17", len(disk.ops) + 1, wrong, "power cuts during an update of the schema, and the update done again")


async def _updated(folder, files):
    for old in folder.iterdir():
        old.unlink()
    for name, body in files.items():
        (folder / name).write_bytes(body)
    with closing(sqlite3.connect(folder / "state.db")) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    whole = {1: {"messages"} - tables == {"messages"}, len(SCHEMA): "messages" in tables}
    database = Database(folder / "state.db")
    database.migrate(SCHEMA)
    kept = await database.read(lambda c: c.execute("SELECT value FROM blobs WHERE key = 'n'").fetchone())
    await database.aclose()
    return [] if whole.get(version) and kept == ("1",) else [f"version {version}, {kept}"]


@needs_disk
async def test_a_full_disk_is_said_and_writing_goes_on_by_itself(tmp_path, prove):
    wrong = []
    with Disk(tmp_path) as disk:
        database = Database(tmp_path / "state.db")
        store, script = SqliteStore(database), Script(SqliteStore(database))
        await script.open("s0")
        for n in range(20):
            disk.full = True
            with pytest.raises(Retry, match="the disk is full; free some space"):
                await script.change("s0", "critical", n)
            disk.full = False
            await script.change("s0", "critical", n)
        entries = await store.entries("s0-0")
        wrong += [] if [e.seq for e in entries] == list(range(1, 22)) else [str([e.seq for e in entries])]
        await database.aclose()
    prove("R13", 20, wrong, "times the disk was full, and had room again")


@pytest.mark.parametrize("what", ["a folder", "no folder", "a file for a folder", "a dead link", "newer"])
def test_a_data_folder_that_cannot_be_used_ends_the_start_with_one_line(tmp_path, prove, what):
    data = tmp_path / "data"
    if what == "a folder":
        (data / "state.db").mkdir(parents=True)
    elif what == "a file for a folder":
        data.write_text("")
    elif what == "a dead link":
        data.symlink_to("/proc/nowhere")
    elif what == "no folder":
        data = "/proc/nowhere/data"
    elif what == "newer":
        data.mkdir()
        with closing(sqlite3.connect(data / "state.db")) as connection:
            connection.executescript("CREATE TABLE x (y); PRAGMA user_version = 99")
    (tmp_path / "config.yaml").write_text(f"data: {data}\nweb: {{listen: '127.0.0.1:0'}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "bot", "run", "-c", str(tmp_path / "config.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wrong = (
        [] if done.returncode == 78 and str(data) in done.stderr and "Traceback" not in done.stderr else [done.stderr]
    )
    prove("R14", 1, wrong, "data folders that cannot be used")


def _damage(body, chance):
    """One of the ways in which files go bad."""
    kind, where = chance.randrange(5), chance.randrange(len(body))
    if kind == 0:
        return body[:where]
    if kind == 1:
        return body[:where] + bytes([body[where] ^ (1 << chance.randrange(8))]) + body[where + 1 :]
    if kind == 2:
        page = where // 4096 * 4096
        return body[:page] + bytes(4096) + body[page + 4096 :]
    if kind == 3:
        return chance.randbytes(len(body))
    return b""


async def test_damaged_files_are_set_aside_and_the_newest_sound_backup_is_taken_up(tmp_path, prove):
    data = tmp_path / "data"
    database = Database(data / "state.db")
    script = Script(SqliteStore(database))
    for n in range(40):
        await script.open(f"s{n}", minute=n)
    await database.aclose()
    backups.back_up(data, data / "backups", NOW)
    good, chance, wrong, healed = (data / "state.db").read_bytes(), random.Random(15), [], 0
    for n in range(500):
        for old in [*data.glob("state.db*")]:
            old.unlink()
        (data / "state.db").write_bytes(_damage(good, chance))
        try:
            database = Database(data / "state.db", lambda file: backups.heal(file, data / "backups", NOW, unsound))
            found = len(await SqliteStore(database).incidents())
            healed += bool(database.healed)
            aside = bool(list(data.glob("*.corrupt-*")))
            wrong += [] if found == 40 and aside == bool(database.healed) else [f"{n}: {found} incidents, {aside}"]
            await database.aclose()
        except Refused as why:
            wrong += [] if "newer Tocsin" in str(why) else [f"{n}: {why}"]
        except sqlite3.Error as why:
            wrong += [f"{n}: {why}"]
    assert healed > 250
    prove("R15", 500, wrong, f"damaged files ({healed} set aside and replaced, the others unhurt where it matters)")


async def test_a_backup_of_a_living_database_is_sound_and_old_ones_go(tmp_path, prove):
    data = tmp_path / "data"
    database = Database(data / "state.db")
    store, script, wrong = SqliteStore(database), Script(SqliteStore(database)), []
    for n in range(8):
        await script.open(f"s{n}", minute=n)
        work = asyncio.create_task(script.change(f"s{n}", "major", n + 1))
        made = await asyncio.to_thread(backups.back_up, data, data / "backups", NOW + timedelta(hours=6 * n))
        await work
        wrong += [] if not backups.fault(made / "state.db") else [f"{n}: {backups.fault(made / 'state.db')}"]
        backups.thin(data / "backups")
    wrong += [] if len(backups.backups(data / "backups")) == 4 else ["not four kept"]
    assert await store.incidents()
    await database.aclose()
    newest = backups.backups(data / "backups")[0]
    backups.restore(newest, data, NOW)
    again = Database(data / "state.db")
    wrong += [] if len(await SqliteStore(again).incidents()) == 8 else ["the restored one lacks incidents"]
    await again.aclose()
    prove("R15", 9, wrong, "backups of a database in use, and one restored")


@pytest.mark.parametrize("seconds", [1.5, pytest.param(30, marks=pytest.mark.soak)])
async def test_a_foreign_lock_delays_and_loses_nothing(tmp_path, prove, seconds):
    database = Database(tmp_path / "state.db")
    store, wrong = SqliteStore(database), []
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.create_task(store.put(f"k{n}", b"v")) for n in range(100)]
        await asyncio.sleep(seconds)
        wrong += [] if not any(task.done() for task in waiting) and "locked" in database.trouble else ["not waiting"]
        other.execute("COMMIT")
        await asyncio.gather(*waiting)
    wrong += [f"k{n}" for n in range(100) if await store.get(f"k{n}") is None]
    await database.aclose()
    prove("R16", 100, wrong, f"writes that waited {seconds} s for another program's lock")


async def test_only_one_connection_can_write_and_an_old_sqlite_is_named(tmp_path, prove):
    database = Database(tmp_path / "state.db")
    SqliteStore(database)
    wrong = []
    try:
        await database.read(lambda c: c.execute("INSERT INTO blobs VALUES ('a', 'b')"))
        wrong += ["the reader could write"]
    except sqlite3.OperationalError as exc:
        wrong += [] if "readonly" in str(exc) or "attempt to write" in str(exc) else [str(exc)]
    except Refused:
        pass
    try:
        Database(tmp_path / "state.db")
        wrong += ["a second one was opened"]
    except Refused as why:
        wrong += [] if str(os.getpid()) in str(why) else [str(why)]
    await database.aclose()
    table = {
        (3, 40, 1): True,
        (3, 44, 6): False,
        (3, 50, 6): True,
        (3, 50, 7): False,
        (3, 51, 2): True,
        (3, 51, 3): False,
    }
    wrong += [str(version) for version, old in table.items() if bool(old_sqlite(version)) is not old]
    prove("R19", 2 + len(table), wrong, "ways to a second writer, and versions of SQLite")
