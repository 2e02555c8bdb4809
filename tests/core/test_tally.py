from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.hours import spread, spread_out
from bot.core.reports import Cell, Kept, Sheet, Window
from bot.core.tally import Tally
from bot.core.voices import Voices

NOW = datetime(2022, 11, 4, 7, 0, tzinfo=UTC)
T = NOW.timestamp()
HOUR = int(T // 3600)

codes = st.sampled_from(["", "a", "b"])
times = st.floats(T - 7200, T, allow_nan=False)
services = st.sampled_from(["twitter", "github"])
reports = st.builds(
    Kept,
    at=times,
    service=services,
    reporter=st.binary(min_size=1, max_size=1),
    id=st.sampled_from(["", "1", "2", "3"]),
    region=codes,
    platform=codes,
    symptom=codes,
)
windows = st.builds(
    lambda service, since, length, count, source, region: Window(
        service, since, since + length, count, count / 2, source, region
    ),
    services,
    times,
    st.floats(1, 4000),
    st.floats(0, 1000),
    codes,
    codes,
)


def numbers(tally: Tally) -> list[object]:
    """Everything a reader can see of the two hours that the strategies fill."""
    first, last = tally.bucket(NOW - timedelta(hours=3)), tally.bucket(NOW + timedelta(hours=2))
    seen: list[object] = []
    for service in ("twitter", "github"):
        seen += [tally.totals(service, first, last), sorted(tally.cells(service, first, last).items())]
        seen += [tally.hour(service, hour) for hour in range(HOUR - 3, HOUR + 3)]
    return seen


@settings(deadline=None)
@given(st.lists(reports), st.randoms())
def test_counts_do_not_depend_on_the_order_of_arrival(batch, chance):
    shuffled = list(batch)
    chance.shuffle(shuffled)
    one, other = Tally(), Tally()
    one.count(batch)
    for report in shuffled:
        other.count([report])
    assert numbers(one) == numbers(other)


@settings(deadline=None)
@given(st.lists(windows, unique_by=lambda w: msgspec.structs.replace(w, count=0, reporters=0)), st.randoms())
def test_windows_do_not_depend_on_the_order_of_arrival(batch, chance):
    shuffled = list(batch)
    chance.shuffle(shuffled)
    one, other = Tally(), Tally()
    one.place(batch)
    other.place(shuffled)
    assert numbers(one) == numbers(other)


@settings(deadline=None)
@given(st.lists(windows, min_size=1), st.integers(1, 3))
def test_sending_windows_again_changes_nothing(batch, times_again):
    tally = Tally()
    tally.place(batch)
    before = numbers(tally)
    for _ in range(times_again):
        tally.place(batch[-1:])
    assert numbers(tally) == before


@settings(deadline=None)
@given(windows, st.floats(0, 1000))
def test_a_window_sent_again_takes_the_place_of_the_former(window, count):
    corrected = msgspec.structs.replace(window, count=count)
    one, other = Tally(), Tally()
    one.place([window, corrected])
    other.place([corrected])
    assert numbers(one) == numbers(other)


@settings(deadline=None)
@given(windows)
def test_the_buckets_of_a_window_add_up_to_its_count(window):
    tally = Tally()
    tally.place([window])
    first, last = tally.bucket(NOW - timedelta(hours=3)), tally.bucket(NOW + timedelta(hours=2))
    spread_over = sum(total or 0 for total in tally.totals(window.service, first, last))
    assert spread_over == pytest.approx(window.count)


@settings(deadline=None)
@given(st.floats(0, 1e6), st.floats(0.5, 1e4), st.sampled_from([1.0, 7.0, 60.0]))
def test_shares_of_a_window_add_up_to_one_and_none_is_empty(since, length, width):
    shares = spread(since, since + length, width)
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert [bucket for bucket, _ in shares] == list(range(shares[0][0], shares[-1][0] + 1))


@settings(deadline=None)
@given(st.lists(reports), st.lists(reports))
def test_holding_and_releasing_leaves_no_mark(heard, failed):
    voices, untouched = Voices({}, timedelta(minutes=30)), Voices({}, timedelta(minutes=30))
    assert voices.hold(heard) == untouched.hold(heard)
    voices.release(voices.hold(failed))
    assert voices == untouched


@settings(deadline=None)
@given(st.lists(reports), st.lists(reports))
def test_a_batch_is_heard_and_counted_as_its_reports_would_be_one_by_one(before, batch):
    together, apart = Voices({}, timedelta(minutes=30)), Voices({}, timedelta(minutes=30))
    whole, single = Tally(), Tally()
    for voices in (together, apart):
        voices.hold(before)
    held = together.hold(batch)
    assert list(held) == [report for lone in batch for report in apart.hold([lone])]
    assert together == apart
    whole.count(held)
    for lone in held:
        single.count([lone])
    assert numbers(whole) == numbers(single)


@settings(deadline=None)
@given(st.lists(reports), times)
def test_a_sheet_says_what_its_reports_said_also_after_the_log(batch, moment):
    sheet = msgspec.msgpack.decode(msgspec.msgpack.encode(Sheet.of(batch)), type=Sheet)
    assert list(sheet) == batch
    assert list(sheet.since(moment)) == [report for report in batch if report.at >= moment]


@settings(deadline=None)
@given(st.lists(st.floats(T, T + 1799, allow_nan=False), min_size=1), st.randoms())
def test_one_reporter_is_one_voice_within_a_window_in_any_order(moments, chance):
    voices = Voices({}, timedelta(minutes=30))
    chance.shuffle(moments)
    assert len(voices.hold([Kept(at, "twitter", b"anna") for at in moments])) == 1


@pytest.mark.parametrize(
    ("minutes", "one_voice", "counted"),
    [
        ([0, 10, 29], 30, [True, False, False]),
        ([0, 30, 59, 60], 30, [True, True, False, True]),
        ([60, 0, 31, 29], 30, [True, True, False, False]),
        ([0, 4, 5], 5, [True, False, True]),
    ],
)
def test_a_reporter_counts_again_after_the_window(minutes, one_voice, counted):
    voices = Voices({"twitter": timedelta(minutes=one_voice)}, timedelta(hours=9))
    reports = [Kept(T + 60 * minute, "twitter", b"anna") for minute in minutes]
    assert list(voices.hold(reports)) == [report for report, counts in zip(reports, counted, strict=True) if counts]


def test_nameless_reports_each_count_unless_their_id_is_known():
    voices = Voices({}, timedelta(minutes=30))
    heard = [Kept(T, "twitter"), Kept(T, "twitter"), Kept(T, "twitter", id="1"), Kept(T + 9, "twitter", id="1")]
    assert list(voices.hold(heard)) == heard[:3]


def test_an_id_is_remembered_for_a_day_and_then_forgotten():
    voices = Voices({}, timedelta(minutes=30))
    voices.forget(T)
    assert voices.hold([Kept(T, "twitter", id="1")])
    voices.forget(T + 86_400)
    assert not voices.hold([Kept(T + 86_400, "twitter", id="1")])
    voices.forget(T + 2 * 86_400)
    assert voices.hold([Kept(T + 2 * 86_400, "twitter", id="1")])


def test_memory_of_voices_is_bounded():
    voices = Voices({}, timedelta(minutes=30), most=100)
    for n in range(1000):
        voices.hold([Kept(T, "twitter", n.to_bytes(2), id=str(n))])
    assert len(voices._young.ids) + len(voices._old.ids) <= 202
    assert not voices.hold([Kept(T, "twitter", (999).to_bytes(2))])


def test_a_fed_service_has_gaps_and_the_others_have_zeros():
    tally = Tally()
    bucket = tally.bucket(NOW)
    tally.place([Window("twitter", T, T + 60, 7, 5)])
    tally.count([Kept(T + 130, "twitter"), Kept(T, "github")])
    assert tally.totals("twitter", bucket - 1, bucket + 3) == [None, 7, None, 1, None]
    assert tally.people("twitter", bucket) == 5
    assert tally.totals("github", bucket - 1, bucket + 1) == [0, 1, 0]
    assert tally.total("nobody", bucket) == 0


WEEK = 7 * 86_400


def test_the_silence_of_a_feed_is_a_gap_for_a_week_and_then_a_zero():
    tally = Tally()
    tally.place([Window("twitter", T, T + 60, 5.0, 5.0)])
    at = [T + 60, T + WEEK, T + 60 + WEEK, T + 2 * WEEK]
    assert [tally.total("twitter", int(t // 60)) for t in at] == [None, None, 0.0, 0.0]


def test_where_nobody_feeds_any_more_silence_is_a_zero_unless_somebody_goes_on():
    for until, found in ((T, 0.0), (T + 120, None)):
        tally = Tally()
        tally.place([Window("twitter", T - 60, until, 5.0, 5.0)])
        tally.starve("twitter", T + 60)
        assert tally.total("twitter", int((T + 600) // 60)) == found


def test_an_hour_says_whether_windows_are_in_it_and_whether_its_silence_is_a_gap():
    tally = Tally()
    tally.place([Window("twitter", T, T + 60, 5.0, 5.0)])
    tally.count([Kept(at=T + 3600, service="twitter"), Kept(at=T + 2 * WEEK, service="twitter")])
    hours = [tally.hour("twitter", number) for number in (HOUR, HOUR + 1, HOUR + 2 * WEEK // 3600)]
    assert [(hour.windows, hour.fed) for hour in hours] == [(True, True), (False, True), (False, False)]


def test_reports_and_windows_of_one_bucket_add_up_by_cell():
    tally = Tally()
    bucket = tally.bucket(NOW)
    tally.count([Kept(T, "twitter", region="JP", symptom="login")] * 2)
    tally.place([Window("twitter", T, T + 60, 3, 3, "desk", "JP", "", "login"), Window("twitter", T, T + 60, 1, 1)])
    assert tally.total("twitter", bucket) == 6
    assert tally.cells("twitter", bucket, bucket) == {Cell("JP", "", "login"): 5, Cell(): 1}


def test_what_moved_is_told_once_with_its_earliest_bucket():
    tally = Tally()
    bucket = tally.bucket(NOW)
    tally.count([Kept(T + 90, "twitter"), Kept(T, "twitter"), Kept(T + 90, "github")])
    assert tally.drain() == {"twitter": bucket, "github": bucket + 1}
    assert tally.drain() == {}


def test_old_numbers_are_let_go_by_whole_hours():
    tally = Tally(keep=timedelta(hours=2), keep_cells=timedelta(hours=1))
    ages = [timedelta(0), timedelta(minutes=90), timedelta(hours=2), timedelta(hours=3)]
    tally.count([Kept((NOW - age).timestamp(), "twitter", region="JP") for age in ages])
    tally.forget((NOW + timedelta(minutes=59)).timestamp())
    assert [tally.total("twitter", tally.bucket(NOW - age)) for age in ages] == [1, 1, 1, 0]
    first = tally.bucket(NOW - timedelta(hours=4))
    assert tally.cells("twitter", first, tally.bucket(NOW)) == {Cell("JP"): 1}
    assert tally.hour("twitter", HOUR - 2).cells == ((Cell("JP"), 2.0),)


def test_hours_due_for_the_archive_are_handed_out_until_they_are_kept():
    tally = Tally()
    tally.count([Kept(T, "twitter"), Kept(T + 3600, "twitter")])
    hours = tally.unkept()
    assert [hour.number for hour in hours] == [HOUR, HOUR + 1]
    assert tally.unkept() == []
    tally.keep_again(hours)
    assert tally.unkept() == hours


@settings(deadline=None)
@given(st.lists(reports), st.lists(windows))
def test_a_tally_that_counted_the_same_again_differs_in_no_hour(batch, fed):
    one, other = Tally(), Tally()
    one.count(batch)
    one.place(fed)
    other.place(fed[::-1] if len({w.since for w in fed}) == len(fed) else fed)
    other.count(batch[::-1])
    before = numbers(one)
    assert one.adopt(other, T - 86_400) == 0
    assert numbers(one) == before


def test_a_lost_report_is_found_by_counting_again():
    tally, truth = Tally(), Tally()
    truth.count([Kept(T, "twitter")])
    tally.drain()
    assert tally.adopt(truth, T - 86_400) == 1
    assert tally.total("twitter", tally.bucket(NOW)) == 1
    assert list(tally.drain()) == ["twitter"]


@settings(deadline=None)
@given(st.lists(reports), st.sampled_from([20.0, 60.0, 300.0]))
def test_archived_hours_keep_their_sum_at_another_width(batch, width):
    tally = Tally()
    tally.count(batch)
    totals = spread_out(tally.unkept(), width)
    assert sum(totals.values()) == pytest.approx(len(batch))
    if width == tally.width:
        assert totals == {b: sum(tally.total(s, b) or 0 for s in ("twitter", "github")) for b in totals}
