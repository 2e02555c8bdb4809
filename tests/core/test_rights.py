"""Who may do what, with and without roles."""

import pytest

from bot.core.rights import RIGHTS, enough, granted, needed
from bot.core.speech import VERBS

ROLES = {"act": ("ops",), "admin": ("boss",)}
CLOSED = {"read": ("staff",), "report": ("staff",), "act": ("ops",), "admin": ("boss",)}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_covered_by_its_right_and_by_all_above_and_by_none_below(verb):
    need = RIGHTS.index(needed(verb))
    assert [enough(right, verb) for right in RIGHTS] == [n >= need for n in range(len(RIGHTS))]
    assert not enough("", verb)
    assert not enough("king", verb)


@pytest.mark.parametrize(
    "verb", ["resolve", "mute", "declare", "merge", "false-alarm", "config", "maintenance", "test"]
)
def test_who_holds_no_role_changes_nothing_once_any_role_is_configured(verb):
    assert not enough(granted(ROLES, ["passer-by"]), verb)


@pytest.mark.parametrize(
    ("roles", "held", "right"),
    [
        ({}, [], "admin"),
        ({"act": ()}, [], "admin"),
        (ROLES, [], "report"),
        (ROLES, ["ops"], "act"),
        (ROLES, ["boss"], "admin"),
        (ROLES, ["ops", "boss"], "admin"),
        (CLOSED, [], ""),
        (CLOSED, ["staff"], "report"),
        (CLOSED, ["ops"], "act"),
        ({"report": ("staff",)}, [], "read"),
        ({"read": ("staff",)}, [], ""),
        ({"read": ("staff",)}, ["staff"], "report"),
        ({"read": ("staff",), "report": ("crew",)}, ["staff"], "read"),
    ],
)
def test_a_right_comes_from_the_highest_role_and_looking_and_reporting_are_free_unless_they_name_one(
    roles, held, right
):
    assert granted(roles, held) == right
