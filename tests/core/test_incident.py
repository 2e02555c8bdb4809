"""Every row of the incident's life as a test, and the laws that hold whatever happens."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.acts import objection
from bot.core.incident import step
from bot.core.life import suspect
from bot.core.model import (
    Acted,
    Between,
    Case,
    Confidence,
    Evidence,
    Health,
    Judged,
    Kind,
    Notice,
    Numbers,
    Policy,
    Reading,
    Scope,
    Share,
    State,
)
from bot.core.phrases import plain

T0 = datetime(2022, 11, 4, 3, tzinfo=UTC)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=15),
    reopen_for=timedelta(hours=1),
)


def at(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def people(minute: float, level: str, count: int = 60, scope: Scope | None = None) -> Reading:
    numbers = Numbers(count=count, within=timedelta(minutes=15), usual=4.0, times=count / 4)
    return Reading(
        at=at(minute), kind=Evidence.PEOPLE, source="reports", level=level, numbers=numbers, scope=scope, since=T0
    )


def probe(minute: float, level: str = "") -> Reading:
    health = Health.MAJOR_OUTAGE if level else Health.OPERATIONAL
    return Reading(at=at(minute), kind=Evidence.PROBE, source="front", level=level, health=health, note="HTTP 503")


def vendor(minute: float, *notices: Notice, level: str = "") -> Reading:
    return Reading(at=at(minute), kind=Evidence.VENDOR, source="page", level=level, notices=notices)


def notice(minute: float, phase: str = "investigating", words: str = "We look into it.") -> Notice:
    return Notice(
        key="v1",
        title="Log-in errors",
        phase=phase,
        impact=Health.DEGRADED,
        started_at=at(minute),
        updated_at=at(minute),
        words=words,
    )


class Play:
    """A case and everything it said, driven minute by minute."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.case = Case(service="twitter")
        self.entries = []

    def judge(self, minute: float, *readings: Reading, planned: bool = False) -> "Play":
        return self._step(Judged(at=at(minute), readings=readings, planned=planned))

    def act(self, minute: float, verb: str, **details) -> "Play":
        return self._step(Acted(at=at(minute), verb=verb, who="Anna", where="slack", **details))

    def _step(self, event) -> "Play":
        self.case, entries = step(self.case, event, self.policy)
        self.entries += entries
        return self

    @property
    def incident(self):
        return self.case.incident

    @property
    def kinds(self):
        return [e.kind for e in self.entries]


def opened(level: str = "major") -> Play:
    return Play().judge(0, people(0, level)).judge(2, people(2, level))


def test_calm_readings_start_nothing():
    assert Play().judge(0, people(0, ""), probe(0)).incident is None


def test_a_level_below_open_at_starts_nothing():
    strict = replace(POLICY, open_at="major")
    assert Play(strict).judge(0, people(0, "minor")).incident is None


def test_the_first_bad_reading_is_only_a_suspicion():
    play = Play().judge(0, people(0, "major"))
    assert (play.incident.state, play.kinds) == (State.PENDING, [])


def test_a_suspicion_that_passes_leaves_no_trace():
    play = Play().judge(0, people(0, "major")).judge(1, people(1, ""))
    assert (play.incident, play.kinds) == (None, [])


def test_a_suspicion_that_lasts_opens_with_its_true_start():
    play = opened()
    assert (play.incident.state, play.kinds) == (State.OPEN, [Kind.OPENED])
    assert (play.incident.started_at, play.incident.opened_at) == (T0, at(2))
    assert "60 reports in 15 min, usually 4 (15 times as many)" in plain(play.entries[0].text)


def dated(minute: float, began: float, before: float) -> Reading:
    """People's word, with a start that may lie as many minutes earlier as is said, or two later."""
    span = Between(early=at(began - before), late=at(began + 2))
    return replace(people(minute, "major"), since=at(began), between=span)


