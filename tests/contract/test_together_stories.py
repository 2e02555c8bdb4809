"""Every file of tests/stories/together, played through a whole house: what its channel holds in the end, and who was called."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from doubles.town import Town

STORIES = sorted((Path(__file__).parents[1] / "stories" / "together").glob("*.yaml"))
BASE = {
    "channels": {"ops": {"chat": "page"}},
    "levels": {"minor": {"reports": 10}, "major": {"reports": 50}, "critical": {"reports": 200}},
    "policy": {"confirm_for": "0s", "quiet_for": "5m", "reopen_for": "1h"},
}


@pytest.mark.parametrize(
    "story", [yaml.safe_load(path.read_text()) for path in STORIES], ids=[path.stem for path in STORIES]
)
async def test_the_channel_tells_the_story(story: dict[str, Any], tmp_path: Path) -> None:
    async with Town(tmp_path, json.dumps(BASE | story["config"]), now=story["starts"]) as town:
        for minute in range(story["lasts"]):
            await town.minute(**_held(story["reports"], minute))
        told = [(head.title, town.threads[head.incident]) for head in town.heads]
    assert [title for title, _ in told] == [message["title"] for message in story["channel"]]
    for (title, lines), message in zip(told, story["channel"], strict=True):
        _in_order(title, "\n".join(lines), message["thread"])
    assert town.told.mentions == story["called"]


def _held(steps: dict[int, Any], minute: int) -> dict[str, int]:
    """What was said last, up to a minute."""
    return next((steps[at] for at in sorted(steps, reverse=True) if at <= minute), {})


def _in_order(title: str, said: str, expected: list[str]) -> None:
    at = 0
    for words in expected:
        found = said.find(words, at)
        assert found >= 0, f"{title}: {words!r} is not among what follows, {said[at:]!r}"
        at = found + len(words)


def test_there_are_stories_to_tell() -> None:
    assert len(STORIES) >= 3
    assert all(isinstance(yaml.safe_load(path.read_text())["starts"], datetime) for path in STORIES)
