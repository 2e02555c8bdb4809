"""The judge of report counts: tables of what must open and what must not, and laws."""

from datetime import UTC, datetime, timedelta
from math import cos, isfinite, pi

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Between
from bot.detectors.levels import Rule
from bot.detectors.past import Past
from bot.detectors.surge import Closed, Surge

MINUTE = timedelta(minutes=1)
TICK = 5 * MINUTE
START = datetime(2026, 1, 5, tzinfo=UTC)
HISTORY = timedelta(days=15)
LADDER = (
    Rule(level="minor", reports=10, within=15 * MINUTE, times=2, alarms=1, line="config.yaml:41"),
    Rule(level="major", reports=50, within=15 * MINUTE, times=5, line="config.yaml:42"),
    Rule(level="critical", reports=200, within=15 * MINUTE, times=15, line="config.yaml:43"),
)
TIMES_ONLY = (Rule(level="minor", within=15 * MINUTE, times=5),)
ALARMS_ONLY = (Rule(level="minor", within=15 * MINUTE, alarms=1),)
RULES = {"daily": LADDER, "flat": LADDER, "silent": LADDER, "ramp": TIMES_ONLY, "rare": ALARMS_ONLY, "bare": ()}


def daily(at):
    """Reports per minute of a service that sleeps at night: from 0.1 at three to 6 at three in the afternoon."""
    hour = at.hour + at.minute / 60
    return 0.1 + 5.9 * (0.5 - 0.5 * cos(2 * pi * (hour - 3) / 24)) ** 2


def rates(at):
    return {"daily": daily(at), "flat": 2.0, "silent": 0.0, "ramp": 4 * daily(at), "rare": 0.5, "bare": 1.0}


class Feed:
    """Feeds a judge with noise around the rates, bucket by bucket, and keeps what it said."""

    def __init__(self, surge, now=START, tick=TICK, seed=1):
        self.surge, self.now, self.tick = surge, now, tick
        self.random = np.random.default_rng(seed)

    def run(self, span, rate=rates, fixed=None):
        """Close the buckets of a span; yields (time, {series: level}) of each that is not all calm."""
        raised = []
        for _ in range(round(span / self.tick)):
            minutes = self.tick / MINUTE
            counts = {name: int(self.random.poisson(r * minutes)) for name, r in rate(self.now).items()}
            self.surge.close(self.now, counts | (fixed or {}))
            self.now += self.tick
            levels = {v.series: v.level for v in self.surge.judge(self.now, {}) if v.level}
            if levels:
                raised.append((self.now, levels))
        return raised

    def verdict(self, series, running=None):
        [verdict] = self.surge.judge(self.now, running or {}, only=[series])
        return verdict

    def closed(self, series):
        """The bucket that was closed last, of one series."""
        return Closed(*(column[self.surge.names.index(series)] for column in self.surge.closed()))


@pytest.fixture(scope="module")
def past():
    feed = Feed(Surge(RULES, TICK))
    raised = feed.run(HISTORY)
    return feed.surge.snapshot(), feed.now, raised


@pytest.fixture
def feed(past):
    blob, now, _ = past
    return Feed(Surge.restore(blob, RULES, TICK), now, seed=2)


def test_quiet_weeks_with_a_steep_morning_open_nothing_once_a_day_is_known(past):
    _, _, raised = past
    later = [levels for at, levels in raised if at > START + timedelta(days=1)]
    assert [levels for levels in later if levels != {"rare": "minor"}] == []
    assert len(later) < 3


def test_the_shape_of_the_day_is_learned(feed):
    mean, low, high = feed.surge.usual("daily", feed.now, 288)
    truth = np.array([5 * daily(feed.now + k * TICK) for k in range(288)])
    assert np.abs(mean - truth).max() < 0.2 * truth.max()
    assert (low <= mean).all()
    assert (mean <= high).all()


@pytest.mark.parametrize("hour", [3, 9, 15, 21])
def test_a_spike_is_seen_in_its_own_bucket_whatever_the_hour(feed, hour):
    feed.run(timedelta(hours=hour))
    count = round(15 * 5 * daily(feed.now) * 1.1) + 60
    verdict = feed.verdict("daily", {"daily": count})
    assert verdict.level in ("major", "critical")
    assert verdict.since == feed.now


