"""The sentences people read: numbers with units, scope in plain words, strangers' words marked as such."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bot.chats.discord_looks import fit
from bot.chats.slack_text import mrkdwn
from bot.core import phrases, whereabouts, wording
from bot.core.heading import head, tone
from bot.core.model import (
    Acted,
    Between,
    Confidence,
    Evidence,
    Health,
    Incident,
    Notice,
    Numbers,
    Peak,
    Policy,
    Reading,
    Said,
    Scope,
    Share,
    State,
)
from bot.core.printing import between_json, incident_json

T0 = datetime(2022, 11, 4, 3, 3, tzinfo=UTC)
POLICY = Policy(
    name="Twitter",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=15),
    reopen_for=timedelta(hours=1),
)
NUMBERS = Numbers(count=312, within=timedelta(minutes=15), usual=6.0, times=52.0)
SCOPE = Scope(
    regions=(Share(code="IN", share=0.5), Share(code="US", share=0.3)),
    platforms=(Share(code="web", share=0.9, usual=0.4),),
    symptoms=(Share(code="login", share=0.58, usual=0.1), Share(code="website", share=0.31)),
    spared=("ios", "android"),
)
PEOPLE = Reading(
    at=T0,
    kind=Evidence.PEOPLE,
    source="reports",
    level="critical",
    numbers=NUMBERS,
    scope=SCOPE,
    since=T0,
    rule="r (c:4)",
)
PAGE = Reading(at=T0, kind=Evidence.VENDOR, source="page", health=Health.OPERATIONAL)
INCIDENT = Incident(
    id="twitter-20221104-0303",
    service="twitter",
    name="Twitter",
    state=State.OPEN,
    since=T0,
    level="critical",
    peak_level="critical",
    started_at=T0,
    opened_at=T0 + timedelta(minutes=6),
    readings=(PEOPLE, PAGE),
    numbers=NUMBERS,
    peak=Peak(at=T0 + timedelta(hours=4), count=340, times=56.7),
    scope=SCOPE,
    worst_scope=SCOPE,
    first_kind=Evidence.PEOPLE,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (720, "12 min"),
        (3600, "1 h"),
        (13200, "3 h 40 min"),
        (86400, "1 d"),
        (187200, "2 d 4 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds, words):
    assert phrases.lasted(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("count", "usual", "times", "words"),
    [
        (312, 6.0, 52.0, "312 reports in 15 min, usually 6 (52 times as many)"),
        (1, 0.2, 2.0, "1 report in 15 min, usually none (2 times as many)"),
        (15, 6.0, 2.5, "15 reports in 15 min, usually 6 (2.5 times as many)"),
        (1, 0.5, 2.0, "1 report in 15 min, usually 1 (2 times as many)"),
        (7, 6.0, 1.1, "7 reports in 15 min, usually 6"),
        (12, None, None, "12 reports in 15 min (no usual known yet)"),
        (12345, 6000.0, 2.1, "12,345 reports in 15 min, usually 6,000 (2.1 times as many)"),
    ],
)
def test_a_count_is_said_against_its_usual(count, usual, times, words):
    numbers = Numbers(count=count, within=timedelta(minutes=15), usual=usual, times=times)
    assert phrases.counted(numbers) == words


@pytest.mark.parametrize(
    ("times", "words"),
    [(1.5, "more"), (4.0, "many more"), (52.0, "far more"), (0.2, "more")],
)
def test_how_much_more_has_three_words(times, words):
    assert phrases.much(replace(NUMBERS, times=times)) == f"{words} problem reports than usual"


def test_without_a_usual_people_simply_report_problems():
    assert phrases.much(replace(NUMBERS, usual=None, times=None)) == "people report problems"
    assert phrases.much(None) == "people report problems"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (None, ""),
        (Scope(), ""),
        (SCOPE, "mostly on the web in India and the United States; the app looks normal"),
        (Scope(regions=(Share(code="DE", share=0.9),)), "mostly in Germany"),
        (
            Scope(regions=tuple(Share(code=code, share=0.1) for code in ("DE", "FR", "IT", "ES", "PT", "AT"))),
            "mostly in Germany, France, Italy and 3 more",
        ),
        (Scope(spared=("JP", "ios")), "Japan and iOS look normal"),
    ],
)
def test_where_names_the_hit_and_the_spared(scope, words):
    assert whereabouts.where(scope) == words


def test_the_opening_says_why_since_when_where_and_that_the_vendor_is_silent():
    said = phrases.plain(wording.opened(replace(INCIDENT, told_scope=INCIDENT.scope), POLICY))
    assert said == (
        "Opened: critical. 312 reports in 15 min, usually 6 (52 times as many). Began about 03:03 UTC. "
        "Mostly on the web in India and the United States; the app looks normal. "
        "People see: log-in 58\u00a0% (usually 10\u00a0%), website 31\u00a0%. The vendor's page says nothing of it. "
    )


def test_the_close_says_how_long_how_bad_and_who_knew_first():
    over = replace(INCIDENT, state=State.CLOSED, eased_at=T0 + timedelta(hours=6, minutes=38))
    said = phrases.plain(wording.closed(over))
    assert said.startswith(
        "Over after 6 h 38 min: 2022-11-04 03:03 UTC to 09:41 UTC. Peak 340 reports at 07:03 UTC, 57 times"
    )
    assert said.endswith("First known from people's reports. The vendor's page never mentioned it.")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("resolve", "Resolved by a person."),
        ("false-alarm", "A false alarm."),
        ("merge", "Merged."),
        ("recovered", "Peak"),
    ],
)
def test_the_close_says_when_a_person_ended_it(why, words):
    assert words in phrases.plain(wording.closed(replace(INCIDENT, closed_why=why, eased_at=T0 + timedelta(hours=1))))


def test_a_vendors_and_a_persons_words_are_marked_as_theirs():
    notice = Notice(
        key="1",
        title="<b>Log-in</b>",
        phase="identified",
        impact=Health.DEGRADED,
        started_at=T0,
        updated_at=T0,
        words="@here",
    )
    told = wording.vendor(INCIDENT, notice, None)
    assert Said("<b>Log-in</b>") in told
    assert Said("@here") in told
    act = Acted(at=T0, verb="note", who="<@U1>", where="slack", text="<!channel>")
    assert [p for p in wording.acted(act) if isinstance(p, Said)] == [Said("<@U1>"), Said("<!channel>")]


def test_the_head_says_state_and_level_first_then_what_is_happening():
    shown = head(INCIDENT, POLICY, link="https://x/incident/1")
    assert shown.push == "Critical - Twitter: far more problem reports than usual (312 in 15 min, usually 6)"
    assert (shown.tone, shown.state, shown.link) == ("critical", "open", "https://x/incident/1")
    assert [s.word for s in shown.sources] == ["critical", "operational"]
    assert "r (c:4)" in phrases.plain(shown.foot)
    labels = {f.label: phrases.plain(f.value) for f in shown.facts}
    assert labels["Now"] == "312 reports in 15 min, usually 6 (52 times as many)"
    assert labels["Vendor"] == "has not posted"
    assert labels["Where"] == "India 50\u00a0%, United States 30\u00a0%"


@pytest.mark.parametrize(
    ("change", "title", "first"),
    [
        ({"state": State.EASING}, "Twitter: almost back to usual, watching", "Easing"),
        (
            {"state": State.EASING, "numbers": replace(NUMBERS, count=7, times=1.2)},
            "Twitter: back to usual, watching",
            "Easing",
        ),
        ({"state": State.CLOSED, "eased_at": T0 + timedelta(hours=1)}, "Twitter: over after 1 h", "Over"),
        ({"readings": (replace(PAGE, level="minor"),)}, "Twitter: the vendor reports trouble", "Critical"),
        (
            {"readings": (replace(PAGE, kind=Evidence.PROBE, level="minor"),)},
            "Twitter: does not answer as it should",
            "Critical",
        ),
        ({"readings": (), "declared_by": "Anna"}, "Twitter: a person declared an incident", "Critical"),
        ({"readings": ()}, "Twitter: trouble", "Critical"),
    ],
)
def test_the_title_says_what_is_happening_by_whoever_says_it(change, title, first):
    shown = head(replace(INCIDENT, **change), POLICY)
    assert shown.title == title
    assert shown.push.startswith(first)


def test_people_who_took_it_and_a_mute_are_on_the_head():
    taken = replace(
        INCIDENT, acked_by="Anna", owner="Ben", muted_until=T0, vendor_at=T0 + timedelta(hours=1), causes=("AWS",)
    )
    labels = {f.label: phrases.plain(f.value) for f in head(taken, POLICY).facts}
    assert (labels["Acknowledged"], labels["Taken by"], labels["Likely cause"]) == ("Anna", "Ben", "AWS")
    assert "Muted until" in labels
    assert "We opened 54 min before the vendor posted." in labels["Vendor"]


@pytest.mark.parametrize(
    ("levels", "tones"),
    [
        (("bad",), ["major"]),
        (("a", "b"), ["minor", "critical"]),
        (("a", "b", "c", "d"), ["minor", "major", "major", "critical"]),
    ],
)
def test_any_ladder_has_its_colours(levels, tones):
    policy = replace(POLICY, levels=levels)
    assert [tone(level, policy) for level in levels] == tones
    assert tone("", policy) == "calm"


def between(before: float, after: float) -> Incident:
    """The incident, begun so many minutes before or after what is told."""
    early, late = (T0 + timedelta(minutes=minutes) for minutes in (-before, after))
    return replace(INCIDENT, started_between=Between(early=early, late=late))


@pytest.mark.parametrize("incident", [INCIDENT, between(0, 0), between(1, 1), between(5, 5)])
def test_a_start_that_is_sure_to_a_few_minutes_is_told_without_doubt(incident):
    assert phrases.between(incident) == ()
    assert "Began about 03:03 UTC. " in phrases.plain(wording.opened(incident, POLICY))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (23, 7, "between 02:40 UTC and 03:10 UTC"),
        (6, 1, "between 02:57 UTC and 03:04 UTC"),
        (1, 6, "between 03:02 UTC and 03:09 UTC"),
        (200, 1, "between 23:43 UTC and 03:04 UTC"),
    ],
)
def test_a_doubtful_start_is_told_with_the_times_it_lies_between(before, after, words):
    incident = between(before, after)
    assert f"Began about 03:03 UTC ({words}). " in phrases.plain(wording.opened(incident, POLICY))
    [began] = [fact.value for fact in head(incident, POLICY).facts if fact.label == "Began"]
    assert phrases.plain(began).endswith(f", {words}")


def test_a_doubtful_start_is_told_even_when_it_opened_at_once():
    incident = replace(between(20, 1), opened_at=T0)
    assert "Began about 03:03 UTC (between 02:43 UTC and 03:04 UTC). " in phrases.plain(
        wording.opened(incident, POLICY)
    )


def test_the_times_a_start_lies_between_are_printed_or_nothing():
    printed = between_json(between(1, 2).started_between)
    assert printed == {"early": "2022-11-04T03:02:00Z", "late": "2022-11-04T03:05:00Z"}
    assert between_json(None) is None


@pytest.mark.parametrize(
    ("render", "words"),
    [
        (
            lambda text: mrkdwn(text, 3000),
            r"Began about <!date\^1667530980\^\S+\|03:03 UTC> \(between <!date\^1667529600\^",
        ),
        (
            lambda text: fit(text, 4000),
            r"Began about <t:1667530980:t> \(between <t:1667529600:t> and <t:1667531400:t>\)\.",
        ),
    ],
    ids=["slack", "discord"],
)
def test_each_chat_shows_the_times_a_start_lies_between_in_the_readers_own_zone(render, words):
    assert re.search(words, render(wording.opened(between(23, 7), POLICY)))


def test_the_printed_incident_has_the_shape_of_the_contract():
    printed = incident_json(replace(INCIDENT, confidence=Confidence.CONFIRMED), ())
    assert printed["started_at"] == "2022-11-04T03:03:00Z"
    assert printed["peak"] == {"at": "2022-11-04T07:03:00Z", "count": 340, "times": 56.7}
    assert printed["scope"]["regions"] == [
        {"code": "IN", "share": 0.5, "usual": 0.0},
        {"code": "US", "share": 0.3, "usual": 0.0},
    ]
    assert list(printed) == [
        "id", "service", "level", "confidence", "started_at", "opened_at", "eased_at", "closed_at", "peak", "scope",
        "entries",
    ]  # fmt: skip
