"""R45 over months: the key that hides reporters changes, one person stays one voice, and the past becomes nobody's."""

import io
import logging
import random
import re
from datetime import timedelta

import aiohttp
import structlog
from doubles.clock import ManualClock
from doubles.living import CONFIG, NOON

from bot.app import Serving
from bot.backups import back_up
from bot.config.read import read
from bot.core.admission import Admission
from bot.core.model import Person, Request
from bot.house import House

MOD = Person(chat="disco", id="900", name="Mod")
MONTH = timedelta(days=30)
PAGES = ("/metrics", "/", "/api/v1/status", "/api/v1/incidents", "/feed.atom", "/readyz")


async def lived(path, now=NOON):
    (path / "config.yaml").write_text(CONFIG + "web: {listen: '127.0.0.1:0'}\n")
    house = House(read(path / "config.yaml", {}), ManualClock(now), path / "data")
    await house.wake()
    return house


def visitors(count):
    return [
        Person(chat="disco", id=str(random.Random(n).getrandbits(60) | 1 << 59), name=f"Nora Nameless {n}")
        for n in range(count)
    ]


async def report(house, whom, service="twitter"):
    told = [await house.desk.answer(Request(verb="report", who=who, target=service, text="log-in")) for who in whom]
    return sum("Thank you" in str(answer) for answer in told)


async def test_a_change_of_the_key_gives_nobody_a_second_voice(tmp_path, prove):
    house = await lived(tmp_path)
    whom = visitors(200)
    await house.clock.advance(MONTH.total_seconds() - 600)
    before = await report(house, whom)
    await house.clock.advance(600)
    house.rekey()
    again = await report(house, whom)
    wrong = [f"{again} of 200 counted twice"] if again or before != 200 else []
    wrong += [] if house.keyring.former else ["the former key is gone already"]
    held = [len(await house.forgetting.export(f"disco:{who.id}")) for who in whom]
    wrong += [f"exported {n}" for n in held if n != 1]
    forgotten = [await house.forgetting.forget(f"disco:{who.id}") for who in whom[:50]]
    wrong += [f"forgotten {n}" for n in forgotten if n != 1]
    await house.clock.advance(31 * 60)
    wrong += [] if await report(house, whom) == 200 else ["not heard again after the window"]
    await house.aclose()
    prove("R45", 200, wrong, "people who reported before and after the key was changed, each one voice")


async def test_two_days_after_the_key_was_changed_old_reports_are_nobodys(tmp_path, prove):
    house = await lived(tmp_path)
    whom = visitors(200)
    await report(house, whom)
    copied = {r.reporter for r in [row for who in whom for row in await house.forgetting.export(f"disco:{who.id}")]}
    await house.clock.advance(MONTH.total_seconds())
    house.rekey()
    await house.clock.advance(timedelta(hours=51).total_seconds())
    house.rekey()
    await house.aclose()
    keys = [file.read_bytes()[:32] for file in (tmp_path / "data").glob("reporter.key*")]
    found = []
    for key in keys:
        admission = Admission(house._vocabulary(), key)
        found += [who.id for who in whom if admission.reporter("twitter", f"disco:{who.id}") in copied]
    wrong = [*found, *([] if len(copied) == 200 and len(keys) == 1 else [f"{len(copied)} rows, {len(keys)} keys"])]
    prove("R45", 200, wrong, "reports in a stolen copy, matched with every name and every key there is after two days")


async def test_no_trace_of_a_thousand_people_over_two_keys_is_in_any_artefact(tmp_path, prove):
    house = await lived(tmp_path)
    await house.clock.advance(MONTH.total_seconds() - 600)
    said = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(said))
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    whom = visitors(1_000)
    try:
        serving = Serving(house, asking=False, beating=False)
        async with serving:
            await report(house, whom[:500])
            await house.desk.answer(Request(verb="report", who=whom[0], target="nothing like it", text="x"))
            await house.desk.answer(Request(verb="", who=MOD, text=f"config ignore {whom[1].id}"))
            await house.clock.advance(600)
            house.rekey()
            await report(house, whom[500:])
            await house.engine.beat(house.clock.now())
            await house.desk.answer(Request(verb="works", who=whom[2], target="twitter"))
            back_up(house.folder, house.folder / "backups", house.clock.now())
            async with aiohttp.ClientSession(serving.address) as client:
                served = [await (await client.get(path)).read() for path in PAGES]
    finally:
        structlog.reset_defaults()
        logging.getLogger().removeHandler(handler)
    await house.aclose()
    artefacts = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    artefacts += [*served, said.getvalue().encode()]
    ids = {who.id.encode() for who in whom}
    wrong = [found for body in artefacts for found in re.findall(rb"\d{18,19}", body) if found in ids]
    wrong += [found for body in artefacts for found in re.findall(rb"Nora Nameless \d+", body)]
    prove(
        "R45",
        2 * len(whom) * len(artefacts),
        wrong,
        "ids and names looked for in files, backups, pages, measures and the log",
    )
