"""R1 to R11: what was stored is told, once, in order, newest truth first, in spite of everything."""

import asyncio
import itertools
import random

import pytest
from doubles.chat import LOST, RememberingChat
from doubles.clock import ManualClock
from doubles.oracle import T0, Script, relay, settle, verdict

from bot.ailing import Ailing
from bot.database import Database
from bot.ports import Gone, Refused, Retry
from bot.stores.sqlite import SqliteStore

SERVICES = tuple(f"s{n}" for n in range(20))


@pytest.fixture
async def store():
    database = Database(":memory:")
    yield SqliteStore(database)
    await database.aclose()


@pytest.fixture
def clock():
    return ManualClock(T0)


class Weather:
    """Faults for a chat without end: whatever `next_` says, call after call."""

    def __init__(self, next_):
        self.popleft = next_


class Crash(BaseException):
    """The process dies here."""


def _502():
    return Retry("502", unsure=False)


MENU = (
    lambda: Retry("500", unsure=True),
    _502,
    lambda: Retry("reset before it was taken"),
    lambda: LOST,
    lambda: ("after", TimeoutError()),
    lambda: Retry("a page of HTML", unsure=True),
)


async def lives(script, services, seed, transitions):
    """A random life of many incidents, in order of time."""
    chance, open_ = random.Random(seed), {}
    for n in range(transitions):
        service, minute = chance.choice(services), n / 4
        if service not in open_:
            open_[service] = await script.open(service, chance.choice(("minor", "major")), minute)
        elif chance.random() < 0.3:
            await script.close(service, minute)
            del open_[service]
        else:
            await script.change(service, chance.choice(("minor", "major", "critical")), minute)
        yield n


async def test_nothing_is_lost_or_doubled_on_two_platforms_that_fail_every_third_call(prove):
    wrong, transitions = [], 0
    for seed in range(4):
        database = Database(":memory:")
        store, clock, chance = SqliteStore(database), ManualClock(T0), random.Random(seed)
        chats = {name: RememberingChat() for name in ("ops", "community")}
        for chat in chats.values():
            chat.faults = Weather(lambda: chance.choice(MENU)() if chance.random() < 0.33 else None)  # noqa: B023
        relays = [relay(store, clock, chat, name, SERVICES) for name, chat in chats.items()]
        async for n in lives(Script(store, tuple(chats)), SERVICES, seed, 200):
            transitions += 1
            if n % 5 == 0:
                for one in relays:
                    await one.round()
                await clock.advance(1.0)
        for one in relays:
            await settle(one, clock)
        for name, chat in chats.items():
            wrong += [f"seed {seed}: {w}" for w in await verdict(store, chat, name)]
        await database.aclose()
    prove("R1", transitions, wrong, "transitions told to two platforms of which a third of the calls fail")


@pytest.mark.parametrize("hours", [2, pytest.param(24, marks=pytest.mark.soak)])
async def test_what_waited_through_an_outage_is_told_within_five_seconds_of_its_end(store, clock, prove, hours):
    chat, script = RememberingChat(), Script(store)
    teller = relay(store, clock, chat, services=SERVICES)
    await script.open("s0")
    await settle(teller, clock)
    chat.faults = Weather(lambda: Retry("503", unsure=True))
    for n in range(1, 20):
        await script.open(f"s{n}", minute=n)
    while clock.monotonic() < hours * 3600:
        await clock.advance(await teller.round() + 0.01)
    back, chat.faults = clock.monotonic(), Weather(lambda: None)
    calls = len(chat.calls)
    await settle(teller, clock)
    took = clock.monotonic() - back
    late = [f"{took:.1f} s"] if took > 5 else []
    storm = [f"{calls} calls in {hours} h"] if calls > hours * 1000 else []
    prove(
        "R1", 20, await verdict(store, chat) + late + storm, f"incidents told within 5 s of the end of {hours} h away"
    )


async def test_a_crash_before_or_after_any_call_or_write_loses_and_doubles_nothing(prove):
    runs, wrong = 0, []
    for where, nth in itertools.product(("call", "answer", "mark", "marked"), range(14)):
        for again in (None, 0, 1):
            runs += 1
            wrong += [f"{where} {nth} {again}: {w}" for w in await one_crash(where, nth, again)]
    prove("R2", runs, wrong, "crashes at a call or a write, a second one in the recovery")
    prove("R3", runs, [w for w in wrong if "R3" in w], "crashes, after each of which nothing was posted unstored")