def test_a_running_bucket_counts_for_the_part_of_it_that_has_passed(feed):
    [early] = feed.surge.judge(feed.now + MINUTE, {"flat": 10}, only=["flat"])
    [late] = feed.surge.judge(feed.now + 5 * MINUTE, {"flat": 10}, only=["flat"])
    assert early.numbers.score > late.numbers.score
    assert early.numbers.usual == pytest.approx(late.numbers.usual, rel=0.2)


def test_the_window_slides_so_that_a_burst_leaves_it_after_its_span(feed):
    feed.run(TICK, fixed={"silent": 30})
    assert feed.verdict("silent").numbers.count == 30
    feed.run(2 * TICK)
    assert feed.verdict("silent").numbers.count == 30
    [half] = feed.surge.judge(feed.now + TICK / 2, {}, only=["silent"])
    assert half.numbers.count == 15
    feed.run(TICK)
    assert feed.verdict("silent").numbers.count == 0


def test_the_level_holds_through_a_dip_and_ends_when_it_is_as_usual_again(feed):
    feed.run(3 * TICK, fixed={"silent": 4})
    assert feed.verdict("silent").level == "minor"
    feed.run(6 * TICK, fixed={"silent": 3})
    assert feed.verdict("silent").level == "minor"
    feed.run(9 * TICK, fixed={"silent": 0})
    assert feed.verdict("silent").level == ""


def test_a_trickle_after_an_outage_is_no_trouble_for_ever(feed):
    feed.run(3 * TICK, fixed={"silent": 4})
    feed.run(timedelta(minutes=50), fixed={"silent": 1})
    assert feed.verdict("silent").level == "minor"
    feed.run(timedelta(minutes=40), fixed={"silent": 1})
    assert feed.verdict("silent").level == ""


def test_recovery_is_quick_after_a_great_outage_and_patient_on_thin_evidence(feed):
    feed.run(6 * TICK, fixed={"flat": 400, "silent": 5})
    calm = {}
    for _ in range(12):
        feed.run(TICK, fixed={"silent": 0})
        for series in ("flat", "silent"):
            if not feed.verdict(series).level:
                calm.setdefault(series, feed.now)
    assert calm["flat"] < calm["silent"]


def test_evidence_from_before_a_recovery_raises_nothing_again(feed):
    feed.run(12 * TICK, fixed={"flat": 60})
    raised = [at for at, levels in feed.run(timedelta(hours=3)) if "flat" in levels]
    assert len(raised) <= 4
    assert raised == [raised[0] + k * TICK for k in range(len(raised))]


def test_reports_that_die_away_end_it_before_they_are_gone_and_do_not_open_it_again(feed):
    feed.run(6 * TICK, fixed={"flat": 600})
    fading = [round(10 + 600 * 0.6**k) for k in range(1, 20)]
    levels = []
    for count in fading:
        feed.run(TICK, fixed={"flat": count})
        levels.append(feed.verdict("flat").level)
    ended = levels.index("")
    assert 10 < fading[ended] <= 2.5 * 10 + 3
    assert set(levels[ended:]) == {""}


def test_a_relapse_among_the_echoes_opens_again_at_once(feed):
    feed.run(6 * TICK, fixed={"flat": 600})
    for count in (300, 150, 75, 40, 20):
        feed.run(TICK, fixed={"flat": count})
    assert feed.verdict("flat").level == ""
    feed.run(TICK, fixed={"flat": 600})
    assert feed.verdict("flat").level in ("major", "critical")


def test_what_becomes_the_new_usual_leaves_no_echo(feed):
    feed.run(timedelta(hours=40), lambda at: rates(at) | {"flat": 20.0})
    assert feed.verdict("flat").numbers.usual == pytest.approx(300, rel=0.3)


def test_a_level_below_its_line_never_begins_by_hovering(feed):
    raised = feed.run(timedelta(hours=6), fixed={"silent": 3})
    assert all("silent" not in levels for _, levels in raised)


def test_levels_climb_and_the_verdict_names_the_rule_that_holds(feed):
    feed.run(TICK, fixed={"silent": 60})
    verdict = feed.verdict("silent")
    assert verdict.level == "major"
    assert verdict.rule == "major: at least 50 reports within 15 min, at least 5 times the usual (config.yaml:42)"
    feed.run(TICK, fixed={"silent": 300})
    assert feed.verdict("silent").level == "critical"


def test_a_service_that_is_nearly_never_reported_gets_a_multiple_that_people_can_read(feed):
    numbers = feed.verdict("silent", {"silent": 12}).numbers
    assert numbers.usual < 0.5
    assert numbers.times == 24


