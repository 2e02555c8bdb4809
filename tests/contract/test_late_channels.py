"""A channel that hears of an incident late: one message and one line, whatever went before."""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.chat import RememberingChat
from doubles.living import CONFIG, Living
from doubles.oracle import no_picture, settle

from bot.config.read import read
from bot.ports import Place
from bot.relay import Relay

WITH_LATE = CONFIG.replace("  ops: {chat: page}\n", "  ops: {chat: page}\n  late: {chat: page}\n")


@pytest.fixture
async def life(tmp_path: Path):
    async with Living(tmp_path) as life:
        yield life


def relay(life: Living, chat: RememberingChat, channel: str) -> Relay:
    house = life.house
    mention = {"minor": "<@minor>", "major": "<@major>"}
    place = Place(name=channel, chat="any", address=channel, mention=mention)
    return Relay(
        place, chat, house.store, life.clock, policies=house.policies, draw=no_picture, link=house.link,
        troubled=house.board.troubled,
    )  # fmt: skip


async def test_a_channel_that_a_reload_adds_hears_of_what_is_open_at_once_in_one_line(life: Living, tmp_path: Path):
    await life.broken()
    await life.say("ack twitter on it")
    await life.beat(2, reports=30)
    (tmp_path / "config.yaml").write_text(WITH_LATE)
    await life.house.adopt(read(tmp_path / "config.yaml", {}))
    chat = RememberingChat()
    await settle(relay(life, chat, "late"), life.clock)
    [lines] = chat.lines.values()
    assert len(lines) == 1, "a summary, not a flood"
    assert all(words in lines[0] for words in ("Opened: minor", "Anna acknowledged", "Worse: major"))
    assert chat.mentions == ["<@major>"], "called once, for how bad it is now"


async def test_a_service_that_is_calm_costs_a_reload_no_write(life: Living, tmp_path: Path):
    await life.broken()
    before = {name: case.version for name, case in life.house.engine.cases.items()}
    await life.house.adopt(read(tmp_path / "config.yaml", {}))
    after = {name: case.version for name, case in life.house.engine.cases.items()}
    assert {name for name in before if after[name] != before[name]} == {"twitter"}


async def test_people_are_called_once_at_each_level_however_often_it_comes_back(life: Living):
    chat = RememberingChat()
    teller = relay(life, chat, "ops")
    for reports in (12, 0, 12, 0, 60, 0, 60):
        await life.beat(3, reports=reports)
        await settle(teller, life.clock)
        await life.beat(22)
        await settle(teller, life.clock)
    assert len(await life.house.store.incidents()) == 1, "all of it is one incident"
    assert len(chat.heads) == 1, "in one thread"
    assert chat.mentions == ["<@minor>", "<@major>"]
