"""Where it is bad, on what, and what people see."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Scope, Share
from bot.core.scope import changed, scope
from bot.detectors.mix import Mix

REGIONS = {"US": 0.4, "IN": 0.15, "GB": 0.15, "DE": 0.1, "JP": 0.1, "BR": 0.1}
PLATFORMS = {"web": 0.4, "ios": 0.35, "android": 0.25}
SYMPTOMS = {"login": 0.2, "website": 0.1, "search_feed": 0.7}


def cells(regions, platforms, symptoms, total):
    return {
        (r, p, s): total * a * b * c
        for r, a in regions.items()
        for p, b in platforms.items()
        for s, c in symptoms.items()
    }


USUAL = cells(REGIONS, PLATFORMS, SYMPTOMS, 4000)


def added(*parts):
    return {cell: sum(part.get(cell, 0) for part in parts) for cell in set().union(*parts)}


def names(shares):
    return [share.code for share in shares]


def test_an_outage_everywhere_is_limited_to_nothing():
    said = scope(cells(REGIONS, PLATFORMS, SYMPTOMS, 800), USUAL, times=20)
    assert (said.limits, said.spared) == (((), ()), ())


@pytest.mark.parametrize("times", [None, 11])
def test_the_story_is_told_as_it_was(times):
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 30)
    bad = cells({"US": 0.6, "IN": 0.4}, {"web": 1.0}, {"website": 0.65, "login": 0.35}, 300)
    said = scope(added(calm, bad), USUAL, times=times)
    assert names(said.regions) == ["US", "IN"]
    assert names(said.platforms) == ["web"]
    assert names(said.symptoms)[:2] == ["website", "login"]
    assert said.symptoms[0].usual == pytest.approx(0.1, abs=0.01)
    assert said.spared[:2] == ("ios", "android")


def test_one_small_region_is_named_though_the_rest_goes_on_as_usual():
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 90)
    bad = cells({"DE": 1.0}, PLATFORMS, SYMPTOMS, 60)
    assert names(scope(added(calm, bad), USUAL, times=150 / 90).regions) == ["DE"]


def test_a_region_that_is_hit_hardest_among_many_is_no_limit():
    everywhere = cells(REGIONS, PLATFORMS, SYMPTOMS, 600)
    harder = cells({"IN": 1.0}, PLATFORMS, SYMPTOMS, 500)
    assert scope(added(everywhere, harder), USUAL, times=30).regions == ()


def test_fewer_than_five_reports_name_no_place():
    assert scope({("NZ", "web", "login"): 4}, USUAL).limits == ((), ())


def test_subdivisions_count_for_their_country_and_unknown_places_for_none():
    now = {("DE-BY", "", ""): 20, ("DE-BE", "", ""): 20, ("", "", ""): 500, ("*", "unknown", ""): 500}
    assert names(scope(now, USUAL).regions) == ["DE"]


@pytest.mark.parametrize(
    ("counts", "named"),
    [({"US": 30, "GB": 5}, ["US"]), ({"US": 15, "GB": 10, "DE": 9}, ["US", "GB"]), (dict.fromkeys("ABCDE", 9), [])],
)
def test_without_a_usual_only_a_clear_concentration_is_named(counts, named):
    said = scope({(code, "", ""): n for code, n in counts.items()}, {})
    assert names(said.regions) == named
    assert said.spared == ()


def test_a_limit_that_was_told_is_not_given_up_for_a_little():
    now = {("US", "", ""): 50, ("GB", "", ""): 40, ("DE", "", ""): 25}
    usual = {("US", "", ""): 60, ("GB", "", ""): 120, ("DE", "", ""): 120}
    fresh = scope(now, usual)
    assert fresh.regions == ()
    told = Scope(regions=(Share(code="US", share=0.7, usual=0.2),))
    assert names(scope(now, usual, told=told).regions) == ["US"]


def test_nothing_is_called_hit_and_spared_at_once():
    now = {("US", "", ""): 30, ("GB", "", ""): 70, ("DE", "", ""): 60}
    usual = {("US", "", ""): 120, ("GB", "", ""): 120, ("DE", "", ""): 120}
    told = Scope(
        regions=(Share(code="US", share=0.7, usual=0.2), Share(code="GB", share=0.2), Share(code="DE", share=0.1))
    )
    said = scope(now, usual, times=1.1, told=told)
    assert not {s.code for s in said.regions} & set(said.spared)


US = Scope(regions=(Share(code="US", share=0.9),))
US_GB = Scope(regions=(Share(code="US", share=0.5), Share(code="GB", share=0.4)))
LOGIN = Share(code="login", share=0.5)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, Scope(), False),
        (None, US, True),
        (US, Scope(), True),
        (US, Scope(regions=(Share(code="US", share=0.7),)), False),
        (Scope(), Scope(symptoms=(LOGIN,)), False),
        (Scope(symptoms=(LOGIN,)), Scope(symptoms=(Share(code="api", share=0.52), LOGIN)), False),
        (Scope(symptoms=(LOGIN,)), Scope(symptoms=(Share(code="api", share=0.62), LOGIN)), False),
        (Scope(symptoms=(LOGIN,)), Scope(symptoms=(Share(code="api", share=0.72), LOGIN)), True),
        (US_GB, Scope(regions=(*US_GB.regions, Share(code="DE", share=0.2))), False),
        (US_GB, Scope(regions=(Share(code="DE", share=0.9),)), True),
        (Scope(symptoms=(LOGIN,)), Scope(symptoms=(Share(code="api", share=0.62),)), True),
    ],
)
def test_only_other_limits_or_another_clear_leader_are_news(before, after, expected):
    assert changed(before, after) is expected


codes = st.sampled_from(["", "*", "US", "GB", "DE", "DE-BY", "web", "unknown"])
numbers = st.one_of(st.integers(0, 300), st.floats(), st.sampled_from([1e300, 5e-324]))
mixes = st.dictionaries(st.tuples(codes, codes, codes), numbers, max_size=12)


@given(mixes, mixes, st.one_of(st.none(), st.floats()))
def test_any_mix_gives_shares_that_are_shares(now, usual, times):
    said = scope(now, usual, times=times)
    for share in (*said.regions, *said.platforms, *said.symptoms):
        assert isfinite(share.share)
        assert 0 <= share.share <= 1
        assert 0 <= share.usual <= 1
    assert scope(now, usual, times=times, told=said).limits == said.limits
    assert len(said.regions) <= 3


def test_the_mix_remembers_the_proportions_of_calm_times():
    mix = Mix()
    for _ in range(300):
        mix.learn("x", {("US", "web", "login"): 9, ("GB", "ios", ""): 3})
    usual = mix.usual("x")
    assert usual["US", "web", "login"] / sum(usual.values()) == pytest.approx(0.75)
    assert 3500 < sum(usual.values()) <= 4000


def test_a_sudden_crowd_hardly_moves_the_mix():
    mix = Mix()
    for _ in range(100):
        mix.learn("x", {("US", "web", ""): 10})
    mix.learn("x", {("IN", "web", ""): 100_000})
    usual = mix.usual("x")
    assert usual["IN", "web", ""] < 0.06 * sum(usual.values())


def test_the_mix_forgets_what_is_no_longer_seen_and_bounds_what_strangers_invent():
    mix = Mix()
    mix.learn("x", {("FR", "", ""): 1})
    for _ in range(3000):
        mix.learn("x", {("US", "", ""): 20})
    assert set(mix.usual("x")) == {("US", "", "")}
    mix.learn("y", {(f"asn:{n}", "", ""): 1 for n in range(5000)})
    assert len(mix.usual("y")) <= 2000


@given(mixes)
def test_a_mix_survives_a_restart_whatever_it_was_taught(taught):
    mix = Mix()
    mix.learn("x", taught)
    assert Mix.restore(mix.snapshot()).usual("x") == mix.usual("x")
    assert all(isfinite(n) and n > 0 for n in mix.usual("x").values())


@pytest.mark.parametrize("blob", [b"", b"rubbish", Mix().snapshot().replace(b"\x01", b"\x02", 1)])
def test_a_spoilt_mix_starts_empty(blob):
    assert Mix.restore(blob).usual("x") == {}