def test_a_long_outage_does_not_become_the_usual(feed):
    before = feed.surge.usual("flat", feed.now, 288)[0]
    raised = feed.run(timedelta(hours=8), lambda at: rates(at) | {"flat": 40.0})
    assert raised[-1][1]["flat"] == "critical"
    feed.run(timedelta(hours=6))
    after = feed.surge.usual("flat", feed.now, 288)[0]
    assert (after < 1.25 * before).all()


def test_what_lasts_longer_than_a_day_and_a_half_is_the_new_usual(feed):
    feed.run(timedelta(hours=40), lambda at: rates(at) | {"flat": 20.0})
    assert feed.verdict("flat").level == ""
    assert feed.verdict("flat").numbers.times == pytest.approx(1, abs=0.4)


def test_a_service_gone_quiet_for_good_is_judged_by_its_new_usual(feed):
    feed.run(timedelta(hours=60), lambda at: rates(at) | {"flat": 0.2})
    assert feed.verdict("flat").numbers.usual < 6
    feed.run(TICK, fixed={"flat": 60})
    assert feed.verdict("flat").level == "major"


def test_a_silent_feed_is_never_adopted_as_a_usual_of_nothing(feed):
    feed.run(timedelta(hours=60), fixed={"flat": 0})
    assert feed.verdict("flat").numbers.usual > 8


def test_a_gap_is_no_zero(feed):
    before = feed.verdict("flat").numbers
    usual = feed.surge.usual("flat", feed.now, 1)[0][0]
    feed.run(timedelta(hours=12), lambda _: {}, fixed={"flat": None})
    assert np.isnan(feed.closed("flat").seen)
    assert feed.verdict("flat").numbers.usual is None
    assert feed.surge.usual("flat", feed.now, 1)[0][0] == pytest.approx(usual, rel=0.1)
    feed.run(15 * MINUTE)
    assert feed.verdict("flat").numbers.usual == pytest.approx(before.usual, rel=0.1)


@pytest.mark.parametrize("away", [timedelta(minutes=20), timedelta(days=3)])
def test_buckets_left_out_are_gaps(feed, away):
    usual = feed.surge.usual("flat", feed.now, 1)[0][0]
    feed.now += away
    raised = feed.run(timedelta(hours=1))
    assert raised == []
    assert feed.surge.usual("flat", feed.now, 1)[0][0] == pytest.approx(usual, rel=0.15)


def test_a_backlog_after_a_gap_is_no_spike_but_an_outage_after_it_is(feed):
    before = feed.surge.snapshot()
    feed.run(timedelta(hours=1), fixed={"flat": None})
    assert feed.run(TICK, fixed={"flat": 130}) == []
    assert feed.run(timedelta(hours=2)) == []
    again = Feed(Surge.restore(before, RULES, TICK), feed.now - timedelta(hours=3, minutes=5))
    again.run(timedelta(hours=1), fixed={"flat": None})
    assert again.run(TICK, fixed={"flat": 400})[-1][1]["flat"] == "minor"


def test_a_backlog_that_is_still_coming_in_is_no_spike_either(feed):
    feed.run(timedelta(hours=1), fixed={"flat": None})
    [verdict] = feed.surge.judge(feed.now + MINUTE, {"flat": 110}, only=["flat"])
    assert verdict.level == ""


def test_a_silent_feed_is_told_apart_from_calm(feed):
    assert not feed.surge.silent("flat")
    feed.run(timedelta(minutes=30), fixed={"flat": 0})
    assert feed.surge.silent("flat")
    assert not feed.surge.silent("silent")
    assert not feed.surge.silent("nobody")


def test_late_counts_can_open(feed):
    feed.run(3 * TICK, fixed={"flat": None})
    for ago in (3, 2, 1):
        feed.surge.revise("flat", feed.now - ago * TICK, 60)
    verdict = feed.verdict("flat")
    assert (verdict.level, verdict.numbers.count) == ("major", 180)
    assert verdict.since == feed.now - 3 * TICK


def test_a_count_taken_back_calms_the_evidence(feed):
    feed.run(TICK, fixed={"flat": 9})
    feed.run(TICK, fixed={"flat": 18})
    high = feed.verdict("flat", {"flat": 4}).numbers.score
    feed.surge.revise("flat", feed.now - TICK, 9)
    low = feed.verdict("flat", {"flat": 4}).numbers.score
    feed.surge.revise("flat", feed.now - TICK, None)
    assert low < high
    assert feed.verdict("flat").numbers.count < 30


