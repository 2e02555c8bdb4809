"""R51: files that nobody wrote in good faith are refused in a line, in a second, in little memory."""

import json
import os
import subprocess
import sys

BOMBS = {
    "ten megabytes": lambda: b"data: x\n" + b"# padding\n" * 1_000_000,
    "a billion laughs": lambda: _laughs(9),
    "aliases": lambda: b"a: &a x\nb: [" + b"*a, " * 101 + b"]",
    "many values": lambda: b"a: [" + b"1," * 300_000 + b"]",
    "brackets": lambda: b"[" * 100_000,
    "braces": lambda: b"{a: " * 100_000,
    "dashes": lambda: b"- " * 200_000,
    "a key twice": lambda: b"data: x\ndata: y\n",
    "a key twice, deep": lambda: b"services: {shop: {name: A, name: B}}\n",
    "a merge of itself": lambda: b"a: &a {<<: *a}\n",
    "a list of itself": lambda: b"a: &a [*a]\n",
    "NUL": lambda: b"data: x\x00y\n",
    "a tab for a space": lambda: b"web:\n\tlisten: x\n",
    "UTF-16": lambda: "data: x\n".encode("utf-16"),
    "Latin-1": lambda: b"data: caf\xe9\n",
    "a Python object": lambda: b"data: !!python/object/apply:os.system ['true']\n",
    "a Python name": lambda: b"data: !!python/name:os.system\n",
    "an unknown tag": lambda: b"data: !evil x\n",
    "an endless number": lambda: b"tick: " + b"9" * 400_000,
    "Windows line ends": lambda: b"data: x\r\n",
    "a byte order mark": lambda: b"\xef\xbb\xbfdata: x\n",
    "a bracket that is not closed": lambda: b"services: [",
}
FINE = {"as it should be": b"data: x\nweb:\n  listen: '127.0.0.1:0'\n"}
READ = """
import json, resource, sys, time
from pathlib import Path
from bot.config.errors import Misconfigured
from bot.config.read import read
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = []
for file in sorted(Path(sys.argv[1]).iterdir()):
    began = time.process_time()
    try:
        read(file, {})
        said = []
    except Misconfigured as wrong:
        said = [str(problem) for problem in wrong.problems]
    rows.append((file.name, said[:3], time.process_time() - began))
print(json.dumps([rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""


def _laughs(levels):
    rows = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(rows).encode()


def test_a_bomb_is_refused_with_its_place_in_a_second_and_a_hundred_megabytes(tmp_path, prove):
    for name, body in {name: made() for name, made in BOMBS.items()}.items() | FINE.items():
        (tmp_path / name).write_bytes(body)
    done = subprocess.run([sys.executable, "-c", READ, str(tmp_path)], capture_output=True, text=True, check=True)
    rows, grown = json.loads(done.stdout)
    wrong = [f"{grown} kB"] if grown > 100_000 else []
    for name, said, took in rows:
        wrong += [f"{name} took {took:.1f} s"] if took > 1 else []
        wrong += [f"{name}: {said}"] if bool(said) is (name in FINE) else []
        wrong += [f"{name}: {line[:200]!r}" for line in said if "\n" in line or len(line) > 500 or name not in line]
    assert len(rows) == len(BOMBS) + len(FINE)
    prove("R51", len(rows), wrong, "bombs and oddities in a configuration, refused in a line")


def test_the_program_ends_with_78_and_a_line_for_a_bomb(tmp_path, prove):
    wrong, tried = [], ("a billion laughs", "a Python object")
    for name in tried:
        (tmp_path / "config.yaml").write_bytes(BOMBS[name]())
        command = [sys.executable, "-m", "bot", "run", "-c", str(tmp_path / "config.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ}, timeout=60)
        lines = done.stderr.strip().splitlines()
        wrong += [] if done.returncode == 78 and len(lines) == 1 and "config.yaml:" in lines[0] else [done.stderr[:300]]
    prove("R51", len(tried), wrong, "starts with a bomb for a configuration, ended by code 78 and one line")
