"""How fast reports come in, as ratios to a plain aiohttp "hello" on the same core in the same run.

Both servers are pinned to one core and the client, a process of its own, to another. Rounds are interleaved, so that a
busy neighbour slows all three alike; the figures are medians. Every report is a new reporter's, every answer is checked.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

ROUNDS = 5
HELLOS, SINGLES, BATCHES, BATCH, FORGED = 8_000, 6_000, 200, 1_000, 4_000
CONNECTIONS, DEPTH = 64, 1
GOALS = {"batches": 20.0, "singles": 0.6}
_CONFIG = """
data: {data}
web: {{listen: "127.0.0.1:{port}"}}
chats: {{page: {{kind: page}}}}
channels: {{wall: {{chat: page}}}}
services:
  twitter: {{name: Twitter, aliases: [x]}}
  github: {{name: GitHub, watch: {{events: {{kind: standard_webhooks, secret: only-for-measuring}}}}}}
"""


def main() -> None:
    """Measure, and print one line per door."""
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder)) as servers, _client() as client:
        rounds = [_round(client, *servers, number) for number in range(ROUNDS + 1)][1:]  # the first one warms up
    hello, single, batch, forged = (
        statistics.median(rate for rate, _ in column) for column in zip(*rounds, strict=True)
    )
    print(f"aiohttp hello              {hello:>9,.0f} requests/s")
    print(f"durable single POSTs       {single:>9,.0f} reports/s   {_judged('singles', rounds, 1)}")
    print(f"durable NDJSON, 1,000 each {batch:>9,.0f} reports/s   {_judged('batches', rounds, 2)}")
    print(f"forged deliveries refused  {forged:>9,.0f} requests/s")


def _judged(name: str, rounds: list[Round], column: int) -> str:
    """The ratio by the clock, and by the servers' own processor time, which a busy neighbour does not lengthen and
    which therefore judges."""
    goal = GOALS[name]
    clock, work = (statistics.median(r[column][by] / r[0][by] for r in rounds) for by in (0, 1))
    word = "met" if work >= goal else "MISSED"
    return f"{clock:.2f}x of hello by the clock, {work:.2f}x by processor time ({word}: goal {goal:g}x)"


Rate = tuple[float, float]
"""Per second of the clock, and per second of the server's processor time."""
Round = tuple[Rate, Rate, Rate, Rate]
Server = tuple[int, int]
"""Port and process."""


def _round(client: Connection, hello: Server, tocsin: Server, number: int) -> Round:
    """Requests per second of hello, reports per second of both ways in, and forged deliveries per second."""
    return (
        _ask(client, "hellos", hello, number, HELLOS),
        _ask(client, "singles", tocsin, number, SINGLES),
        _ask(client, "batches", tocsin, number, BATCHES * BATCH),
        _ask(client, "forged", tocsin, number, FORGED),
    )


def _ask(client: Connection, what: str, server: Server, number: int, size: int) -> Rate:
    port, process = server
    before = _worked(process)
    client.send((what, port, number))
    seconds = float(client.recv())
    return size / seconds, size / (_worked(process) - before)