def test_the_earliest_estimate_of_the_start_stands_with_its_own_bounds():
    play = Play().judge(10, dated(10, 7, 20)).judge(11, dated(11, 5, 3)).judge(12, dated(12, 6, 1))
    assert play.kinds == [Kind.OPENED]
    assert (play.incident.started_at, play.incident.started_between) == (at(5), Between(early=at(2), late=at(7)))
    assert play.incident.readings[0].between == play.incident.started_between


def test_the_start_stands_with_its_bounds_once_it_was_told():
    play = Play().judge(10, dated(10, 7, 20)).judge(12, dated(12, 7, 20)).judge(20, dated(20, 2, 1))
    assert (play.incident.started_at, play.incident.started_between) == (at(7), Between(early=at(-13), late=at(9)))


def test_a_start_that_somebody_told_has_no_doubt_to_tell_of():
    told = replace(vendor(10, level="major"), since=at(3))
    play = Play().judge(10, dated(10, 7, 20), told)
    assert (play.incident.started_at, play.incident.started_between) == (at(3), None)


def test_two_kinds_of_evidence_open_at_once_and_confirmed():
    play = Play().judge(0, people(0, "minor"), probe(0, "critical"))
    assert (play.incident.state, play.incident.confidence) == (State.OPEN, Confidence.CONFIRMED)


def test_one_kind_of_evidence_is_suspected_until_a_second_agrees():
    play = opened()
    assert play.incident.confidence is Confidence.SUSPECTED
    assert play.judge(3, people(3, "major"), probe(3, "critical")).incident.confidence is Confidence.CONFIRMED


def test_a_higher_level_is_told_at_once():
    play = opened().judge(3, people(3, "critical"))
    assert play.kinds[-1] is Kind.RAISED
    assert play.entries[-1].loud


def test_a_lower_level_is_told_only_after_it_has_lasted():
    play = opened().judge(3, people(3, "minor")).judge(17, people(17, "minor"))
    assert play.kinds == [Kind.OPENED]
    assert play.judge(18, people(18, "minor")).kinds[-1] is Kind.LOWERED


def test_a_dip_that_comes_back_lowers_nothing():
    play = opened().judge(3, people(3, "minor")).judge(10, people(10, "major")).judge(20, people(20, "minor"))
    assert play.kinds == [Kind.OPENED]


def test_reaching_the_same_peak_again_is_told_but_calls_nobody():
    play = opened().judge(3, people(3, "minor")).judge(18, people(18, "minor")).judge(19, people(19, "major"))
    assert (play.kinds[-1], play.entries[-1].loud) == (Kind.RAISED, False)


WEB = Scope(platforms=(Share(code="web", share=0.9),), symptoms=(Share(code="login", share=0.6),))
INDIA = replace(WEB, regions=(Share(code="IN", share=0.8),))


def test_a_scope_that_changes_for_good_is_told_once():
    play = Play().judge(0, people(0, "major", scope=WEB)).judge(2, people(2, "major", scope=WEB))
    for minute in range(3, 30):
        play.judge(minute, people(minute, "major", scope=INDIA))
    assert play.kinds == [Kind.OPENED, Kind.SCOPE]
    assert "in India" in plain(play.entries[-1].text)


def test_a_place_is_told_once_two_estimates_agree():
    agreed = (people(0, "major", scope=INDIA), probe(0, "critical"))
    play = Play().judge(0, *agreed)
    assert "India" not in plain(play.entries[0].text)
    play.judge(0.5, *agreed)
    assert play.kinds == [Kind.OPENED]
    play.judge(1, *agreed)
    assert play.kinds == [Kind.OPENED, Kind.SCOPE]
    assert "in India" in plain(play.entries[-1].text)


def test_a_place_that_never_settles_is_told_after_five_minutes():
    play = Play().judge(0, people(0, "major", scope=INDIA), probe(0, "critical"))
    for half in range(1, 11):
        play.judge(half / 2, people(half / 2, "major", scope=WEB if half % 2 else INDIA))
    assert [(e.kind, e.at) for e in play.entries] == [(Kind.OPENED, at(0)), (Kind.SCOPE, at(5))]


