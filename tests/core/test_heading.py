"""The head message, read as a tired person on a phone: what matters first, nothing twice, five buttons at most."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.core.heading import SILENT, head
from bot.core.model import Evidence, Health, Incident, Numbers, Peak, Policy, Reading, Scope, Share, Source, State
from bot.core.phrases import plain

T0 = datetime(2026, 1, 5, 12, tzinfo=UTC)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)
NUMBERS = Numbers(count=312, within=timedelta(minutes=15), usual=6.0, times=52.0)
SCOPE = Scope(symptoms=(Share(code="login", share=0.6),), regions=(Share(code="DE", share=0.7),))
CROWD = Reading(at=T0, kind=Evidence.PEOPLE, source="reports", level="major", since=T0, numbers=NUMBERS, rule="r (c:4)")
OPEN = Incident(
    id="twitter-20260105-1200",
    service="twitter",
    name="Twitter",
    state=State.OPEN,
    since=T0,
    level="major",
    peak_level="major",
    started_at=T0,
    opened_at=T0,
    readings=(CROWD,),
    numbers=NUMBERS,
    peak=Peak(at=T0, count=312),
    scope=SCOPE,
)
EASING = replace(OPEN, state=State.EASING, eased_at=T0 + timedelta(hours=1))
OVER = replace(EASING, state=State.CLOSED, closed_at=T0 + timedelta(hours=2))


def facts(incident: Incident) -> dict[str, str]:
    return {fact.label: plain(fact.value) for fact in head(incident, POLICY).facts}


def verbs(incident: Incident) -> list[str]:
    return [button.verb for button in head(incident, POLICY).buttons]


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        (OPEN, ["ack", "report", "works", "why", "resolve"]),
        (replace(OPEN, acked_by="Anna"), ["report", "works", "why", "mute", "resolve"]),
        (replace(OPEN, acked_by="Anna", muted_by="Anna"), ["report", "works", "why", "unmute", "resolve"]),
        (EASING, ["ack", "report", "works", "why", "resolve"]),
        (OVER, ["why", "real", "false-alarm", "reopen"]),
        (replace(OVER, verdict="real"), ["why", "reopen"]),
    ],
)
def test_the_buttons_are_what_comes_next_and_five_at_most(incident, expected):
    assert verbs(incident) == expected


def test_nothing_is_said_twice():
    shown = head(OPEN, POLICY)
    assert plain(shown.sentence).startswith("People report log-in 60")
    assert list(facts(OPEN)) == ["Began", "Now", "Peak", "Where"]
    assert [source.note for source in shown.sources] == [""]


def test_while_it_eases_the_sentence_says_since_when_and_what_follows():
    assert plain(head(EASING, POLICY).sentence) == "Calm since 13:00 UTC. It closes if that lasts."
    assert "Symptoms" in facts(EASING)


@pytest.mark.parametrize("incident", [OPEN, EASING])
def test_while_the_feed_is_silent_the_head_says_that_nothing_is_known(incident):
    shown = head(incident, POLICY, troubled=[Source(name="reports", word=SILENT, tone="calm", note="no report since")])
    assert shown.title == "Twitter: nothing is heard any more"
    assert "not known" in plain(shown.sentence)
    assert [(row.name, row.word) for row in shown.sources] == [("reports", "silent")]


VENDOR = Reading(at=T0, kind=Evidence.VENDOR, source="page", level="major", health=Health.MAJOR_OUTAGE)
CALM = replace(CROWD, level="", rule="", numbers=Numbers(count=6, within=timedelta(minutes=15), usual=6.0, times=1.0))


@pytest.mark.parametrize(
    ("crowd", "first", "title"),
    [
        (CALM, Evidence.VENDOR, "announced by the vendor, our reports look normal"),
        (CALM, Evidence.PEOPLE, "still announced by the vendor, our reports look normal"),
        (replace(CALM, numbers=replace(CALM.numbers, usual=0.2)), Evidence.VENDOR, "the vendor reports trouble"),
        (replace(CALM, numbers=replace(CALM.numbers, usual=None)), Evidence.VENDOR, "the vendor reports trouble"),
        (replace(CALM, numbers=replace(CALM.numbers, score=4.0)), Evidence.VENDOR, "the vendor reports trouble"),
        (CROWD, Evidence.VENDOR, "far more problem reports than usual"),
    ],
)
def test_what_only_the_vendor_says_is_called_announced_where_our_counts_contradict_it(crowd, first, title):
    incident = replace(OPEN, readings=(crowd, VENDOR), first_kind=first, vendor_at=T0, scope=None)
    shown = head(incident, POLICY)
    assert shown.title == f"Twitter: {title}"
    assert ("people report no more than usual" in plain(shown.sentence)) == ("announced" in title)


def test_once_it_is_over_one_sentence_says_how_it_was_and_the_table_is_gone():
    shown = head(OVER, POLICY)
    assert plain(shown.sentence).startswith("Over after 1 h: 2026-01-05 12:00 UTC to 13:00 UTC. Peak 312 reports")
    assert shown.sources == ()
    assert not {"Began", "Now", "Peak", "Vendor"} & set(facts(OVER))


@pytest.mark.parametrize(
    ("change", "label", "words"),
    [
        ({"muted_by": "Anna"}, "Muted until", "it recovers, by Anna"),
        ({"muted_by": "Anna", "muted_until": T0}, "Muted until", "2026-01-05 12:00 UTC, by Anna"),
        ({"fine": ("a",)}, "Works for", "1 person who said so"),
        ({"fine": ("a", "b")}, "Works for", "2 people who said so"),
    ],
)
def test_what_people_did_shows(change, label, words):
    assert facts(replace(OPEN, **change))[label] == words


@pytest.mark.parametrize(
    ("verdict", "words"), [("real", "yes, says Anna"), ("false-alarm", "no, a false alarm, says Anna")]
)
def test_whether_it_was_real_shows_once_somebody_said_so(verdict, words):
    assert facts(replace(OVER, verdict=verdict, verdict_by="Anna"))["Was it real?"] == words