def test_what_was_revised_in_time_is_learned_as_if_it_had_come_in_time(feed):
    other = Feed(Surge.restore(feed.surge.snapshot(), RULES, TICK), feed.now, seed=2)
    feed.run(2 * TICK, fixed={"flat": 14})
    other.run(2 * TICK, fixed={"flat": 3})
    for ago in (2, 1):
        other.surge.revise("flat", other.now - ago * TICK, 14)
    feed.run(timedelta(hours=2))
    other.run(timedelta(hours=2))
    assert other.surge.usual("flat", feed.now, 9)[0] == pytest.approx(
        feed.surge.usual("flat", feed.now, 9)[0], rel=1e-4
    )


def test_older_buckets_and_unknown_services_are_left_alone(feed):
    before = feed.surge.snapshot()
    feed.surge.revise("flat", feed.now - TICK * (feed.surge.depth + 1), 500)
    feed.surge.revise("flat", feed.now, 500)
    feed.surge.revise("nobody", feed.now - TICK, 500)
    assert feed.surge.snapshot() == before


def test_what_others_say_adds_to_evidence_but_is_none_by_itself(feed):
    count = next(n for n in range(1, 60) if feed.verdict("rare", {"rare": n}).numbers.score > ALARMS_ONLY[0].nats() - 2)
    calm = Feed(Surge.restore(feed.surge.snapshot(), RULES, TICK), feed.now)
    assert calm.verdict("rare", {"rare": count}).level == ""
    calm.surge.lean("rare", 3.0)
    calm.surge.lean("nobody", 3.0)
    assert calm.verdict("rare", {"rare": 1}).level == ""
    assert calm.verdict("rare", {"rare": count}).level == "minor"


def test_a_bucket_closed_before_is_ignored(feed):
    before = feed.surge.snapshot()
    feed.surge.close(feed.now - TICK, {"flat": 1000})
    assert feed.surge.snapshot() == before


def test_without_history_a_plain_count_opens_and_no_usual_is_claimed():
    surge = Surge(RULES, MINUTE)
    [verdict] = surge.judge(START, {"flat": 12}, only=["flat"])
    assert (verdict.level, verdict.since) == ("minor", START)
    assert verdict.between == Between(early=START, late=START)
    assert (verdict.numbers.usual, verdict.numbers.times, verdict.numbers.score) == (None, None, 0.0)


@pytest.mark.parametrize("series", ["ramp", "rare", "bare"])
def test_without_history_a_level_that_needs_the_usual_does_not_hold(series):
    feed = Feed(Surge(RULES, MINUTE), tick=MINUTE)
    feed.run(timedelta(hours=1))
    assert feed.verdict(series, {series: 500}).level == ""


def test_with_history_the_alarm_budget_alone_can_raise_a_level(feed):
    assert feed.verdict("rare", {"rare": 1}).level == ""
    assert feed.verdict("rare", {"rare": 40}).level == "minor"


def test_without_history_the_start_is_still_found():
    feed = Feed(Surge(RULES, MINUTE), tick=MINUTE)
    feed.run(timedelta(hours=2), fixed={"flat": 0})
    begun = feed.now
    feed.run(10 * MINUTE, fixed={"flat": 5})
    verdict = feed.verdict("flat")
    assert (verdict.since, verdict.between) == (begun, Between(early=begun - MINUTE, late=begun + MINUTE))


def test_the_start_goes_back_to_the_first_weak_complaints():
    feed = Feed(Surge({"twitter": LADDER}, MINUTE), tick=MINUTE)
    feed.run(timedelta(days=1, hours=3), lambda _: {"twitter": 0.3})
    three = feed.now
    feed.run(timedelta(hours=4), lambda _: {"twitter": 0.9})
    feed.run(10 * MINUTE, lambda _: {"twitter": 40.0})
    verdict = feed.verdict("twitter")
    assert verdict.level == "critical"
    assert abs(verdict.since - three) < timedelta(minutes=30)


def test_an_earlier_blip_is_not_part_of_the_trouble(feed):
    feed.run(TICK, fixed={"flat": 80})
    feed.run(timedelta(hours=2))
    begun = feed.now
    feed.run(2 * TICK, fixed={"flat": 120})
    assert feed.verdict("flat").since == begun