def test_trouble_everywhere_is_no_news_of_a_place():
    play = Play().judge(0, people(0, "major", scope=Scope()), probe(0, "critical"))
    for minute in range(1, 9):
        play.judge(minute, people(minute, "major", scope=Scope()))
    assert play.kinds == [Kind.OPENED]
    assert play.incident.told_scope == Scope()


def test_a_scope_that_flickers_is_not_told():
    play = Play().judge(0, people(0, "major", scope=WEB)).judge(2, people(2, "major", scope=WEB))
    for minute in range(3, 60):
        play.judge(minute, people(minute, "major", scope=INDIA if minute % 9 < 7 else WEB))
    assert play.kinds == [Kind.OPENED]


def test_the_last_few_reports_of_a_trouble_that_fades_are_no_new_place():
    play = Play().judge(0, people(0, "major", scope=WEB)).judge(2, people(2, "major", scope=WEB))
    for minute in range(3, 60):
        play.judge(minute, people(minute, "minor", 7, scope=INDIA))
    assert Kind.SCOPE not in play.kinds


def test_a_limit_that_is_gone_is_told_only_after_it_has_been_gone_for_long():
    play = Play().judge(0, people(0, "major", scope=WEB)).judge(2, people(2, "major", scope=WEB))
    wide = Scope(symptoms=WEB.symptoms)
    for minute in range(3, 23):
        play.judge(minute, people(minute, "major", scope=wide))
    assert play.kinds == [Kind.OPENED]
    play.judge(23, people(23, "major", scope=wide))
    assert play.kinds == [Kind.OPENED, Kind.SCOPE]
    assert "No longer limited" in plain(play.entries[-1].text)


def test_the_vendor_is_told_when_it_posts_changes_and_closes_and_our_lead_once():
    play = opened()
    for minute, phase in ((44, "investigating"), (45, "investigating"), (50, "identified"), (60, "resolved")):
        play.judge(minute, people(minute, "major"), vendor(minute, notice(40, phase), level="minor"))
    assert play.kinds == [Kind.OPENED, Kind.VENDOR, Kind.VENDOR, Kind.VENDOR]
    told = [plain(e.text) for e in play.entries[1:]]
    assert "We opened 42 min before the vendor posted." in told[0]
    assert not any("before the vendor" in line for line in told[1:])


def test_a_notice_closed_long_ago_and_its_later_edits_tell_nothing():
    play = opened()
    for minute in (3, 4):
        play.judge(minute, people(minute, "major"), vendor(minute, notice(-900, "resolved", words=f"fix {minute}")))
    assert play.kinds == [Kind.OPENED]


def test_calm_eases_and_lasting_calm_closes():
    play = opened().judge(10, people(10, "", 3)).judge(24, people(24, "", 3))
    assert play.kinds == [Kind.OPENED, Kind.EASED]
    play.judge(25, people(25, "", 3))
    assert (play.incident.state, play.kinds[-1]) == (State.CLOSED, Kind.CLOSED)
    assert "Over after 10 min" in plain(play.entries[-1].text)


def test_trouble_during_easing_relapses_in_the_same_thread():
    play = opened().judge(10, people(10, "")).judge(15, people(15, "major"))
    assert (play.incident.state, play.kinds[-1]) == (State.OPEN, Kind.RELAPSED)
    assert play.incident.id == play.entries[0].incident


def closed() -> Play:
    return opened().judge(10, people(10, "")).judge(25, people(25, ""))


def test_trouble_within_reopen_for_reopens_the_same_thread():
    play = closed()
    first = play.incident.id
    play.judge(80, people(80, "major"))
    assert (play.incident.id, play.incident.state, play.kinds[-1]) == (first, State.OPEN, Kind.REOPENED)
    assert play.incident.closed_at is None


def test_trouble_after_reopen_for_is_a_new_incident_with_its_own_timeline():
    play = closed()
    first = play.incident.id
    play.judge(90, people(90, "major")).judge(92, people(92, "major"))
    assert play.incident.id != first
    assert (play.entries[-1].kind, play.entries[-1].seq) == (Kind.OPENED, 1)


