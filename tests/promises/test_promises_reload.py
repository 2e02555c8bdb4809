"""R51 and R52: the configuration is taken wholly or not at all, while incidents live on."""

import asyncio
import os
import random
import signal
from contextlib import asynccontextmanager

import pytest
from doubles.program import running, until

from bot.app import House, Serving
from bot.config.errors import Misconfigured
from bot.config.read import read
from bot.core.model import Acted
from bot.core.phrases import plain
from bot.rereading import mark
from bot.world.steady import SteadyClock

BASE = """\
web: {{listen: "127.0.0.1:0"}}
tick: 1m
chats:
  page: {{kind: page}}
channels:
  wall: {{chat: page}}
{channels}
levels:
  minor: {{reports: {reports}}}
  major: {{reports: {more}}}
services:
  twitter: {{name: Twitter, aliases: [x]}}
{services}
"""


def written(chance):
    """A configuration that is right."""
    services = "".join(f"  s{n}: {{name: Service {n}, tell: [wall]}}\n" for n in range(chance.randrange(5)))
    channels = "".join(f"  wall{n}: {{chat: page}}\n" for n in range(chance.randrange(3)))
    reports = chance.randrange(2, 50)
    return BASE.format(services=services, channels=channels, reports=reports, more=reports * 5)


def damaged(text, chance):
    """The same with something wrong with it; by chance it may still be right."""
    kind = chance.randrange(6)
    if kind == 0:
        return text[: chance.randrange(len(text))]
    if kind == 1:
        return text.replace("reports:", "repots:", 1)
    if kind == 2:
        return text.replace("chat: page", "chat: nowhere", 1)
    if kind == 3:
        return text + "\x00"
    if kind == 4:
        return text.replace("services:", "services:\n  twitter: {}", 1)
    return "a: &a [*a]\n" + text


@pytest.fixture
async def lived_in(tmp_path):
    """A house with its doors open and an incident of Twitter."""
    async with lived(tmp_path, tmp_path / "data") as found:
        yield found


@pytest.fixture
async def lived_in_lightly(tmp_path):
    """The same in memory, for what is done to it hundreds of times: no change waits for another thread."""
    async with lived(tmp_path, None) as found:
        yield found


@asynccontextmanager
async def lived(path, folder):
    file = path / "config.yaml"
    file.write_text(written(random.Random(0)))
    house = House(read(file, {}), SteadyClock(), folder)
    await house.wake()
    async with Serving(house, asking=False, beating=False) as serving:
        work = asyncio.create_task(serving.run())
        await declare(house)
        yield serving, file
        work.cancel()
        await asyncio.wait([work])
    await house.aclose()


async def declare(house):
    await house.engine.act("twitter", Acted(at=house.clock.now(), verb="declare", who="Anna", level="major"))


def shape(settings):
    """What a configuration says, to compare two of them."""
    levels = {s.id: tuple((rule.name, rule.reports) for rule in s.levels) for s in settings.services.values()}
    return levels, dict(settings.channels), settings.web


async def test_five_hundred_edits_are_each_taken_wholly_or_not_at_all(lived_in_lightly, prove):
    serving, file = lived_in_lightly
    chance, wrong, refused = random.Random(52), [], 0
    before, alive = serving.house.settings, True
    for n in range(500):
        text = written(chance)
        _put(file, damaged(text, chance) if chance.random() < 0.5 else text, chance)
        await serving.rereading.reread()
        try:
            before = read(file, {})
        except Misconfigured as why:
            refused += 1
            wrong += [] if str(why.problems[0].place) in serving.rereading.trouble else [f"{n}: no line and column"]
        house = serving.house
        wrong += [] if shape(house.settings) == shape(before) else [f"{n}: neither old nor new"]
        wrong += [] if house.services.keys() == house.settings.services.keys() else [f"{n}: services differ"]
        wrong += [] if house.relays.keys() == house.settings.channels.keys() else [f"{n}: relays differ"]
        if "twitter" not in house.services:  # half a file may be right, and without it
            alive = False
            continue
        if not alive:
            await declare(house)
        alive = True
        wrong += [] if house.board.living("twitter") else [f"{n}: the incident is gone"]
        wrong += [] if not serving.tending.missing() else [f"{n}: {serving.tending.missing()}"]
    assert 100 < refused < 400
    prove("R52", 500, wrong, f"edits of the file ({refused} of them wrong), taken wholly or not at all")


def _put(file, text, chance):
    """Write as editors and orchestrators do: in place, by rename, by swapping a link."""
    other = file.with_suffix(f".{chance.random()}")
    other.write_text(text, newline="")
    how = chance.randrange(3)
    if how == 0:
        file.unlink()
        file.symlink_to(other)
    elif how == 1:
        other.rename(file)
    else:
        if file.is_symlink():
            file.unlink()
        file.write_text(text, newline="")


async def test_a_bad_file_is_said_with_its_line_and_the_house_stays_ready(lived_in, prove):
    serving, file = lived_in
    good = file.read_text()
    file.write_text(good.replace("reports:", "repots:", 1))
    await serving.rereading.reread()
    said = serving.house.ailing.said["configuration"]
    word = serving.ready()["configuration"]
    [case] = [c for c in await serving.house.store.cases(".") if c.service == ".configuration"]
    wrong = [] if "config.yaml:10:" in said and "repots" in said else [said]
    wrong += [] if word.startswith("warning: ") else [word]
    wrong += [] if [t.channel for t in await serving.house.store.threads(case.incident.id)] == ["wall"] else ["unsaid"]
    file.write_text(good)
    await serving.rereading.reread()
    [case] = [c for c in await serving.house.store.cases(".") if c.service == ".configuration"]
    wrong += [] if serving.ready()["configuration"] == "ok" and case.incident.state == "closed" else ["not mended"]
    prove("R52", 1, wrong, "bad files said with line and column, and mended")