def _worked(process: int) -> float:
    """Seconds of processor time that a process has used, user and system, all threads (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# The servers


@contextmanager
def _servers(folder: Path) -> Iterator[tuple[Server, Server]]:
    """A plain hello and a real Tocsin with its data on disk, both on the first core; answers where they are."""
    hello, tocsin = _free_port(), _free_port()
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(data=folder / "data", port=tocsin))
    greeter = multiprocessing.get_context("spawn").Process(target=_greet, args=(hello,), daemon=True)
    greeter.start()
    house = subprocess.Popen([sys.executable, "-m", "bot", "run", "-c", config], stderr=subprocess.DEVNULL)
    try:
        for process in (greeter.pid, house.pid):
            _pin(process or 0, 0)
        _await(f"http://127.0.0.1:{hello}/")
        _await(f"http://127.0.0.1:{tocsin}/healthz")
        yield (hello, greeter.pid or 0), (tocsin, house.pid)
    finally:
        house.terminate()
        house.wait(20)
        greeter.terminate()


def _greet(port: int) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", hello)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within 10 s")


def _pin(process: int, core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(process, {cores[core]})


# The client


@contextmanager
def _client() -> Iterator[Connection]:
    """A process that answers (what, port, round) with the seconds it took."""
    near, far = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(far,), daemon=True)
    process.start()
    try:
        yield near
    finally:
        process.terminate()


def _serve(orders: Connection) -> None:
    _pin(0, 1)
    while True:
        what, port, number = orders.recv()
        requests, answer = _KINDS[what](number)
        orders.send(asyncio.run(_drive(port, requests, answer)))


async def _drive(port: int, requests: list[bytes], answer: bytes) -> float:
    """Send everything over a few connections that are kept full; answers the seconds until the last answer."""
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    connections = min(CONNECTIONS, len(requests) // 8)
    lines = [
        (await loop.create_connection(lambda: _Line(waiting, answer), "127.0.0.1", port))[1] for _ in range(connections)
    ]
    began = time.perf_counter()
    for line in lines:
        line.begin()
    await asyncio.gather(*(line.ended for line in lines))
    seconds = time.perf_counter() - began
    right = sum(line.right for line in lines)
    if right != len(requests):
        raise SystemExit(f"{len(requests) - right} of {len(requests)} requests were not answered with {answer!r}")
    return seconds


class _Line(asyncio.Protocol):
    """One connection with DEPTH requests under way; counts answers without reading them."""

    def __init__(self, waiting: Iterator[bytes], answer: bytes) -> None:
        self._waiting, self._answer = waiting, answer
        self._under_way = self.right = 0
        self._rest = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def begin(self) -> None:
        """Send the first requests."""
        self._send(DEPTH)

    def data_received(self, data: bytes) -> None:
        """`answer` ends every right answer, so counting it counts answers; a part of it is kept for the next piece."""
        data = self._rest + data
        done = data.count(self._answer)
        self._rest = data[max(len(data) - len(self._answer) + 1, data.rfind(self._answer) + len(self._answer), 0) :]
        self.right += done
        self._under_way -= done
        self._send(done)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self, number: int) -> None:
        batch = list(islice(self._waiting, number))
        self._under_way += len(batch)
        if batch:
            self._transport.write(b"".join(batch))
        elif not self._under_way and not self.ended.done():
            self._transport.close()
            self.ended.set_result(None)


def _hellos(_: int) -> tuple[list[bytes], bytes]:
    return [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] * HELLOS, b"hello"


def _singles(number: int) -> tuple[list[bytes], bytes]:
    requests = [_post(_report(f"s{number}-{index}"), b"application/json") for index in range(SINGLES)]
    return requests, b'{"accepted":1,"repeated":0,"rejected":[]}'


def _batches(number: int) -> tuple[list[bytes], bytes]:
    bodies = [b"\n".join(_report(f"b{number}-{index}-{line}") for line in range(BATCH)) for index in range(BATCHES)]
    requests = [_post(body, b"application/x-ndjson") for body in bodies]
    return requests, b'{"accepted":%d,"repeated":0,"rejected":[]}' % BATCH


def _forged(_: int) -> tuple[list[bytes], bytes]:
    """Deliveries to a hook that nobody signed: what a flood of strangers costs."""
    post = _post(b'{"type":"incident.opened","data":{"id":"1"}}', b"application/json")
    return [post.replace(b"/api/v1/reports", b"/hooks/github/events")] * FORGED, b'no webhook-id"}'


def _report(name: str) -> bytes:
    return json.dumps(
        {"service": "twitter", "id": name, "reporter": name, "symptom": "login", "region": "JP", "platform": "web"}
    ).encode()


def _post(body: bytes, kind: bytes) -> bytes:
    head = b"POST /api/v1/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


_KINDS = {"hellos": _hellos, "singles": _singles, "batches": _batches, "forged": _forged}