def test_learning_stops_being_safe_only_while_it_is_hot(feed):
    assert not feed.surge.hot("flat")
    feed.run(TICK, fixed={"flat": 200})
    assert feed.surge.hot("flat")
    feed.run(timedelta(hours=4))
    assert not feed.surge.hot("flat")
    assert not feed.surge.hot("nobody")


def test_a_row_of_scores_says_what_was_seen(feed):
    feed.run(timedelta(hours=1))
    feed.run(TICK, fixed={"flat": 200})
    seen, usual, score, rank = feed.closed("flat")
    assert (seen, RULES["flat"][rank].level) == (200, "major")
    assert usual == pytest.approx(10, rel=0.2)
    assert score > 50


def test_unknown_services_are_nobody(feed):
    assert feed.surge.judge(feed.now, {}, only=["nobody"]) == []
    assert np.isnan(feed.surge.usual("nobody", feed.now, 3)).all()


def test_a_resized_judge_remembers_the_services_that_stay(feed):
    feed.run(TICK, fixed={"flat": 200})
    before = feed.verdict("flat")
    wider = tuple(Rule(level=r.level, reports=r.reports, within=timedelta(hours=8), times=r.times) for r in LADDER)
    other = feed.surge.resize({"new": LADDER, "flat": LADDER, "daily": wider})
    [verdict] = other.judge(feed.now, {}, only=["flat"])
    assert verdict == before
    [fresh] = other.judge(feed.now, {"new": 12}, only=["new"])
    assert (fresh.level, fresh.numbers.usual) == ("minor", None)
    [long] = other.judge(feed.now, {}, only=["daily"])
    remembered = feed.surge.usual("daily", feed.now - timedelta(hours=4.5), 54)[0].sum()
    assert long.numbers.usual == pytest.approx(remembered, rel=0.2)


def altered(**changes):
    def alter(blob):
        packed = msgspec.msgpack.decode(blob)
        return msgspec.msgpack.encode(packed | {k: change(packed[k]) for k, change in changes.items()})

    return alter


NOT_A_NUMBER = np.full(6, np.nan).tobytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: blob[:0],
        lambda blob: b"\xff\x00rubbish" + blob,
        lambda blob: blob[:-8],
        altered(version=lambda v: v + 1),
        altered(names=lambda names: names[:-1]),
        altered(held=lambda _: {}),
        altered(columns=lambda _: {}),
        altered(columns=lambda c: c | {"heat.age": ((6,), NOT_A_NUMBER)}),
        altered(columns=lambda c: c | {"heat.age": ((5,), NOT_A_NUMBER)}),
        altered(columns=lambda c: c | {"heat.age": ((6,), NOT_A_NUMBER[8:])}),
        altered(columns=lambda c: c | {"ring": ((3, 0, 6), b"")}),
    ],
)
def test_a_spoilt_snapshot_starts_empty(past, spoil):
    blob, now, _ = past
    surge = Surge.restore(spoil(blob), RULES, TICK)
    assert surge.judge(now, {"flat": 12}, only=["flat"])[0].numbers.usual is None


def test_a_memory_of_an_earlier_or_a_later_program_is_kept(past):
    blob, now, _ = past
    packed = msgspec.msgpack.decode(blob)["columns"]
    other = {name: column for name, column in packed.items() if name != "echo.rate"}
    memory = altered(columns=lambda _: other | {"base.aura": ((6,), NOT_A_NUMBER)})(blob)
    numbers = Surge.restore(memory, RULES, TICK).judge(now, {}, only=["flat"])[0].numbers
    assert numbers == Surge.restore(blob, RULES, TICK).judge(now, {}, only=["flat"])[0].numbers


def test_a_snapshot_of_another_tick_starts_empty(past):
    blob, now, _ = past
    assert Surge.restore(blob, RULES, MINUTE).judge(now, {}, only=["flat"])[0].numbers.usual is None


counts = st.one_of(
    st.none(),
    st.integers(0, 50),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([-1, 1e300, float("nan")]),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(counts, min_size=6, max_size=6), max_size=12),
    skips=st.lists(st.integers(-2, 400), min_size=12, max_size=12),
    running=counts,
    seconds=st.floats(-1e6, 1e6),
)
def test_no_input_raises_or_makes_a_number_that_is_none(past, rows, skips, running, seconds):
    blob, now, _ = past
    surge = Surge.restore(blob, RULES, TICK)
    for row, skip in zip(rows, skips, strict=False):
        now += skip * TICK
        surge.close(now, dict(zip(RULES, row, strict=True)))
        assert np.isfinite(surge.closed().score).all()
    moment = now + timedelta(seconds=seconds)
    for verdict in surge.judge(moment, {"flat": running} if running is not None else {}):
        assert (verdict.since is None) == (verdict.between is None) == (not verdict.level)
        if verdict.since and verdict.between:
            assert verdict.between.early <= verdict.since <= verdict.between.late <= moment
        numbers = verdict.numbers
        assert all(isfinite(n) for n in (numbers.usual, numbers.times, numbers.score) if n is not None)
    assert isfinite(sum(map(np.sum, surge._history.columns().values())))


