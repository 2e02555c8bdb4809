"""What people do beside acknowledging and resolving: mutes that end, voices that are counted, and the last word."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.acts import objection
from bot.core.incident import step
from bot.core.model import Acted, Case, Evidence, Judged, Policy, Reading, State

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)


class Play:
    """One service, minute by minute."""

    def __init__(self) -> None:
        self.case, self.entries = Case(service="twitter"), []
        self.judge(0, "minor")

    def judge(self, minute: int, level: str) -> None:
        at = T0 + timedelta(minutes=minute)
        reading = Reading(at=at, kind=Evidence.PROBE, source="front", level=level)
        self._step(Judged(at=at, readings=(reading,)))

    def act(self, verb: str, minute: int = 1, **more) -> None:
        self._step(Acted(at=T0 + timedelta(minutes=minute), verb=verb, **{"who": "Anna"} | more))

    def _step(self, event) -> None:
        self.case, told = step(self.case, event, POLICY)
        self.entries += told

    @property
    def incident(self):
        return self.case.incident

    def no(self, verb: str, **more) -> str:
        return objection(self.case, Acted(at=T0, verb=verb, who="Anna", **more), POLICY)


@pytest.fixture
def play():
    return Play()


def test_a_mute_until_recovery_outlives_time_and_ends_when_it_eases(play):
    play.act("mute")
    play.judge(600, "major")
    assert play.incident.muted
    assert not play.entries[-1].loud
    play.judge(601, "")
    assert play.incident.state is State.EASING
    assert not play.incident.muted
    play.judge(602, "major")
    play.judge(603, "")
    play.judge(610, "")
    assert [e.kind for e in play.entries if e.loud] == ["opened", "closed"]


def test_a_mute_with_an_end_is_over_at_that_moment(play):
    play.act("mute", until=T0 + timedelta(minutes=10))
    play.judge(9, "minor")
    assert play.incident.muted
    play.judge(10, "minor")
    assert (play.incident.muted, play.incident.muted_by) == (False, "")


def test_voices_are_counted_once_a_person_and_tell_nothing(play):
    told, rev = len(play.entries), play.incident.rev
    for who in ("a", "b", "a"):
        play.act("works", who=who)
    assert play.incident.fine == ("b", "a")
    play.act("fails", who="b")
    assert play.incident.fine == ("a",)
    assert len(play.entries) == told
    assert play.incident.rev > rev


def test_a_crowd_of_voices_does_not_make_a_case_heavy(play):
    for n in range(600):
        play.act("works", who=str(n))
    assert len(play.incident.fine) == 500


@pytest.mark.parametrize(("verb", "closes"), [("real", False), ("false-alarm", True)])
def test_the_last_word_is_kept_with_who_said_it(play, verb, closes):
    play.act(verb)
    assert (play.incident.verdict, play.incident.verdict_by) == (verb, "Anna")
    assert (play.incident.state is State.CLOSED) is closes


def test_the_last_word_may_be_changed_after_the_close(play):
    play.act("resolve")
    play.act("real", 2)
    play.act("false-alarm", 3, who="Ben")
    assert (play.incident.verdict, play.incident.verdict_by) == ("false-alarm", "Ben")
    assert [e.who for e in play.entries[-2:]] == ["Anna", "Ben"]


@pytest.mark.parametrize(
    ("verb", "more", "words"),
    [
        ("unack", {}, "Nobody has acknowledged"),
        ("unmute", {}, "is not muted"),
        ("reopen", {}, "is open already"),
        ("resolve", {"incident": "twitter-20200101-0000"}, "twitter-20200101-0000 is past"),
        ("declare", {}, "is already open"),
    ],
)
def test_what_makes_no_sense_now_is_objected_to(play, verb, more, words):
    assert words in play.no(verb, **more)


def test_what_was_meant_for_this_incident_is_done(play):
    assert play.no("resolve", incident=play.incident.id) == ""
