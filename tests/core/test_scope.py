"""Where it is bad, on what, and what people see."""

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.model import Scope, Share
from bot.core.reports import Cell
from bot.core.scope import added, changed
from bot.core.whereabouts import where as spoken
from bot.detectors.mix import Mix
from bot.detectors.where import Look, where

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


def names(shares):
    return [share.code for share in shares]


def look(now, usual=USUAL, times=None, minutes=16.0, doubt=0.01, spread=1.0, regions=None):
    """One window in which `now` came, `times` as much as was due."""
    total = sum(now.values())
    due = [total / times] if times else []
    return Look(slices=[now], due=due, regions=regions or {}, usual=usual, doubt=doubt, spread=spread)


def test_an_outage_everywhere_is_limited_to_nothing():
    said = where(look(cells(REGIONS, PLATFORMS, SYMPTOMS, 800), times=20))
    assert (said.limits, said.spared) == (((), ()), ())


@pytest.mark.parametrize("times", [None, 11])
def test_the_story_is_told_as_it_was(times):
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 30)
    bad = cells({"US": 0.6, "IN": 0.4}, {"web": 1.0}, {"website": 0.65, "login": 0.35}, 300)
    said = where(look(added([calm, bad]), times=times))
    assert names(said.regions) == ["US", "IN"]
    assert names(said.platforms) == ["web"]
    assert names(said.symptoms)[:2] == ["website", "login"]
    assert said.symptoms[0].usual == pytest.approx(0.1, abs=0.01)
    assert said.spared[:2] == ("ios", "android")
    assert spoken(said).startswith("mostly on the web in the United States and India; the app ")


def test_one_small_region_is_named_though_the_rest_goes_on_as_usual():
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 90)
    bad = cells({"DE": 1.0}, PLATFORMS, SYMPTOMS, 60)
    assert where(look(added([calm, bad]), times=150 / 90)).limits == (("DE",), ())


def test_one_platform_of_one_region_is_named_though_neither_stands_out_alone():
    usual = cells(
        dict.fromkeys(("US", "IN", "GB", "DE", "JP", "BR", "FR", "IT", "ES", "NL"), 0.1), PLATFORMS, SYMPTOMS, 4000
    )
    calm = {cell: count * 0.1 for cell, count in usual.items()}
    bad = cells({"FR": 1.0}, {"ios": 1.0}, SYMPTOMS, 40)
    assert where(look(added([calm, bad]), usual, times=1.1)).limits == (("FR",), ("ios",))


def test_a_region_that_is_hit_hardest_among_many_is_no_limit():
    everywhere = cells(REGIONS, PLATFORMS, SYMPTOMS, 600)
    harder = cells({"IN": 1.0}, PLATFORMS, SYMPTOMS, 500)
    assert where(look(added([everywhere, harder]), times=30)).regions == ()


def test_a_wave_that_lifts_all_alike_does_not_blur_a_limit():
    wave = cells(REGIONS, PLATFORMS, SYMPTOMS, 1200)
    bad = cells({"IN": 1.0}, PLATFORMS, SYMPTOMS, 400)
    assert where(look(added([wave, bad]), times=1.6, doubt=0.04)).limits == (("IN",), ())


def test_a_region_is_held_against_its_own_hour_of_the_day():
    noon_in_india = added([cells(REGIONS, PLATFORMS, SYMPTOMS, 100), cells({"IN": 1.0}, PLATFORMS, SYMPTOMS, 100)])
    assert where(look(noon_in_india, times=2)).regions != ()
    assert where(look(noon_in_india, times=2, regions={"IN": [115.0]})).regions == ()


def test_fewer_than_five_reports_name_no_place():
    assert where(look({Cell("NZ", "web", "login"): 4.0}, times=8)).limits == ((), ())


def test_subdivisions_count_for_their_country_and_unknown_places_for_none():
    now = {("DE-BY", "", ""): 20, ("DE-BE", "", ""): 20, ("", "", ""): 500, ("*", "unknown", ""): 500}
    assert where(look(now, times=20)).limits == (("DE",), ())


@pytest.mark.parametrize("silent", [300, 3000])
def test_reports_that_do_not_say_where_change_nothing(silent):
    bad = cells({"DE": 1.0}, {"web": 1.0}, SYMPTOMS, 60)
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 90)
    mixed = added([USUAL, {("", "", ""): 40.0 * silent}])
    assert where(look(added([calm, bad, {("", "", ""): silent}]), mixed, times=1.5)).limits == (("DE",), ("web",))


