"""The draft of a post-mortem: what was recorded, in order, inert, with room for what only people know."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.markdown import markdown, quoted
from bot.core.model import (
    Between,
    Bold,
    Confidence,
    Entry,
    Evidence,
    Health,
    Incident,
    Kind,
    Notice,
    Peak,
    Said,
    Scope,
    Share,
    State,
    When,
)
from bot.core.postmortem import draft

T0 = datetime(2022, 11, 4, 3, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTICE = Notice(
    key="1",
    title="Log-in | trouble @everyone",
    phase="monitoring",
    impact=Health.DEGRADED,
    started_at=T0 + HOUR,
    updated_at=T0 + 2 * HOUR,
    url="https://status.example.com/1",
)
OVER = Incident(
    id="twitter-20221104-0303",
    service="twitter",
    name="Twitter",
    state=State.CLOSED,
    since=T0 + 7 * HOUR,
    level="minor",
    peak_level="critical",
    confidence=Confidence.CONFIRMED,
    started_at=T0,
    opened_at=T0 + timedelta(minutes=5),
    eased_at=T0 + 7 * HOUR,
    closed_at=T0 + 7 * HOUR + timedelta(minutes=15),
    peak=Peak(at=T0 + 4 * HOUR, count=1479, times=93.0),
    worst_scope=Scope(
        regions=(Share(code="IN", share=0.5),), platforms=(Share(code="web", share=0.9),), spared=("ios", "android")
    ),
    first_kind=Evidence.PEOPLE,
    vendor_at=T0 + HOUR,
    notices=(NOTICE,),
    acked_by="Anna|<b>",
    acked_at=T0 + timedelta(minutes=9),
    verdict="real",
    verdict_by="Bo",
)
LINES = (
    Entry(
        incident=OVER.id,
        seq=1,
        at=T0 + timedelta(minutes=5),
        kind=Kind.OPENED,
        level="minor",
        text=(Bold("Opened"), "."),
    ),
    Entry(
        incident=OVER.id,
        seq=2,
        at=T0 + HOUR,
        kind=Kind.ACTED,
        level="minor",
        text=(Said("Anna"), " noted", ": ", Said("[bank](https://evil.example) @team | x")),
    ),
)


def rows(text: str) -> dict[str, str]:
    cells = [line.strip("| ").split(" | ", 1) for line in text.splitlines() if line.startswith("| ")]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2}


def test_it_says_when_how_bad_and_who_knew_first() -> None:
    told = rows(draft(OVER, LINES))
    assert told["Opened"] == "2022-11-04 03:08, 5 min after the start"
    assert told["Vendor"] == "2022-11-04 04:03, 1 h after the start"
    assert told["Lasted"] == "7 h"
    assert told["Peak"] == "1,479 reports at 2022-11-04 07:03, 93 times as many as usual"
    assert told["Known first from"] == "people's reports"
    assert told["Was it real?"] == "real, says `Bo`"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "2022-11-04 03:03"),
        ((3, 4), "2022-11-04 03:03"),
        ((23, 7), "2022-11-04 03:03, between 02:40 and 03:10"),
    ],
)
def test_a_doubtful_start_stands_with_the_times_it_lies_between(span, words) -> None:
    early, late = (timedelta(minutes=minutes) for minutes in span or (0, 0))
    between = Between(early=T0 - early, late=T0 + late) if span else None
    assert rows(draft(replace(OVER, started_between=between), LINES))["Began, as estimated"] == words


def test_the_acknowledgement_is_counted_from_the_opening() -> None:
    assert rows(draft(OVER, LINES))["Acknowledged"].startswith("2022-11-04 03:12, 4 min after the opening, by ")


def test_it_tells_where_and_what_looked_normal() -> None:
    told = draft(OVER, LINES)
    assert "- Where: India 50" in told
    assert "- Looked normal: the app" in told


def test_the_chart_and_the_page_are_linked_when_there_are_any() -> None:
    told = draft(OVER, LINES, chart="x.svg", link="https://status.example.org/incident/x")
    assert "![Reports of Twitter around the incident against the usual](x.svg)" in told
    assert "[The incident's page](https://status.example.org/incident/x)" in told
    assert "![" not in draft(OVER, LINES)


def test_strangers_words_stand_in_code_spans_and_break_no_table() -> None:
    told = draft(OVER, LINES)
    assert "`[bank](https://evil.example) @team ¦ x`" in told
    assert "`Log-in ¦ trouble @everyone`" in told
    assert "`Anna¦<b>`" in told


def test_an_incident_that_is_not_over_says_so_and_leaves_out_what_is_not_known() -> None:
    alive = Incident(
        id="a-1", service="a", name="A_b", state=State.OPEN, since=T0, level="minor", peak_level="minor", started_at=T0
    )
    told = draft(alive, ())
    assert "It is not over yet." in told
    assert "# Post-mortem: A\\_b, 4 November 2022" in told
    assert {"Closed", "Peak", "Vendor", "Taken by"}.isdisjoint(rows(told))
    assert rows(told)["Acknowledged"] == "by nobody"
    assert "Not limited to one place" in told
    assert "What the vendor said" not in told


@pytest.mark.parametrize("question", ["Cause", "What went well", "What went badly", "Where we were lucky", "Actions"])
def test_what_only_people_know_is_asked(question: str) -> None:
    assert f"\n## {question}\n" in draft(OVER, LINES)


@given(st.text(max_size=900))
def test_a_code_span_holds_whatever_a_stranger_wrote(words: str) -> None:
    span = quoted(words)
    assert span == "" or (span[0] == span[-1] == "`" and not set(span[1:-1]) & set("`|\n\r\x1b\u202e"))
    assert len(span) <= 603


def test_a_text_keeps_its_weight_and_its_moments() -> None:
    text = (Bold("Worse: major"), ". a|b ", When(T0, "date"), " to ", When(T0))
    assert markdown(text) == "**Worse: major**. a\\|b 2022-11-04 03:03 to 03:03"