@pytest.mark.parametrize(
    "how",
    [
        "gone",
        "half",
        "empty",
        "a folder",
        "a dead link",
        "a link to itself",
        "latin",
        "utf-16",
        pytest.param("forbidden", marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(lived_in, prove, how):
    serving, file = lived_in
    text, before = file.read_text(), shape(serving.house.settings)
    file.unlink()
    if how == "a folder":
        file.mkdir()
    elif how == "latin":
        file.write_bytes(text.replace("Twitter", "Zw\xe4").encode("latin-1"))
    elif how == "utf-16":
        file.write_text(text, "utf-16-be")
    elif how == "half":
        file.write_text(text[: len(text) // 2] + "\n  twi")
    elif how == "empty":
        file.write_text("services: [")
    elif how in ("a dead link", "a link to itself"):
        file.symlink_to(file.with_name("nowhere") if how == "a dead link" else file)
    elif how == "forbidden":
        file.write_text(text)
        file.chmod(0)
    seen = mark((file,))
    await serving.rereading.reread()
    wrong = [] if shape(serving.house.settings) == before and serving.rereading.trouble else [serving.rereading.trouble]
    wrong += [] if seen != mark((file.with_name("log"),)) else ["the change would not be seen"]
    prove("R52", 1, wrong, "files that cannot be read")


async def test_a_removed_service_closes_with_the_reason(lived_in, prove):
    serving, file = lived_in
    file.write_text(file.read_text().replace("  twitter: {name: Twitter, aliases: [x]}", "  other: {name: Other}"))
    await serving.rereading.reread()
    [incident] = await serving.house.store.incidents()
    lines = [plain(entry.text) for entry in await serving.house.store.entries(incident.id)]
    wrong = [] if incident.state == "closed" and any("not watched any longer" in line for line in lines) else lines
    prove("R52", 1, wrong, "services that were removed while their incident was open")


async def test_what_takes_a_restart_is_refused_whole_and_named(lived_in, prove):
    serving, file = lived_in
    before = shape(serving.house.settings)
    file.write_text(file.read_text().replace("tick: 1m", "tick: 2m").replace("reports: ", "reports: 9"))
    await serving.rereading.reread()
    wrong = [] if shape(serving.house.settings) == before else ["half of it was taken"]
    wrong += [] if "`tick`" in serving.rereading.trouble else [serving.rereading.trouble]
    prove("R52", 1, wrong, "changes that take a restart")


async def test_a_page_that_cannot_be_served_leaves_the_old_one_and_everything_else(lived_in, prove):
    serving, file = lived_in
    before = shape(serving.house.settings)
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}").replace("reports: ", "reports: 9"))
    await serving.rereading.reread()
    taken.close()
    wrong = [] if shape(serving.house.settings) == before and "cannot listen" in serving.rereading.trouble else ["half"]
    host, _, here = serving.address.removeprefix("http://").rpartition(":")
    _, writer = await asyncio.open_connection(host, int(here))
    writer.close()
    prove("R52", 1, wrong, "addresses that somebody else holds")


async def test_the_running_program_sees_a_new_file_and_a_hangup_signal(tmp_path, prove):
    file, log = tmp_path / "config.yaml", tmp_path / "log"
    file.write_text(written(random.Random(1)))
    async with running(file, log) as process:
        await _said(log, b'"ready"')
        file.write_text(written(random.Random(2)))
        await _said(log, b'"configuration read again"')
        process.send_signal(signal.SIGHUP)
        await _said(log, b'"configuration read again"', 2)
        file.write_text("servces: {}\n")
        await _said(log, b"config.yaml:1:1")
        process.terminate()
        wrong = [] if await process.wait() == 0 else [log.read_text()]
    prove("R52", 3, wrong, "changes seen by the running program")


async def test_a_running_program_follows_the_links_of_a_mounted_configuration(tmp_path, prove):
    """As Kubernetes mounts a ConfigMap: the file is a link through a folder that is a link, and that one is swapped."""
    mounted, log = tmp_path / "conf", tmp_path / "log"
    mounted.mkdir()
    for number in (1, 2, 3):
        (mounted / f"..v{number}").mkdir()
        text = written(random.Random(number)) if number < 3 else "servces: {}\n"
        (mounted / f"..v{number}" / "config.yaml").write_text(text)
    (mounted / "..data").symlink_to("..v1")
    (mounted / "config.yaml").symlink_to("..data/config.yaml")
    async with running(mounted / "config.yaml", log) as process:
        await _said(log, b'"ready"')
        for number, words in ((2, b'"configuration read again"'), (3, b"config.yaml:1:1")):
            (mounted / "..new").symlink_to(f"..v{number}")
            (mounted / "..new").rename(mounted / "..data")
            await _said(log, words)
        process.terminate()
        wrong = [] if await process.wait() == 0 else [log.read_text()]
    prove("R52", 2, wrong, "swaps of the folder behind a link, one bad")


async def _said(log, words, times=1):
    await until(lambda: log.read_bytes().count(words) >= times)