@pytest.mark.parametrize(("verb", "words"), [("ack", "acknowledged"), ("note", "noted"), ("take", "took it")])
def test_what_a_person_does_is_said_with_who_and_from_where(verb, words):
    play = opened().act(3, verb, text="on it")
    assert play.kinds[-1] is Kind.ACTED
    assert plain(play.entries[-1].text) == f"Anna {words}, from slack: on it"


def test_an_acknowledgement_can_be_taken_back():
    assert opened().act(3, "ack").act(4, "unack").incident.acked_by == ""


def test_resolving_closes_and_stays_closed_while_it_is_no_worse():
    play = opened().act(3, "resolve").judge(4, people(4, "major")).judge(5, people(5, "minor"))
    assert (play.incident.state, play.kinds) == (State.CLOSED, [Kind.OPENED, Kind.ACTED, Kind.CLOSED])


def test_after_a_resolve_something_worse_reopens():
    assert opened().act(3, "resolve").judge(4, people(4, "critical")).incident.state is State.OPEN


def test_after_a_resolve_and_calm_the_same_level_reopens():
    play = opened().act(3, "resolve").judge(4, people(4, "")).judge(5, people(5, "major"))
    assert play.incident.state is State.OPEN


def test_a_false_alarm_can_be_said_after_the_close_without_reopening():
    play = closed().act(30, "false-alarm")
    assert (play.incident.state, play.kinds[-1]) == (State.CLOSED, Kind.ACTED)


def test_a_declared_incident_stays_open_without_evidence_until_a_person_ends_it():
    play = Play().act(0, "declare", text="customers call", level="major").judge(60, people(60, "", 1))
    assert (play.incident.state, play.incident.confidence) == (State.OPEN, Confidence.CONFIRMED)
    assert play.act(61, "resolve").incident.state is State.CLOSED


def test_a_declared_incident_that_gets_evidence_eases_like_any_other():
    play = Play().act(0, "declare").judge(5, people(5, "major")).judge(9, people(9, ""))
    assert play.incident.state is State.EASING


def test_a_mute_silences_calls_and_ends_by_itself():
    play = opened().act(3, "mute", until=at(60)).judge(4, people(4, "critical"))
    assert (play.entries[-1].kind, play.entries[-1].loud) == (Kind.RAISED, False)
    assert play.judge(61, people(61, "critical")).incident.muted_until is None


def test_the_close_is_loud_even_when_muted():
    play = opened().act(3, "mute", until=at(600)).judge(10, people(10, "")).judge(25, people(25, ""))
    assert (play.kinds[-1], play.entries[-1].loud) == (Kind.CLOSED, True)


def test_nothing_opens_during_planned_work():
    play = Play().judge(0, people(0, "critical"), planned=True).judge(5, people(5, "critical"), planned=True)
    assert play.incident is None


def test_planned_work_does_not_hold_back_the_close():
    play = opened().judge(10, people(10, ""), planned=True).judge(25, people(25, ""), planned=True)
    assert play.incident.state is State.CLOSED


def test_a_reminder_comes_only_while_nobody_has_acknowledged():
    play = Play(replace(POLICY, remind_every=timedelta(hours=1))).judge(0, people(0, "major"))
    play.judge(2, people(2, "major")).judge(62, people(62, "major"))
    assert play.kinds[-1] is Kind.REMINDER
    assert play.act(63, "ack").judge(300, people(300, "major")).kinds[-1] is Kind.ACTED


@pytest.mark.parametrize(
    ("verb", "play", "words"),
    [
        ("ack", Play(), "Twitter has no incident."),
        ("resolve", closed(), "is closed already"),
        ("reopen", opened(), "is open already"),
        ("declare", opened(), "is already open"),
        ("ack", opened().act(3, "ack"), "Anna has already acknowledged"),
    ],
)
def test_an_act_that_makes_no_sense_is_objected_to_and_changes_nothing(verb, play, words):
    act = Acted(at=at(99), verb=verb, who="Ben")
    assert words in objection(play.case, act, POLICY)
    assert step(play.case, act, POLICY) == (play.case, ())


