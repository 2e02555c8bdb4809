"""Two equal platforms: the page that says so is read off the adapters, is current, and has no empty cell on one side."""

from pathlib import Path

import pytest

from bot.chats.discord_commands import MENUS
from bot.chats.slack_people import SHORTCUTS
from bot.commands.parity import page, verbs
from bot.core.speech import VERBS

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
LACKS = {
    *("`bot_token`", "`app_token`", "`signing_secret`", "`broadcast`"),
    *("`token`", "`guild`", "`gateway_url`", "`public_key`"),
}
"""Settings that one platform alone can have: its own tokens and addresses, and Slack's showing of a reply to all."""


def test_the_page_is_current():
    show = "from bot.commands.parity import page; print(page(), end='')"
    assert PAGE.read_text() == page(), f'python -c "{show}" > docs/parity.md'


def test_every_verb_is_on_both():
    assert [verb for verb, _, _ in verbs()] == list(VERBS)
    assert all(in_slack and in_discord for _, in_slack, in_discord in verbs())


def test_the_menu_of_a_message_is_the_same():
    assert {name: verb for verb, name in SHORTCUTS.items()} == MENUS


def rows() -> list[list[str]]:
    lines = [line for line in page().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_no_side_lacks_what_the_other_has(row):
    assert all(cell and (cell != "-" or row[0] in LACKS) for cell in row), row
