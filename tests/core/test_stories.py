"""Every file of tests/stories, played minute by minute through the life of an incident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.incident import step
from bot.core.model import Case, Entry, Evidence, Health, Incident, Judged, Notice, Numbers, Policy, Reading, Text, When

STORIES = sorted((Path(__file__).parents[1] / "stories").glob("*.yaml"))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LADDER = {"minor": (10, 2.0), "major": (50, 5.0), "critical": (200, 15.0)}  # reports in 15 min, times the usual
HEALTH = {Health.DEGRADED: "minor", Health.PARTIAL_OUTAGE: "major", Health.MAJOR_OUTAGE: "critical"}
POLICY = Policy(
    name="Twitter",
    levels=tuple(LADDER),
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=15),
    reopen_for=timedelta(hours=1),
)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_thread_tells_the_story(path: Path) -> None:
    story = yaml.safe_load(path.read_text())
    told = list(_played(story))
    assert [(_minute(entry.at), entry.kind) for entry, _ in told] == [
        (row["at"], row["kind"]) for row in story["thread"]
    ]
    for (entry, incident), row in zip(told, story["thread"], strict=True):
        _compare(entry, incident, row)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_ends_as_it_should(path: Path) -> None:
    story = yaml.safe_load(path.read_text())
    told = list(_played(story))
    ends, last = story["ends"], told[-1][1] if told else None
    assert (last.state if last else "none") == ends["state"]
    assert len({entry.incident for entry, _ in told}) == ends.get("incidents", 1 if told else 0)
    assert last is None or last.confidence == ends.get("confidence", last.confidence)
    assert last is None or last.peak_level == ends.get("level", last.peak_level)


def _played(story: dict[str, Any]) -> Iterator[tuple[Entry, Incident]]:
    """Each entry with the incident as it was then; an hour of nothing follows the last change."""
    case, last = (
        Case(service="twitter"),
        max(minute for key in ("reports", "notices") for minute in story.get(key, {0: 0})),
    )
    for minute in range(last + 61):
        readings, deaf = tuple(_readings(story, minute)), bool(_held(story, "silent", minute))
        case, entries = step(case, Judged(at=_at(minute), readings=readings, deaf=deaf), POLICY)
        for entry in entries:
            assert case.incident is not None
            yield entry, case.incident


def _readings(story: dict[str, Any], minute: int) -> Iterator[Reading]:
    count = _held(story, "reports", minute)
    if count is not None:
        yield _crowd(story, count, minute)
    for kind in (Evidence.PROBE, Evidence.VENDOR):
        word = _held(story, kind.value, minute)
        if word is not None:
            yield _page(story, kind, Health[word.upper()], minute)


def _crowd(story: dict[str, Any], count: int, minute: int) -> Reading:
    usual = story["usual"]
    times = None if usual is None else count / usual
    levels = [name for name, (least, most) in LADDER.items() if count >= least and (times is None or times >= most)]
    numbers = Numbers(count=count, within=timedelta(minutes=15), usual=usual, times=times)
    since = _at(story["began"]) if "began" in story else None
    level = levels[-1] if levels else ""
    return Reading(at=_at(minute), kind=Evidence.PEOPLE, source="reports", level=level, since=since, numbers=numbers)


def _page(story: dict[str, Any], kind: Evidence, health: Health, minute: int) -> Reading:
    notice = _held(story, "notices", minute) if kind is Evidence.VENDOR else None
    first = min((at for at in story.get("notices", {})), default=0)
    fields = {"impact": Health.PARTIAL_OUTAGE, "started_at": _at(first), "updated_at": _at(minute)}
    notices = (Notice(**fields, **notice),) if notice else ()
    level = HEALTH.get(health, "")
    return Reading(at=_at(minute), kind=kind, source=kind.value, level=level, health=health, notices=notices)


def _compare(entry: Entry, incident: Incident, row: dict[str, Any]) -> None:
    assert entry.level == row.get("level", entry.level)
    assert incident.confidence == row.get("confidence", incident.confidence)
    assert _minute(incident.started_at) == row.get("started", _minute(incident.started_at))
    says = row.get("says", [])
    for words in [says] if isinstance(says, str) else says:
        assert words in _plain(entry.text)


def _held(story: dict[str, Any], key: str, minute: int) -> Any:
    """The value that stands since the last change."""
    changes = [value for at, value in sorted(story.get(key, {}).items()) if at <= minute]
    return changes[-1] if changes else None


def _plain(text: Text) -> str:
    parts = (
        f"{part.at:%H:%M}" if isinstance(part, When) else part if isinstance(part, str) else part.words for part in text
    )
    return "".join(parts)


def _at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def _minute(at: datetime) -> int:
    return int((at - NOON) / timedelta(minutes=1))