def test_trouble_that_goes_on_keeps_the_beginning_it_was_first_seen_to_have():
    play = opened().judge(90, replace(people(90, "major"), since=at(80)))
    assert play.incident.readings[0].since == T0
    play.judge(91, people(91, "")).judge(92, replace(people(92, "major"), since=at(91)))
    assert play.incident.readings[0].since == at(91)


def test_a_reading_that_says_the_same_again_changes_nothing():
    play = opened().judge(3, people(3, "major"))
    before = play.case
    assert play.judge(4, people(4, "major")).case == before


LEVELS = st.sampled_from(["", "minor", "major", "critical"])
VERBS = st.sampled_from(
    ["ack", "note", "mute", "declare", "resolve", "reopen", "false-alarm", "unack", "take", "merge"]
)
EVENTS = st.lists(st.tuples(st.integers(0, 20), st.one_of(st.tuples(LEVELS, LEVELS), VERBS)), min_size=1, max_size=60)


def played(events) -> Play:
    play, minute = Play(), 0
    for gap, what in events:
        minute += gap
        if isinstance(what, str):
            play.act(minute, what, until=at(minute + 30) if what == "mute" else None)
        else:
            play.judge(minute, people(minute, what[0]), probe(minute, what[1]))
    return play


@given(EVENTS)
def test_a_timeline_has_no_gaps_begins_with_opened_and_never_runs_backwards(events):
    play = played(events)
    by_incident: dict[str, list] = {}
    for entry in play.entries:
        by_incident.setdefault(entry.incident, []).append(entry)
    for told in by_incident.values():
        assert [e.seq for e in told] == list(range(1, len(told) + 1))
        assert told[0].kind is Kind.OPENED
        assert all(a.at <= b.at for a, b in itertools.pairwise(told))


@given(EVENTS)
def test_opening_and_closing_alternate(events):
    turns = {Kind.OPENED: 1, Kind.REOPENED: 1, Kind.CLOSED: -1}
    alive: dict[str, int] = {}
    for entry in played(events).entries:
        alive[entry.incident] = alive.get(entry.incident, 0) + turns.get(entry.kind, 0)
        assert alive[entry.incident] in (0, 1)


@given(EVENTS)
def test_the_peak_level_is_never_below_the_level_and_rev_never_shrinks(events):
    play, minute, rev, name = Play(), 0, 0, ""
    for gap, what in events:
        minute += gap
        play = played([]) if play is None else play
        if isinstance(what, str):
            play.act(minute, what, until=at(minute + 30) if what == "mute" else None)
        else:
            play.judge(minute, people(minute, what[0]), probe(minute, what[1]))
        incident = play.incident
        if incident is None:
            continue
        assert POLICY.rank(incident.peak_level) >= POLICY.rank(incident.level)
        assert incident.id != name or incident.rev >= rev
        rev, name = incident.rev, incident.id


@given(EVENTS)
def test_lasting_calm_always_ends_in_closed_or_nothing_unless_a_person_holds_it_open(events):
    play = played(events)
    minute = sum(gap for gap, _ in events)
    for extra in (1, 20, 40):
        play.judge(minute + extra, people(minute + extra, ""), probe(minute + extra))
    incident = play.incident
    held = incident is not None and incident.declared_by and incident.first_kind is None
    assert incident is None or incident.state is State.CLOSED or held


@given(st.lists(st.integers(0, 90), max_size=40))
def test_no_two_incidents_of_a_service_share_a_name(seconds):
    now, case, names = T0, Case(service="twitter", version=3), []
    for later in seconds:
        now += timedelta(seconds=later)
        incident = suspect(case, now, "minor", POLICY)
        names.append(incident.id)
        case = replace(case, incident=incident, version=case.version + 1)
    assert len(set(names)) == len(names)