def told(surge, now, row):
    surge.close(now, dict(zip(RULES, row, strict=True)))
    return surge.judge(now + TICK * 1.5, {"flat": row[0]})


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.lists(st.integers(0, 120), min_size=6, max_size=6), min_size=2, max_size=30), data=st.data())
def test_a_restart_in_the_middle_changes_no_verdict(past, rows, data):
    blob, now, _ = past
    steady, restarted = Surge.restore(blob, RULES, TICK), Surge.restore(blob, RULES, TICK)
    stop = data.draw(st.integers(0, len(rows)))
    for k, row in enumerate(rows):
        if k == stop:
            restarted = Surge.restore(restarted.snapshot(), RULES, TICK)
        assert told(steady, now + k * TICK, row) == told(restarted, now + k * TICK, row)


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.lists(st.integers(0, 120), min_size=6, max_size=6), min_size=1, max_size=30),
    noise=st.integers(0, 1000),
)
def test_another_service_changes_nothing(past, rows, noise):
    blob, now, _ = past
    alone = Surge.restore(blob, RULES, TICK)
    among = Surge.restore(blob, {"first": TIMES_ONLY} | RULES | {"last": LADDER * 2}, TICK)
    for k, row in enumerate(rows):
        at = now + k * TICK
        alone.close(at, dict(zip(RULES, row, strict=True)))
        among.close(at, dict(zip(RULES, row, strict=True)) | {"first": noise, "last": noise})
        assert alone.judge(at + TICK, {}) == among.judge(at + TICK, {}, only=list(RULES))


@settings(max_examples=20, deadline=None)
@given(
    late=st.lists(st.one_of(st.none(), st.integers(0, 200)), min_size=2, max_size=8),
    shuffled=st.randoms(use_true_random=False),
)
def test_late_counts_give_the_same_verdict_in_any_order(past, late, shuffled):
    blob, now, _ = past
    verdicts = []
    for order in (list(range(len(late))), shuffled.sample(range(len(late)), len(late))):
        surge = Surge.restore(blob, RULES, TICK)
        for k in range(len(late)):
            surge.close(now + k * TICK, {"flat": 8})
        for k in order:
            surge.revise("flat", now + k * TICK, late[k])
        [verdict] = surge.judge(now + len(late) * TICK, {}, only=["flat"])
        verdicts.append((verdict.level, verdict.numbers.count, round(verdict.numbers.score, 2), verdict.since))
    assert verdicts[0] == verdicts[1]


COUNTS = st.one_of(st.integers(0, 5), st.sampled_from([0.5, 1023, 1023.5, 1024, 5000, float("nan")]))


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1), st.integers(1, 40))
def test_rarity_is_the_share_of_lower_buckets_however_many_are_told_at_once(values, step):
    past, rows = Past(2, timedelta(days=1)), np.array(values, np.float32)
    told = np.concatenate([past.rarities(rows[first : first + step]) for first in range(0, len(rows), step)])
    windows = [rows[max(last - 14, 0) : last] for last in range(1, len(rows) + 1)]
    assert told.tolist() == [[rarity(column) for column in window.T.tolist()] for window in windows]


def rarity(kept):
    lower = sum(value < kept[-1] for value in kept)
    known = sum(value == value for value in kept)  # noqa: PLR0124 - NaN is not itself
    return lower / max(known - 1, 1)


def test_ten_times_the_people_make_the_same_multiple():
    feed = Feed(Surge({"small": TIMES_ONLY, "large": TIMES_ONLY}, TICK))
    feed.run(timedelta(days=4), lambda at: {"small": daily(at), "large": 10 * daily(at)})
    for factor in (1, 8):
        mean = feed.surge.usual("small", feed.now, 1)[0][0]
        running = {"small": 3 * factor * mean, "large": 30 * factor * mean}
        small, large = feed.surge.judge(feed.now + TICK, running)
        assert small.level == large.level == ("minor" if factor == 8 else "")
