"""R45: who reported is in no file, and what is held of a person can be read and let go of."""

import random

from doubles.clock import ManualClock
from doubles.living import CONFIG, NOON

from bot.config.read import read
from bot.house import House


async def lived(path, people):
    (path / "config.yaml").write_text(CONFIG)
    house = House(read(path / "config.yaml", {}), ManualClock(NOON), path / "data")
    await house.wake()
    reports = [{"service": "twitter", "reporter": name, "text": f"words of {name}."} for name in people]
    await house.intake.admit(reports, "test")
    return house


async def test_no_name_of_a_thousand_reporters_is_in_any_file(tmp_path, prove):
    people = [f"user-{random.Random(n).getrandbits(64):x}" for n in range(1000)]
    (tmp_path / "config.yaml").write_text(CONFIG)
    house = House(read(tmp_path / "config.yaml", {}), ManualClock(NOON), tmp_path / "data")
    await house.wake()
    await house.intake.admit([{"service": "twitter", "reporter": name} for name in people], "test")
    await house.aclose()
    files = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    wrong = [name for name in people for body in files if name.encode() in body]
    prove("R45", 1000 * len(files), wrong, "names of reporters looked for in every file")


async def test_a_person_can_be_exported_and_forgotten_and_nobody_else_is(tmp_path, prove):
    people = [f"p{n}" for n in range(100)]
    house = await lived(tmp_path, people)
    before = house.tally.totals("twitter", *[house.tally.bucket(NOON)] * 2)
    wrong = []
    for name in people[::2]:
        wrong += (
            []
            if [r.text for r in await house.forgetting.export(name)] == [f"words of {name}."]
            else [f"{name}: export"]
        )
        wrong += [] if await house.forgetting.forget(name) == 1 else [f"{name}: not found"]
        wrong += [] if not await house.forgetting.export(name) else [f"{name}: still there"]
    wrong += [name for name in people[1::2] if len(await house.forgetting.export(name)) != 1]
    wrong += [] if house.tally.totals("twitter", *[house.tally.bucket(NOON)] * 2) == before else ["counts moved"]
    await house.aclose()
    files = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    wrong += [f"{name}: the words are in a file" for name in people[::2] if f"words of {name}.".encode() in files]
    prove("R45", 100, wrong, "people exported and forgotten, or left alone")
