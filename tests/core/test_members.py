"""The incidents that one message tells of together."""

import pytest

from bot.core.members import named


@pytest.mark.parametrize(
    ("several", "words"),
    [
        ([], ""),
        (["GitHub", "npm"], "GitHub and npm"),
        (["GitHub", "npm", "GitHub"], "GitHub and npm"),
        (["a", "b", "c", "d"], "a, b, c and d"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)
def test_many_names_are_the_first_and_how_many_more_but_never_one_more(several, words):
    assert named(several) == words
