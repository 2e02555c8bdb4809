from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from doubles.clock import ManualClock

from bot.core import places
from bot.core.admission import Admission, Vocabulary
from bot.core.model import Report
from bot.core.reports import Frame
from bot.core.tally import Tally
from bot.database import Database
from bot.intake import Intake
from bot.ports import Receipt, Retry
from bot.stores.counts import CountStore
from bot.stores.keyring import Keyring
from bot.streams.local import LocalStream

SERVICES = ("twitter", "github")
NOW = datetime(2022, 11, 4, 7, 0, tzinfo=UTC)
VOCABULARY = Vocabulary(
    service={"twitter": "twitter", "x": "twitter", "github": "github"}.get,
    nearest=lambda _: "twitter",
    symptom=places.symptom,
    region=places.region,
    platform=places.platform,
)


class GatedStream:
    """A real stream behind a gate: appends wait while it is shut, and fail while `broken` says why."""

    def __init__(self, stream: LocalStream) -> None:
        self.stream = stream
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: Exception | None = None
        self.frames = 0

    async def append(self, frame: bytes) -> int:
        await self.gate.wait()
        if self.broken:
            raise self.broken
        self.frames += 1
        return await self.stream.append(frame)

    def read(self, after: int):
        return self.stream.read(after)

    async def trim(self, before: int) -> None:
        await self.stream.trim(before)

    async def aclose(self) -> None:
        await self.stream.aclose()


class House:
    """An intake with everything real behind it, on one folder; `again()` is the next life on the same folder."""

    def __init__(self, folder, clock: ManualClock) -> None:
        self.folder, self.clock, self.closed = folder, clock, False
        self.database = Database(folder / "tocsin.db")
        self.archive = CountStore(self.database)
        self.stream = GatedStream(LocalStream(Database(folder / "reports.db")))
        self.tally = Tally()
        admission = Admission(VOCABULARY, Keyring(folder / "reporter.key", timedelta(days=30), clock.now()).current)
        self.heard: list[None] = []
        self.intake = Intake(
            self.stream, self.tally, admission, clock, archive=self.archive, heard=lambda: self.heard.append(None)
        )

    async def again(self, *, tidy: bool = True) -> House:
        await self.close(tidy=tidy)
        house = House(self.folder, self.clock)
        await house.intake.recover()
        return house

    async def close(self, *, tidy: bool = True) -> None:
        if self.closed:
            return
        self.closed = True
        self.stream.gate.set()
        if tidy:
            await self.intake.aclose()
        await self.stream.aclose()
        await self.database.aclose()

    def total(self, service: str = "twitter", ago: timedelta = timedelta(0)) -> float | None:
        return self.tally.total(service, self.tally.bucket(self.clock.now() - ago))

    async def log(self) -> list[Frame]:
        return [msgspec.msgpack.decode(body, type=Frame) async for _, body in self.stream.read(0)]


@pytest.fixture
async def house(tmp_path):
    house = House(tmp_path, ManualClock(NOW))
    await house.intake.recover()
    yield house
    await house.close()


def report(**facts) -> dict[str, object]:
    return {"service": "twitter", **facts}


async def test_the_good_of_a_batch_counts_and_the_bad_is_told_by_index(house):
    body = json.dumps([report(), report(service="twiter"), report(reporter="a"), report(reporter="a"), report(at=1)])
    receipt = await house.intake.take(body.encode(), "many", "api")
    assert (receipt.accepted, receipt.repeated) == (2, 1)
    assert [index for index, _ in receipt.rejected] == [1, 4]
    assert receipt.rejected[0][1] == "unknown service 'twiter', did you mean 'twitter'?"
    assert house.total() == 2
    assert len(house.heard) == 1


async def test_a_body_of_nothing_but_garbage_is_refused(house):
    with pytest.raises(ValueError, match="not readable"):
        await house.intake.take(b"%PDF-1.7", "one", "api")
    assert await house.intake.take(b"[]", "many", "api") == Receipt()


BODIES = (
    b'{"service": "twitter", "reporter": "anna"}',
    b'{"service": "x", "id": "1"}',
    b'{"service": "twiter"}',
    b'{"service": "twitter", "reporter": "anna"}',
    b'{"service": 5}',
    b'{"service": ',
    b'{"service": "twitter", "id": "1"}',
    b'{"service": "github", "reporter": "anna"}',
)


@pytest.mark.parametrize("bodies", [BODIES, BODIES[:1], BODIES[2:3], BODIES[5:6], ()])
async def test_bodies_taken_together_are_told_what_each_would_be_told_alone(house, tmp_path, bodies):
    together = await house.intake.take_each(bodies, "api")
    other = House(tmp_path / "other", house.clock)
    alone: list[object] = []
    for body in bodies:
        try:
            alone.append(await other.intake.take(body, "one", "api"))
        except ValueError as exc:
            alone.append(str(exc))
    assert [str(told) if isinstance(told, ValueError) else told for told in together] == alone
    assert house.total() == other.total()
    await other.close()


