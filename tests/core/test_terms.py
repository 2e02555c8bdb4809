"""Durations and moments in the words that people type."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.terms import begin, span, until

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "minutes", "rest"),
    [
        ("2h", 120, ""),
        ("for 2h", 120, ""),
        ("2 hours, deploying", 120, ", deploying"),
        ("90 min because of the move", 90, "because of the move"),
        ("1h30m", 90, ""),
        ("1 hour and 30 minutes", 90, ""),
        ("1.5h", 90, ""),
        ("45m", 45, ""),
        ("an hour", 60, ""),
        ("half an hour please", 30, "please"),
        ("for a day", 1440, ""),
        ("2d", 2880, ""),
        ("1W", 10080, ""),
        ("3 monkeys", None, "3 monkeys"),
        ("2hx", None, "2hx"),
        ("soon", None, "soon"),
        ("", None, ""),
    ],
)
def test_a_duration_at_the_front_is_read_as_people_write_it(words, minutes, rest):
    assert span(words) == (None if minutes is None else timedelta(minutes=minutes), rest)


@pytest.mark.parametrize(
    ("words", "end", "rest"),
    [
        ("", None, ""),
        ("until recovery", None, ""),
        ("until it recovers, we know", None, ", we know"),
        ("we know", None, "we know"),
        ("2h we know", "2026-11-22T14:30", "we know"),
        ("until 14:05", "2026-11-22T14:05", ""),
        ("until 12:00 UTC fix rolls out", "2026-11-23T12:00", "fix rolls out"),
        ("until 2026-12-01 08:00", "2026-12-01T08:00", ""),
        ("until 25:00", None, "until 25:00"),
        ("until 2026-02-30 08:00", None, "until 2026-02-30 08:00"),
    ],
)
def test_a_mute_ends_when_the_words_say_and_else_on_recovery(words, end, rest):
    assert until(words, NOW) == (at(end) if end else None, rest)


@pytest.mark.parametrize(
    ("words", "start", "rest"),
    [
        ("from 22:00 move", "2026-11-22T22:00", "move"),
        ("at 8:15", "2026-11-23T08:15", ""),
        ("from tomorrow 22:00", "2026-11-23T22:00", ""),
        ("from 2026-12-01T22:00Z database", "2026-12-01T22:00", "database"),
        ("on 2026-12-01 9:00", "2026-12-01T09:00", ""),
        ("from 99:99", None, "from 99:99"),
        ("2h", None, "2h"),
    ],
)
def test_planned_work_begins_when_the_words_say(words, start, rest):
    assert begin(words, NOW) == (at(start) if start else None, rest)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_without_a_fault_and_never_ends_in_the_past(words):
    end, _ = until(words, NOW)
    lasts, _ = span(words)
    begin(words, NOW)
    assert lasts is None or lasts >= timedelta(0)
    assert end is None or end >= NOW or words.lower().lstrip().startswith(("until", "till"))
