"""Which incidents belong together: a table of evenings, and laws over many."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.grouping import Rule, belongs, cause
from bot.core.model import Incident, State

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEEDS = {"github": ("cloudflare",), "npm": ("cloudflare",), "vercel": ("cloudflare", "aws"), "zoom": ("aws",)}
RULE = Rule()


def opened(service: str, minute: float, part_of: str = "") -> Incident:
    at = NOON + timedelta(minutes=minute)
    return Incident(
        id=f"{service}-1", service=service, name=service, state=State.OPEN, since=at, level="minor", peak_level="minor",
        started_at=at, opened_at=at, part_of=part_of,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("others", "new", "mates"),
    [
        ([], ("reddit", 0), None),
        ([("steam", 0)], ("reddit", 1), None),
        ([("steam", 0), ("zoom", 1)], ("reddit", 2), ["steam", "zoom"]),
        ([("steam", 0), ("zoom", 29)], ("reddit", 30), None),
        ([("github", 0)], ("npm", 2), ["github"]),
        ([("github", 0)], ("npm", 60), None),
        ([("cloudflare", 0)], ("npm", 2), None),
        ([("github", 1), ("cloudflare", 0)], ("npm", 2), ["github", "cloudflare"]),
        ([("github", 60), ("cloudflare", 0)], ("npm", 62), ["github", "cloudflare"]),
        ([("github", 0), ("npm", 1)], ("cloudflare", 2), ["github", "npm"]),
        ([("github", 0)], ("cloudflare", 2), None),
        ([("vercel", 1)], ("zoom", 2), ["vercel"]),
    ],
)
def test_a_new_group_takes_in_what_broke_with_it(others, new, mates):
    group, joining = belongs(opened(*new), [opened(*one) for one in others], NEEDS, RULE)
    assert sorted(joining) == sorted(mates or [])
    assert bool(group) is (mates is not None)


@pytest.mark.parametrize(
    ("others", "new", "group"),
    [
        ([("steam", 0, "g")], ("reddit", 4), "g"),
        ([("steam", 0, "g")], ("reddit", 9), ""),
        ([("steam", 0, "g"), ("zoom", 8, "g")], ("reddit", 9), "g"),
        ([("github", 0, "g")], ("npm", 90), "g"),
        ([("npm", 0, "g")], ("cloudflare", 90), "g"),
        ([("cloudflare", 0, "g")], ("npm", 90), "g"),
        ([("cloudflare", 0, "g")], ("zoom", 90), ""),
    ],
)
def test_a_living_group_takes_in_what_breaks_near_it_or_shares_its_need(others, new, group):
    assert belongs(opened(*new), [opened(*one) for one in others], NEEDS, RULE) == (group, ())


@pytest.mark.parametrize(
    ("services", "named"),
    [
        (["github", "npm"], "cloudflare"),
        (["github", "npm", "cloudflare"], "cloudflare"),
        (["github", "npm", "reddit"], "cloudflare"),
        (["github", "npm", "reddit", "steam"], ""),
        (["github", "npm", "cloudflare", "reddit"], "cloudflare"),
        (["vercel", "zoom"], "aws"),
        (["github", "reddit"], ""),
        (["github"], ""),
        ([], ""),
    ],
)
def test_the_likely_cause_is_what_most_of_them_depend_on(services, named):
    assert cause(services, NEEDS) == named


@given(
    st.lists(
        st.tuples(st.sampled_from([*NEEDS, "a", "b", "c"]), st.integers(0, 60)), max_size=8, unique_by=lambda o: o[0]
    ),
    st.integers(2, 5),
)
def test_mates_are_open_alone_and_enough(others, services):
    alive = [opened(*one) for one in others]
    new = replace(opened("new", 61), service="vercel2")
    group, mates = belongs(new, alive, NEEDS, Rule(services=services))
    assert bool(group) is bool(mates)
    assert len(mates) + 1 >= min(services, 3) or not mates
    assert set(mates) <= {one.service for one in alive}
