"""Polls of status pages replayed in order, through the judge and the life of an incident: exactly the right thread."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from doubles.watches import NOW, PAGES, bad, calm, captured, watch

from bot.core.incident import step
from bot.core.model import Case, Entry, Evidence, Judged, Policy, Text
from bot.detectors.graded import Watched, hear, reading

LADDER = ("minor", "major", "critical")
POLICY = Policy(
    name="Example",
    levels=LADDER,
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=15),
    reopen_for=timedelta(hours=1),
)
Polls = Mapping[int, tuple[bytes, ...]]


def thread(kind: str, polls: Polls, **fields: Any) -> list[str]:
    """What the thread says when a page is asked every five minutes and answers as it last did: `minute kind words`."""
    return [f"{int((e.at - NOW) / timedelta(minutes=1))} {e.kind} {_words(e.text)}" for e in _told(kind, polls, fields)]


def kinds(said: list[str]) -> list[str]:
    return [" ".join(line.split()[:2]) for line in said]


def _told(kind: str, polls: Polls, fields: Mapping[str, Any]) -> Iterator[Entry]:
    page, memory, case, bodies = watch(kind, **fields), Watched(), Case(service="example"), next(iter(polls.values()))
    for minute in range(max(polls) + 61):
        now = NOW + timedelta(minutes=minute)
        bodies = polls.get(minute, bodies)
        if minute % 5 == 0:
            memory = hear(memory, page.read(bodies, now))
        spoken = reading(memory, now, source="page", kind=Evidence.VENDOR, levels=LADDER)
        case, entries = step(case, Judged(at=now, readings=(spoken,) if spoken else ()), POLICY)
        yield from entries


def _words(text: Text) -> str:
    return "".join(getattr(part, "words", part if isinstance(part, str) else "") for part in text)


def feeds(polls: Mapping[int, str]) -> Polls:
    return {minute: captured("feed", name) for minute, name in polls.items()}


def test_maintenance_that_is_announced_done_and_over_opens_nothing() -> None:
    polls = feeds({0: "work-announced.atom", 60: "work-under-way.atom", 120: "work-completed.atom"})
    assert thread("feed", polls) == []


def test_an_incident_of_a_feed_is_opened_followed_and_closed_once() -> None:
    polls = feeds(
        {0: "work-completed.atom", 10: "zombie-open.atom", 25: "zombie-update.atom", 45: "zombie-resolved.atom"}
    )
    said = thread("feed", polls)
    assert kinds(said) == ["12 opened", "25 vendor", "45 vendor", "45 eased", "60 closed"]
    assert "Still looking." in said[1]
    assert "resolved" in said[2]


def test_a_word_after_the_end_in_the_same_minute_keeps_nothing_open() -> None:
    assert thread("feed", feeds({0: "zombie-resolved.atom"})) == []


def test_the_story_told_days_later_reopens_nothing() -> None:
    polls = feeds({0: "zombie-open.atom", 45: "zombie-resolved.atom", 100: "zombie-postmortem.atom"})
    assert kinds(thread("feed", polls)) == ["2 opened", "45 vendor", "45 eased", "60 closed"]


def test_a_feed_that_breaks_tells_no_end() -> None:
    broken = (b"<!doctype html><title>All systems operational</title>",)
    polls = {**feeds({0: "zombie-open.atom"}), 20: broken, **feeds({60: "zombie-update.atom"})}
    assert kinds(thread("feed", polls)) == ["2 opened", "60 vendor"]


def gcp(**fields: object) -> tuple[bytes]:
    [first, *rest] = json.loads(captured("gcp", "two-places.json")[0])
    return (json.dumps([{**first, **fields}, *rest[1:]]).encode(),)


def test_a_report_appended_days_after_the_end_reopens_nothing() -> None:
    ended = {"end": "2026-03-01T12:30:00Z", "modified": "2026-03-01T12:30:00Z"}
    edited = {**ended, "modified": "2026-03-01T14:00:00Z", "external_desc": "Trouble, explained at length"}
    polls = {0: gcp(), 30: gcp(**ended), 120: gcp(**edited)}
    assert kinds(thread("gcp", polls)) == ["2 opened", "30 vendor", "30 eased", "45 closed"]


def test_the_first_look_at_years_of_history_is_silent() -> None:
    assert thread("gcp", {0: captured("gcp", "report-after-the-end.json")}) == []


def test_what_is_open_at_the_first_look_has_begun_when_the_vendor_says() -> None:
    page, now = watch("aws"), NOW
    memory = hear(Watched(), page.read(captured("aws", "degraded.json"), now))
    assert memory.since == now - timedelta(hours=2)


def cachet(**fields: object) -> tuple[bytes, bytes]:
    incidents = json.loads(captured("cachet", "incidents-v1.json")[0])
    incidents["data"][0] |= fields
    return captured("cachet", "components-v1-calm.json")[0], json.dumps(incidents).encode()


def test_the_same_incident_reopened_by_the_vendor_is_the_same_thread() -> None:
    fixed = {"status": 4, "updated_at": "2026-03-01 12:20:00"}
    again = {"status": 1, "updated_at": "2026-03-01 12:50:00"}
    fixed_again = {"status": 4, "updated_at": "2026-03-01 13:10:00"}
    polls = {0: cachet(), 20: cachet(**fixed), 50: cachet(**again), 70: cachet(**fixed_again)}
    said = kinds(thread("cachet", polls))
    assert [line.split()[1] for line in said if line.split()[1] != "vendor"] == [
        *("opened", "eased", "closed"),
        *("reopened", "eased", "closed"),
    ]


def test_an_incident_that_leaves_the_page_is_over_without_words_that_nobody_said() -> None:
    polls = {0: captured("checkly", "medium.json"), 30: captured("checkly", "calm.json")}
    said = thread("checkly", polls)
    assert kinds(said) == ["2 opened", "30 eased", "45 closed"]
    assert "resolved" not in said[1]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("statusio", ("maintenance.json",)),
        ("instatus", ("issues-without-incident.json",)),
        ("slack_status", ("active-without-any.json", "")),
        ("aws", ("informational.json",)),
        ("aws", ("months-old.json",)),
        ("apple", ("planned.json",)),
        ("uptimekuma", ("page-announcement-and-work.json", "beats-up.json")),
    ],
)
def test_announcements_moods_and_things_forgotten_open_nothing(kind: str, names: tuple[str, ...]) -> None:
    assert thread(kind, {0: captured(kind, *names)}) == []


# Every kind, found by itself; Kuma's beats carry the minute they were taken in, and a page that stands still is no news there

MOVING = sorted(PAGES.keys() - {"uptimekuma"})


def steps(kind: str, polls: Polls) -> list[str]:
    """What happens to the incident; the vendor's own words are left out."""
    return [line for line in kinds(thread(kind, polls)) if not line.endswith("vendor")]


@pytest.mark.parametrize("kind", MOVING)
def test_trouble_on_any_page_is_opened_once_and_closed_once(kind: str) -> None:
    polls = {0: tuple(calm(kind)), 10: tuple(bad(kind)), 40: tuple(calm(kind))}
    assert steps(kind, polls) == ["12 opened", "40 eased", "55 closed"]


@pytest.mark.parametrize("kind", MOVING)
def test_any_page_that_breaks_in_trouble_tells_no_end(kind: str) -> None:
    broken = (b"<!doctype html><title>All systems operational</title>",) * 3
    assert steps(kind, {0: tuple(bad(kind)), 20: broken, 80: tuple(bad(kind))}) == ["2 opened"]


@pytest.mark.parametrize("kind", MOVING)
def test_any_page_in_trouble_that_is_first_looked_at_has_one_beginning(kind: str) -> None:
    assert steps(kind, {0: tuple(bad(kind))}) == ["2 opened"]


@pytest.mark.parametrize("kind", sorted(PAGES))
def test_the_first_look_at_any_calm_page_is_silent(kind: str) -> None:
    assert thread(kind, {0: tuple(calm(kind))}) == []
