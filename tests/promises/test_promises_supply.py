"""R53 and R54: it runs with no rights at all on a root it cannot write, and what it is made of is locked and known."""

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = (
    "--reuid=10001",
    "--regid=10001",
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
)
CAGE = """\
set -e
mount -t tmpfs -o uid=10001,mode=700 tmpfs "$DATA"
mount -t tmpfs -o size=64m,noexec,nosuid,nodev tmpfs "$TMPDIR"
mount -o remount,bind,ro /
exec setpriv {rights} "$@"
""".format(rights=" ".join(ALLOWED))


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def caged(folder, *words, **more):
    """A program of ours as the container runs it: no rights, a root that cannot be written, its data on a mount."""
    cage = ["unshare", "--mount", "--propagation", "private", "sh", "-c", CAGE, "sh"]
    env = {"PATH": os.environ["PATH"], "DATA": str(folder / "data"), "TMPDIR": str(folder / "tmp"), "HOME": "/nowhere"}
    return subprocess.Popen(
        [*cage, sys.executable, *words], cwd=ROOT, env=env | {"PYTHONDONTWRITEBYTECODE": "1"}, **more
    )


@pytest.fixture
def folder():
    """A folder that somebody without rights can reach, which pytest's own are not."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("taking rights away takes root, unshare and setpriv")
    made = Path(f"/var/tmp/tocsin-cage-{os.getpid()}")
    for name in ("data", "tmp"):
        (made / name).mkdir(parents=True)
    yield made
    shutil.rmtree(made)


LOOK = """
import os, json, bot.app
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
def denied(path):
    try:
        open(path, "w").close()
    except OSError:
        return True
    return False
print(json.dumps([
    os.getuid() == 10001 and os.getgid() == 10001 and not os.getgroups(),
    int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0 and status["NoNewPrivs"] == "1",
    denied("/anything"), denied("/etc/anything"), denied("/usr/anything"), not denied(os.environ["DATA"] + "/x"),
]))
"""


def test_it_lives_with_no_rights_on_a_root_that_cannot_be_written(folder, prove):
    look = caged(folder, "-c", LOOK, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, why = (stream.decode() for stream in look.communicate(timeout=60))
    if look.returncode:
        pytest.skip(f"no cage can be made here: {why.strip().splitlines()[-1]}")
    held = json.loads(said)
    wrong = [f"the cage leaks at {n}" for n, closed in enumerate(held) if not closed]
    config, port = folder / "config.yaml", free_port()
    config.write_text(
        f"data: {folder / 'data'}\nweb: {{listen: '127.0.0.1:{port}'}}\nservices: {{shop: {{name: Shop}}}}\n"
    )
    config.chmod(0o644)
    with (folder / "log").open("wb") as log:
        bot = caged(folder, "-m", "bot", "run", "-c", str(config), stderr=log)
        try:
            wrong += answers(port)
            health = [sys.executable, "-m", "bot", "health", "--url", f"http://127.0.0.1:{port}"]
            asked = subprocess.run(health, cwd=ROOT, capture_output=True, check=False, timeout=60)
            wrong += [] if asked.returncode == 0 else [f"health: {asked.stdout + asked.stderr!r}"]
        finally:
            bot.terminate()
            wrong += [] if bot.wait(30) == 0 else [f"ended with {bot.returncode}"]
    said = (folder / "log").read_text()
    wrong += [said] if "Traceback" in said or "ead-only" in said else []
    prove("R53", len(held) + 4, wrong, "limits of the container, and lives within them")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    body = b'{"service": "shop", "reporter": "a"}'
    report = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/reports", data=body, headers={"Content-Type": "application/json"}
    )
    for _ in range(600):
        try:
            with urllib.request.urlopen(report, timeout=5) as answer:
                return [] if answer.status == 202 else [f"a report: {answer.status}"]
        except OSError:
            time.sleep(0.1)
    return ["it did not answer within a minute"]


def test_everything_that_is_shipped_is_locked_with_hashes(prove):
    locked = {p["name"]: p for p in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    names = tool("licences").shipped()
    files = [file for name in names for file in (*locked[name].get("wheels", ()), locked[name].get("sdist"))]
    wrong = [file for file in files if file and not file["hash"].startswith("sha256:")]
    wrong += [name for name in names if "registry" not in locked[name]["source"]]
    prove("R54", len(files), wrong, "files of packages that are shipped, each locked with its hash")


def test_the_packages_asked_for_are_few_and_their_licences_known(prove):
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    rows = list(tool("licences").listed())
    wrong = [f"{name}: {words or 'no licence'}" for name, words, fine in rows if not fine]
    wrong += [f"{len(asked)} are asked for"] if len(asked) > 20 else []
    prove("R54", len(rows), wrong, "packages that are shipped, with a licence that lets us")


TODAY = date(2026, 11, 22)
HOLE = {"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "CVE-1"}]}, {"name": "y", "vulns": []}]}


@pytest.mark.parametrize(
    ("waived", "expected"),
    [
        ("", ["CVE-1 in x 1: update it, or waive it"]),
        ("CVE-1 2026-11-22", []),
        ("CVE-1 2026-11-21", ["the waiver of CVE-1 ran out on 2026-11-21"]),
        (
            "CVE-2 2026-12-31",
            ["CVE-1 in x 1: update it, or waive it", "the waiver of CVE-2 is for nothing: take it out"],
        ),
    ],
)
def test_a_known_hole_needs_a_waiver_that_has_not_run_out(waived, expected):
    audit = tool("audit")
    name, _, until = waived.partition(" ")
    text = f'[[waiver]]\nid = "{name}"\nuntil = {until}\nwhy = "because"\n' if waived else ""
    assert audit.judged(audit.holes(HOLE), audit.waivers(text), TODAY) == expected


@pytest.mark.parametrize(
    "text", ['[[waiver]]\nid = "a"\nwhy = "b"', '[[waiver]]\nid = "a"\nuntil = 2026-01-01\nwhy = " "']
)
def test_a_waiver_without_a_date_or_a_reason_is_none(text):
    with pytest.raises(ValueError, match="needs an id, a date"):
        tool("audit").waivers(text)


def test_the_waivers_that_there_are_can_be_read():
    audit = tool("audit")
    assert audit.waivers(audit.WAIVERS.read_text()) is not None
