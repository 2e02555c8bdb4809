"""R40 and R41: one person is one voice, and accounts made for the occasion call nobody by themselves."""

import asyncio
import itertools
import json
import random
from datetime import timedelta

import numpy as np
import pytest
from doubles.clock import ManualClock
from doubles.living import NOON

from bench.trust import Group, opened
from bot.config.read import read
from bot.core.model import Health, Notice, Person, Request, Signal
from bot.house import House

SERVICES = [f"s{n}" for n in range(10)]
CONFIG = """\
channels: {wall: {chat: page}}
defaults:
  watch:
    front: {kind: probe, url: "https://status.example.com"}
    page: {kind: statuspage, url: "https://status.example.com"}
services:
""" + "".join(f"  {name}: {{name: {name}}}\n" for name in SERVICES)


@pytest.fixture
async def house(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    house = House(read(tmp_path / "config.yaml", {}), ManualClock(NOON), None)
    await house.wake()
    house.engine.crowd.surge.teach(np.full(len(SERVICES), 8.0))
    yield house
    await house.aclose()


def people(count, *, fresh, place="1", first=0):
    made = NOON - (timedelta(days=3) if fresh else timedelta(days=900))
    joined = NOON - (timedelta(hours=2) if fresh else timedelta(days=400))
    who = f"{'fresh' if fresh else 'known'}-{place}"
    return [
        Person(chat="disco", id=f"{who}-{n}", name="N", made_at=made, joined_at=joined, place=place)
        for n in range(first, first + count)
    ]


async def say(house, services, whom):
    """Everybody reports every service, by the command that people use."""
    for who in whom:
        for service in services:
            assert (await house.desk.answer(Request(verb="report", who=who, target=service))).ok


async def minutes(house, count):
    for _ in range(count):
        await house.clock.advance(60)
        await house.engine.beat(house.clock.now())


def open_ones(house):
    return [name for name in SERVICES if house.board.living(name)]


async def test_sixty_known_people_open_an_incident_and_are_told_of(house, prove):
    await say(house, SERVICES, people(30, fresh=False))
    await minutes(house, 1)
    await say(house, SERVICES, people(30, fresh=False, first=30))
    await minutes(house, 3)
    missed = set(SERVICES) - set(open_ones(house))
    prove("R41", len(SERVICES), sorted(missed), "services that sixty known people opened within two minutes of theirs")


async def test_five_hundred_fresh_accounts_are_shown_as_unconfirmed_and_call_nobody(house, prove):
    await say(house, SERVICES, people(500, fresh=True))
    await minutes(house, 3)
    rows = house.board.status()["services"]
    wrong = [row["id"] for row in rows if (row["level"], row["confidence"]) != (None, "unconfirmed")]
    wrong += [name for name in SERVICES if house.board.service(name)["now"]["count"] != 500]
    told = await house.desk.answer(Request(verb="status", who=people(1, fresh=False)[0]))
    wrong += [] if str(told).count("unconfirmed: 500 of 500 voices") == len(SERVICES) else ["status is silent"]
    for minute in range(20):
        await minutes(house, 1)
        wrong += [f"{name} opened in minute {minute}" for name in open_ones(house)]
    prove("R41", len(SERVICES), wrong, "services at which five hundred fresh accounts called nobody")


def sick(house):
    return Signal(at=house.clock.now(), health=Health.MAJOR_OUTAGE, note="HTTP 503")


async def probed(house, service):
    for _ in range(3):
        await house.engine.hear(service, "front", sick(house))
        await house.clock.advance(5)


async def posted(house, service):
    now = house.clock.now()
    notice = Notice(
        key="n", title="Trouble", phase="investigating", impact=Health.DEGRADED, started_at=now, updated_at=now
    )
    await house.engine.hear(service, "page", Signal(at=now, health=Health.DEGRADED, notices=(notice,)))


async def joined_by_ten(house, service):
    await say(house, [service], people(12, fresh=False))


async def joined_by_another_server(house, service):
    await say(house, [service], people(12, fresh=True, place="2"))


async def declared(house, service):
    mod = Person(chat="disco", id="mod", name="Mod")
    assert (await house.desk.answer(Request(verb="declare", who=mod, target=service))).ok


WITNESSES = (probed, posted, joined_by_ten, joined_by_another_server, declared)


async def test_any_second_witness_opens_what_a_brigade_alone_does_not(house, prove):
    await say(house, SERVICES[:6], people(100, fresh=True))
    await minutes(house, 3)
    wrong = open_ones(house)
    for service, witness in zip(SERVICES, WITNESSES, strict=False):
        await witness(house, service)
    await minutes(house, 3)
    wrong += [
        witness.__name__
        for service, witness in zip(SERVICES, WITNESSES, strict=False)
        if house.board.living(service) is None
    ]
    wrong += [SERVICES[5]] if house.board.living(SERVICES[5]) else []
    prove("R41", len(WITNESSES), wrong, "kinds of a second witness, each of which opened what a brigade did not")


async def test_the_level_of_a_true_incident_is_not_lifted_by_a_brigade(house, prove):
    await say(house, SERVICES[:1], people(15, fresh=False))
    await minutes(house, 3)
    before = house.board.living(SERVICES[0]).level
    await say(house, SERVICES[:1], people(500, fresh=True))
    await minutes(house, 2)
    after = house.board.living(SERVICES[0])
    notes = [r.note for r in after.readings]
    wrong = [f"{before} became {after.level}"] if after.level != before else []
    wrong += [] if any("500 of 515" in note for note in notes) else [f"not said: {notes}"]
    prove("R41", 1, wrong, "true incidents that a brigade did not lift")


async def test_the_curve_of_errors_ends_where_it_is_published(tmp_path, prove):
    brigade = await opened(Group(500, 1.0), tmp_path, services=60, seed=7)
    honest = await opened(Group(60, 0.15), tmp_path, services=60, seed=8)
    wrong = [f"brigade opened {level}" for level in brigade if level in ("major", "critical")]
    wrong += ["an honest spike was missed" for level in honest if not level]
    wrong += ["brigades opened more than chance does"] if sum(map(bool, brigade)) > 4 else []
    prove("R41", 120, wrong, "groups of 60 honest people, and of 500 fresh accounts, amid the usual reports")


async def test_ten_thousand_reports_of_one_account_count_once(house, prove):
    body = b"\n".join(json.dumps({"service": "s0", "reporter": "disco:one"}).encode() for _ in range(1_000))
    receipts = await asyncio.gather(*(house.intake.take(body, "lines", "api") for _ in range(9)))
    one = Person(chat="disco", id="one", name="One")
    verbs = itertools.islice(itertools.cycle(("", "INC-1")), 1_000)
    for incident in verbs:  # the command, and the button under an incident
        await house.desk.answer(Request(verb="report", who=one, target="s0", incident=incident))
    bucket = house.tally.bucket(NOON)
    counted = house.tally.total("s0", bucket)
    wrong = [] if counted == 1.0 else [f"counted {counted}"]
    wrong += [] if sum(r.accepted for r in receipts) == 1 else [f"accepted {sum(r.accepted for r in receipts)}"]
    await house.clock.advance(31 * 60)
    await house.desk.answer(Request(verb="report", who=one, target="s0"))
    later = house.tally.total("s0", house.tally.bucket(house.clock.now()))
    wrong += [] if later == 1.0 else ["not heard again after the window"]
    prove("R40", 10_000, wrong, "reports of one account at three doors, counted once within the window")


def numbers(house):
    """All that is counted, by service and bucket, with the cells of each."""
    now = house.tally.bucket(house.clock.now())
    return {
        name: (house.tally.totals(name, now - 60, now), house.tally.cells(name, now - 60, now)) for name in SERVICES
    }


async def test_what_is_taken_back_is_as_if_it_had_not_been_said(house, prove):
    chance = random.Random(43)
    whom = people(40, fresh=False) + people(20, fresh=True)
    wrong = []
    for trial in range(50):
        others = chance.sample(whom, 8)
        await say(house, SERVICES[:3], others)
        await house.clock.advance(chance.uniform(1, 120))
        before = numbers(house)
        mine = chance.choice([who for who in whom if who not in others] or whom)
        said = await house.desk.answer(Request(verb="", who=mine, text="report s1 log-in fails in Japan"))
        if "Thank you" not in str(said):
            continue
        undone = await house.desk.answer(
            Request(verb="", who=mine, text=chance.choice(("report undo s1", "report s1 undo")))
        )
        wrong += [] if undone.ok and numbers(house) == before else [f"trial {trial}: the counts differ"]
        wrong += [] if await house.intake.recount() == 0 else [f"trial {trial}: a count from the log differs"]
        again = await house.desk.answer(Request(verb="report", who=mine, target="s1"))
        wrong += [] if "Thank you" in str(again) else [f"trial {trial}: not heard again"]
        wrong += (
            [] if await house.intake.recount() == 0 else [f"trial {trial}: a count from the log differs afterwards"]
        )
    prove("R43", 50, wrong, "reports taken back, with the same counts as before and as from the log")


async def test_who_is_ignored_is_thanked_and_not_counted(house, prove):
    mod = Person(chat="disco", id="900", name="Mod")
    troll, other = (Person(chat="disco", id=str(n), name="T") for n in (666, 667))
    wrong = []
    await say(house, SERVICES[:2], [troll, other])
    told = await house.desk.answer(Request(verb="", who=mod, text="config ignore <@666>"))
    wrong += [] if "2 of their reports" in str(told) else [f"not taken back: {told}"]
    await house.clock.advance(3600)
    before = numbers(house)
    said = await house.desk.answer(Request(verb="report", who=troll, target="s0"))
    wrong += [] if said.ok and "Thank you, counted" in str(said) else ["they can tell"]
    wrong += [] if numbers(house) == before else ["counted all the same"]
    await house.desk.answer(Request(verb="report", who=other, target="s0"))
    wrong += [] if numbers(house) != before else ["another one is ignored as well"]
    trail = str(await house.desk.answer(Request(verb="", who=mod, text="config audit")))
    wrong += [] if "config" in trail and "666" not in trail else [f"the trail: {trail}"]
    kept = await house.store.get("ignored")
    wrong += ["the store knows their name"] if b"666" in kept else []
    denied = await house.desk.answer(Request(verb="config", who=other, text="ignore <@900>", right="act"))
    wrong += ["anybody may"] if denied.ok else []
    await house.desk.answer(Request(verb="", who=mod, text="config heed 666"))
    before = numbers(house)
    await house.desk.answer(Request(verb="report", who=troll, target="s1"))
    wrong += [] if numbers(house) != before else ["not heard again"]
    prove("R43", 9, wrong, "checks of somebody who is ignored, and heard again")


async def test_a_false_alarm_closes_and_stays_closed_until_it_is_worse(house, prove):
    wrong = []
    for service in SERVICES[:5]:
        await say(house, [service], people(20, fresh=False))
        await minutes(house, 3)
        living = house.board.living(service)
        mod = Person(chat="disco", id="mod", name="Mod")
        await house.desk.answer(Request(verb="false-alarm", who=mod, incident=living.id))
        await minutes(house, 5)
        after = house.engine.cases[service].incident
        wrong += [] if (after.state, after.verdict) == ("closed", "false-alarm") else [f"{service}: {after.state}"]
    prove("R43", 5, wrong, "incidents that a moderator called a false alarm")
