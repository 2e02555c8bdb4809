"""R36 to R39, R42 and R48: whoever knocks is who they say, floods drown nobody, and no report is lost in one."""

import asyncio
import json
import random
import resource
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from doubles.senders import SECRET, STRANGER, standard

from bot.app import House, Serving
from bot.config.read import read
from bot.furnishing import access
from bot.world.clock import WallClock

CONFIG = f"""\
web: {{listen: "127.0.0.1:0", trusted_proxies: [127.0.0.1, 10.0.0.0/8, "2001:db8:ffff::/48"]}}
channels: {{wall: {{chat: page}}}}
services:
  shop: {{name: Shop, watch: {{events: {{kind: standard_webhooks, secret: {SECRET}}}}}}}
  twitter: {{name: Twitter}}
  github: {{name: GitHub}}
"""


@pytest.fixture
async def serving(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    house = House(read(tmp_path / "config.yaml", {}), WallClock(), tmp_path / "data")
    await house.wake()
    async with Serving(house, asking=False) as serving:
        yield serving
    await house.aclose()


PROXIES = [
    ("203.0.113.7", "", "203.0.113.7"),
    ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
    ("203.0.113.7", "10.1.1.1, 198.51.100.1", "203.0.113.7"),
    ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
    ("10.9.8.7", "203.0.113.7", "203.0.113.7"),
    ("10.9.8.7", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
    ("10.9.8.7", "1.1.1.1, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
    ("10.9.8.7", "10.0.0.1, 10.0.0.2", "10.9.8.7"),
    ("10.9.8.7", "203.0.113.7, nonsense", "unknown"),
    ("10.9.8.7", "203.0.113.7, 127.0.0.1", "203.0.113.7"),
    ("10.9.8.7", ",,203.0.113.7,,", "203.0.113.7"),
    ("10.9.8.7", "  203.0.113.7  ", "203.0.113.7"),
    ("10.9.8.7", "", "10.9.8.7"),
    ("127.0.0.2", "203.0.113.7", "127.0.0.2"),
    ("11.0.0.1", "203.0.113.7", "11.0.0.1"),
    ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
    ("2001:db8:ffff::1", "203.0.113.7", "203.0.113.7"),
    ("2001:db8:fffe::1", "203.0.113.7", "2001:db8:fffe::/64"),
    ("10.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("", "203.0.113.7", "unknown"),
]


def test_only_the_word_of_a_trusted_proxy_is_believed_and_of_that_only_the_last(tmp_path, prove):
    (tmp_path / "config.yaml").write_text(CONFIG)
    known = access(read(tmp_path / "config.yaml", {}))
    wrong = [(*row, known.client(*row[:2])) for row in PROXIES if known.client(*row[:2]) != row[2]]
    prove("R39", len(PROXIES), wrong, "trails of forwarded addresses, each read back to the first that is no proxy")


def rss():
    """Kilobytes of memory that this process holds now (proc(5))."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


async def post(client, headers, body, times):
    began = time.perf_counter()
    async with client.post("/hooks/shop/events", headers=headers, data=body) as answer:
        await answer.read()
        times.append(time.perf_counter() - began)
        return answer.status


def delivery(n):
    now = datetime.now(UTC)
    said = {"type": "incident.opened", "timestamp": now.isoformat(), "data": {"id": str(n % 50), "title": "x"}}
    body = json.dumps(said).encode()
    return standard(body, name=f"msg-{n}", at=now), body


async def flood(address, count, at_once):
    """`count` deliveries, nine of ten unsigned; answers the statuses of both kinds and the seconds of the signed ones."""
    signed, forged, times = Counter(), Counter(), []
    turn = asyncio.Semaphore(at_once)
    async with aiohttp.ClientSession(address, connector=aiohttp.TCPConnector(limit=0)) as client:

        async def one(n):
            headers, body = delivery(n)
            async with turn:
                if n % 10:
                    forged[await post(client, headers | {"webhook-signature": "v1,AAAA"}, body, [])] += 1
                else:
                    signed[await post(client, headers, body, times)] += 1

        await asyncio.gather(*(one(n) for n in range(count)))
    return signed, forged, sorted(times)


async def slow_ones(address, count, size=100_000):
    """Sockets that begin a delivery and never end it."""
    host, port = address.removeprefix("http://").split(":")
    sockets = [await asyncio.open_connection(host, int(port)) for _ in range(count)]
    for _, writer in sockets:
        writer.write(b"POST /hooks/shop/events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{" % size)
    return sockets


async def drowned(serving, count, at_once, patience):
    slow = await slow_ones(serving.address, 200)
    await flood(serving.address, 100, at_once)
    before = rss()
    signed, forged, times = await flood(serving.address, count, at_once)
    grown = (rss() - before) / 1024
    for _, writer in slow:
        writer.close()
    p99 = times[int(len(times) * 0.99)]
    wrong = [] if set(signed) <= {200, 202} else [f"signed: {signed}"]
    wrong += [] if set(forged) == {401} else [f"forged: {forged}"]
    wrong += [f"p99 {p99:.3f} s"] if p99 > patience else []
    return [*wrong, *([f"{grown:.0f} MB more"] if grown > 64 else [])]


async def test_a_flood_of_forged_deliveries_and_slow_sockets_keeps_no_signed_one_out(serving, prove):
    wrong = await drowned(serving, 500, 16, patience=1.0)  # the client shares the processor with the house here
    prove("R38", 500, wrong, "deliveries, nine of ten forged, amid 200 slow sockets")


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_long_flood_of_forged_deliveries_keeps_no_signed_one_out(serving, prove):
    wrong = await drowned(serving, 60_000, 32, patience=0.25)
    prove("R38", 60_000, wrong, "deliveries, nine of ten forged, amid 200 slow sockets, signed p99 within 250 ms")


async def test_what_is_too_large_is_refused_before_it_is_read(serving, prove):
    wrong = []
    for size in (1_000_001, 5_000_000, 10**12):
        [writer] = await slow_ones(serving.address, 1, size)
        answer = (await writer[0].readline()).split()
        wrong += [] if answer[1] == b"413" else [f"{size}: {answer}"]
        writer[1].close()
    async with (
        aiohttp.ClientSession(serving.address) as client,
        client.post("/hooks/shop/events", data=b"x" * 1_000_001) as answer,
    ):
        wrong += [] if answer.status == 413 and (await answer.json())["error"] else [f"streamed: {answer.status}"]
    prove("R38", 4, wrong, "bodies too large, refused before they are read")


def mutated(headers, body, how, chance):
    """A delivery with one thing wrong; `how` counts the ways, of which there are eleven."""
    signature, stamp = headers["webhook-signature"], int(headers["webhook-timestamp"])
    gone = chance.choice(sorted(headers))
    away = stamp + chance.choice((-1, 1)) * chance.randint(302, 9**9)
    noise = "".join(chr(chance.randrange(33, 127)) for _ in range(chance.randint(0, 90)))
    stranger = standard(body, name=headers["webhook-id"], at=datetime.now(UTC), secret=STRANGER)
    ways = (
        ({name: value for name, value in headers.items() if name != gone}, body),
        (headers, body[:-1] + bytes([body[-1] ^ 1])),
        (headers, body + b" "),
        (headers | {"webhook-signature": signature.swapcase()}, body),
        (headers | {"webhook-signature": "v1,"}, body),
        (headers | {"webhook-signature": f"v1a,{signature[3:]}"}, body),
        (headers | {"webhook-timestamp": str(away)}, body),
        (
            headers | {"webhook-timestamp": chance.choice(("", "x", "1e9", "9" * 400, "-1", "nan", "\u0661\u0662"))},
            body,
        ),
        (headers | {"webhook-id": chance.choice(("", "other", "x" * 300))}, body),
        (stranger, body),
        (headers | {"webhook-signature": noise}, body),
    )
    return ways[how % len(ways)]


async def test_a_thousand_mutated_deliveries_are_each_refused_and_none_breaks_anything(serving, prove):
    chance, wrong = random.Random(36), []
    async with aiohttp.ClientSession(serving.address) as client:
        for n in range(1_000):
            headers, body = delivery(n)
            headers, body = mutated(headers, body, n, chance)
            status = await post(client, headers, body, [])
            wrong += [] if status == 401 else [f"{n % 11}: {status} {headers}"]
        headers, body = delivery(1)
        wrong += [] if await post(client, headers, body, []) == 202 else ["a right one was refused"]
    prove("R36", 1_000, wrong, "deliveries with a header, signature, time or body that is not right")


async def test_a_delivery_that_comes_many_times_at_once_counts_once(serving, prove):
    headers, body = delivery(7)
    async with aiohttp.ClientSession(serving.address, connector=aiohttp.TCPConnector(limit=50)) as client:
        statuses = Counter(await asyncio.gather(*(post(client, headers, body, []) for _ in range(1_000))))
    wrong = [] if statuses == {202: 1, 200: 999} else [str(statuses)]
    prove("R37", 200, wrong, "copies of one delivery, sent at once and taken in once")


async def reported(serving, batches, size, pause=0.0):
    """Batches of new reporters' reports from many senders; answers the seconds of each, and what should be counted."""
    chance, expected, times = random.Random(42), Counter(), []
    intake = serving.house.intake

    async def send(n):
        services = [chance.choice(("twitter", "github")) for _ in range(size)]
        lines = [json.dumps({"service": s, "reporter": f"{n}-{i}"}).encode() for i, s in enumerate(services)]
        began = time.perf_counter()
        receipt = await intake.take(b"\n".join(lines), "lines", "api")
        times.append(time.perf_counter() - began)
        assert receipt.accepted == size
        expected.update(services)

    tasks = []
    for n in range(batches):
        tasks.append(asyncio.ensure_future(send(n)))
        await asyncio.sleep(pause)
    await asyncio.gather(*tasks)
    return sorted(times), expected


async def lost(serving, expected):
    tally = serving.house.tally
    now = tally.bucket(serving.house.clock.now())
    counted = {name: sum(n or 0 for n in tally.totals(name, now - 15, now)) for name in expected}
    wrong = [] if counted == dict(expected) else [f"{counted} for {dict(expected)}"]
    return wrong + ([] if await serving.house.intake.recount() == 0 else ["the log says otherwise"])


async def test_twenty_thousand_reports_at_once_are_all_counted_and_soon_answered(serving, prove):
    times, expected = await reported(serving, 2_000, 10)
    wrong = await lost(serving, expected)
    wrong += [f"p99 {times[int(len(times) * 0.99)]:.2f} s"] if times[int(len(times) * 0.99)] > 5.0 else []
    prove("R42", 20_000, wrong, "reports of two thousand senders at once, counted as sent and as logged")


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_twenty_thousand_reports_a_minute_for_ten_minutes_lose_none(serving, prove):
    times, expected = await reported(serving, 600 * 33, 10, pause=1 / 33)
    wrong = await lost(serving, expected)
    wrong += [f"p99 {times[int(len(times) * 0.99)]:.2f} s"] if times[int(len(times) * 0.99)] > 1.0 else []
    prove("R42", 198_000, wrong, "reports at 20,000 a minute for ten minutes, answered within 1 s (p99)")