async def one_crash(where, nth, again):
    """A life of one incident with a crash at the nth call or write, and maybe another soon after waking."""
    database = Database(":memory:")
    store, clock, chat = SqliteStore(database), ManualClock(T0), RememberingChat()
    script, hits = Script(store), itertools.count()
    steps = [lambda: script.open("s0"), lambda: script.change("s0", "critical", 1), lambda: script.close("s0", 9)]
    crashes = {nth, nth + 1 + again} if again is not None else {nth}
    teller = relay(Mortal(store, where, hits, crashes), clock, chat)
    if where in ("call", "answer"):
        chat.faults = Weather(lambda: _crash(where) if next(hits) in crashes else None)
    for step in steps:
        await step()
        for _ in range(4):
            try:
                await settle(teller, clock, 60)
            except Crash:
                teller = relay(Mortal(store, where, hits, crashes), clock, chat)
    found = await verdict(store, chat)
    await database.aclose()
    return found


def _crash(where):
    return Crash() if where == "call" else ("after", Crash())


class Mortal:
    """A store in front of which, or behind which, the process may die."""

    def __init__(self, store, where, hits, crashes):
        self._store, self._where, self._hits, self._crashes = store, where, hits, crashes

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def mark(self, thread):
        dies = self._where in ("mark", "marked") and next(self._hits) in self._crashes
        if dies and self._where == "mark":
            raise Crash
        await self._store.mark(thread)
        if dies:
            raise Crash


async def test_a_thousand_changes_in_ten_seconds_end_in_the_truth_with_few_edits(store, clock, prove):
    chat, script = RememberingChat(), Script(store)
    teller = relay(store, clock, chat)
    await script.open("s0")
    await settle(teller, clock)
    before = chat.calls.count("edit")
    for _ in range(1000):
        await script.number("s0")
        await teller.round()
        await clock.advance(0.01)
    edits = chat.calls.count("edit") - before
    await settle(teller, clock)
    wrong = await verdict(store, chat)
    wrong += [f"{edits} edits in 10 s"] if edits > 6 else []
    wrong += [f"{chat.calls.count('reply')} replies"] if chat.calls.count("reply") > 1 else []
    prove("R4", 1000, wrong, "changes in 10 s, converging with at most one edit in 2 s")


async def test_a_restart_is_silent_even_after_thirty_days(store, clock, prove):
    chat, script = RememberingChat(), Script(store)
    services = tuple(f"s{n}" for n in range(50))
    for service in services:
        await script.open(service)
    await settle(relay(store, clock, chat, services=services), clock)
    before, loud = list(chat.calls), list(chat.loud)
    for _ in range(20):
        await clock.advance(36 * 3600)
        await settle(relay(store, clock, chat, services=services), clock)
    said = chat.calls[len(before) :] + chat.loud[len(loud) :]
    prove("R6", 20 * 50, said, "open incidents met again after a restart, over 30 days, in silence")


async def test_a_backlog_is_told_newest_truth_first(store, clock, prove):
    """60 incidents with 500 changes while the platform was away two hours: what lasts first, worst first, no replay."""
    chat, script, chance = RememberingChat(), Script(store), random.Random(8)
    services = tuple(f"s{n}" for n in range(60))
    levels = ("minor", "major", "critical")
    for n, service in enumerate(services):
        await script.open(service, levels[n % 3], n / 10)
        for k in range(6):
            await script.change(service, levels[n % 3], 10 + k)
        if n % 2:
            await script.close(service, 60 + chance.random())
    order = []
    teller = relay(store, clock, Watched(chat, order), services=services)
    await settle(teller, clock)
    alive = [level for state, level in order if state == "open"]
    wrong = await verdict(store, chat)
    wrong += [] if alive == sorted(alive, key=levels.index, reverse=True) else ["the worst did not come first"]
    wrong += [] if [s for s, _ in order] == ["open"] * 30 + ["closed"] * 30 else ["what is over came too early"]
    over = {ref for ref, heads in chat.heads.items() if heads[0].state == "closed"}
    wrong += [f"{ref} has {len(lines)} lines" for ref, lines in chat.lines.items() if ref in over and len(lines) > 1]
    wrong += [f"{key} called people" for key in chat.loud if int(key.split("-")[0][1:]) % 2]
    prove("R8", 60 * 7 + 30, wrong, "changes of 60 incidents told late")