async def test_bodies_taken_together_wait_for_the_disk_together(house):
    house.stream.broken = Retry("the disk is full")
    with pytest.raises(Retry):
        await house.intake.take_each(BODIES, "api")
    house.stream.broken = None
    assert (await house.intake.take_each(BODIES[:2], "api")) == [Receipt(accepted=1)] * 2


async def test_ten_thousand_reports_of_one_person_are_one_voice(house):
    lines = b"\n".join(json.dumps(report(reporter="anna", text=str(n))).encode() for n in range(10_000))
    assert await house.intake.take(lines, "lines", "api") == Receipt(accepted=1, repeated=9_999)
    assert house.total() == 1


async def test_a_body_that_is_read_in_pieces_is_kept_as_one_and_counts_once(house):
    lines = b"\n".join(json.dumps(report(id=f"r{n}", text="a" * 40)).encode() for n in range(10_000))
    assert await house.intake.take(lines, "lines", "api") == Receipt(accepted=10_000)
    assert len(await house.log()) == 1
    assert await house.intake.take(lines, "lines", "api") == Receipt(repeated=10_000)
    assert house.total() == 10_000


async def test_a_person_is_one_voice_whichever_door_they_use(house):
    assert (await house.intake.admit([report(reporter="slack:U1")], "slack")).accepted == 1
    assert (await house.intake.take(b'{"service":"x","reporter":"slack:U1"}', "one", "api")).repeated == 1
    assert (await house.intake.admit([Report(at=NOW, service="x", reporter="slack:U1")], "page")).repeated == 1
    await house.clock.advance(1800)
    assert (await house.intake.admit([report(reporter="slack:U1")], "page")).accepted == 1


async def test_each_service_hears_a_person_for_itself(house):
    batch = [report(reporter="anna"), report(service="github", reporter="anna"), report(service="x", reporter="anna")]
    assert await house.intake.admit(batch, "api") == Receipt(accepted=2, repeated=1)
    hashes = {kept.reporter for frame in await house.log() for kept in frame.reports}
    assert len(hashes) == 2


async def test_a_resend_after_a_crash_is_a_repeat(house):
    batch = [report(id="1"), report(reporter="anna"), report(id="2", reporter="ben")]
    await house.intake.admit(batch, "api")
    next_life = await house.again(tidy=False)
    assert await next_life.intake.admit(batch, "api") == Receipt(repeated=3)
    assert next_life.total() == 3
    await next_life.close()


async def test_an_answer_comes_only_after_the_write(house):
    house.stream.gate.clear()
    first = asyncio.create_task(house.intake.admit([report(id="1")], "api"))
    await house.clock.settle()
    repeat = asyncio.create_task(house.intake.admit([report(id="1")], "api"))
    await house.clock.settle()
    assert not first.done()
    assert not repeat.done()
    assert house.total() == 0
    house.stream.gate.set()
    assert await first == Receipt(accepted=1)
    assert await repeat == Receipt(repeated=1)
    assert house.total() == 1


async def test_a_failed_write_undoes_its_batch_and_every_repeat_that_relied_on_it(house):
    house.stream.gate.clear()
    first = asyncio.create_task(house.intake.admit([report(id="1"), report(reporter="anna")], "api"))
    await house.clock.settle()
    both = asyncio.create_task(house.intake.admit([report(id="1"), report(id="2")], "api"))
    await house.clock.settle()
    house.stream.broken = Retry("the disk is full")
    house.stream.gate.set()
    for task in (first, both):
        with pytest.raises(Retry, match="full"):
            await task
    assert house.total() == 0
    house.stream.broken = None
    again = await house.intake.admit([report(id="1"), report(reporter="anna"), report(id="2")], "api")
    assert again == Receipt(accepted=3)


async def test_trouble_with_the_disk_is_said_and_nobody_waits_for_ever(house):
    for why in (Retry("the disk is full"), sqlite3.OperationalError("no such table: frames")):
        house.stream.broken = why
        with pytest.raises(type(why), match=str(why)):
            await house.intake.admit([report()], "api")
        assert house.intake.trouble == str(why)
    house.stream.broken = None
    assert await house.intake.admit([report()], "api") == Receipt(accepted=1)
    assert house.intake.trouble == ""


