"""Plants ten known bugs, one after the other, in a copy of the tree, and shows that each turns a test red.

    python tests/promises/seeded_bugs.py [name ...]

Exit 0: every bug was found. A bug that no test finds, or a planting that no longer fits the code, is a failure.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PARTS = ("bot", "tests", "pyproject.toml", "scenarios", "config.yaml", "docs")


class Bug(NamedTuple):
    """A change that somebody could make by mistake, and the tests that should mind."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


DELIVERY = "tests/promises/test_promises_delivery.py"
STORAGE = "tests/promises/test_promises_storage.py"
CRASH = f"{DELIVERY}::test_a_crash_before_or_after_any_call_or_write_loses_and_doubles_nothing"
BUGS = (
    Bug(
        "mark before send",
        "bot/relay.py",
        "            await self._store.mark(begun)\n",
        "            await self._store.mark(told(begun, step, incident) if step.do == 'reply' else begun)\n",
        (CRASH,),
    ),
    Bug(
        "send before store",
        "bot/relay.py",
        'if lane(step) == "news" and not unsure:',
        'if lane(step) == "nothing" and not unsure:',
        (CRASH,),
    ),
    Bug(
        "synchronous NORMAL",
        "bot/sqlitefile.py",
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        (f"{STORAGE}::test_a_thousand_power_cuts_lose_nothing_that_was_acknowledged",),
    ),
    Bug(
        "no fence",
        "bot/sqlitefile.py",
        "fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(guard, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        (f"{STORAGE}::test_only_one_connection_can_write_and_an_old_sqlite_is_named",),
    ),
    Bug(
        "wall clock",
        "bot/world/steady.py",
        "        return self._now\n",
        "        return self._wall()\n",
        ("tests/promises/test_promises_time.py::test_a_jump_of_the_machines_clock_opens_and_closes_nothing",),
    ),
    Bug(
        "no nonce",
        "bot/chats/discord_wire.py",
        'nonce=nonce(f"{key}@{thread}")',
        "nonce=None",
        ("tests/contract/test_discord_threads.py",),
    ),
    Bug(
        "unescaped text",
        "bot/chats/slack_text.py",
        "return (letter.translate(_INERT) for letter in words)",
        "return iter(words)",
        ("tests/contract/test_slack_words.py",),
    ),
    Bug(
        "deaf socket",
        "bot/chats/slack_socket.py",
        "link = _Link(await self._ticket(), self._take, self._heartbeat)",
        "self._old = getattr(self, '_old', '') or await self._ticket()\n"
        "        link = _Link(self._old, self._take, self._heartbeat)",
        ("tests/contract/test_slack_socket.py",),
    ),
    Bug(
        "blindness rule off",
        "bot/detectors/graded.py",
        "    return len(latest) >= SITES and failed >= _BLIND_SHARE * len(latest)",
        "    return False and failed >= _BLIND_SHARE * len(latest)",
        ("tests/promises/test_promises_blind.py",),
    ),
    Bug(
        "hash unkeyed",
        "bot/core/admission.py",
        "key=self._key[:32], ",
        "",
        ("tests/core/test_admission.py",),
    ),
)


def copy(to: Path) -> None:
    """The tree as it is now, without what git and the environment keep."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, to / part)


def tried(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests in a tree; answers pytest's exit code and its last words."""
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--timeout", "110", *tests]
    done = subprocess.run(
        command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False
    )
    found = re.findall(r"^FAILED (.*?)(?: - |$)", done.stdout, re.MULTILINE)
    return done.returncode, found[0] if found else done.stdout[-400:]


def plant(bug: Bug) -> str:
    """Plant one bug and run its tests; answers the test that found it, or nothing where none did."""
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        tree = Path(folder)
        copy(tree)
        file = tree / bug.file
        text = file.read_text(encoding="utf-8")
        if text.count(bug.old) != 1:
            say(f"{bug.name}: {bug.file} has changed; mend the planting")
            return ""
        file.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
        code, words = tried(tree, bug.tests)
        return words if code == 1 else ""


def say(words: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """Plant each bug that is named, or all; the unharmed tree must be green first."""
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        copy(Path(folder))
        code, words = tried(Path(folder), tuple(dict.fromkeys(test for bug in chosen for test in bug.tests)))
        if code:
            say(f"the tree is red without any bug: {words}")
            return 2
    missed = 0
    for bug in chosen:
        red = plant(bug)
        missed += not red
        say(f"{bug.name:20} {'found by ' + red if red else 'NOT FOUND'}")
    say(f"{len(chosen) - missed} of {len(chosen)} seeded bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
