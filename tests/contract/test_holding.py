"""Quiet hours on a real store and relay: what begins waits, what is bad enough passes, and nothing is lost."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from doubles.oracle import POLICY, T0, Script, no_picture, settle, verdict

from bot.core.phrases import plain
from bot.core.quiet import Quiet
from bot.database import Database
from bot.holding import Holding
from bot.ports import Place, Retry
from bot.relay import Relay
from bot.stores.sqlite import SqliteStore

NIGHT = Quiet(start=time(22), end=time(7))
SERVICES = tuple(f"s{n}" for n in range(20))
POLICIES = dict.fromkeys(SERVICES, POLICY)
MORNING = 7 * 60


class Night:
    """A channel with quiet hours from ten to seven, at midnight; `minute` is the time since."""

    def __init__(self, quiet: tuple[Quiet, ...] = (NIGHT,)) -> None:
        self.database = Database(":memory:")
        self.store = SqliteStore(self.database)
        self.clock = ManualClock(T0)
        self.chat = RememberingChat()
        self.script = Script(self.store)
        mention = {level: f"<@{level}>" for level in POLICY.levels}
        self.place = Place(name="ops", chat="any", address="ops", mention=mention, quiet=quiet)
        self.restart()

    def restart(self) -> None:
        hold = Holding(self.place, self.store, self.clock, POLICIES, changed=self._stir)
        self.relay = Relay(
            self.place, self.chat, self.store, self.clock, policies=POLICIES, draw=no_picture, link=lambda _: "",
            troubled=lambda _: (), hold=hold,
        )  # fmt: skip

    async def until(self, minute: float) -> None:
        """Let the relay work until then."""
        await self._settled()
        await self.clock.advance((T0 + timedelta(minutes=minute) - self.clock.now()).total_seconds())
        await self._settled()

    async def _settled(self) -> None:
        for _ in range(100):
            self.stirred = False
            if await self.relay.round() > 20 and not self.stirred:
                return
            await self.clock.advance(1)
        raise AssertionError("the relay never came to rest")

    def _stir(self) -> None:
        self.stirred = True

    @property
    def titles(self) -> list[str]:
        return [heads[-1].title for heads in self.chat.heads.values()]

    def facts(self, number: int) -> list[str]:
        shown = list(self.chat.heads.values())[number][-1]
        return [f"{fact.label}: {plain(fact.value)}" for fact in shown.facts]


@pytest.fixture
async def night():
    night = Night()
    yield night
    await night.database.aclose()


async def test_what_came_and_went_and_what_is_open_are_one_summary_in_the_morning(night: Night):
    for service, begun in (("s1", 60), ("s2", 90), ("s3", 200)):
        await night.until(begun)
        await night.script.open(service, "minor", begun)
    await night.script.close("s1", 210)
    await night.script.close("s2", 220)
    await night.until(MORNING - 2)
    assert night.chat.calls == [], "the night was quiet"
    await night.until(MORNING + 1)
    assert len(night.chat.heads) == 2, "one summary, and one thread for what is still open"
    assert night.titles[0] == "Quiet hours are over: 1 still open, 2 came and went"
    assert night.facts(0) == [
        "s3: minor since 2026-01-01 03:20 UTC, still open",
        "s1: minor for 2 h 30 min, from 01:00 UTC, over",
        "s2: minor for 2 h 10 min, from 01:30 UTC, over",
    ]
    assert night.chat.mentions == ["<@minor>"], "the people of what is open are called once"
    assert not [row for row in await night.store.behind("ops") if not row[1].service.startswith(".")]


async def test_one_that_is_still_open_needs_no_summary_beside_its_own_thread(night: Night):
    await night.script.open("s1", "minor", 0)
    await night.until(MORNING + 1)
    assert len(night.chat.heads) == 1
    assert night.chat.mentions == ["<@minor>"]
    assert await verdict(night.store, night.chat) == []


async def test_a_night_in_which_one_came_and_went_is_one_message(night: Night):
    await night.script.open("s1", "major", 0)
    await night.script.close("s1", 30)
    await night.until(MORNING + 1)
    assert night.titles == ["Quiet hours are over: 1 came and went"]
    assert night.chat.calls == ["open", "close"], "no line, nobody called"


@pytest.mark.parametrize("quiet", [NIGHT, Quiet(start=time(22), end=time(7), unless="major")])
async def test_what_is_bad_enough_is_told_at_once_and_calls(quiet: Quiet):
    night = Night((quiet,))
    level = quiet.unless or "critical"
    await night.script.open("s1", level, 0)
    await night.until(1)
    assert (len(night.chat.heads), night.chat.mentions) == (1, [f"<@{level}>"])
    await night.script.close("s1", 30)
    await night.until(31)
    assert len(night.chat.closed) == 1
    await night.database.aclose()


async def test_what_gets_bad_enough_in_the_night_is_told_then(night: Night):
    await night.script.open("s1", "minor", 0)
    await night.until(20)
    assert night.chat.heads == {}
    await night.script.change("s1", "critical", 20)
    await night.until(21)
    assert len(night.chat.heads) == 1
    assert night.chat.mentions == ["<@critical>"]
    await night.until(MORNING + 1)
    assert len(night.chat.heads) == 1, "it was told; the morning has nothing to add"


async def test_what_was_told_before_goes_on_in_silence_and_its_close_passes(night: Night):
    evening = -150  # half past nine
    night.clock.jump(evening * 60)
    await night.script.open("s1", "minor", evening)
    await night.script.open("s2", "minor", evening)
    await night.until(evening + 5)
    called = list(night.chat.mentions)
    await night.until(5)
    await night.script.raised("s1", "major", 10)
    await night.script.close("s2", 12)
    await night.until(20)
    first, second = night.chat.lines.values()
    assert (len(first), len(second)) == (1, 2), "a line that calls people waits, a close does not"
    assert len(night.chat.closed) == 1
    assert next(iter(night.chat.heads.values()))[-1].level == "major", "the head shows the present all the while"
    assert night.chat.mentions == called
    await night.until(MORNING + 1)
    assert len(next(iter(night.chat.lines.values()))) == 2
    assert night.chat.mentions == [*called, "<@major>"]
    assert len(night.chat.heads) == 2, "nothing was held that was not told before: no summary"


async def test_a_person_who_acts_at_night_is_seen_in_the_thread_at_once(night: Night):
    night.clock.jump(-150 * 60)
    await night.script.open("s1", "minor", -150)
    await night.until(-140)
    await night.until(60)
    await night.script.change("s1", "minor", 60)  # a line that calls nobody
    await night.until(61)
    assert len(next(iter(night.chat.lines.values()))) == 2


@pytest.mark.parametrize("dies", ["before", "after the summary", "after the marks"])
async def test_a_restart_in_the_morning_tells_the_night_once(night: Night, dies: str):
    for n in range(4):
        await night.script.open(f"s{n}", "minor", n)
        await night.script.close(f"s{n}", 60 + n)
    await night.script.open("s9", "minor", 100)
    await night.until(MORNING - 1)
    await night.clock.advance(120)
    if dies == "after the summary":
        night.chat.faults.extend([Retry("the process was killed")] * 3)
        marked, night.store.mark = night.store.mark, _dies
        with pytest.raises(RuntimeError):
            await night.relay.round()
        night.store.mark = marked
    elif dies == "after the marks":
        night.chat.faults.append(Retry("the process was killed", unsure=True))
        await night.relay.round()
    night.chat.faults.clear()
    night.restart()
    await night.until(MORNING + 10)
    assert min(night.titles) == "Quiet hours are over: 1 still open, 4 came and went"
    assert len(night.chat.heads) == 2


async def _dies(_):
    raise RuntimeError("killed")


async def test_something_told_in_a_summary_that_comes_back_by_day_gets_a_thread_of_its_own(night: Night):
    await night.script.open("s1", "minor", 0)
    await night.script.close("s1", 30)
    await night.until(MORNING + 1)
    await night.script.reopen("s1", "major", MORNING + 10)
    await night.until(MORNING + 11)
    assert len(night.chat.heads) == 2
    assert len(list(night.chat.lines.values())[1]) == 1, "and only what is new"


async def test_many_are_counted_and_named_within_what_a_message_holds(night: Night):
    for n in range(20):
        await night.script.open(f"s{n}", "minor", n)
        await night.script.close(f"s{n}", 60 + n)
    await night.until(MORNING + 1)
    assert night.titles == ["Quiet hours are over: 20 came and went"]
    assert night.facts(0)[-1] == "And 12 more: s8, s9, s10 and 9 more"


async def test_a_channel_without_quiet_hours_hears_everything_at_once():
    night = Night(())
    await night.script.open("s1", "minor", 0)
    await night.until(1)
    assert await verdict(night.store, night.chat) == []
    assert await settle(night.relay, night.clock) == 0
    await night.database.aclose()
