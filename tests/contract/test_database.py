from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.database import Database
from bot.ports import Refused, Retry

TABLE = ("CREATE TABLE words (word TEXT PRIMARY KEY);",)


@pytest.fixture(params=["file", "memory"])
async def database(request, tmp_path):
    database = Database(tmp_path / "some.db" if request.param == "file" else ":memory:")
    database.migrate(TABLE)
    yield database
    await database.aclose()


def insert(word):
    return lambda connection: connection.execute("INSERT INTO words VALUES (?)", (word,)).rowcount


def words(connection):
    return [row[0] for row in connection.execute("SELECT word FROM words ORDER BY word")]


async def test_what_was_written_can_be_read(database):
    assert await database.write(insert("bell")) == 1
    assert await database.read(words) == ["bell"]


async def test_a_job_that_raises_is_undone_alone(database):
    def fail(connection):
        insert("half")(connection)
        raise KeyError("no")

    results = await asyncio.gather(
        database.write(insert("before")),
        database.write(fail),
        database.write(insert("before")),
        database.write(insert("after")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, KeyError, sqlite3.IntegrityError, int]
    assert await database.read(words) == ["after", "before"]


async def test_a_mistake_in_sql_stays_what_it_is_and_harms_no_neighbour(database):
    results = await asyncio.gather(
        database.write(insert("one")),
        database.write(lambda connection: connection.execute("SELEKT")),
        database.write(insert("two")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, sqlite3.OperationalError, int]
    assert await database.read(words) == ["one", "two"]


async def test_a_write_nobody_waits_for_any_more_does_no_harm(database):
    waiting = asyncio.create_task(database.write(insert("given up")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await database.write(insert("bell")) == 1


async def test_readers_cannot_write(tmp_path):
    database = Database(tmp_path / "some.db")
    database.migrate(TABLE)
    with pytest.raises(Refused, match="cannot write"):
        await database.read(insert("never"))
    await database.aclose()


async def test_commits_are_flushed_and_shared(tmp_path):
    database = Database(tmp_path / "some.db")
    database.migrate(TABLE)
    pragmas = "SELECT (SELECT * FROM pragma_synchronous), (SELECT * FROM pragma_journal_mode)"
    assert await database.write(lambda connection: connection.execute(pragmas).fetchone()) == (2, "wal")
    commits = []
    await database.write(lambda connection: connection.set_trace_callback(commits.append))
    commits.clear()
    await asyncio.gather(*(database.write(insert(str(number))) for number in range(500)))
    assert commits.count("COMMIT") < 100
    await database.aclose()


async def test_a_full_disk_asks_to_retry_and_recovers_by_itself(tmp_path):
    database = Database(tmp_path / "some.db")
    database.migrate(TABLE)
    pages = await database.write(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    results = await asyncio.gather(
        database.write(insert("small")), database.write(insert("x" * 100_000)), return_exceptions=True
    )
    assert results[0] == 1
    assert isinstance(results[1], Retry)
    assert "the disk is full" in str(results[1])
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 100000").fetchone())
    assert await database.write(insert("y" * 100_000)) == 1
    assert await database.read(lambda connection: len(words(connection))) == 2
    await database.aclose()


async def test_a_foreign_lock_loses_nothing_and_never_stops_the_loop(tmp_path):
    database = Database(tmp_path / "some.db")
    database.migrate(TABLE)
    stranger = sqlite3.connect(tmp_path / "some.db", isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    writes = [asyncio.create_task(database.write(insert(f"{number:03}"))) for number in range(200)]
    loop = asyncio.get_running_loop()
    began, longest = loop.time(), 0.0
    while (before := loop.time()) - began < 2.5:
        await asyncio.sleep(0.01)
        longest = max(longest, loop.time() - before)
    assert not any(write.done() for write in writes)
    assert await database.read(words) == []
    stranger.execute("ROLLBACK")
    await asyncio.gather(*writes)
    assert len(await database.read(words)) == 200
    assert longest < 0.5
    stranger.close()
    await database.aclose()


async def test_closing_finishes_what_was_queued_and_leaves_one_file(tmp_path):
    database = Database(tmp_path / "some.db")
    database.migrate(TABLE)
    writes = [asyncio.create_task(database.write(insert(str(number)))) for number in range(50)]
    await asyncio.sleep(0)
    await database.aclose()
    await database.aclose()
    assert await asyncio.gather(*writes) == [1] * 50
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.db", "some.db.lock"]
    with pytest.raises(Refused, match="is closed"):
        await database.write(insert("late"))


async def test_each_migration_is_made_once_and_wholly(tmp_path):
    scripts = [*TABLE, "ALTER TABLE words ADD COLUMN tone TEXT; -- a remark; with a semicolon\nBROKEN;"]
    database = Database(tmp_path / "some.db")
    with pytest.raises(sqlite3.OperationalError):
        database.migrate(scripts)
    assert await database.read(lambda c: c.execute("PRAGMA user_version").fetchone()) == (1,)
    assert await database.write(insert("bell")) == 1
    scripts[1] = scripts[1].replace("BROKEN", "INSERT INTO words VALUES ('a;b', 'c')")
    database.migrate(scripts)
    database.migrate(scripts)
    assert await database.read(lambda c: c.execute("SELECT * FROM words ORDER BY word").fetchall()) == [
        ("a;b", "c"),
        ("bell", None),
    ]
    await database.aclose()


async def test_a_newer_schema_is_refused_with_words(tmp_path):
    database = Database(tmp_path / "some.db")
    await database.write(lambda connection: connection.execute("PRAGMA user_version = 7"))
    with pytest.raises(Refused, match=r"some\.db was written by a newer Tocsin \(schema 7, this one knows 1\)"):
        database.migrate(TABLE)
    await database.aclose()


def test_a_second_owner_is_refused_in_this_process_and_in_another(tmp_path):
    database = Database(tmp_path / "some.db")
    with pytest.raises(Refused, match=f"in use by another Tocsin \\(process {os.getpid()}\\)"):
        Database(tmp_path / "some.db")
    code = "import sys; from bot.database import Database; Database(sys.argv[1])"
    other = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "some.db"], capture_output=True, text=True, check=False
    )
    assert "in use by another Tocsin" in other.stderr
    asyncio.run(database.aclose())
    asyncio.run(Database(tmp_path / "some.db").aclose())


def _directory(path: Path) -> None:
    path.mkdir()


def _words(path: Path) -> None:
    path.write_text("this is no database at all, but a long enough text" * 100)


@pytest.mark.parametrize(
    ("make", "name", "why"),
    [
        (_directory, "some.db", "cannot write"),
        (_words, "some.db", "damaged or no database"),
        (_words, "file", "cannot keep data in"),
    ],
)
def test_a_place_that_cannot_hold_data_is_refused_with_words(tmp_path, make, name, why):
    make(tmp_path / name)
    with pytest.raises(Refused, match=why):
        Database(tmp_path / name / "some.db" if name == "file" else tmp_path / name)


async def test_missing_folders_are_made(tmp_path):
    await Database(tmp_path / "a" / "b" / "some.db").aclose()
    assert (tmp_path / "a" / "b" / "some.db").exists()
