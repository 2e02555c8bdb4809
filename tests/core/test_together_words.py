"""What the message of a group says of its members."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Case, Confidence, Incident, Policy, State
from bot.core.phrases import plain
from bot.core.together import Turn, gathered

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Policy(
    name="All",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)


def broken(number: int) -> Incident:
    """One of several services that broke at noon."""
    return Incident(
        id=f"i{number}",
        service=f"s{number:02}",
        name=f"S{number:02}",
        state=State.OPEN,
        since=NOON,
        level="minor",
        peak_level="minor",
        confidence=Confidence.SUSPECTED,
        started_at=NOON,
        opened_at=NOON,
    )


@pytest.mark.parametrize(
    ("services", "last"),
    [
        (2, "S00 (minor) and S01 (minor)"),
        (9, "S07 (minor) and S08 (minor)"),
        (10, "S07 (minor) and 2 more"),
        (12, "S07 (minor) and 4 more"),
    ],
)
def test_the_first_line_says_how_bad_each_is_and_how_many_more_there_are(services: int, last: str) -> None:
    turn = Turn(group="together-1", members=[broken(n) for n in range(services)], news={}, at=NOON)
    _, [opened] = gathered(Case(service="..together-1"), turn, POLICY)
    assert f"{services} services broke within 1 min. S00 (minor)" in plain(opened.text)
    assert f"{last}. What follows" in plain(opened.text)
