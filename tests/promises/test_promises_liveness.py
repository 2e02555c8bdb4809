"""R31 to R35 and R47: stalls are seen, tasks never vanish, invariants are proved, stopping is quick, secrets stay in."""

import asyncio
import re
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest
from doubles.clock import ManualClock
from doubles.discord_double import DiscordDouble
from doubles.discord_events import GUILD, TOKEN
from doubles.oracle import T0
from doubles.program import Program, running, until
from doubles.slack import APP_TOKEN, BOT_TOKEN, SlackDouble

from bot.auditor import Auditor
from bot.ports import Refused, Reply, Retry, Unreachable
from bot.tending import Tending
from bot.world.notify import notify
from bot.world.stalls import Stalls


class Pings:
    """A dead-man's switch that remembers what it heard."""

    def __init__(self):
        self.heard = []
        self.away = False

    async def get(self, url, **_):
        if self.away:
            raise Unreachable("connect", "nobody there")
        self.heard.append(url)
        return Reply(status=200, url=url, headers={}, body=b"", elapsed=0.0)


BREACHES = {
    "words": "the disk is full",
    "retry": Retry("locked"),
    "refused": Refused("damaged"),
    "bug": ZeroDivisionError(),
    "never answers": None,
}


@pytest.mark.parametrize("how", BREACHES)
@pytest.mark.parametrize("which", ["tasks", "beat", "store", "threads", "sources"])
async def test_the_switch_hears_no_good_word_while_an_invariant_is_broken(prove, how, which, monkeypatch):
    monkeypatch.setattr("bot.auditor._PATIENCE", 0.05)
    clock, pings, broken, said = ManualClock(T0), Pings(), [], []

    async def invariant(name):
        if name not in broken:
            return ""
        breach = BREACHES[how]
        if breach is None:
            await asyncio.Event().wait()
        if isinstance(breach, Exception):
            raise breach
        return breach

    async def lasting(name, words):
        said.append((name, bool(words)))

    names = ("tasks", "beat", "store", "threads", "sources")
    invariants = {name: lambda name=name: invariant(name) for name in names}
    auditor = Auditor(invariants, clock, pings, "http://dead.example/x", lasting=lasting)
    await auditor.audit()
    broken.append(which)
    await auditor.audit()
    await auditor.audit()
    broken.clear()
    await auditor.audit()
    good, fail = "http://dead.example/x", "http://dead.example/x/fail"
    wrong = [] if pings.heard == [good, fail, fail, good] else [str(pings.heard)]
    wrong += [] if said == [(which, True), (which, False)] else [str(said)]
    prove("R33", 1, wrong, "breaches of an invariant, each seen at the next audit")


async def test_a_warning_or_a_switch_that_is_away_stops_nothing(prove):
    pings = Pings()

    async def warned():
        return "warning: little room"

    auditor = Auditor({"disk": warned}, ManualClock(T0), pings, "http://dead.example/x")
    await auditor.audit()
    pings.away = True
    await auditor.audit()
    prove(
        "R33",
        2,
        [] if pings.heard == ["http://dead.example/x"] and auditor.audits == 2 else [str(pings.heard)],
        "audits",
    )


def _ends():
    async def returns():
        pass

    async def raises():
        raise ZeroDivisionError

    async def refuses():
        raise Refused("a person must act")

    async def cancels():
        raise asyncio.CancelledError

    return {"returns": returns, "raises": raises, "refuses": refuses, "is cancelled": cancels}


@pytest.mark.parametrize("how", _ends())
async def test_no_task_vanishes_however_it_ends(prove, how):
    clock, runs, stuck = ManualClock(T0), [], []

    async def work():
        runs.append(clock.monotonic())
        await _ends()[how]()

    async def said(name, why):
        stuck.append((name, why))

    tending = Tending(clock, said)
    tending.start("work", work)
    task = asyncio.create_task(tending.run())
    await clock.advance(1800)
    wrong = [] if len(runs) > 20 and not tending.missing() else [f"ran {len(runs)} times, {tending.missing()}"]
    wrong += [] if bool(stuck) is (how == "refuses") else [str(stuck)]
    await tending.stop("work")
    task.cancel()
    await asyncio.wait([task])
    prove("R32", len(runs), wrong, "ends of a task: returned, raised, refused, cancelled")


async def test_a_standing_loop_is_said_with_its_place_and_ended(prove, capsys):
    ended = []
    stalls = Stalls(say=0.3, end=1.0, exit_=ended.append)
    task = asyncio.create_task(stalls.run())
    await asyncio.sleep(0.1)
    time.sleep(2.2)  # noqa: ASYNC251 - a stall is what is under test
    await asyncio.sleep(0)
    said = capsys.readouterr().out
    wrong = [] if stalls.seen == 1 and "test_promises_liveness.py" in said else [said]
    wrong += [] if ended == [70] else [str(ended)]
    stalls.stop()
    task.cancel()
    prove("R31", 1, wrong, "stalls of the loop, with the stack and the end")


def test_systemd_is_told_over_its_socket(tmp_path, prove):
    where = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(where)
        wrong = [] if notify("READY=1", {"NOTIFY_SOCKET": where}) and line.recv(99) == b"READY=1" else ["not told"]
    wrong += [] if not notify("READY=1", {}) and not notify("READY=1", {"NOTIFY_SOCKET": "/nowhere"}) else ["told"]
    prove("R31", 3, wrong, "words to systemd")