class Watched:
    """Notes the openings as they come."""

    def __init__(self, chat, order):
        self._chat, self._order = chat, order

    def __getattr__(self, name):
        return getattr(self._chat, name)

    async def open(self, place, key, head, png, since):
        self._order.append((head.state, head.level))
        return await self._chat.open(place, key, head, png, since)


@pytest.mark.parametrize("after", [1.0, 30.0, 3600.0])
async def test_after_a_429_nothing_of_that_lane_is_sent_before_its_time(store, clock, prove, after):
    chat, script = RememberingChat(), Script(store)
    teller = relay(store, clock, chat, services=SERVICES)
    for service in SERVICES:
        await script.open(service)
    limited = [Retry("429", after=_seconds(after))]
    chat.faults = Weather(lambda: limited.pop() if limited else None)
    await teller.round()
    first, early = len(chat.calls), []
    while clock.monotonic() < after - 0.05:
        await clock.advance(min(await teller.round(), after - 0.02 - clock.monotonic()))
        early = chat.calls[first:]
    await clock.advance(0.1)
    await settle(teller, clock)
    prove("R9", 20, early + await verdict(store, chat), "openings that waited for as long as they were asked to")


def _seconds(n):
    return T0.__class__.fromtimestamp(n) - T0.__class__.fromtimestamp(0)


async def test_a_hundred_incidents_in_a_minute_stay_below_one_message_a_second(store, clock, prove):
    chat, script = Slow(1.0, clock), Script(store)
    services = tuple(f"s{n}" for n in range(100))
    teller = relay(store, clock, chat, services=services)
    for service in services:
        await script.open(service)
    await settle(teller, clock)
    fifty = chat.opened[49]
    wrong = await verdict(store, chat)
    wrong += (
        [f"{chat.refused} of {len(chat.calls)} calls were too fast"] if chat.refused > len(chat.calls) / 100 else []
    )
    wrong += [f"the 50th opening came after {fifty:.0f} s"] if fifty > 60 else []
    prove("R9", 100, wrong, "incidents of one minute at a platform's own pace")


class Slow(RememberingChat):
    """A platform that takes so many posts and so many edits a second, in short bursts, and refuses the rest."""

    def __init__(self, every, clock):
        super().__init__()
        self.every, self.refused, self.opened = every, 0, []
        self._clock, self._room, self._seen = clock, {"post": 5.0, "edit": 5.0}, {"post": 0.0, "edit": 0.0}

    def _take(self, what):
        now = self._clock.monotonic()
        self._room[what] = min(5.0, self._room[what] + (now - self._seen[what]) / self.every)
        self._seen[what] = now
        if self._room[what] < 1:
            self.refused += 1
            raise Retry("429", after=_seconds(1))
        self._room[what] -= 1

    async def open(self, *args):
        self._take("post")
        self.opened.append(self._clock.monotonic())
        return await super().open(*args)

    async def reply(self, *args):
        self._take("post")
        await super().reply(*args)

    async def edit(self, *args):
        self._take("edit")
        await super().edit(*args)


async def test_an_edit_that_hangs_delays_no_opening(store, clock, prove):
    chat, script = Hanging(), Script(store)
    teller = relay(store, clock, chat, services=SERVICES)
    await script.open("s0")
    await settle(teller, clock, 1)
    await clock.advance(3)
    work = asyncio.create_task(teller.run())
    await asyncio.wait_for(chat.hanging.wait(), 60)
    for n in range(1, 11):
        await script.open(f"s{n}", minute=n)
        teller.wake()
    async with asyncio.timeout(60):
        while len(chat.heads) < 11:  # noqa: ASYNC110 - what happens meanwhile is what is under test
            await asyncio.sleep(0.01)
    work.cancel()
    prove("R9", 10, [], "openings told while an edit hung")


class Hanging(RememberingChat):
    """Edits never come back."""

    def __init__(self):
        super().__init__()
        self.hanging = asyncio.Event()

    async def edit(self, *_):
        self.hanging.set()
        await asyncio.Event().wait()


