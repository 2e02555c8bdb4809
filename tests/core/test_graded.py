"""From what a page or a probe says to a level that holds."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Evidence, Health, Notice, Signal
from bot.detectors.graded import (
    NETWORK,
    Outcome,
    Watched,
    backoff,
    blind,
    hear,
    jitter,
    level,
    reached,
    reading,
    trouble,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LADDER = ("minor", "major", "critical")
WORDS = {"o": Health.OPERATIONAL, "m": Health.MAINTENANCE, "d": Health.DEGRADED, "p": Health.PARTIAL_OUTAGE}
WORDS |= {"M": Health.MAJOR_OUTAGE, "-": None}

traces = st.lists(st.sampled_from(list("omdpM-")), max_size=60).map("".join)
patience = st.integers(1, 5)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def listen(trace: str, raise_after: int = 1, clear_after: int = 1) -> list[Watched]:
    """The memory after each minute; a trace has one letter per minute: o m d p M, and - for no reading."""
    memory, memories = Watched(), []
    for minute, letter in enumerate(trace):
        health = WORDS[letter]
        signal = Signal(at=at(minute), health=health, note=letter, error="" if health is not None else "timeout")
        memory = hear(memory, signal, raise_after=raise_after, clear_after=clear_after)
        memories.append(memory)
    return memories


def settled(trace: str, raise_after: int = 1, clear_after: int = 1) -> str:
    letters = {health: letter for letter, health in WORDS.items()}
    return "".join(letters[m.health] for m in listen(trace, raise_after, clear_after))


@pytest.mark.parametrize(
    ("trace", "raise_after", "clear_after", "holds"),
    [
        ("oMMo", 1, 1, "oMMo"),  # a page is believed at once
        ("MMMM", 3, 2, "--MM"),  # a probe after three
        ("oMMoMMM", 3, 2, "ooooooM"),  # two failures are a hiccup
        ("MMMoMoo", 3, 2, "--MMMMo"),  # one success is one too
        ("MMMooMo", 3, 2, "--MMooo"),
        ("dddMddd", 3, 2, "--ddddd"),  # one time-out of a slow page does not make it dead
        ("dddMMM", 3, 2, "--dddM"),
        ("MMMdd", 3, 2, "--MMd"),  # better, and not yet well
        ("MM-M", 3, 2, "---M"),  # no reading settles nothing
        ("o---M", 1, 1, "ooooM"),
        ("M----", 1, 1, "MMMMM"),  # least of all that it is over
        ("mo", 1, 1, "mo"),
        ("-", 1, 1, "-"),
    ],
)
def test_what_holds(trace: str, raise_after: int, clear_after: int, holds: str) -> None:
    assert settled(trace, raise_after, clear_after) == holds


@pytest.mark.parametrize(
    ("trace", "began"),
    [("ooMMM", 2), ("MMMM", 0), ("MoMMM", 2), ("MMMoM", 0), ("MMMoo", None), ("ooo", None), ("M-MM", 0), ("mmdMM", 2)],
)
def test_a_bad_run_begins_at_its_first_bad_signal(trace: str, began: int | None) -> None:
    assert listen(trace, 3, 2)[-1].since == (None if began is None else at(began))


@given(traces, patience, patience)
def test_what_settles_was_said_as_often_as_asked_for(trace: str, raise_after: int, clear_after: int) -> None:
    before = None
    for minute, memory in enumerate(listen(trace, raise_after, clear_after)):
        said = [WORDS[letter] for letter in trace[: minute + 1] if letter != "-"]
        if memory.health is not None and memory.health > (before or Health.MAINTENANCE):
            assert min(said[-raise_after:]) >= memory.health
            assert len(said) >= raise_after
        if before is not None and memory.health is not None and memory.health < before:
            assert max(said[-clear_after:]) <= memory.health
        before = memory.health


@given(traces, patience, patience)
def test_flapping_is_tamed(trace: str, raise_after: int, clear_after: int) -> None:
    bad = [m.health is not None and m.health > Health.MAINTENANCE for m in listen(trace, raise_after, clear_after)]
    raised = sum(now and not before for before, now in zip([False, *bad], bad, strict=False))
    assert raised <= len(trace) // (raise_after + clear_after) + 1


@given(traces, patience, patience)
def test_the_memory_stays_small_and_survives_being_kept(trace: str, raise_after: int, clear_after: int) -> None:
    for memory in listen(trace, raise_after, clear_after):
        assert len(memory.recent) <= max(raise_after, clear_after)
        assert msgspec.json.decode(msgspec.json.encode(memory), type=Watched) == memory


@given(traces)
def test_a_broken_feed_changes_nothing_but_its_own_trouble(trace: str) -> None:
    memory = Watched() if not trace else listen(trace)[-1]
    after = hear(memory, Signal(at=at(99), error="wrong_shape"))
    ours = {"failures": 0, "failing_since": None, "error": ""}
    assert msgspec.structs.replace(after, **ours) == msgspec.structs.replace(memory, **ours)
    assert after.failures == memory.failures + 1


@pytest.mark.parametrize(
    ("ladder", "names"),
    [
        (LADDER, ("", "", "minor", "major", "critical")),
        (("bad",), ("", "", "bad", "bad", "bad")),
        (("low", "high"), ("", "", "low", "high", "high")),
        (("a", "b", "c", "d"), ("", "", "a", "c", "d")),
        ((), ("", "", "", "", "")),
    ],
)
def test_health_finds_its_place_on_any_ladder(ladder: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert tuple(level(health, ladder) for health in Health) == names
    assert level(None, ladder) == ""


def test_a_reading_says_what_holds_since_when_and_why() -> None:
    memory = listen("oMMMo", 3, 2)[-1]
    read = reading(memory, at(9), source="front", kind=Evidence.PROBE, levels=LADDER)
    assert read is not None
    assert (read.level, read.since, read.note, read.source) == ("critical", at(1), "M", "front")
    assert (read.at, read.kind, read.health) == (at(9), Evidence.PROBE, Health.MAJOR_OUTAGE)


def test_a_watch_that_never_gave_a_reading_says_nothing() -> None:
    assert reading(listen("---")[-1], at(9), source="x", kind=Evidence.VENDOR, levels=LADDER) is None


def test_a_quiet_health_is_shown_and_opens_nothing() -> None:
    memory = hear(Watched(), Signal(at=START, health=Health.DEGRADED, quiet=True))
    read = reading(memory, at(1), source="page", kind=Evidence.VENDOR, levels=LADDER)
    assert read is not None
    assert (read.health, read.level) == (Health.DEGRADED, "")


def notice(key: str, phase: str, *, stale: bool = False) -> Notice:
    return Notice(
        key=key, title=key, phase=phase, impact=Health.DEGRADED, started_at=START, updated_at=START, stale=stale
    )


def shown(*polls: tuple[Notice, ...]) -> list[str]:
    memory = Watched()
    for minute, notices in enumerate(polls):
        memory = hear(memory, Signal(at=at(minute), health=Health.OPERATIONAL, notices=notices))
    return [f"{n.key} {n.phase}" for n in memory.notices]


def test_what_was_over_at_the_first_poll_is_history() -> None:
    over, open_, coming = notice("a", "resolved"), notice("b", "investigating"), notice("c", "scheduled")
    assert shown((over, open_, coming)) == ["b investigating", "c scheduled"]
    assert shown((over, open_), (over, open_)) == ["b investigating"]


def test_an_end_that_we_saw_begin_is_news() -> None:
    assert shown((notice("a", "investigating"),), (notice("a", "resolved"),)) == ["a resolved"]
    assert shown((notice("a", "investigating"),), (notice("a", "resolved"),), (notice("a", "postmortem"),)) == [
        "a postmortem"
    ]


def test_an_incident_filed_afterwards_is_history() -> None:
    assert shown((), (notice("a", "resolved"),)) == []


def test_an_incident_opened_again_counts() -> None:
    assert shown((notice("a", "resolved"),), (notice("a", "identified"),)) == ["a identified"]


def test_a_forgotten_incident_stays_visible() -> None:
    assert shown((notice("a", "identified", stale=True),)) == ["a identified"]


def test_what_vanished_is_forgotten_so_that_memory_stays_small() -> None:
    memory = hear(Watched(), Signal(at=START, health=Health.DEGRADED, notices=(notice("a", "identified"),)))
    assert hear(memory, Signal(at=at(1), health=Health.OPERATIONAL)).ours == ()


@pytest.mark.parametrize(
    ("failures", "minutes_apart", "said"),
    [(1, 1, False), (4, 1, False), (5, 1, True), (2, 11, True), (2, 9, False), (1, 60, False), (0, 1, False)],
)
def test_the_watch_itself_is_in_trouble_after_five_failures_or_ten_minutes(
    failures: int, minutes_apart: float, *, said: bool
) -> None:
    memory, now = Watched(), START
    for n in range(failures):
        now = at(n * minutes_apart)
        memory = hear(memory, Signal(at=now, error="timeout", note="no answer within 10 s"))
    words = trouble(memory, now)
    assert bool(words) == said
    assert not words or words.endswith("no answer within 10 s")


def test_one_reading_ends_the_trouble() -> None:
    memory = listen("-" * 9 + "o")[-1]
    assert (memory.failures, trouble(memory, at(10)), memory.heard_at) == (0, "", at(9))


def test_an_error_page_is_an_answer_and_a_dead_line_is_not() -> None:
    assert reached(Signal(at=START, error="http_503"))
    assert reached(Signal(at=START, health=Health.OPERATIONAL))
    assert not any(reached(Signal(at=START, health=Health.MAJOR_OUTAGE, error=error)) for error in NETWORK)


def outcomes(words: str) -> list[Outcome]:
    """`github.com+ x.com-30`: reached just now; not reached half a minute ago."""
    found = []
    for word in words.split():
        sign = "+" if "+" in word else "-"
        host, _, ago = word.partition(sign)
        found.append(Outcome(host=host, ok=sign == "+", at=START - timedelta(seconds=float(ago or 0))))
    return found


@pytest.mark.parametrize(
    ("words", "is_blind"),
    [
        ("a.com- b.org- c.net-", True),
        ("a.com- b.org- c.net+", True),  # two of three
        ("a.com- b.org+ c.net+", False),
        ("a.com- b.org-", False),  # two sites prove nothing
        ("a.com- b.org- c.net- d.io+ e.eu+", True),  # three of five
        ("a.com- b.org- c.net- d.io+ e.eu+ f.de+", False),
        ("a.com- b.org- c.net-61", False),  # the third failed long ago
        ("a.com- b.org-50 c.net-50", True),
        ("www.a.com- api.a.com- cdn.a.com- status.a.com- b.org+", False),  # one vendor's outage
        ("www.a.co.uk- b.co.uk- c.co.uk-", True),  # three vendors under one country
        ("10.0.0.1- 10.0.0.2- 10.0.0.3-", True),
        ("[2001:db8::1]:443- a.com:443- b.org-", True),
        ("a.com-30 a.com+ b.org- c.net-", True),
        ("a.com-30 b.org-30 c.net-30 a.com+ b.org+ c.net+", False),  # over: the latest counts
        ("", False),
    ],
)
def test_when_most_unrelated_sites_fail_at_once_the_fault_is_ours(words: str, *, is_blind: bool) -> None:
    assert blind(outcomes(words), START) == is_blind


@given(st.text(), st.integers(-1, 10**6), st.floats(0.1, 1e6))
def test_jitter_stays_within_a_tenth_and_repeats_itself(key: str, n: int, seconds: float) -> None:
    interval = timedelta(seconds=seconds)
    spread = jitter(interval, key, n)
    assert 0.9 * interval.total_seconds() - 1e-9 <= spread <= 1.1 * interval.total_seconds() + 1e-9
    assert spread == jitter(interval, key, n)


def test_jitter_spreads_watches_evenly() -> None:
    spread = [jitter(timedelta(seconds=100), f"watch {n}", 1) for n in range(1000)]
    assert max(spread) - min(spread) > 18
    assert abs(sum(spread) / 1000 - 100) < 1


def test_backoff_doubles_up_to_a_quarter_of_an_hour() -> None:
    minute = timedelta(minutes=1)
    assert [backoff(n, minute) / minute for n in range(7)] == [1, 1, 2, 4, 8, 15, 15]
    assert backoff(10**9) == 15 * minute
    assert backoff(3, timedelta(hours=1)) == timedelta(hours=1)
