"""Both platforms, as the tests of the whole program meet them."""

import pytest
from doubles.discord_double import DiscordDouble
from doubles.slack import SlackDouble


@pytest.fixture
async def slack():
    async with SlackDouble() as double:
        yield double


@pytest.fixture
async def discord():
    async with DiscordDouble() as double:
        yield double