async def test_a_platform_that_hangs_delays_no_other(store, clock, prove):
    script, other, hung = Script(store, ("ops", "community")), RememberingChat(), Hanging()
    hung.open = hung.edit
    tellers = [relay(store, clock, chat, name, SERVICES) for name, chat in (("ops", hung), ("community", other))]
    work = [asyncio.create_task(teller.run()) for teller in tellers]
    took = []
    for n in range(20):
        began = asyncio.get_running_loop().time()
        await script.open(f"s{n}", minute=n)
        tellers[1].wake()
        async with asyncio.timeout(60):
            while len(other.heads) <= n:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        took.append(asyncio.get_running_loop().time() - began)
    for task in work:
        task.cancel()
    prove("R11", 20, [f"{t:.2f} s" for t in took if t > 2], "openings on one platform while the other hung")


FOREVER = [
    "Slack refuses the token: set a new one",
    "the channel is archived: unarchive it",
    "the channel was deleted: name another",
    "the bot lacks a permission: grant it",
    "the thread is locked: unlock it",
    "the server has as many threads as it may: archive some",
    "the bot was removed from the server: invite it",
]


@pytest.mark.parametrize("why", FOREVER)
async def test_a_permanent_error_is_said_elsewhere_kept_and_told_after_it_is_mended(store, clock, prove, why):
    ops, other = RememberingChat(), RememberingChat()
    ailing = Ailing(store, clock, lambda channel, _: [c for c in ("community", "ops") if c != channel], lambda: None)
    broken, working = relay(store, clock, ops, ward=ailing), relay(store, clock, other, "community", ward=ailing)
    script = Script(store, ("ops",))
    ops.faults = Weather(lambda: Refused(why))
    await script.open("s0")
    began = clock.monotonic()
    for _ in range(20):
        await broken.round()
        await working.round()
        await clock.advance(1)
    wrong = [] if len(ops.calls) <= 3 else [f"{len(ops.calls)} tries"]
    notices = [head for heads in other.heads.values() for head in heads if why in str(head.sentence)]
    wrong += [] if notices and clock.monotonic() - began <= 30 else ["nobody was told why"]
    wrong += [] if not await store.incidents(limit=9) or (await store.incidents())[0].service == "s0" else ["listed"]
    [(dead, _)] = await store.dead()
    wrong += [] if why in dead.dead else ["the dead letter does not say why"]
    ops.faults = Weather(lambda: None)
    await store.revive("ops")
    broken.pace.anew()
    await settle(broken, clock)
    await settle(working, clock)
    wrong += await verdict(store, ops)
    wrong += [] if len(other.closed) == 1 else ["the notice was not closed"]
    prove("R10", 1, wrong, "permanent errors said on another channel within 30 s, and retried")


async def test_a_refusal_right_after_a_lost_answer_does_not_double_when_it_is_retried(store, clock, prove):
    wrong = []
    for nth in range(2):
        database = Database(":memory:")
        fresh, chat = SqliteStore(database), RememberingChat()
        teller, script = relay(fresh, clock, chat), Script(fresh)
        await script.open("s0")
        chat.faults.extend([None] * nth + [LOST, Refused("the token was revoked")])
        await settle(teller, clock, 20)
        await fresh.revive()
        teller.pace.anew()
        await settle(teller, clock)
        wrong += await verdict(fresh, chat)
        await database.aclose()
    prove("R10", 2, wrong, "retries of a dead letter whose post may have arrived")


async def test_a_message_that_is_deleted_again_and_again_becomes_a_dead_letter(store, clock, prove):
    chat, script = RememberingChat(), Script(store)
    teller = relay(store, clock, chat)
    await script.open("s0")
    await settle(teller, clock)
    chat.faults = Weather(lambda: Gone("deleted") if chat.calls[-1] != "open" else None)
    for n in range(200):
        await script.number("s0")
        await clock.advance(await teller.round() + 0.1 + n * 0)
    opens = chat.calls.count("open")
    [(dead, _)] = await store.dead() or [(None, None)]
    prove("R10", 1, [] if opens <= 5 and dead else [f"{opens} posts"], "threads that somebody goes on deleting")