async def test_an_hour_known_in_part_never_replaces_the_archived_one(house):
    window = {"service": "github", "from": NOW.timestamp(), "to": NOW.timestamp() + 7200, "count": 120}
    await house.clock.advance(7200)
    await house.intake.count(json.dumps(window).encode(), "one")
    await house.intake.keep()
    hour = int(NOW.timestamp() // 3600)
    before = await house.archive.hours("github", hour, hour + 1)
    await house.clock.advance(25.5 * 3600)
    next_life = await house.again(tidy=False)
    await next_life.intake.admit([report()], "api")
    await next_life.intake.keep()
    assert await next_life.archive.hours("github", hour, hour + 1) == before
    assert len(before) == 2
    await next_life.close()


async def test_what_arrives_during_a_write_shares_the_next_one(house):
    house.stream.gate.clear()
    tasks = [asyncio.create_task(house.intake.admit([report()], "api")) for _ in range(3)]
    await house.clock.settle()
    tasks += [asyncio.create_task(house.intake.admit([report()], "api")) for _ in range(300)]
    await house.clock.settle()
    house.stream.gate.set()
    await asyncio.gather(*tasks)
    assert house.stream.frames == 2
    assert house.total() == 303


async def test_somebody_who_hangs_up_takes_nobody_along(house):
    house.stream.gate.clear()
    gone, stays = (asyncio.create_task(house.intake.admit([report()], "api")) for _ in range(2))
    await house.clock.settle()
    gone.cancel()
    house.stream.gate.set()
    assert await stays == Receipt(accepted=1)
    assert house.total() == 2


async def test_a_blocked_disk_fills_no_memory_without_end(house):
    house.stream.gate.clear()
    batch = [report(id=str(n)) for n in range(50_000)]
    first = asyncio.create_task(house.intake.admit([report()], "api"))
    await house.clock.settle()
    waiting = [asyncio.create_task(house.intake.admit([report()] * 50_000, "api")) for _ in range(4)]
    await house.clock.settle()
    with pytest.raises(Retry, match="waiting for the disk"):
        await house.intake.admit(batch, "api")
    house.stream.gate.set()
    await asyncio.gather(first, *waiting)
    assert (await house.intake.admit(batch, "api")).accepted == 50_000


async def test_numbers_survive_a_crash_and_are_the_same_counted_again(house):
    await house.intake.admit([report(region="JP", symptom="login"), report(at=(NOW.timestamp() - 7200))], "api")
    window = {"service": "github", "from": "2022-11-04T06:00:00Z", "to": "2022-11-04T07:00:00Z", "count": 120}
    for count in (60, 120):
        await house.intake.count(json.dumps(window | {"count": count}).encode(), "one")
    await house.clock.advance(3600)
    await house.intake.admit([report()], "api")
    hours = [house.tally.hour(service, int(NOW.timestamp() // 3600) + n) for service in SERVICES for n in range(-3, 2)]
    next_life = await house.again(tidy=False)
    again = [
        next_life.tally.hour(service, int(NOW.timestamp() // 3600) + n) for service in SERVICES for n in range(-3, 2)
    ]
    assert again == hours
    assert next_life.total("github", timedelta(minutes=90)) == 2
    assert next_life.total("github") is None
    assert await next_life.intake.recount() == 0
    await next_life.close()


async def test_counting_again_mends_numbers_that_went_wrong(house):
    await house.intake.admit([report()] * 5, "api")
    await house.intake.keep()
    house.tally._series["twitter"].spoken[house.tally.bucket(NOW)] = 99
    assert await house.intake.recount() == 1
    assert house.total() == 5
    assert await house.intake.recount() == 0


async def test_the_past_is_kept_for_weeks_and_its_reports_for_two_days(house):
    first = house.tally.bucket(NOW)
    await house.intake.admit([report(reporter=str(n)) for n in range(7)], "api")
    await house.intake.keep()
    await house.clock.advance(28 * 86_400)
    await house.intake.keep()
    assert await house.log() == []
    assert house.tally.total("twitter", first) == 0
    next_life = await house.again()
    assert await next_life.intake.past("twitter", first - 1, first + 1) == [0, 7, 0]
    last = next_life.tally.bucket(next_life.clock.now())
    await next_life.intake.admit([report()], "api")
    assert (await next_life.intake.past("twitter", first, last))[-1] == 1
    assert len(await next_life.intake.past("twitter", first, last)) == 28 * 1440 + 1
    await next_life.close()


async def test_a_gap_in_a_feed_stays_a_gap_in_the_archive(house):
    first = house.tally.bucket(NOW)
    window = {"service": "twitter", "from": NOW.timestamp(), "to": NOW.timestamp() + 60, "count": 9, "region": "JP"}
    assert (await house.intake.count(json.dumps([window]).encode(), "many")).accepted == 1
    await house.intake.keep()
    await house.clock.advance(3 * 86_400)
    next_life = await house.again()
    assert await next_life.intake.past("twitter", first - 1, first + 1) == [None, 9, None]
    assert next_life.total() is None
    await next_life.close()


async def test_hours_that_could_not_be_archived_are_archived_later(house):
    await house.intake.admit([report()], "api")
    await house.database.write(lambda connection: connection.execute("ALTER TABLE counts RENAME TO away"))
    with pytest.raises(Exception, match="no such table"):
        await house.intake.keep()
    await house.database.write(lambda connection: connection.execute("ALTER TABLE away RENAME TO counts"))
    await house.intake.keep()
    hour = int(NOW.timestamp() // 3600)
    assert [kept.totals for kept in await house.archive.hours("twitter", hour, hour)] == [{0.0: 1.0}]


async def test_nothing_on_disk_names_a_reporter(house):
    await house.intake.admit([report(reporter="anna.secret@example.org", id="7", text="down")], "web")
    await house.intake.keep()
    artefacts = [path.read_bytes() for path in house.folder.iterdir()]
    key = (house.folder / "reporter.key").read_bytes()[:32]
    assert not any(b"anna" in artefact for artefact in artefacts)
    assert sum(key in artefact for artefact in artefacts) == 1
