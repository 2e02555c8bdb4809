"""What a thread has yet to hear: tables for each step, and the law that steps always arrive at the truth."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.delivery import Step, key, line, plan, told, urgency
from bot.core.model import Confidence, Entry, Incident, Kind, Member, Policy, State, Thread, When
from bot.core.phrases import plain

T0 = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(
    name="X",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)
INCIDENT = Incident(
    id="x-1",
    service="x",
    name="X",
    state=State.OPEN,
    since=T0,
    level="major",
    peak_level="major",
    confidence=Confidence.SUSPECTED,
    started_at=T0,
    opened_at=T0,
    seq=2,
    rev=7,
)
FRESH = Thread(incident="x-1", channel="ops")
KNOWN = replace(FRESH, ref="C:1")


def entry(seq: int, *, loud: bool = False) -> Entry:
    at = T0 + timedelta(minutes=seq)
    return Entry(incident="x-1", seq=seq, at=at, kind=Kind.RAISED, level="major", text=(f"line {seq}",), loud=loud)


def test_a_thread_without_a_message_opens_first():
    assert plan(FRESH, INCIDENT) == Step(do="open")


def test_news_is_told_one_line_at_a_time_and_in_order():
    assert plan(replace(KNOWN, heard=1), INCIDENT) == Step(do="reply", first=2, last=2)
    assert plan(replace(KNOWN, heard=2), replace(INCIDENT, seq=4)) == Step(do="reply", first=3, last=3)


def test_a_thread_that_begins_late_is_told_in_one_line_all_that_came_before_it():
    assert plan(KNOWN, INCIDENT) == Step(do="reply", first=1, last=2)


def test_a_channel_far_behind_catches_up_in_one_reply():
    assert plan(KNOWN, replace(INCIDENT, seq=40)) == Step(do="reply", first=1, last=40)


def test_a_step_that_was_begun_is_repeated_exactly_even_when_more_has_happened_since():
    begun = replace(KNOWN, heard=1, trying="reply:2-9", tried_at=T0)
    assert plan(begun, replace(INCIDENT, seq=30)) == Step(do="reply", first=2, last=9)


def test_numbers_only_edit_the_head():
    assert plan(replace(KNOWN, heard=2, shown=6), INCIDENT) == Step(do="edit")
    assert plan(replace(KNOWN, heard=2, shown=7), INCIDENT) is None


def test_the_close_comes_after_the_last_line_and_once():
    over = replace(INCIDENT, state=State.CLOSED)
    assert plan(replace(KNOWN, heard=1), over) == Step(do="reply", first=2, last=2)
    assert plan(replace(KNOWN, heard=2), over) == Step(do="close")
    assert plan(replace(KNOWN, heard=2, shown=7, closed=True), over) is None


def test_a_reopened_incident_wakes_its_closed_thread():
    asleep = replace(KNOWN, heard=2, shown=7, closed=True)
    again = replace(INCIDENT, seq=3, rev=8)
    after_reply = told(asleep, Step(do="reply", first=3, last=3), again)
    assert plan(after_reply, again) == Step(do="edit")
    assert told(after_reply, Step(do="edit"), again).closed is False


def test_a_dead_thread_is_left_alone():
    assert plan(replace(FRESH, dead="no permission"), INCIDENT) is None


def test_openings_of_living_incidents_go_before_news_and_edits_go_last():
    over = replace(INCIDENT, state=State.CLOSED)
    worse = replace(INCIDENT, level="critical")
    ranked = [
        urgency(Step(do="open"), worse, POLICY),
        urgency(Step(do="open"), INCIDENT, POLICY),
        urgency(Step(do="reply", first=1, last=1), INCIDENT, POLICY),
        urgency(Step(do="close"), over, POLICY),
        urgency(Step(do="edit"), INCIDENT, POLICY),
    ]
    assert ranked == sorted(ranked)
    assert urgency(Step(do="open"), over, POLICY) > urgency(Step(do="open"), INCIDENT, POLICY)


def test_the_same_step_has_the_same_key_and_another_step_another():
    keys = {
        key(s, KNOWN) for s in (Step(do="open"), Step(do="reply", first=1, last=1), Step(do="reply", first=1, last=2))
    }
    assert keys == {"x-1/ops/open", "x-1/ops/reply:1-1", "x-1/ops/reply:1-2"}


def test_lines_missed_are_summed_up_with_their_times():
    text = line([entry(1), entry(2)], INCIDENT, POLICY).text
    assert plain(text) == "00:01 UTC line 1\n00:02 UTC line 2"
    assert sum(isinstance(part, When) for part in text) == 2


def test_what_is_over_when_it_is_told_calls_nobody_but_the_close():
    over = replace(INCIDENT, state=State.CLOSED)
    assert line([entry(1, loud=True)], INCIDENT, POLICY).loud
    assert not line([entry(1, loud=True)], over, POLICY).loud
    assert line([entry(2, loud=True)], over, POLICY).loud
    assert line([entry(2, loud=True)], over, POLICY).tone == "over"


@given(seq=st.integers(1, 40), rev=st.integers(1, 9), closed=st.booleans(), heard=st.integers(0, 40))
def test_steps_always_arrive_having_told_every_line_once_in_order(seq, rev, closed, heard):
    state = State.CLOSED if closed else State.OPEN
    incident = replace(INCIDENT, seq=seq, rev=rev, state=state)
    thread, said = replace(FRESH, heard=min(heard, seq)), []
    for _ in range(100):
        step = plan(thread, incident)
        if step is None:
            break
        said += range(step.first, step.last + 1) if step.do == "reply" else ()
        thread = told(thread, step, incident, ref="C:1")
    assert plan(thread, incident) is None
    assert said == list(range(min(heard, seq) + 1, seq + 1))
    assert thread.closed is closed


def test_what_a_group_tells_of_opens_no_thread_and_is_laid_to_rest_in_the_end():
    part = replace(INCIDENT, part_of="together-1")
    assert plan(FRESH, part) is None
    assert plan(replace(FRESH, trying="open", tried_at=T0), part) == Step(do="open"), (
        "one that was begun is there, maybe"
    )
    over = replace(part, state=State.CLOSED)
    assert plan(FRESH, over) == Step(do="rest")
    rested = told(FRESH, Step(do="rest"), over)
    assert (rested.heard, rested.shown, rested.closed, rested.ref) == (over.seq, over.rev, True, "")
    alone_again = replace(over, state=State.OPEN, part_of="", seq=over.seq + 1, rev=over.rev + 1)
    assert plan(rested, alone_again) == Step(do="open")


def test_what_tells_of_several_is_opened_first():
    member = Member(incident="y-1", service="y", name="Y", level="minor", began=T0)
    several = replace(INCIDENT, level="minor", members=(member,))
    assert urgency(Step(do="open"), several, POLICY) < urgency(
        Step(do="open"), replace(INCIDENT, level="critical"), POLICY
    )
