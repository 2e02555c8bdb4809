"""Parts of services: judged like services, with more evidence, from a day of their own history on."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.core.holidays import Calendar, Days, Holiday
from bot.core.reports import Cell
from bot.detectors.levels import Rule
from bot.detectors.parts import CELL, Part, Parts

TICK = timedelta(minutes=5)
START = datetime(2026, 1, 5, tzinfo=UTC)
RULES = {"twitter": (Rule(level="minor", reports=10, within=timedelta(minutes=15), times=2, alarms=1),)}
CALM = {Cell("US", "web", "login"): 40.0, Cell("IN", "web", "login"): 3.0, Cell("DE-BY", "ios", ""): 3.0}


class Feed:
    def __init__(self, parts, now=START, calm=CALM):
        self.parts, self.now, self.random, self.calm = parts, now, np.random.default_rng(5), calm

    def run(self, span, extra=None, over=None):
        for _ in range(round(span / TICK)):
            cells = {cell: float(self.random.poisson(rate)) for cell, rate in self.calm.items()}
            for cell, count in (extra or {}).items():
                cells[cell] = cells.get(cell, 0.0) + count
            self.parts.close(self.now, {"twitter": cells}, over or {})
            self.now += TICK
        return self.parts.raised("twitter")


@pytest.fixture(scope="module")
def past():
    feed = Feed(Parts(RULES, TICK))
    assert feed.run(timedelta(days=3)) is None
    return feed.parts.snapshot(), feed.now


@pytest.fixture
def feed(past):
    return Feed(Parts.restore(past[0], RULES, TICK), past[1])


def test_a_small_country_is_seen_though_the_total_hardly_moves(feed):
    part, verdict = feed.run(3 * TICK, {Cell("IN", "web", "login"): 10.0})
    assert part == Part("twitter", 0, "IN")
    assert verdict.level == "minor"
    assert verdict.numbers.usual == pytest.approx(9, rel=0.4)


@pytest.mark.parametrize(
    ("over", "rate", "holds"),
    [(None, 1.0, True), (100.0, 1.0, True), (1.0, 1.0, False), (1.0, 5.0, True)],
    ids=["the whole is not over", "it was over before", "only doubt is left", "it is bad by what comes now"],
)
def test_a_thin_part_is_over_with_the_whole_unless_it_is_bad_by_what_comes_now(over, rate, holds):
    india, rest = Cell("IN", "web", "login"), {Cell("US", "web", "login"): 40.0}
    feed = Feed(Parts(RULES, TICK), calm=rest | {india: 1.0})
    feed.run(timedelta(days=3))
    assert feed.run(9 * TICK, {india: 4.0}) is not None
    feed.calm = rest | {india: rate}
    found = [feed.run(TICK, over=None if over is None else {"twitter": over + n}) for n in range(8)]
    assert (found[-1] is not None) is holds


def test_a_country_is_less_sure_of_its_usual_on_its_own_holidays_only(past):
    day = Holiday(past[1], past[1] + timedelta(days=1), past[1].date(), "IN")
    calendars = {"twitter": Calendar((Days("IN", lambda _: (day,)),))}
    feed = Feed(Parts.restore(past[0], RULES, TICK, calendars), past[1])
    feed.run(TICK)
    unsure = dict(zip(feed.parts._heard, feed.parts._surge._base.noise.festive.tolist(), strict=True))
    assert {part.code for part, flag in unsure.items() if flag} >= {"IN", "IN web", "web", "login", "ios"}
    assert {part.code for part, flag in unsure.items() if not flag} == {"US", "DE", "US web", "DE ios"}


def test_one_platform_of_one_region_is_seen_though_both_hide_it(past):
    crowd = {Cell("IN", "web", ""): 60.0, Cell("US", "ios", ""): 60.0, Cell("IN", "ios", ""): 3.0}
    feed = Feed(Parts(RULES, TICK), calm=CALM | crowd)
    assert feed.run(timedelta(days=3)) is None
    part, _ = feed.run(3 * TICK, {Cell("IN", "ios", ""): 12.0})
    assert part == Part("twitter", CELL, "IN ios")
    assert part.words == "iPhone and iPad in India"


def test_subdivisions_count_for_their_country(feed):
    part, _ = feed.run(3 * TICK, {Cell("DE-BE", "", ""): 12.0})
    assert part == Part("twitter", 0, "DE")


def test_a_part_heard_for_the_first_time_says_nothing_for_a_day(feed):
    assert feed.run(4 * TICK, {Cell("NZ", "", ""): 30.0}) is None
    assert feed.run(timedelta(hours=30)) is None
    part, _ = feed.run(3 * TICK, {Cell("NZ", "", ""): 12.0})
    assert part == Part("twitter", 0, "NZ")


def test_a_gap_of_the_service_is_a_gap_of_its_parts(feed):
    for _ in range(36):
        feed.parts.close(feed.now, {"twitter": None})
        feed.now += TICK
    assert feed.run(timedelta(hours=1)) is None


def test_a_part_that_recovers_is_quiet_again(feed):
    assert feed.run(6 * TICK, {Cell("IN", "web", "login"): 20.0}) is not None
    assert feed.run(timedelta(hours=2)) is None


def test_idle_parts_are_forgotten_and_a_service_never_has_more_than_it_may(feed):
    feed.run(TICK, {Cell(a + b, "", ""): 5.0 for a in "ABCDEFGH" for b in "KLMNOPQRST"})
    assert len([part for part in feed.parts._heard if part.axis != CELL]) == 48
    feed.now += timedelta(days=30)
    feed.run(2 * TICK)
    feed.run(TICK, {Cell("NZ", "", ""): 5.0})
    usual = {"US", "IN", "DE", "web", "ios", "login", "NZ", "US web", "IN web", "DE ios"}
    assert {part.code for part in feed.parts._heard} <= usual


def test_newcomers_take_no_place_of_those_that_were_heard_within_a_day(feed):
    known = {part for part in feed.parts._heard if part.axis != CELL}
    feed.run(TICK, {Cell(a + b, "", ""): 5.0 for a in "ABCDEFGH" for b in "KLMNOPQRST"})
    assert known <= feed.parts._heard.keys()


def test_a_restart_in_the_middle_changes_nothing(past, feed):
    other = Feed(Parts.restore(past[0], RULES, TICK), past[1])
    for step in range(4):
        assert feed.run(TICK, {Cell("IN", "", ""): 6.0 * step}) == other.run(TICK, {Cell("IN", "", ""): 6.0 * step})
        other.parts = Parts.restore(other.parts.snapshot(), RULES, TICK)


def test_services_that_go_take_their_parts_with_them(feed):
    assert feed.parts.resize({})._heard == {}
    assert feed.parts.resize(RULES)._heard == feed.parts._heard


def test_a_spoilt_snapshot_starts_empty():
    assert Parts.restore(b"\xff rubbish", RULES, TICK)._heard == {}
    assert Parts.restore(b"", RULES, TICK).raised("twitter") is None
