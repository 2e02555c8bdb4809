"""What people type, read as codes; and codes, told to people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import places


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("login", "login"),
        ("Log-in", "login"),
        ("I can\u2019t log in on my phone", "login"),
        ("Anmelden geht nicht", "login"),
        ("Something went wrong, again and again", "website"),
        ("503 on every page", "website"),
        ("Feed and search", "search_feed"),
        ("the app is slow", "performance"),
        ("the application", ""),
        ("API", "api"),
        ("search_feed", "search_feed"),
        ("kaputt", ""),
        ("", ""),
    ],
)
def test_a_symptom_is_read_from_a_code_a_label_or_a_sentence(text, code):
    assert places.symptom(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("iOS", "ios"),
        ("my iPhone 15", "ios"),
        ("desktop web", "web"),
        ("Windows 11", "desktop_windows"),
        ("PS5", "console_playstation"),
        ("Android TV", "tv"),
        ("unknown", "unknown"),
        ("toaster", ""),
    ],
)
def test_a_platform_is_read_from_a_code_a_label_or_a_sentence(text, code):
    assert places.platform(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "DE"),
        ("DEU", "DE"),
        (" germany ", "DE"),
        ("UK", "GB"),
        ("United  States", "US"),
        ("Côte d\u2019Ivoire", "CI"),
        ("de-by", "DE-BY"),
        ("us_ca", "US-CA"),
        ("AS3320", "asn:3320"),
        ("asn:13335", "asn:13335"),
        ("cloud:aws:eu-central-1", "cloud:aws:eu-central-1"),
        ("Worldwide", "*"),
        ("*", "*"),
        ("xx", ""),
        ("xx-yy", ""),
        ("uk-lnd", "GB-LND"),
        ("asn:0", ""),
        ("cloud:aws:<script>", ""),
        ("Narnia", ""),
        ("", ""),
    ],
)
def test_a_region_is_read_from_a_code_or_a_name(text, code):
    assert places.region(text) == code


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("login", "Log-in"),
        ("web", "Web"),
        ("IN", "India"),
        ("DE-BY", "Germany (BY)"),
        ("asn:3320", "AS3320"),
        ("cloud:aws:eu-central-1", "AWS eu-central-1"),
        ("cloud:hetzner:fsn1", "hetzner fsn1"),
        ("*", "everywhere"),
        ("", "unknown"),
        ("quux", "quux"),
    ],
)
def test_a_code_has_a_name_for_people(code, name):
    assert places.label(code) == name


@pytest.mark.parametrize(("code", "held"), [("DE-BY", "DE"), ("DE", "DE"), ("asn:3320", "asn:3320"), ("*", "*")])
def test_a_subdivision_belongs_to_its_country(code, held):
    assert places.country(code) == held


@pytest.mark.parametrize(
    ("read", "codes"),
    [
        (places.symptom, places.SYMPTOMS),
        (places.platform, places.PLATFORMS),
        (places.region, places.COUNTRIES),
    ],
)
def test_every_code_and_every_label_reads_back_as_its_code(read, codes):
    for code, name in codes.items():
        assert (read(code), read(name)) == (code, code)


def test_all_countries_are_there():
    assert len(places.COUNTRIES) == 249


@given(st.text(max_size=60))
def test_a_stranger_can_only_ever_choose_a_code(text):
    assert places.symptom(text) in {"", *places.SYMPTOMS}
    assert places.platform(text) in {"", *places.PLATFORMS}
    code = places.region(text)
    assert code == places.region(code)
    assert places.label(code)