def test_reports_that_say_only_where_count_for_the_place_and_for_no_platform():
    usual = added([USUAL, cells(REGIONS, {"": 1.0}, SYMPTOMS, 4000)])
    calm = {cell: count * 0.02 for cell, count in usual.items()}
    bad = cells({"DE": 1.0}, {"": 1.0}, SYMPTOMS, 60)
    assert where(look(added([calm, bad]), usual, times=220 / 160)).limits == (("DE",), ())


def test_reports_without_any_place_or_platform_are_limited_to_nothing():
    usual = {("", "", "login"): 500.0, ("", "", "website"): 500.0}
    said = where(look({("", "", "login"): 90.0}, usual, times=9))
    assert (said.limits, names(said.symptoms)) == (((), ()), ["login"])


@pytest.mark.parametrize(
    ("counts", "named"),
    [({"US": 30, "GB": 5}, ["US"]), ({"US": 15, "GB": 10, "DE": 9}, ["US", "GB"]), (dict.fromkeys("ABCDE", 9), [])],
)
def test_without_a_usual_only_a_clear_concentration_is_named(counts, named):
    said = where(look({(code, "", ""): n for code, n in counts.items()}, {}))
    assert names(said.regions) == named
    assert said.spared == ()


def test_a_limit_that_was_told_stands_until_another_is_clearly_better():
    calm = cells(REGIONS, PLATFORMS, SYMPTOMS, 100)
    told = Scope(regions=(Share(code="IN", share=0.5),))
    found = {}
    for extra in range(40):
        now = added([calm, cells({"IN": 1.0}, PLATFORMS, SYMPTOMS, 40), cells({"GB": 1.0}, PLATFORMS, SYMPTOMS, extra)])
        found[extra] = [where(look(now, times=1.4), said).limits[0] for said in (None, told)]
    fresh, held = ([extra for extra, pair in found.items() if pair[k] == ("IN",)] for k in (0, 1))
    assert held[: len(fresh)] == fresh
    assert 0 < len(held) - len(fresh) < 6


def test_what_was_told_and_is_not_looked_at_any_more_is_forgotten():
    now = added([cells(REGIONS, PLATFORMS, SYMPTOMS, 90), cells({"DE": 1.0}, PLATFORMS, SYMPTOMS, 60)])
    told = Scope(regions=(Share(code="NZ", share=0.5),))
    assert where(look(now, times=1.6), told).limits == (("DE",), ())


def test_nothing_is_called_hit_and_spared_at_once():
    now = {("US", "", ""): 30, ("GB", "", ""): 70, ("DE", "", ""): 60}
    usual = {("US", "", ""): 120, ("GB", "", ""): 120, ("DE", "", ""): 120}
    told = Scope(
        regions=(Share(code="US", share=0.7, usual=0.2), Share(code="GB", share=0.2), Share(code="DE", share=0.1))
    )
    said = where(look(now, usual, times=1.1), told)
    assert not {s.code for s in said.regions} & set(said.spared)


def test_the_symptoms_told_are_those_above_their_usual():
    now = added([cells(REGIONS, PLATFORMS, {"search_feed": 1.0}, 60), cells(REGIONS, PLATFORMS, {"login": 1.0}, 45)])
    assert names(where(look(now, times=9)).symptoms) == ["login"]
    as_usual = cells(REGIONS, PLATFORMS, SYMPTOMS, 300)
    assert names(where(look(as_usual, times=9)).symptoms) == ["search_feed", "login", "website"]


def test_a_few_reports_of_a_rare_symptom_do_not_stand_out():
    now = added([cells(REGIONS, PLATFORMS, SYMPTOMS, 30), {("US", "web", "payment"): 2.0}])
    assert "payment" not in names(where(look(now, times=9)).symptoms)[:1]


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


@settings(deadline=None)
@given(st.lists(mixes, min_size=1, max_size=3), mixes, st.one_of(st.none(), st.floats(0.01, 1e6)))
def test_any_mix_gives_shares_that_are_shares(slices, usual, times):
    due = [times * (1 + k) for k in range(len(slices))] if times else []
    seen = Look(slices=slices, due=due, regions={}, usual=usual, doubt=0.01, spread=1.0)
    said = where(seen)
    for share in (*said.regions, *said.platforms, *said.symptoms):
        assert isfinite(share.share)
        assert 0 <= share.share <= 1
        assert 0 <= share.usual <= 1
    assert where(seen, said).limits == said.limits


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
