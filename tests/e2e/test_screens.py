"""What both chats would show of a whole story: no markup left over, nothing of a stranger's alive, no row too wide for a phone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.browser import chromium_path
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parents[2] / "docs"
SHEETS = """
import asyncio, json, sys
from screens import _SCENARIO
from writing.paper import sheet
from writing.scenes import groups, played
found = groups(asyncio.run(played(_SCENARIO)))
sheets = {f"{p}-{n}": sheet(t, g, p, dark=False) for n, t, g in found for p in ("slack", "discord")}
open(sys.argv[1], "w", encoding="utf-8").write(json.dumps(sheets))
"""
NAMES = [
    f"{platform}-{group}" for platform in ("slack", "discord") for group in ("heads", "thread", "answers", "forms")
]
WIDE = "() => [...document.querySelectorAll('article')].filter(a => a.scrollWidth > a.clientWidth + 1).map(a => a.innerText)"


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sheets, drawn in a process of their own, as `make screens` does it."""
    path = tmp_path_factory.mktemp("sheets") / "sheets.json"
    run = subprocess.run(
        [sys.executable, "-c", SHEETS, str(path)], cwd=DOCS, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    program = chromium_path()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": 1190, "height": 800})
        browser.close()


def words(sheet: str) -> str:
    return re.sub(r"<[^>]+>", " ", sheet.partition("<main>")[2])


def test_every_group_is_on_the_page_of_screens_in_both_themes() -> None:
    told = (DOCS / "screens.md").read_text(encoding="utf-8")
    for name in NAMES:
        for theme in ("light", "dark"):
            path = f"images/screens/{name}-{theme}.webp"
            assert path in told
            assert (DOCS / path).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_no_markup_is_left_over(sheets: dict[str, str], name: str) -> None:
    assert sheets[name].count("<article>") >= 4
    assert not re.search(r"&lt;t:|<!date|\*\*|(?m:^-# )|\{ago\}|\\[*_]", words(sheets[name]))


@pytest.mark.parametrize("name", ["slack-thread", "discord-thread"])
def test_a_strangers_words_call_nobody_and_lead_nowhere(sheets: dict[str, str], name: str) -> None:
    noted = next(part for part in sheets[name].split("<article>") if "noted" in part)
    assert "hxxps://evil.example" in noted.replace("\u200b", "")
    assert "<a " not in noted
    assert "<b>now</b>" not in noted


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_a_phone(sheets: dict[str, str], page: Page, name: str) -> None:
    page.set_content(sheets[name])
    assert page.evaluate(WIDE) == []