@pytest.fixture
async def started(tmp_path):
    async with SlackDouble() as slack, DiscordDouble() as discord:
        program = Program(tmp_path, slack, discord, GUILD)
        yield program, slack, discord
        await program.kill()


CANARIES = {
    "Slack bot token": BOT_TOKEN,
    "Slack app token": APP_TOKEN,
    "Discord token": TOKEN,
    "API token": "canary-api-x9",
}


@pytest.mark.slow
async def test_secrets_are_in_no_log_page_measure_or_file(started, prove, tmp_path):
    program, _, _ = started
    config = program.folder / "config.yaml"
    tokens = 'tokens: [{name: ci, secret: "canary-api-x9", scopes: [report]}], '
    config.write_text(config.read_text().replace("web: {", "web: {" + tokens))
    await program.start()
    head = {"Authorization": "Bearer canary-api-x9"}
    import aiohttp

    async with aiohttp.ClientSession() as web:
        for body in (b"{", b"[]", b'{"service": "nope"}', b"\xff"):
            async with web.post(f"{program.address}/api/v1/reports", data=body, headers=head) as answer:
                await answer.read()
        seen = b""
        for path in ("/", "/metrics", "/readyz", "/openapi.json", "/nowhere", "/api/v1/status", "/sign-in"):
            async with web.get(f"{program.address}{path}") as answer:
                seen += await answer.read()
    config.write_text(config.read_text().replace("tick: 1s", "tock: 1s"))
    await until(lambda: b"tock" in program.log.read_bytes())
    await program.stop()
    found = {"pages": seen, "the log": program.log.read_bytes()}
    found |= {path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    wrong = [
        f"{what} in {where}" for what, c in CANARIES.items() for where, body in found.items() if c.encode() in body
    ]
    prove("R47", len(CANARIES) * len(found), wrong, "places in which a secret was looked for")


@pytest.mark.slow
async def test_stopping_takes_less_than_ten_seconds_and_a_second_signal_none(started, prove):
    program, slack, _ = started
    wrong = []
    for signals in (1, 2):
        await program.start()
        await program.report(8)
        await until(lambda: slack.channels["C1"].live)
        before, began = program.log.read_bytes().count(b'"stopping"'), time.monotonic()
        process = program._process
        process.send_signal(signal.SIGTERM)
        if signals == 2:
            await until(lambda: program.log.read_bytes().count(b'"stopping"') > before)  # noqa: B023 - awaited at once
            began = time.monotonic()
            with suppress(ProcessLookupError):  # it may have ended at the first
                process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            code = await process.wait()
        took = time.monotonic() - began
        wrong += [] if took < (10 if signals == 1 else 3) and code in (0, 143, -15) else [f"{took:.1f} s, exit {code}"]
    prove("R34", 2, wrong, "stops with messages under way")


@pytest.mark.slow
async def test_it_starts_with_every_platform_down_and_says_which(tmp_path, prove):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    file, log = tmp_path / "config.yaml", tmp_path / "log"
    away = f"http://127.0.0.1:{port}/"
    file.write_text(
        f"web: {{listen: '127.0.0.1:0'}}\n"
        f"chats:\n"
        f"  slack: {{kind: slack, bot_token: xoxb-1, app_token: xapp-1, api_url: '{away}'}}\n"
        f"  disco: {{kind: discord, token: {TOKEN}, guild: '1', api_url: '{away}', gateway_url: 'ws://127.0.0.1:{port}'}}\n"
        f"channels: {{ops: {{chat: slack, channel: C1}}, community: {{chat: disco, channel: '456'}}}}\n"
        f"deadman: {{url: '{away}'}}\n"
        f"policy: {{confirm_for: 0s}}\n"
        f"services:\n"
        f"  x:\n"
        f"    watch:\n"
        f"      front: {{kind: probe, url: '{away}', allow_private: true}}\n"
        f"      page: {{kind: statuspage, url: '{away}', allow_private: true}}\n"
    )
    began = time.monotonic()
    async with running(file, log) as process:
        await until(lambda: b'"page": "' in log.read_bytes())
        took = time.monotonic() - began - _waited(process.pid)
        address = re.search(rb'"page": "([^"]+)"', log.read_bytes())[1].decode()
        import aiohttp

        async with aiohttp.ClientSession() as web:
            async with web.get(f"{address}/healthz") as answer:
                alive = answer.status
            reports = [{"service": "x", "reporter": f"p{n}"} for n in range(50)]
            async with web.post(f"{address}/api/v1/reports", json=reports):
                ready = await until(lambda: _unready(web, address, ("ops", "community")))
        process.terminate()
        code = await process.wait()
    wrong = [] if took < 10 and alive == 200 and code == 0 else [f"{took:.1f} s, {alive}, exit {code}"]
    wrong += [] if ready else ["readyz does not name the channels that cannot be told"]
    prove(
        "R35",
        5,
        wrong,
        "things that were away at a start: two chats, a probed page, a status page, the dead-man's switch",
    )


def _waited(pid):
    """Seconds that a process was ready to go on while others had the processor: the machine's doing, not its own."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


async def _unready(web, address, channels):
    """True once /readyz is 503 and says of each channel that it cannot be told."""
    async with web.get(f"{address}/readyz") as answer:
        conditions = (await answer.json())["conditions"]
        troubled = [name for name in channels if conditions.get(f"channel {name}", "ok") != "ok"]
        return answer.status == 503 and len(troubled) == len(channels)
